import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { LedgerEntry } from '../core/incident.ts';
import { partitionOf } from './partitions.ts';
import { bodies, packed, put, putNew, query, removeAs, SCHEMA_VERSION, type Item, type Table } from './records.ts';

/** Writes the undo of a change before the act. An entry that is there already (a retry) stays as it was first written. */
export async function intend(table: Table, entry: LedgerEntry): Promise<void> {
  await putNew(table, ledgerItem(entry));
}

/** Deletes an intent whose change somebody else made, where it still stands as it was written. */
export async function forgo(table: Table, entry: LedgerEntry): Promise<void> {
  const { pk, sk, ...body } = ledgerItem(entry);
  await removeAs(table, { pk, sk }, body);
}

/** Writes that a change was acknowledged. */
export async function complete(table: Table, entry: LedgerEntry): Promise<void> {
  await put(table, ledgerItem(entry));
}

export async function ledgerOf(table: Table, incident: string): Promise<readonly LedgerEntry[]> {
  return ledgerIn(await query(table, partitionOf('LEDGER', incident)));
}

/** All that an execution has for a plan, also what is only reserved. */
export async function writtenFor(table: Table, { incident, execution, digest }: Pick<LedgerEntry, 'incident' | 'execution' | 'digest'>): Promise<readonly LedgerEntry[]> {
  return bodies<LedgerEntry>(await query(table, partitionOf('LEDGER', incident), `LEDGER#${run({ execution, digest })}#`), 'LEDGER#').filter((entry) => entry.digest === digest).toSorted(byAct);
}

/** What was reserved for an apply that never began is no intent of anybody. */
export function ledgerIn(items: readonly Item[]): readonly LedgerEntry[] {
  const begun = new Set(items.map(({ sk }) => sk).filter((sk) => sk.startsWith(BEGUN)));
  return bodies<LedgerEntry>(items, 'LEDGER#').filter((entry) => entry.reserved !== true || entry.result === 'done' || begun.has(BEGUN + run(entry))).toSorted(byAct);
}

const BEGUN = 'BEGUN#';

function run({ execution, digest }: Pick<LedgerEntry, 'execution' | 'digest'>): string {
  return `${execution}#${digest.slice(0, 16)}`;
}

/**
 * Says that an apply has begun, so that what was reserved for it counts from now on.
 *
 * @returns how often it has begun: where this is the first time, nothing was done yet
 */
export async function beginApply(table: Table, { incident, execution, digest }: Pick<LedgerEntry, 'incident' | 'execution' | 'digest'>): Promise<number> {
  const { Attributes } = await table.clients.dynamo.send(
    new UpdateCommand({
      TableName: table.settings.STOPBATH_TABLE,
      Key: { pk: partitionOf('LEDGER', incident), sk: BEGUN + run({ execution, digest }) },
      UpdateExpression: 'ADD tries :one SET schemaVersion = :schema',
      ExpressionAttributeValues: { ':one': 1, ':schema': SCHEMA_VERSION },
      ReturnValues: 'UPDATED_NEW',
    }),
  );
  return Number(Attributes?.['tries'] ?? 0);
}

/** Takes that word back, where nobody has begun since: what did nothing leaves no trace. */
export async function withdrawApply(table: Table, { incident, execution, digest }: Pick<LedgerEntry, 'incident' | 'execution' | 'digest'>): Promise<void> {
  await removeAs(table, { pk: partitionOf('LEDGER', incident), sk: BEGUN + run({ execution, digest }) }, { tries: 1 });
}

export function ledgerItem(entry: LedgerEntry): Item {
  return { pk: partitionOf('LEDGER', entry.incident), sk: `LEDGER#${run(entry)}#${String(entry.seq).padStart(4, '0')}`, ...packed(entry) };
}

function byAct(a: LedgerEntry, b: LedgerEntry): number {
  return a.intendedAt.localeCompare(b.intendedAt) || a.seq - b.seq;
}
