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
