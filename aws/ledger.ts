import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { LedgerEntry } from '../core/incident.ts';
import type { Tools } from './function.ts';
import { partitionOf } from './partitions.ts';
import { bodies, get, packed, put, putNew, query, removeAs, SCHEMA_VERSION, type Item, type Table } from './records.ts';

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
  // A set from which the last try was taken is gone.
  const begun = new Set(items.filter(({ sk, tries }) => sk.startsWith(BEGUN) && tries !== undefined).map(({ sk }) => sk));
  return bodies<LedgerEntry>(items, 'LEDGER#').filter((entry) => entry.reserved !== true || entry.result === 'done' || begun.has(BEGUN + run(entry))).toSorted(byAct);
}

const BEGUN = 'BEGUN#';

function run({ execution, digest }: Pick<LedgerEntry, 'execution' | 'digest'>): string {
  return `${execution}#${digest.slice(0, 16)}`;
}

type Run = Pick<LedgerEntry, 'incident' | 'execution' | 'digest'>;

/**
 * Says that an apply has begun, so that what was reserved for it counts from now on. Each try has a name of its own: one that the SDK sends twice counts once.
 *
 * @returns `isFirst`: whether nothing of the plan can have been done yet; `withdraw`: takes this try's word back, for what did nothing leaves no trace
 */
export function beginApply(tools: Pick<Tools, 'settings' | 'clients' | 'log'>, of: Run): { readonly isFirst: Promise<boolean>; readonly withdraw: () => Promise<void> } {
  const tries = new Set([randomUUID()]);
  const word = tools.clients.dynamo.send(
    new UpdateCommand({
      TableName: tools.settings.STOPBATH_TABLE,
      Key: begunKey(of),
      UpdateExpression: 'ADD tries :this SET schemaVersion = :schema',
      ExpressionAttributeValues: { ':this': tries, ':schema': SCHEMA_VERSION },
      ReturnValues: 'UPDATED_NEW',
    }),
  );
  return {
    isFirst: word.then(({ Attributes }) => isOne(Attributes?.['tries'])),
    withdraw: async () => {
      try {
        await word;
        await tools.clients.dynamo.send(new UpdateCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: begunKey(of), UpdateExpression: 'DELETE tries :this', ExpressionAttributeValues: { ':this': tries } }));
      } catch (error) {
        // What ended the try is what its workflow has to know.
        tools.log.warn('that an apply has begun is still on record, and it did nothing', { ...of, error: error instanceof Error ? error.message : String(error) });
      }
    },
  };
}

/** Whether one try has begun and no other since. */
export async function hasBegunAlone(table: Table, of: Run): Promise<boolean> {
  const { pk, sk } = begunKey(of);
  const tries = (await get(table, pk, sk))?.['tries'];
  return Array.isArray(tries) && tries.length === 1;
}

function begunKey(of: Run): { readonly pk: string; readonly sk: string } {
  return { pk: partitionOf('LEDGER', of.incident), sk: BEGUN + run(of) };
}

function isOne(tries: unknown): boolean {
  return tries instanceof Set && tries.size === 1;
}

export function ledgerItem(entry: LedgerEntry): Item {
  return { pk: partitionOf('LEDGER', entry.incident), sk: `LEDGER#${run(entry)}#${String(entry.seq).padStart(4, '0')}`, ...packed(entry) };
}

function byAct(a: LedgerEntry, b: LedgerEntry): number {
  return a.intendedAt.localeCompare(b.intendedAt) || a.seq - b.seq;
}
