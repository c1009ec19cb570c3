import { BatchGetCommand, QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Shares } from '../../core/share/config.ts';
import type { LaneCount, Part } from '../../core/share/parts.ts';
import type { Lane } from '../../core/share/scope.ts';
import type { Tools } from '../function.ts';
import { textOf } from '../share-links.ts';

/** A link as an index gives it: what never changes. */
export interface LinkKey {
  readonly linkId: string;
  /** The value of the index's range key: an instant or an object key. */
  readonly range: string;
  readonly albumId: string;
  readonly ownerId: string;
  readonly bucket: string;
  readonly objectKey: string;
  readonly issuedAt: string;
}

export interface Position {
  readonly range: string;
  readonly linkId: string;
}

export interface Page {
  readonly links: readonly LinkKey[];
  /** `null` at the end. */
  readonly next: Position | null;
}

type Share = Pick<Tools, 'clients'> & { readonly settings: Pick<Tools['settings'], 'STOPBATH_SHARES'> };

/**
 * A page of a lane, in order. Eventually consistent: an index can be read no other way.
 *
 * @param options.after - where the page before ended
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html (ConsistentRead on a GSI is refused)
 */
export async function readLinks(tools: Share, lane: Lane, options: { readonly part?: Part; readonly after?: Position | null; readonly limit?: number; readonly newestFirst?: boolean }): Promise<Page> {
  const { STOPBATH_SHARES: shares } = tools.settings;
  const { Items, LastEvaluatedKey } = await tools.clients.dynamo.send(
    new QueryCommand({ ...queryOf(shares, lane, options.part), ScanIndexForward: options.newestFirst !== true, Limit: options.limit, ...(options.after ? { ExclusiveStartKey: startKey(shares, lane, options.after) } : {}) }),
  );
  return { links: (Items ?? []).map((item) => linkKey(shares, lane, item)), next: LastEvaluatedKey ? positionOf(shares, lane, LastEvaluatedKey) : null };
}

/** Links of a lane that were issued after an instant and until another, whatever the lane is ordered by: some of them, as DynamoDB finds them first. */
export async function searchLinks(tools: Share, lane: Lane, since: string, until: string, { pages, enough }: { readonly pages: number; readonly enough: number }): Promise<readonly LinkKey[]> {
  const { STOPBATH_SHARES: shares } = tools.settings;
  const query = queryOf(shares, lane);
  const filter = { FilterExpression: '#issuedAt > :issuedAfter AND #issuedAt <= :issuedUntil', ExpressionAttributeNames: { ...query.ExpressionAttributeNames, '#issuedAt': shares.links.attributes.issuedAt }, ExpressionAttributeValues: { ...query.ExpressionAttributeValues, ':issuedAfter': since, ':issuedUntil': until } };
  const found: LinkKey[] = [];
  let from: Record<string, unknown> | undefined;
  for (let page = 0; page < pages && found.length < enough; page++) {
    const { Items, LastEvaluatedKey } = await tools.clients.dynamo.send(new QueryCommand({ ...query, ...filter, ExclusiveStartKey: from }));
    found.push(...(Items ?? []).map((item) => linkKey(shares, lane, item)));
    from = LastEvaluatedKey;
    if (from === undefined) break;
  }
  return found;
}

/** Pages of 1 MB, some 4,000 links each: 4 million links. */
const MOST_PAGES = 1000;

/** Of an invocation's 60 s; whoever asked for a preview waits for 25 s. What has less time left counts no further, ms. */
const COUNT_RESERVE_MS = 42_000;

export interface CountOptions {
  /** Links a page: as many as DynamoDB puts into 1 MB unless told. */
  readonly limit?: number | undefined;
  /** 4 million links' unless told. */
  readonly pages?: number | undefined;
}

/** How many links a lane has, counted by DynamoDB (`Select: COUNT`) without one of them being loaded. `complete` is false where there are more. */
export async function countLinks(tools: Share & Pick<Tools, 'remainingMs'>, lane: Lane, { limit, pages = MOST_PAGES }: CountOptions = {}): Promise<LaneCount & { readonly complete: boolean }> {
  const { STOPBATH_SHARES: shares } = tools.settings;
  const marks: { at: string; upTo: number }[] = [];
  let count = 0;
  let from: Record<string, unknown> | undefined;
  for (let page = 0; page < pages && tools.remainingMs() > COUNT_RESERVE_MS; page++) {
    const { Count, LastEvaluatedKey } = await tools.clients.dynamo.send(new QueryCommand({ ...queryOf(shares, lane), Select: 'COUNT', Limit: limit, ExclusiveStartKey: from }));
    count += Count ?? 0;
    from = LastEvaluatedKey;
    if (from === undefined) return { count, marks, complete: true };
    if (!('only' in lane.range)) marks.push({ at: positionOf(shares, lane, from).range, upTo: count });
  }
  return { count, marks, complete: false };
}

