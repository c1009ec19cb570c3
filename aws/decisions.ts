import { QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { get, SCHEMA_VERSION, type Table } from './records.ts';

/** What was decided about an event that arrived: also about those that did nothing, and why. */
export interface DecisionRecord {
  readonly event: string;
  readonly source: string;
  readonly type: string;
  readonly decision: string;
  readonly reason: string;
  readonly targets: readonly string[];
  /** Incidents that it opened or joined. */
  readonly incidents: readonly string[];
  /** The suppression that silenced it, or a part of it; `null` where none did. */
  readonly suppressedBy: string | null;
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly drill: boolean;
}

/**
 * Records a decision. The first one about an event on a day stays as it is; further deliveries are counted on it, and it is to be archived again:
 * a locked record says how often an event was delivered until then.
 */
export async function recordDecision(table: Table, decision: DecisionRecord): Promise<void> {
  await table.clients.dynamo.send(
    new UpdateCommand({
      TableName: table.settings.STOPBATH_TABLE,
      Key: { pk: `DECISION#${decision.receivedAt.slice(0, 10)}`, sk: decision.event },
      UpdateExpression: 'SET json = if_not_exists(json, :json), lastAt = :at, schemaVersion = :schema ADD deliveries :one REMOVE archived, claimedFor',
      ExpressionAttributeValues: { ':json': JSON.stringify(decision), ':at': decision.receivedAt, ':one': 1, ':schema': SCHEMA_VERSION },
    }),
  );
}

/**
 * When triage was last given an event; `null` where it never was.
 *
 * @param since - ISO 8601: the event cannot have been decided on an earlier day
 */
export async function lastDelivery(table: Table, event: string, since: string, now: string): Promise<string | null> {
  const days = Math.floor(Date.parse(now.slice(0, 10)) / DAY_MS) - Math.floor(Date.parse(since.slice(0, 10)) / DAY_MS);
  for (let back = 0; back <= Math.min(days, MOST_DAYS); back++) {
    const item = await get(table, `DECISION#${new Date(Date.parse(now) - back * DAY_MS).toISOString().slice(0, 10)}`, event);
    if (item) return String(item['lastAt']);
  }
  return null;
}

const DAY_MS = 86_400_000;
/** A finding that was first seen longer ago is asked about once more. */
const MOST_DAYS = 3;

/**
 * The decisions of a day (`2026-01-31`, by when the event was received), with how often each event was delivered.
 *
 * @param after - the `next` of the page before
 */
export async function readDecisions(table: Table, day: string, limit: number, after: string | null): Promise<{ readonly decisions: readonly (DecisionRecord & { readonly deliveries: number })[]; readonly next: string | null }> {
  const pk = `DECISION#${day}`;
  const page = await table.clients.dynamo.send(
    new QueryCommand({
      TableName: table.settings.STOPBATH_TABLE,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
      Limit: limit,
      ...(after === null ? {} : { ExclusiveStartKey: { pk, sk: after } }),
    }),
  );
  const decisions = (page.Items ?? []).map((item) => ({ ...(JSON.parse(String(item['json'])) as DecisionRecord), deliveries: Number(item['deliveries'] ?? 1) }));
  const last = page.LastEvaluatedKey?.['sk'];
  return { decisions, next: last === undefined ? null : String(last) };
}
