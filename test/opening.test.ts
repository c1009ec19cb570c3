import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IncidentView } from '../core/incident.ts';
import { bucketEvents } from '../sandbox/faults/cases.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import type { EventEnvelope } from '../sandbox/services/events.ts';

/** A target's claim and its incident are one write: what meets there, and what is lost there, opens one incident. */
let stage: Stage;
let arn: string;
let events: readonly EventEnvelope[];
let seen: number;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());
beforeEach(async () => {
  ({ arn, events } = await bucketEvents(stage));
  seen = stage.account.calls.length;
});

const triage = () => `${stage.deployment.name}-triage`;
const rest = async () => await stage.account.idle(60_000);
const answers = () => stage.account.calls.slice(seen).filter(({ operation }) => operation === 'TransactWriteItems').map(({ error }) => error ?? 'done').toSorted((a, b) => a.localeCompare(b));
const triaged = () => stage.account.lambda.invocations.filter((invocation) => invocation.function.startsWith(triage())).length;

async function deliver(...all: readonly (EventEnvelope | undefined)[]): Promise<void> {
  for (const event of all) if (event) stage.account.events.deliver(event);
  await rest();
}

async function opened(): Promise<IncidentView> {
  const found = await stage.find(arn);
  if (!found) throw new Error('there is no incident');
  return found;
}

/** Incidents on the target, whether it is theirs or not. */
async function incidents(): Promise<readonly string[]> {
  const { Items } = (await stage.call('dynamodb:Scan', { TableName: stage.deployment.name, FilterExpression: 'sk = :meta AND target.arn = :arn', ExpressionAttributeValues: { ':meta': { S: 'META' }, ':arn': { S: arn } } })) as { readonly Items: readonly { readonly id: { readonly S: string } }[] };
  return Items.map(({ id }) => id.S);
}

const signals = ({ entries }: IncidentView) => entries.filter(({ kind }) => kind === 'signal').map(({ by }) => by).toSorted();

/** Holds these writes until so many have come: none knows of the other. */
function meet(count: number): void {
  let come = 0;
  let open = () => {};
  const all = new Promise<void>((resolve) => void (open = resolve));
  stage.account.around(async ({ operation }, run) => {
    if (operation === 'TransactWriteItems' && ++come <= count) {
      if (come === count) open();
      await all;
    }
    return await run();
  });
}

it('of two different events about one target at the same moment one opens the incident, and the other joins it', async () => {
  meet(2);
  await deliver(...events);
  stage.account.around(null);
  expect(answers()).toEqual(['done', 'TransactionCanceledException']);
  const view = await opened();
  expect([view.incident.status, view.incident.executions.length, signals(view), await incidents()]).toEqual(['contained', 1, ['cloudtrail', 'guardduty'], [view.incident.id]]);
});

it('one event twice at the same moment, and once more later, is one incident and one run', async () => {
  meet(2);
  await deliver(events[0], events[0]);
  stage.account.around(null);
  await deliver(events[0]);
  const view = await opened();
  expect([view.incident.status, view.incident.executions.length, signals(view), await incidents()]).toEqual(['contained', 1, ['guardduty'], [view.incident.id]]);
});

it('nothing of an incident is there where somebody else claimed its target meanwhile: what was claimed is opened', async () => {
  const other = 'inc-20260101-0123456789';
  let left: unknown = 'was not asked';
  stage.account.around(async ({ operation, input }, run) => {
    if (operation !== 'TransactWriteItems' || (await stage.find(arn)) !== null) return await run();
    await stage.call('dynamodb:PutItem', { TableName: stage.deployment.name, Item: { pk: { S: `TARGET#${arn}` }, sk: { S: 'CLAIM' }, incident: { S: other }, signal: { S: 'lost' }, closedAt: { NULL: true } } });
    return await run().finally(async () => {
      const keys = Object(input).TransactItems.map(({ Put }: { readonly Put: { readonly Item: { readonly pk: unknown; readonly sk: unknown } } }) => ({ pk: Put.Item.pk, sk: Put.Item.sk }));
      const found = await Promise.all(keys.map(async (Key: object) => Object(await stage.call('dynamodb:GetItem', { TableName: stage.deployment.name, Key, ConsistentRead: true })).Item?.incident?.S ?? null));
      left = found;
    });
  });
  await deliver(events[0]);
  stage.account.around(null);
  expect(left).toEqual([other, null, null, null]);
  const view = await opened();
  expect([view.incident.id, view.incident.status, view.entries.some(({ kind }) => kind === 'decision'), signals(view), await incidents()]).toEqual([other, 'contained', true, ['guardduty'], [other]]);
});

it('a transaction of somebody else on the same items is waited for, and holds nothing up until the next try of Lambda', async () => {
  const before = triaged();
  stage.account.inject({ service: 'dynamodb', operation: 'TransactWriteItems', role: triage(), code: 'TransactionCanceledException' });
  stage.account.inject({ service: 'dynamodb', operation: 'PutItem', role: triage(), code: 'TransactionConflictException', times: 2 });
  await deliver(events[0]);
  expect([(await opened()).incident.status, triaged() - before]).toEqual(['contained', 1]);
});

it('what was written although its answer was lost is the try\'s own: it opens the incident, and is no repeat', async () => {
  stage.account.inject({ service: 'dynamodb', operation: 'TransactWriteItems', role: triage(), code: 'InternalServerError', status: 500, when: 'after' });
  await deliver(events[0]);
  expect(answers()).toEqual(['done', 'InternalServerError']);
  expect((await opened()).incident.status).toBe('contained');
});

it('of two people who start at the same moment one opens the incident, and the other is told who was first', async () => {
  meet(2);
  const start = async (person: 'rosa' | 'ravi') => await stage.ask(person, '/start', { playbook: 'quarantine-bucket', inputs: { bucket: arn.split(':::')[1] }, mode: 'contain', reason: `${person} asks` });
  const [first, second] = (await Promise.all([start('rosa'), start('ravi')])).toSorted((a, b) => a.status - b.status);
  await rest();
  stage.account.around(null);
  const view = await opened();
  expect([first?.status, second?.status, second?.body['error']]).toEqual([202, 409, expect.stringMatching(new RegExp(`asked for ${view.incident.id}|^${view.incident.id} is contain(?:ing|ed) already: plan again$`))]);
  expect([view.incident.status, view.entries.filter(({ text }) => text.startsWith('started by hand')).length, await incidents()]).toEqual(['contained', 1, [view.incident.id]]);
});
