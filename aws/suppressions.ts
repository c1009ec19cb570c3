import { z } from 'zod';
import { readSuppression, type Suppression } from '../core/suppression.ts';
import { putNew, query, update, type Table } from './records.ts';

const shape = z.object({ json: z.string(), by: z.string(), at: z.string(), endedAt: z.string().optional() });

export interface StoredSuppression extends Suppression {
  readonly by: string;
  readonly at: string;
}

/** Every suppression that was ever set, those that have run out too: the decisions they made are on record. */
export async function readSuppressions(table: Table): Promise<readonly StoredSuppression[]> {
  const items = await query(table, 'GUARD', 'SUPPRESSION#');
  return items.map((item) => {
    const { json, by, at, endedAt } = shape.parse(item);
    const suppression = readSuppression(JSON.parse(json));
    return { ...suppression, expires: endedAt ?? suppression.expires, by, at };
  });
}

/** @returns false where one with this id exists */
export async function addSuppression(table: Table, document: Omit<Suppression, 'matcher'>, by: string, at: string): Promise<boolean> {
  return await putNew(table, { pk: 'GUARD', sk: `SUPPRESSION#${document.id}`, json: JSON.stringify(document), by, at });
}

/** Ends a suppression now; it stays on record, with who ended it and why. @returns false where there is none that has not ended */
export async function endSuppression(table: Table, id: string, end: { readonly by: string; readonly at: string; readonly reason: string }): Promise<boolean> {
  return await update(table, { pk: 'GUARD', sk: `SUPPRESSION#${id}` }, { endedAt: end.at, endedBy: end.by, endReason: end.reason }, { expression: 'attribute_not_exists(endedAt)', values: {} });
}
