/**
 * The partitions of an incident, by what lies in them. Each has writers of its own, and a function's `role.yml` names the partitions that it may write:
 * whoever takes over one function cannot write what others trust. `INCIDENT` has what most functions write: the incident itself, its history,
 * its tickets, and how far a step has come.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html (dynamodb:LeadingKeys)
 */
export type Partition =
  | 'INCIDENT'
  /** By the plan functions, and by verify what was known too late for its plan. */
  | 'PLAN'
  /** By the apply functions, and by plan what it reserves for them. */
  | 'LEDGER'
  /** What people ask for: by `respond`; and by `lease`, which asks whether to restore. */
  | 'REQUEST'
  /** Asked by `ask-approval`, voted by `respond`, and ended by `record`. */
  | 'APPROVAL'
  /** The token that an approval wakes its execution by: by `ask-approval`, and read by `respond`. */
  | 'TOKEN'
  /** Where sealed records lie: by `seal`. */
  | 'RECORD';

export function partitionOf(what: Partition, incident: string): string {
  return `${what}#${incident}`;
}

/**
 * Where records of a kind are announced before they are written: what the sealer looks for. A partition for each kind, so that a role's fence is the same
 * here as in the evidence bucket.
 */
export function announcedIn(kind: string): string {
  return `UNSEALED#${kind}`;
}

/** Where further hashes of a record that was announced before are. */
export function againOf(key: string): string {
  return `ANNOUNCED#${key}`;
}

/** Asks for what is announced of a kind, by keys of that kind alone: IAM sees the partition and not the sort key, where whoever may write one kind can name another. */
export function announcedBy(kind: string) {
  return { KeyConditionExpression: 'pk = :pk AND begins_with(sk, :kind)', ExpressionAttributeValues: { ':pk': announcedIn(kind), ':kind': `records/${kind}/` } };
}
