import type { Entry, Incident, Request } from '../core/incident.ts';
import { entryItem, incidentItem, requestItem } from './incidents.ts';
import { get, IS_NEW, putAll, putIf, update, type ConditionalPut, type Table } from './records.ts';

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
 * @returns the claim that holds: the new one (`isNew`), or the one that was there
 */
export async function claimTarget(table: Table, targetArn: string, claim: Omit<Claim, 'closedAt'>, eventTime: string): Promise<Claim & { readonly isNew: boolean }> {
  const { item, condition } = claimOf(targetArn, claim, eventTime);
  const won = await putIf(table, item, condition);
  if (won) return { ...claim, closedAt: null, isNew: true };
  const holding = await readClaim(table, targetArn);
  if (!holding) throw new Error(`the claim on ${targetArn} was refused and does not exist`);
  return { ...holding, isNew: false };
}

/**
 * Claims an incident's target and writes the incident with the first lines of its history, all of it or nothing.
 *
 * @param signal - which opens it, and when it was seen: as for `claimTarget`
 * @param entries - each with its key
 * @param request - of somebody who opens it, for the run that is on the incident's list
 * @returns false where any of it is there, or somebody else claims at this moment: then `claimTarget` says who, and what is half there is made whole one by one
 */
export async function claimAndOpen(table: Table, incident: Incident, signal: { readonly id: string; readonly time: string }, entries: readonly (readonly [key: string, entry: Entry])[], request: Request | null = null): Promise<boolean> {
  const items = [incidentItem(incident), ...entries.map(([key, entry]) => entryItem(key, entry)), ...(request ? [requestItem(request)] : [])];
  return await putAll(table, [claimOf(incident.target.arn, { incident: incident.id, signal: signal.id }, signal.time), ...items.map((item) => ({ item, condition: IS_NEW }))]);
}

/** Whether an event may claim a target whose claim was read so: what the condition of the write says. */
export function isFree(claim: Claim | null, eventTime: string): boolean {
  return claim === null || (claim.closedAt !== null && claim.closedAt < eventTime);
}

function claimOf(targetArn: string, claim: Omit<Claim, 'closedAt'>, eventTime: string): ConditionalPut {
  return {
    item: { pk: `TARGET#${targetArn}`, sk: 'CLAIM', ...claim, closedAt: null },
    condition: { expression: 'attribute_not_exists(pk) OR (attribute_type(closedAt, :text) AND closedAt < :eventTime)', values: { ':text': 'S', ':eventTime': eventTime } },
  };
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
