import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { get, put, query, succeeded, type Item } from '../../aws/records.ts';
import { digestOf } from '../../core/canonical.ts';
import { inParts } from '../../core/parts.ts';
import { together } from '../../core/together.ts';
import { WRITING_MS } from '../../core/verify.ts';

const BATCH_BYTES = 1_000_000;
const AT_ONCE = 25;
const DAY_MS = 86_400_000;

/**
 * Puts decisions on record that are not yet, in batches, drills apart. Each decision is first claimed for a batch, then the batch is
 * written, then the decision is marked: wherever that is cut off, the next run finds it. None is in two batches or in none, but what
 * was delivered again is in another, with the number.
 *
 * @returns how many
 */
export async function keepDecisions(tools: Tools): Promise<number> {
  const now = tools.now();
  const cursor = await get(tools, 'SWEEP', 'DECISIONS');
  let kept = 0;
  for (const day of daysFrom(cursor ? String(cursor['day']) : now.slice(0, 10), now)) kept += await keepDay(day, now, tools);
  // A day is finished only once nobody can still write a decision of it: the one before stays open.
  await put(tools, { pk: 'SWEEP', sk: 'DECISIONS', day: new Date(Date.parse(now) - DAY_MS).toISOString().slice(0, 10) });
  return kept;
}

function daysFrom(first: string, now: string): readonly string[] {
  const begin = Math.min(Date.parse(first), Date.parse(now) - DAY_MS);
  const days = Math.floor((Date.parse(now) - begin) / DAY_MS) + 1;
  return [...new Set([...Array.from({ length: days }, (_, day) => new Date(begin + day * DAY_MS).toISOString().slice(0, 10)), now.slice(0, 10)])];
}

async function keepDay(day: string, now: string, tools: Tools): Promise<number> {
  const open = (await query(tools, `DECISION#${day}`)).filter((item) => item['archived'] === undefined);
  const free = open.filter((item) => item['claimedFor'] === undefined);
  const claimed = Map.groupBy(open.filter((item) => item['claimedFor'] !== undefined), (item) => String(item['claimedFor']));
  // Somebody else may still be at work on what was claimed a moment ago.
  const abandoned = [...claimed].filter(([batch]) => Date.parse(batch.slice(0, now.length)) < Date.parse(now) - WRITING_MS);
  for (const [batch, items] of abandoned) await keepBatch(batch, items, tools);

  let kept = abandoned.reduce((sum, [, items]) => sum + items.length, 0);
  for (const group of Map.groupBy(free, isDrill).values()) {
    for (const [index, part] of inParts(group, BATCH_BYTES).entries()) {
      const batch = `${now}-${digestOf(part.map(({ sk }) => sk)).slice(0, 16)}-${index + 1}`;
      const ours = (await together(part, AT_ONCE, async (item) => ((await claim(item, batch, tools)) ? [item] : []))).flat();
      await keepBatch(batch, ours, tools);
      kept += ours.length;
    }
  }
  return kept;
}

async function claim({ pk, sk }: Item, batch: string, tools: Tools): Promise<boolean> {
  const write = new UpdateCommand({
    TableName: tools.settings.STOPBATH_TABLE,
    Key: { pk, sk },
    UpdateExpression: 'SET claimedFor = :batch',
    ConditionExpression: 'attribute_not_exists(claimedFor)',
    ExpressionAttributeValues: { ':batch': batch },
  });
  return await succeeded(tools.clients.dynamo.send(write));
}

async function keepBatch(batch: string, items: readonly Item[], tools: Tools): Promise<void> {
  if (items.length === 0) return;
  const decisions = items.map((item): object => ({ ...decisionOf(item), deliveries: item['deliveries'], lastAt: item['lastAt'] }));
  await putEvidence(tools, { kind: 'decisions', id: batch.replaceAll(':', ''), incident: null, at: tools.now(), drill: items.some(isDrill), body: { count: decisions.length, decisions } });
  await together(items, AT_ONCE, async ({ pk, sk, deliveries }) => {
    // What was delivered again meanwhile is another state of it, for the next batch.
    const mark = new UpdateCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: { pk, sk }, UpdateExpression: 'SET archived = :batch', ConditionExpression: 'claimedFor = :batch AND deliveries = :deliveries', ExpressionAttributeValues: { ':batch': batch, ':deliveries': deliveries } });
    await succeeded(tools.clients.dynamo.send(mark));
  });
}

function isDrill(item: Item): boolean {
  return Reflect.get(decisionOf(item), 'drill') === true;
}

function decisionOf(item: Item): object {
  const decision: unknown = JSON.parse(String(item['json']));
  return typeof decision === 'object' && decision !== null ? decision : {};
}
