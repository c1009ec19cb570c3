import { randomBytes } from 'node:crypto';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { get, put, putNew, type Table } from './records.ts';

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

/** Erases an owner: records stay as they were sealed, and nobody can tell any more whom their pseudonym meant. */
export async function eraseOwner(table: Table, ownerId: string): Promise<boolean> {
  const known = await get(table, pkOf(ownerId), 'PSEUDONYM');
  if (!known) return false;
  const remove = (pk: string, sk: string) => table.clients.dynamo.send(new DeleteCommand({ TableName: table.settings.STOPBATH_TABLE, Key: { pk, sk } }));
  await remove(`PSEUDONYM#${String(known['pseudonym'])}`, 'OWNER');
  await remove(pkOf(ownerId), 'PSEUDONYM');
  return true;
}

const pkOf = (ownerId: string) => `OWNER#${ownerId}`;