/** Links by id as they are now, strongly consistent; ids that do not exist are left out. At most 100. */
export async function getLinks(tools: Share, ids: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { table, attributes } = tools.settings.STOPBATH_SHARES.links;
  const names = Object.values(attributes);
  const found: Record<string, unknown>[] = [];
  let asked: Record<string, unknown>[] = [...new Set(ids)].map((id) => ({ [attributes.linkId]: id }));
  // Only what the contract names: whatever secret a service keeps beside it is not read.
  const projection = { ProjectionExpression: names.map((_, index) => `#a${index}`).join(', '), ExpressionAttributeNames: Object.fromEntries(names.map((name, index) => [`#a${index}`, name])) };
  while (asked.length > 0) {
    const { Responses, UnprocessedKeys } = await tools.clients.dynamo.send(new BatchGetCommand({ RequestItems: { [table]: { Keys: asked, ConsistentRead: true, ...projection } } }));
    found.push(...(Responses?.[table] ?? []));
    asked = UnprocessedKeys?.[table]?.Keys ?? [];
  }
  return found;
}

function queryOf(shares: Shares, lane: Lane, part?: Part): QueryCommandInput {
  const { table, indexes } = shares.links;
  const { hash, range } = keysOf(shares, lane);
  const query = (condition: string, values: Record<string, string> = {}, names: Record<string, string> = { '#range': range }): QueryCommandInput => ({
    TableName: table,
    IndexName: indexes[lane.index],
    KeyConditionExpression: condition === '' ? '#hash = :hash' : `#hash = :hash AND ${condition}`,
    ExpressionAttributeNames: { '#hash': hash, ...names },
    ExpressionAttributeValues: { ':hash': lane.hash, ...values },
  });
  if ('only' in lane.range) return query('#range = :only', { ':only': lane.range.only });
  const from = part?.from ?? ('since' in lane.range ? lane.range.since : 'prefix' in lane.range && part?.to ? lane.range.prefix : null);
  const to = part?.to ?? null;
  if (from !== null && to !== null) return query('#range BETWEEN :from AND :to', { ':from': from, ':to': to });
  if (from !== null) return query('#range >= :from', { ':from': from });
  if (to !== null) return query('#range <= :to', { ':to': to });
  return 'prefix' in lane.range ? query('begins_with(#range, :prefix)', { ':prefix': lane.range.prefix }) : query('', {}, {});
}

function keysOf(shares: Shares, lane: Lane): { readonly hash: string; readonly range: string } {
  const { albumId, ownerId, bucket, issuedBy, issuedAt, objectKey } = shares.links.attributes;
  switch (lane.index) {
    case 'album':
      return { hash: albumId, range: issuedAt };
    case 'owner':
      return { hash: ownerId, range: issuedAt };
    case 'bucket':
      return { hash: bucket, range: objectKey };
    case 'issuer':
      return { hash: issuedBy, range: issuedAt };
  }
}

function startKey(shares: Shares, lane: Lane, { range, linkId }: Position): Record<string, unknown> {
  const keys = keysOf(shares, lane);
  return { [keys.hash]: lane.hash, [keys.range]: range, [shares.links.attributes.linkId]: linkId };
}

function positionOf(shares: Shares, lane: Lane, key: Readonly<Record<string, unknown>>): Position {
  return { range: String(key[keysOf(shares, lane).range]), linkId: String(key[shares.links.attributes.linkId]) };
}

function linkKey(shares: Shares, lane: Lane, item: Readonly<Record<string, unknown>>): LinkKey {
  const { attributes } = shares.links;
  const of = (name: 'albumId' | 'ownerId' | 'bucket' | 'objectKey' | 'issuedAt') => textOf(item, attributes[name]) ?? '';
  return { ...positionOf(shares, lane, item), albumId: of('albumId'), ownerId: of('ownerId'), bucket: of('bucket'), objectKey: of('objectKey'), issuedAt: of('issuedAt') };
}
