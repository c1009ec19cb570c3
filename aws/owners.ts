import { randomBytes } from 'node:crypto';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { BEGINNING } from '../core/history.ts';
import { isUnderWay, type Target } from '../core/incident.ts';
import { isPseudonym, replacing } from '../core/redact.ts';
import { idOf, readHistory, type HistoryPart } from './history.ts';
import { incidentOf, itemsOf } from './incidents.ts';
import { get, plainItem, put, putNew, query, repacked, update, type Table } from './records.ts';

/**
 * The pseudonym of an owner of pictures: what plans, ledgers and locked records say instead of the owner's id. Chance, not a
 * hash: with the table's entry gone, nobody can tell whom it meant, nor check a guess.
 *
 * @returns `owner-` and 24 hexadecimal characters; the same one until it is erased
 */
export async function pseudonymOf(table: Table, ownerId: string): Promise<string> {
  const known = await get(table, pkOf(ownerId), 'PSEUDONYM');
  if (known) return String(known['pseudonym']);
  const pseudonym = `owner-${randomBytes(12).toString('hex')}`;
  // The way back first: a pseudonym that is in use can always be resolved.
  await put(table, { pk: `PSEUDONYM#${pseudonym}`, sk: 'OWNER', ownerId });
  if (await putNew(table, { pk: pkOf(ownerId), sk: 'PSEUDONYM', pseudonym })) return pseudonym;
  return await pseudonymOf(table, ownerId);
}

/** Whom a pseudonym means; `null` where the owner was erased. */
export async function ownerOf(table: Table, pseudonym: string): Promise<string | null> {
  const item = await get(table, `PSEUDONYM#${pseudonym}`, 'OWNER');
  return item ? String(item['ownerId']) : null;
}

/** A target as plans and records name it: an owner by pseudonym, everything else as it is. */
export async function recordedTarget(table: Table, target: Target): Promise<Target> {
  if (target.kind !== 'owner' || isPseudonym(target.name)) return target;
  const name = await pseudonymOf(table, target.name);
  return { ...target, name, arn: target.arn.replace(/[^/]*$/u, () => name) };
}

/** What erasing an owner left: incidents that name a pseudonym which means nobody. */
export interface Erased {
  readonly pseudonym: string;
  readonly incidents: readonly string[];
}

export class OwnerInUseError extends Error {
  override readonly name = 'OwnerInUseError';
}

/**
 * Erases an owner: records stay as they were sealed, everything that the table has of the owner's incidents says the pseudonym, and
 * nobody can tell any more whom that means. Cut off anywhere, it can be asked for again.
 *
 * @param end - who asked and why, which stays on record
 * @returns `null` where the suite knows no such owner
 * @throws {OwnerInUseError} while an incident of the owner is under way: its workflow still needs the name
 */
export async function eraseOwner(table: Table, ownerId: string, end: { readonly account: string; readonly by: string; readonly at: string; readonly reason: string }): Promise<Erased | null> {
  const arn = `share:${end.account}:owner/${ownerId}`;
  const incidents = await incidentsOf(table, arn, end.at);
  const known = await get(table, pkOf(ownerId), 'PSEUDONYM');
  if (!known && incidents.length === 0) return null;
  const views = await Promise.all(incidents.map(async (id) => ({ id, items: await itemsOf(table, id) })));
  const busy = views.filter(({ items }) => items.some((item) => item.sk === 'META' && isUnderWay(incidentOf(item)))).map(({ id }) => id);
  if (busy.length > 0) throw new OwnerInUseError(`${busy.join(', ')} of this owner ${busy.length === 1 ? 'is' : 'are'} under way: wait for the end, then erase`);

  const pseudonym = await pseudonymOf(table, ownerId);
  const names = new Map([[ownerId, pseudonym]]);
  for (const { items } of views) for (const item of items) {
    const { pk, sk, ...attributes } = plainItem(item);
    const changed = Object.entries(attributes).map(([name, value]) => [name, value, replacing(value, names)] as const).filter(([, before, after]) => JSON.stringify(before) !== JSON.stringify(after));
    if (changed.length > 0) await update(table, { pk, sk }, Object.assign({}, ...changed.map(([name, , after]) => (name === 'json' ? repacked(item, String(after)) : { [name]: after }))));
  }
  const { by, at, reason } = end;
  await put(table, { pk: 'GUARD', sk: `ERASED#${at}#${pseudonym}`, pseudonym, incidents, by, at, reason: replacing(reason, names) });
  const remove = (pk: string, sk: string) => table.clients.dynamo.send(new DeleteCommand({ TableName: table.settings.STOPBATH_TABLE, Key: { pk, sk } }));
  await Promise.all([remove(`TARGET#${arn}`, 'CLAIM'), remove(`PSEUDONYM#${pseudonym}`, 'OWNER')]);
  // Last: while it is there, asking again finds the same pseudonym.
  await remove(pkOf(ownerId), 'PSEUDONYM');
  return { pseudonym, incidents };
}

/** Who erased owners, when and why; of the owners their pseudonyms. */
export async function readErasures(table: Table): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await query(table, 'GUARD', 'ERASED#')).map(({ pseudonym, incidents, by, at, reason }) => ({ pseudonym, incidents, by, at, reason }));
}

async function incidentsOf(table: Table, target: string, now: string): Promise<readonly string[]> {
  const ids: string[] = [];
  let next: string | null = null;
  do {
    const part: HistoryPart = await readHistory(table, { since: BEGINNING, until: now, order: 'oldest', target }, 1000, next, 'ids');
    ids.push(...part.items.map(idOf));
    next = part.next;
  } while (next !== null);
  return ids;
}

const pkOf = (ownerId: string) => `OWNER#${ownerId}`;
