import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IncidentView } from '../core/incident.ts';
import { bucketEvents } from '../sandbox/faults/cases.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import { createStriker } from '../sandbox/faults/strike.ts';
import type { EventEnvelope } from '../sandbox/services/events.ts';
import type { Around } from '../sandbox/world.ts';

/** A finding asks for more while a run is under way on its target: whatever dies meanwhile, it is decided when the run has ended. */
let stage: Stage;
let bucket: { readonly arn: string; readonly name: string; readonly contain: () => Promise<unknown> };
let count = 0;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.stop());
beforeEach(async () => {
  const { arn, contain } = await bucketEvents(stage);
  bucket = { arn, name: arn.split(':::')[1] ?? '', contain };
});

/** Pictures are being taken out of the bucket: level `external`, where the finding that opened the incident asked for `public`. */
function finding(detail: object = {}): EventEnvelope {
  const values: Readonly<Record<string, string>> = { bucket: bucket.name, account: stage.account.accounts.home, region: 'us-east-1', now: new Date(stage.account.clock.now()).toISOString() };
  const event = JSON.parse(readFileSync(join(import.meta.dirname, 'events/guardduty-exfiltration.json'), 'utf8').replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole)) as EventEnvelope;
  const id = `${++count}`.padStart(32, '0');
  return { ...event, id: `waits-${id}`, detail: { ...Object(event.detail), id, ...detail } };
}

async function deliver(...events: readonly EventEnvelope[]): Promise<void> {
  for (const event of events) stage.account.events.deliver(event);
  await rest();
}

/** Until nothing runs but what waits longer than this: the retries of a function, not the reconciler's quarter of an hour. */
async function rest(): Promise<void> {
  for (let looks = 0; looks < 100; looks++) {
    await stage.account.idle(1000);
    if ((await stage.running()).length === 0) return;
    await stage.account.clock.sleep(1000);
  }
}

async function view(): Promise<IncidentView> {
  const found = await stage.find(bucket.arn);
  if (!found) throw new Error('there is no incident');
  return found;
}

async function levels(): Promise<readonly (string | null)[]> {
  return (await view()).plans.map(({ level }) => level);
}

async function setStatus(status: string, id?: string): Promise<void> {
  const incident = id ?? (await view()).incident.id;
  await stage.call('dynamodb:UpdateItem', { TableName: stage.deployment.name, Key: { pk: { S: `INCIDENT#${incident}` }, sk: { S: 'META' } }, UpdateExpression: 'SET #s = :s', ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': { S: status } } });
}

async function kept(): Promise<number> {
  const { Count } = (await stage.call('dynamodb:Query', { TableName: stage.deployment.name, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'WAITING' } }, ConsistentRead: true })) as { readonly Count: number };
  return Count;
}

async function reconcile(): Promise<void> {
  stage.account.events.tick(`${stage.deployment.name}-reconcile`);
  await rest();
}

/** Contains the bucket at level `public`, and delivers events as soon as somebody looks from outside: while it is under way. */
async function containing(events: readonly EventEnvelope[], around: Around = (_, run) => run()): Promise<void> {
  let sent = false;
  stage.account.around(async (call, run) => {
    if (!sent && call.caller.kind === 'role' && call.caller.principalArn.endsWith('-quarantine-bucket-verify')) {
      sent = true;
      for (const event of events) stage.account.events.deliver(event);
    }
    return await around(call, run);
  });
  await bucket.contain();
  await rest();
  stage.account.around(null);
}

it('ten findings that ask for the same wait as one, and are one more run', async () => {
  let most = 0;
  await containing(Array.from({ length: 10 }, () => finding()), async ({ operation, input }, run) => {
    if (operation === 'DeleteItem' && JSON.stringify(input).includes('"WAITING"')) most = Math.max(most, await kept());
    return await run();
  });
  const { incident, entries } = await view();
  expect([incident.status, incident.executions.length, await levels(), most, await kept()]).toEqual(['contained', 2, ['public', 'external'], 1, 0]);
  expect(entries.filter(({ text }) => text === `a signal asks for level external: decided again when ${incident.executions[0]} has ended`)).toHaveLength(1);
  expect(entries.filter(({ kind }) => kind === 'signal').length).toBeGreaterThanOrEqual(11);
});

it('record dies with the signal in its hands: it is given back once more, and decided', async () => {
  const striker = createStriker(stage.account, stage.deployment.name, { kind: 'killed', call: 'record dynamodb:DeleteItem#1' });
  await containing([finding()], striker.around);
  const { incident } = await view();
  expect([striker.struck(), incident.status, await levels(), await kept()]).toEqual(['record dynamodb:DeleteItem#1', 'contained', ['public', 'external'], 0]);
});

it('record cannot give it back: what was contained is on record as proven, and the reconciler has the signal decided', async () => {
  stage.account.inject({ service: 'lambda', operation: 'Invoke', role: `${stage.deployment.name}-record`, times: 4, code: 'TooManyRequestsException', status: 429 });
  await containing([finding()]);
  expect([(await view()).incident.status, await levels(), await kept()]).toEqual(['contained', ['public'], 1]);
  await reconcile();
  expect([(await view()).incident.status, await levels(), await kept()]).toEqual(['contained', ['public', 'external'], 0]);
});

it('the reconciler leaves what waits for a run that is under way', async () => {
  await containing([]);
  await setStatus('containing');
  await deliver(finding());
  await reconcile();
  expect([await levels(), await kept()]).toEqual([['public'], 1]);
  await setStatus('failed');
  await reconcile();
  expect([await levels(), await kept()]).toEqual([['public', 'external'], 0]);
});

it('the run ends between the judgement and the keeping, and nobody looks: Lambda tries again, and it is decided', async () => {
  await containing([]);
  await setStatus('containing');
  const { id } = (await view()).incident;
  let raced = 0;
  stage.account.around(async (call, run) => {
    if (call.operation === 'PutItem' && JSON.stringify(call.input).includes('"WAITING"') && raced++ === 0) await setStatus('contained', id);
    return await run();
  });
  stage.account.events.deliver(finding());
  await stage.account.idle(200_000);
  await rest();
  stage.account.around(null);
  expect([raced, (await view()).incident.status, await levels()]).toEqual([1, 'contained', ['public', 'external']]);
  // What is left of the first try says nothing new.
  await reconcile();
  expect([(await view()).incident.executions.length, await kept()]).toEqual([2, 0]);
});

it('an event that is too large to be kept goes to the undelivered ones, as before', async () => {
  await containing([]);
  await setStatus('containing');
  const logged = stage.account.lambda.logs.length;
  await deliver(finding({ padding: 'x'.repeat(400_000) }));
  await stage.account.idle(400_000);
  expect(stage.account.lambda.logs.slice(logged).filter(({ text }) => text.includes('too large to be kept')).length).toBeGreaterThanOrEqual(3);
  expect([await kept(), await levels()]).toEqual([0, ['public']]);
});
