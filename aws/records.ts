import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, QueryCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isRefusal } from './errors.ts';
import type { Tools } from './function.ts';

/**
 * The one table: items by partition and sort key, written singly and conditionally but for what opens an incident. Bodies that must come back
 * exactly as they were (a policy's text, a plan under a digest) travel as JSON in `json`, or where that is long, compressed in `brotli`.
 */
export interface Item {
  readonly pk: string;
  readonly sk: string;
  readonly [attribute: string]: unknown;
}

/** What items look like now. One more where an older reader would misread what a newer one wrote; items without a number are of the first. */
export const SCHEMA_VERSION = 1;

/** An item of a newer release than this one: after a rollback nothing is guessed from it. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}

/** Bytes of JSON from which on it is compressed: an item has room for 400 KB, and a plan may hold a thousand lifecycle rules several times. */
const LONG = 65_536;

/**
 * A body as attributes of an item. Brotli, since its window holds a whole plan: what was there before and what will be there after are nearly the same.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html (item size)
 */
export function packed(body: unknown): Packed {
  const json = JSON.stringify(body);
  // At the highest quality a megabyte takes seconds.
  return Buffer.byteLength(json) < LONG ? { json } : { brotli: compressed(json) };
}

type Packed = { readonly json: string } | { readonly brotli: Uint8Array };

function compressed(json: string): Uint8Array {
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN } = constants;
  return brotliCompressSync(json, { params: { [BROTLI_PARAM_QUALITY]: 5, [BROTLI_PARAM_LGWIN]: 24 } });
}

/** The JSON that was packed. */
export function unpacked({ json, brotli }: Item): string {
  return brotli instanceof Uint8Array ? brotliDecompressSync(brotli).toString('utf8') : String(json);
}

/** Another JSON in the place of an item's own, packed as that is. */
export function repacked({ brotli }: Item, json: string): Packed {
  return brotli instanceof Uint8Array ? { brotli: compressed(json) } : { json };
}

/** An item as it would be without having been packed. */
export function plainItem(item: Item): Item {
  const { brotli, ...attributes } = item;
  return brotli instanceof Uint8Array ? { ...attributes, pk: item.pk, sk: item.sk, json: unpacked(item) } : item;
}

export interface Table {
  readonly settings: Pick<Tools['settings'], 'STOPBATH_TABLE'>;
  readonly clients: Pick<Tools['clients'], 'dynamo'>;
}

/** There is no item with this key yet. */
export const IS_NEW: Condition = { expression: 'attribute_not_exists(pk)', values: {} };

/** @returns false where an item with this key exists already; the item that exists is untouched */
export async function putNew(table: Table, item: Item): Promise<boolean> {
  return await putIf(table, item, IS_NEW);
}

/**
 * Writes an item whole, over one that is there or as a new one.
 *
 * @returns false where the condition does not hold: the item that exists is untouched
 */
export async function putIf(table: Table, item: Item, condition: Condition): Promise<boolean> {
  return await succeeded(table.clients.dynamo.send(new PutCommand(putOf(table, { item, condition }))));
}

/** An item that is written whole where a condition holds. */
export interface ConditionalPut {
  readonly item: Item;
  readonly condition: Condition;
}

/**
 * Writes items together or not at all, no two with one key. Each costs two writes, also where none is written. The SDK gives the request a token
 * of its own, so that the tries of one call whose answer is lost are one write.
 *
 * @returns false where a condition does not hold, or somebody else writes one of the items at this moment: nothing is written, and written one by one
 * it shows which
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html (all or nothing, capacity, conflicts, idempotency)
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html (100 items, 4 MB; ClientRequestToken, ten minutes)
 */
export async function putAll(table: Table, puts: readonly ConditionalPut[]): Promise<boolean> {
  try {
    await table.clients.dynamo.send(new TransactWriteCommand({ TransactItems: puts.map((put) => ({ Put: putOf(table, put) })) }));
    return true;
  } catch (error) {
    if (error instanceof TransactionCanceledException) return false;
    // IAM's page on transactions says nothing of the partitions that a role is confined to: where they do not pass, single writes do.
    if (isRefusal(error)) return false;
    throw error;
  }
}

