import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { monthsOf, type HistoryFilter } from '../core/history.ts';
import type { Incident } from '../core/incident.ts';
import { asItem, type Item, type Table } from './records.ts';

/** Where an incident is filed for good: by the month it was received in, and by what it is about. */
export function historyKeys(incident: Pick<Incident, 'id' | 'receivedAt' | 'target'>): Readonly<Record<'gsi1sk' | 'gsi2pk' | 'gsi3pk', string>> {
  return { gsi1sk: `${incident.receivedAt}#${incident.id}`, gsi2pk: `HISTORY#${incident.receivedAt.slice(0, 7)}`, gsi3pk: `TARGET#${incident.target.arn}` };
}

/** A part of the history, and where the next begins: the sort key of the last row, or a month; `null` at the end. */
export interface HistoryPart {
  readonly items: readonly Item[];
  /** How many matched: also those that were only counted. */
  readonly count: number;
  readonly next: string | null;
}

/**
 * After so long a request answers with what it has, ms: a filter that matches little shows its first rows at once, and goes
 * on with the next request.
 */
const PATIENCE_MS = 120;
/** DynamoDB filters after it has read: how many it may read at a time, where few match. */
const FILTERED_READ = 1000;

/**
 * Reads the history month by month, in the order that is asked for. Filters run at DynamoDB; a part may hold fewer
 * than `limit` incidents, or none, and still have a `next`.
 *
 * @param after - the `next` of the part before
 * @param limit - `count` only counts, without reading a row out
 * @param read - `ids`: items have their keys alone (`idOf` says whose they are)
 * @param clock - ms, from anywhere
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html (1 MB a read, before the filter)
 */
export async function readHistory(table: Table, filter: HistoryFilter, limit: number | 'count', after: string | null, read: 'incidents' | 'ids' = 'incidents', clock: () => number = () => performance.now()): Promise<HistoryPart> {
  const partitions = partitionsOf(filter, after);
  const items: Item[] = [];
  let count = 0;
  let from = after !== null && after.includes('#') ? after : null;
  const until = clock() + PATIENCE_MS;
  let reads = 0;
  for (const [index, partition] of partitions.entries()) {
    do {
      if (reads > 0 && clock() > until) return { items, count, next: from ?? startOf(partition, filter) };
      reads += 1;
      const page = await table.clients.dynamo.send(new QueryCommand(queryOf(table, filter, partition, limit, from, read)));
      const found = (page.Items ?? []).map(asItem);
      const taken = limit === 'count' ? [] : found.slice(0, limit - items.length);
      items.push(...taken);
      count += limit === 'count' ? (page.Count ?? 0) : taken.length;
      const last = page.LastEvaluatedKey?.['gsi1sk'];
      from = last === undefined ? null : String(last);
      if (limit !== 'count' && items.length === limit) {
        const reached = found.length > taken.length ? String(taken.at(-1)?.['gsi1sk']) : from;
        const following = partitions[index + 1];
        return { items, count, next: reached ?? (following === undefined ? null : startOf(following, filter)) };
      }
    } while (from !== null);
  }
  return { items, count, next: null };
}

interface Partition {
  readonly key: 'gsi2pk' | 'gsi3pk';
  readonly value: string;
}

/** What is still to be read, in order. The target's own partition holds all its months. */
function partitionsOf(filter: HistoryFilter, after: string | null): readonly Partition[] {
  if (filter.target !== undefined) return [{ key: 'gsi3pk', value: `TARGET#${filter.target}` }];
  const months = monthsOf(filter);
  const ordered = filter.order === 'newest' ? months.toReversed() : months;
  const month = after?.slice(0, 7);
  const ahead = month === undefined ? ordered : ordered.filter((entry) => (filter.order === 'newest' ? entry <= month : entry >= month));
  return ahead.map((entry) => ({ key: 'gsi2pk', value: `HISTORY#${entry}` }));
}

function startOf({ key, value }: Partition, { since }: HistoryFilter): string {
  return key === 'gsi2pk' ? value.slice('HISTORY#'.length) : since.slice(0, 7);
}

function queryOf(table: Table, filter: HistoryFilter, partition: Partition, limit: number | 'count', from: string | null, read: 'incidents' | 'ids'): QueryCommand['input'] {
  const { names, values, expression } = conditionsOf(filter);
  const size = limit === 'count' ? undefined : expression === null ? limit : FILTERED_READ;
  return {
    TableName: table.settings.STOPBATH_TABLE,
    IndexName: partition.key === 'gsi2pk' ? 'byTime' : 'byTarget',
    // A sort key is a time and an id: it is never equal to a bare time, so that the end is not included.
    KeyConditionExpression: '#partition = :partition AND gsi1sk BETWEEN :since AND :until',
    ...(expression === null ? {} : { FilterExpression: expression }),
    ExpressionAttributeNames: { '#partition': partition.key, ...names },
    ExpressionAttributeValues: { ':partition': partition.value, ':since': filter.since, ':until': filter.until, ...values },
    ScanIndexForward: filter.order === 'oldest',
    ...(limit === 'count' ? { Select: 'COUNT' } : read === 'ids' ? { ProjectionExpression: 'pk, sk, gsi1sk' } : {}),
    ...(size === undefined ? {} : { Limit: size }),
    ...(from === null ? {} : { ExclusiveStartKey: startKey(partition, from) }),
  };
}

/** Whose item this is. */
export function idOf({ pk }: Item): string {
  return pk.slice('INCIDENT#'.length);
}

function startKey({ key, value }: Partition, gsi1sk: string): Record<string, string> {
  return { pk: `INCIDENT#${gsi1sk.slice(gsi1sk.indexOf('#') + 1)}`, sk: 'META', [key]: value, gsi1sk };
}

function conditionsOf({ playbook, actor, status, mode, drill }: HistoryFilter): { readonly names: Record<string, string>; readonly values: Record<string, unknown>; readonly expression: string | null } {
  const values: Record<string, unknown> = {};
  const names: Record<string, string> = {};
  const parts: string[] = [];
  const equal = (attribute: string, value: unknown) => {
    if (value === undefined) return;
    names[`#${attribute}`] = attribute;
    values[`:${attribute}`] = value;
    parts.push(`#${attribute} = :${attribute}`);
  };
  equal('playbook', playbook);
  equal('mode', mode);
  equal('drill', drill);
  if (actor !== undefined) {
    values[':actor'] = actor;
    names['#actor'] = 'actor';
    parts.push('(contains(#actor, :actor) OR contains(actorsText, :actor) OR contains(requestedBy, :actor))');
  }
  if (status !== undefined) {
    names['#status'] = 'status';
    for (const [index, entry] of status.entries()) values[`:status${index}`] = entry;
    parts.push(`#status IN (${status.map((_, index) => `:status${index}`).join(', ')})`);
  }
  return { names, values, expression: parts.length === 0 ? null : parts.join(' AND ') };
}
