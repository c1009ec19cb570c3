import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IncidentView } from '../core/incident.ts';
import { bucketEvents } from '../sandbox/faults/cases.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import { createStriker } from '../sandbox/faults/strike.ts';

/** A plan that goes on by itself reserves what its apply would write first: what happens between the two decides, and an act that nobody began leaves no trace. */
let stage: Stage;
let bucket: Awaited<ReturnType<typeof bucketEvents>>;
beforeAll(async () => {
  stage = await startStage({ budgets: { account: 20, all: 20, links: 1_000_000, linksAll: 1_000_000, reserved: 5 } });
});
afterAll(() => stage.stop());
beforeEach(async () => {
  bucket = await bucketEvents(stage);
});

interface Written {
  readonly role: string;
  readonly operation: string;
  readonly input: string;
}

/** Contains the bucket, and does something when a role has called an operation for the first time, about something; what was written meanwhile. */
async function containing(after: { readonly role: string; readonly operation: string; readonly about: string; readonly act: () => Promise<unknown> } | null = null): Promise<readonly Written[]> {
  const written: Written[] = [];
  let done = after === null;
  stage.account.around(async ({ operation, caller, input }, run) => {
    const result = await run();
    if (caller.kind !== 'role') return result;
    const role = caller.principalArn.split('/').at(-1)?.slice(stage.deployment.name.length + 1) ?? '';
    const call = { role, operation, input: JSON.stringify(input) };
    written.push(call);
    if (!done && after && call.role === after.role && call.operation === after.operation && call.input.includes(after.about)) {
      done = true;
      await after.act();
    }
    return result;
  });
  await bucket.contain();
  await stage.account.idle(1000);
  stage.account.around(null);
  return written;
}

async function view(): Promise<IncidentView> {
  const found = await stage.find(bucket.arn);
  if (!found) throw new Error('there is no incident');
  return found;
}

async function setGuard(paused: boolean): Promise<void> {
  await stage.call('dynamodb:PutItem', { TableName: stage.deployment.name, Item: { pk: { S: 'GUARD' }, sk: { S: 'SWITCH' }, paused: { BOOL: paused }, by: { S: 'rosa' }, at: { S: '2026-11-28T10:00:00.000Z' }, reason: { S: 'we look first' } } });
}

const PLAN = 'quarantine-bucket-plan';
const APPLY = 'quarantine-bucket-apply';

it('apply acts on what plan has reserved, and writes none of it again', async () => {
  const calls = await containing();
  const { incident, ledger } = await view();
  expect([incident.status, incident.turn, ledger.every(({ reserved, result }) => reserved === true && result === 'done')]).toEqual(['contained', incident.executions[0], true]);
  const before = calls.slice(0, calls.findIndex(({ operation }) => operation === 'PutPublicAccessBlock'));
  expect(before.filter(({ role, operation, input }) => role === APPLY && /^(?:Put|Update|Delete)/.test(operation) && !input.includes('"BEGUN#'))).toEqual([]);
  expect(before.filter(({ role, operation, input }) => role === PLAN && operation === 'PutItem' && input.includes('LEDGER#'))).toHaveLength(ledger.length);
  expect(calls.filter(({ operation, input }) => operation === 'UpdateItem' && input.includes('"BUDGETS"'))).toHaveLength(1);
});

it('the kill switch that is thrown after the plan holds, and nothing is on record as begun', async () => {
  await containing({ role: PLAN, operation: 'PutItem', about: 'LEDGER#', act: async () => await setGuard(true) });
  const { incident, ledger, plans } = await view();
  await setGuard(false);
  expect([incident.status, ledger, plans.length]).toEqual(['held', [], 1]);
});

it('an apply that cannot read the bucket ends as a run that changed nothing: no undo, no lease', async () => {
  stage.account.inject({ service: 's3', operation: 'GetBucketAcl', role: `${stage.deployment.name}-${APPLY}`, times: 100, when: 'before', status: 403, code: 'AccessDenied' });
  stage.account.inject({ service: 's3', operation: 'GetPublicAccessBlock', role: `${stage.deployment.name}-${APPLY}`, times: 100, when: 'before', status: 403, code: 'AccessDenied' });
  await containing();
  stage.account.clearFaults();
  const { incident, ledger } = await view();
  expect([incident.status, incident.outcome.includes('nothing was changed'), incident.lease ?? null, ledger]).toEqual(['failed', true, null, []]);
});

it('an apply that dies right after its first act finds it again, and its undo is not lost', async () => {
  const striker = createStriker(stage.account, stage.deployment.name, { kind: 'killed-after', call: `${APPLY} s3:PutPublicAccessBlock#1` });
  stage.account.around(striker.around);
  await bucket.contain();
  await stage.account.idle(60_000);
  stage.account.around(null);
  const { incident, ledger } = await view();
  expect([striker.struck(), incident.status, ledger.find(({ setting }) => setting === 'publicAccessBlock')?.result]).toEqual([`${APPLY} s3:PutPublicAccessBlock#1`, 'contained', 'done']);
});

it('who loses the last place in the budgets to another asks a person, and nothing is on record as begun', async () => {
  const others = Array.from({ length: 15 }, (_, index) => ({ M: { incident: { S: `other-${index}` }, account: { S: stage.account.accounts.home }, at: { S: new Date(stage.account.clock.now()).toISOString() }, links: { N: '0' } } }));
  const key = { TableName: stage.deployment.name, Key: { pk: { S: 'BUDGETS' }, sk: { S: 'TAKEN' } } };
  const take = async () => await stage.call('dynamodb:UpdateItem', { ...key, UpdateExpression: 'SET takes = :takes, version = :v', ExpressionAttributeValues: { ':takes': { L: others }, ':v': { N: '4711' } } });
  // Right after plan has read that there is room.
  await containing({ role: PLAN, operation: 'GetItem', about: 'BUDGETS', act: take });
  const { incident, ledger, approvals } = await view();
  await stage.call('dynamodb:DeleteItem', key);
  expect([incident.status, ledger, approvals.map(({ gates }) => gates)]).toEqual(['expired', [], [['budget']]]);
});