function putOf(table: Table, { item, condition: { expression, values } }: ConditionalPut) {
  return {
    TableName: table.settings.STOPBATH_TABLE,
    Item: { ...item, schemaVersion: SCHEMA_VERSION },
    ConditionExpression: expression,
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
}

export async function put(table: Table, item: Item): Promise<void> {
  await table.clients.dynamo.send(new PutCommand({ TableName: table.settings.STOPBATH_TABLE, Item: { ...item, schemaVersion: SCHEMA_VERSION } }));
}

/** Strongly consistent: decisions are made on it. */
export async function get(table: Table, pk: string, sk: string): Promise<Item | null> {
  const { Item: item } = await table.clients.dynamo.send(
    new GetCommand({ TableName: table.settings.STOPBATH_TABLE, Key: { pk, sk }, ConsistentRead: true }),
  );
  return item ? asItem({ ...item, pk, sk }) : null;
}

/** All items of a partition whose sort key begins so, in key order. */
export async function query(table: Table, pk: string, prefix = ''): Promise<readonly Item[]> {
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await table.clients.dynamo.send(
      new QueryCommand({
        TableName: table.settings.STOPBATH_TABLE,
        KeyConditionExpression: prefix === '' ? 'pk = :pk' : 'pk = :pk AND begins_with(sk, :prefix)',
        ExpressionAttributeValues: prefix === '' ? { ':pk': pk } : { ':pk': pk, ':prefix': prefix },
        ConsistentRead: true,
        ExclusiveStartKey: from,
      }),
    );
    items.push(...(page.Items ?? []).map(asItem));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return items;
}

/** How many items of a partition have a sort key that begins so; no more than `most` are counted. Strongly consistent. */
export async function count(table: Table, pk: string, prefix: string, most: number): Promise<number> {
  const { Count = 0 } = await table.clients.dynamo.send(
    new QueryCommand({
      TableName: table.settings.STOPBATH_TABLE,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': pk, ':prefix': prefix },
      ConsistentRead: true,
      Select: 'COUNT',
      Limit: most,
    }),
  );
  return Count;
}

/** A page of the index, newest first. `cursor` is the sort key of the last item of the page before. */
export async function queryIndex(table: Table, gsi1pk: string, limit: number, before?: string): Promise<readonly Item[]> {
  const page = await table.clients.dynamo.send(
    new QueryCommand({
      TableName: table.settings.STOPBATH_TABLE,
      IndexName: 'byStatus',
      KeyConditionExpression: before === undefined ? 'gsi1pk = :pk' : 'gsi1pk = :pk AND gsi1sk < :before',
      ExpressionAttributeValues: before === undefined ? { ':pk': gsi1pk } : { ':pk': gsi1pk, ':before': before },
      ScanIndexForward: false,
      Limit: limit,
    }),
  );
  return (page.Items ?? []).map(asItem);
}

export interface Condition {
  readonly expression: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Of attributes that are called like a word of DynamoDB's: `{ '#status': 'status' }`. */
  readonly names?: Readonly<Record<string, string>>;
}

/**
 * Sets attributes of an item that exists; attributes that are not named stay.
 *
 * @param condition - beside existing
 * @returns false where the item does not exist or the condition does not hold
 */
export async function update(
  table: Table,
  key: { readonly pk: string; readonly sk: string },
  attributes: Readonly<Record<string, unknown>>,
  condition?: Condition,
): Promise<boolean> {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return await succeeded(
    table.clients.dynamo.send(
      new UpdateCommand({
        TableName: table.settings.STOPBATH_TABLE,
        Key: key,
        UpdateExpression: `SET ${entries.map((_, index) => `#a${index} = :a${index}`).join(', ')}`,
        ConditionExpression: `attribute_exists(pk)${condition ? ` AND (${condition.expression})` : ''}`,
        ExpressionAttributeNames: { ...Object.fromEntries(entries.map(([name], index) => [`#a${index}`, name])), ...condition?.names },
        ExpressionAttributeValues: { ...Object.fromEntries(entries.map(([, value], index) => [`:a${index}`, value])), ...condition?.values },
      }),
    ),
  );
}

/** Deletes an item where its attributes are these; one that is not, or is not there, stays as it is. */
export async function removeAs(table: Table, key: { readonly pk: string; readonly sk: string }, attributes: Readonly<Record<string, unknown>>): Promise<void> {
  const entries = Object.entries(attributes);
  await succeeded(
    table.clients.dynamo.send(
      new DeleteCommand({
        TableName: table.settings.STOPBATH_TABLE,
        Key: key,
        ConditionExpression: entries.map((_, index) => `#a${index} = :a${index}`).join(' AND '),
        ExpressionAttributeNames: Object.fromEntries(entries.map(([name], index) => [`#a${index}`, name])),
        ExpressionAttributeValues: Object.fromEntries(entries.map(([, value], index) => [`:a${index}`, value])),
      }),
    ),
  );
}

/** False for a condition that did not hold; every other failure is the caller's. */
export async function succeeded(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}

/** @throws {SchemaError} where a newer release wrote it */
export function asItem({ schemaVersion = SCHEMA_VERSION, ...attributes }: Readonly<Record<string, unknown>>): Item {
  if (Number(schemaVersion) > SCHEMA_VERSION) {
    throw new SchemaError(`the item ${String(attributes['pk'])} / ${String(attributes['sk'])} has schema version ${String(schemaVersion)}, this release reads up to ${SCHEMA_VERSION}: deploy the release that wrote it, or a newer one`);
  }
  // A set is a list to whoever reads it, and to JSON.
  const values = Object.entries(attributes).map(([name, value]) => [name, value instanceof Set ? [...value].map(String).toSorted() : value] as const);
  return { ...Object.fromEntries(values), pk: String(attributes['pk']), sk: String(attributes['sk']) };
}

/** An item as a record shows it: without the keys of the table and its indices, and with its body read. */
export function contentOf(item: Item): Readonly<Record<string, unknown>> {
  const { pk: _, json, ...attributes } = plainItem(item);
  const shown = Object.entries(attributes).filter(([name]) => !/^gsi\d/.test(name));
  return { ...Object.fromEntries(shown), ...(typeof json === 'string' ? { content: JSON.parse(json) } : {}) };
}

// What the suite itself wrote under this key is trusted to have its shape: only the roles that have to write its partition can.
export function body<T>(item: Item): T {
  return JSON.parse(unpacked(item)) as T;
}

export function bodies<T>(items: readonly Item[], prefix: string): readonly T[] {
  return items.filter((item) => item.sk.startsWith(prefix)).map((item) => body<T>(item));
}
