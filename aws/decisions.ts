import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { query, type Table } from './records.ts';

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
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly drill: boolean;
}

/** Records a decision. The first one about an event on a day stays as it is; further deliveries are counted on it. */
export async function recordDecision(table: Table, decision: DecisionRecord): Promise<void> {
  await table.clients.dynamo.send(
    new UpdateCommand({
      TableName: table.settings.STOPBATH_TABLE,
      Key: { pk: `DECISION#${decision.receivedAt.slice(0, 10)}`, sk: decision.event },
      UpdateExpression: 'SET json = if_not_exists(json, :json), lastAt = :at ADD deliveries :one',
      ExpressionAttributeValues: { ':json': JSON.stringify(decision), ':at': decision.receivedAt, ':one': 1 },
    }),
  );
}

/** The decisions of a day (`2026-01-31`, by when the event was received), with how often each event was delivered. */
export async function readDecisions(table: Table, day: string): Promise<readonly (DecisionRecord & { readonly deliveries: number })[]> {
  const items = await query(table, `DECISION#${day}`);
  return items.map((item) => ({ ...(JSON.parse(String(item['json'])) as DecisionRecord), deliveries: Number(item['deliveries'] ?? 1) }));
}
