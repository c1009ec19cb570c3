import { get, putIf, update, type Table } from './records.ts';

export interface Claim {
  readonly incident: string;
  /** The signal that opened the incident. */
  readonly signal: string;
  readonly closedAt: string | null;
}

/**
 * Claims a target for an incident: one open incident per target. The claim is what excludes; everything after it
 * can be done again by whoever finds it half done.
 *
 * @param eventTime - only an event newer than the close of the last incident opens a new one
 * @returns the claim that holds: the new one, or the one that was there
 */
export async function claimTarget(table: Table, targetArn: string, claim: Omit<Claim, 'closedAt'>, eventTime: string): Promise<Claim> {
  const key = { pk: `TARGET#${targetArn}`, sk: 'CLAIM' };
  const isFree = { expression: 'attribute_not_exists(pk) OR (attribute_type(closedAt, :text) AND closedAt < :eventTime)', values: { ':text': 'S', ':eventTime': eventTime } };
  const won = await putIf(table, { ...key, ...claim, closedAt: null }, isFree);
  if (won) return { ...claim, closedAt: null };
  const holding = await readClaim(table, targetArn);
  if (!holding) throw new Error(`the claim on ${targetArn} was refused and does not exist`);
  return holding;
}

export async function readClaim(table: Table, targetArn: string): Promise<Claim | null> {
  const item = await get(table, `TARGET#${targetArn}`, 'CLAIM');
  return item && { incident: String(item['incident']), signal: String(item['signal']), closedAt: typeof item['closedAt'] === 'string' ? item['closedAt'] : null };
}

/**
 * Frees a target whose incident is closed. Another incident's claim stays.
 *
 * @param closedAt - when the target was last seen as the close says: what is newer opens an incident
 */
export async function releaseTarget(table: Table, targetArn: string, incident: string, closedAt: string): Promise<void> {
  await update(table, { pk: `TARGET#${targetArn}`, sk: 'CLAIM' }, { closedAt }, { expression: 'incident = :incident', values: { ':incident': incident } });
}

/** Takes a target back for its closed incident, which is open once more. @returns false where another incident has it since */
export async function reclaimTarget(table: Table, targetArn: string, { incident, closedAt }: Claim): Promise<boolean> {
  return await update(table, { pk: `TARGET#${targetArn}`, sk: 'CLAIM' }, { closedAt: null }, { expression: 'incident = :incident AND closedAt = :seen', values: { ':incident': incident, ':seen': closedAt } });
}
