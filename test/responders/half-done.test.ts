import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClients, type Clients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import type { Incident } from '../../core/incident.ts';
import { begin, wordOf } from '../../functions/respond/incident.ts';
import { root, startSuite, type Suite } from './suite.ts';

/** Starts that died half-way, and runs that somebody refused: what is left behind stands in nobody's way. */
let suite: Suite;
let count = 0;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

async function open(): Promise<string> {
  const bucket = `family-half-${++count}-111122223333`;
  const s3 = await suite.photos.s3('admin');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await suite.account.world.call('s3', 'DeletePublicAccessBlock', { Bucket: bucket }, root(suite.account));
  s3.destroy();
  return bucket;
}

const start = (bucket: string, more: object = {}) => ({ playbook: 'quarantine-bucket', inputs: { bucket }, mode: 'contain', reason: 'a test', ...more });
/** As long as the SDK tries. */
const TRIES = 4;

it('a start that Step Functions refused is started by whoever asks next', async () => {
  const bucket = await open();
  suite.account.inject({ service: 'states', operation: 'StartExecution', role: `${suite.deployment.name}-respond`, times: TRIES, code: 'InternalServerError', status: 500 });
  expect((await suite.respond('rosa', '/start', start(bucket))).status).toBe(502);
  const { status, body } = await suite.respond('ravi', '/start', start(bucket));
  expect(status, body.error).toBe(202);
  expect((await suite.until(body.incident, ({ incident }) => incident.status === 'contained')).ledger.length).toBeGreaterThan(0);
});

it('what its opener left half done is taken up by the schedule: it says that it never started, and has a ticket', async () => {
  const bucket = await open();
  const respond = `${suite.deployment.name}-respond`;
  suite.account.inject({ service: 'states', operation: 'StartExecution', role: respond, times: TRIES, code: 'InternalServerError', status: 500 });
  expect((await suite.respond('rosa', '/start', start(bucket))).status).toBe(502);
  const id = (await suite.incidents()).find(({ target }) => target.name === bucket)?.id ?? '';
  expect((await suite.view(id)).incident.ticket).toBeNull();
  const become = async (status: string) =>
    await suite.account.world.call('dynamodb', 'UpdateItem', { TableName: suite.deployment.name, Key: { pk: { S: `INCIDENT#${id}` }, sk: { S: 'META' } }, UpdateExpression: 'SET #s = :s, executions = :e, decidedAt = :d', ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': { S: status }, ':e': { L: [] }, ':d': { S: new Date(suite.account.clock.now() - 3_600_000).toISOString() } } }, root(suite.account));
  await become('open');
  suite.account.events.tick(`${suite.deployment.name}-lease`);
  const { incident } = await suite.until(id, (view) => view.incident.ticket?.state === 'open');
  expect([incident.status, incident.outcome]).toEqual(['failed', expect.stringContaining('/rosa asked for it, and it was never started')]);
});

it('a request whose start was lost runs as it was asked for, and who asks next is told whose it is', async () => {
  const { body } = await suite.respond('rosa', '/start', start(await open()));
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  const item = { incident: body.incident, execution: `${body.incident}-restore-1`, direction: 'restore', by: 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/rosa', at: '2026-11-24T00:00:00.000Z', reason: 'it is over', digest: null, newer: 'keep', change: {} };
  await suite.account.world.call('dynamodb', 'PutItem', { TableName: suite.deployment.name, Item: { pk: { S: `REQUEST#${body.incident}` }, sk: { S: `REQUEST#${item.execution}` }, json: { S: JSON.stringify(item) } } }, root(suite.account));
  const asked = await suite.respond('ravi', '/restore', { incident: body.incident, reason: 'over' });
  expect(asked).toMatchObject({ status: 409, body: { error: expect.stringContaining('/rosa asked for') } });
  const { entries } = await suite.until(body.incident, ({ incident }) => incident.status === 'restored');
  expect(entries.filter(({ kind, text }) => kind === 'request' && text.startsWith('restore')).map(({ by }) => by.split('/').at(-1))).toEqual(['rosa']);
});

it('somebody who asks for what runs already sets nothing back', async () => {
  const bucket = await open();
  const { body } = await suite.respond('rosa', '/start', start(bucket));
  await suite.until(body.incident, (view) => view.incident.status === 'contained');
  expect((await suite.respond('rosa', '/start', start(bucket))).status).toBe(202);
  const { incident } = await suite.until(body.incident, (view) => view.incident.executions.length === 2 && view.incident.status === 'contained');
  // As ravi read it before rosa asked again.
  const before: Incident = { ...incident, executions: incident.executions.slice(0, 1) };
  const tools = { settings: { STOPBATH_TABLE: suite.deployment.name, STOPBATH_NAME: suite.deployment.name, STOPBATH_ACCOUNT: '111122223333', AWS_REGION: 'us-east-1' }, clients: clients(), now: () => new Date(suite.account.clock.now()).toISOString() } as Tools;
  const asked = await begin(before, 'contain', { act: 'start', text: 'again', reason: 'again', by: 'ravi', change: { status: 'open' }, was: wordOf(before) }, tools);
  expect([asked.statusCode, asked.body]).toEqual([409, expect.stringContaining('/rosa asked for')]);
  expect((await suite.view(body.incident)).incident).toMatchObject({ status: 'contained', requestedBy: incident.requestedBy });
});

function clients(): Clients {
  const { admin, endpoint } = suite.account;
  process.env['AWS_ENDPOINT_URL'] = endpoint;
  return createClients('us-east-1', () => Promise.resolve(admin));
}

it('a request for approval that nobody was told of is told by the next try', async () => {
  suite.account.inject({ service: 'dynamodb', operation: 'UpdateItem', role: `${suite.deployment.name}-ask-approval`, times: TRIES, code: 'InternalServerError', status: 500 });
  const { body } = await suite.respond('rosa', '/start', start(await open(), { mode: 'approve' }));
  const { incident, entries } = await suite.until(body.incident, (view) => view.incident.status === 'waiting' && view.incident.ticket?.state === 'open');
  expect([incident.outcome, entries.filter(({ kind }) => kind === 'approval').length]).toEqual([expect.stringContaining('containment waits for an approval'), 1]);
});

it('a containment that is not proven is proven when it is asked for again', async () => {
  const { body } = await suite.respond('rosa', '/start', start(await open()));
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  await suite.account.world.call('dynamodb', 'UpdateItem', { TableName: suite.deployment.name, Key: { pk: { S: `INCIDENT#${body.incident}` }, sk: { S: 'META' } }, UpdateExpression: 'SET #s = :s', ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': { S: 'unverified' } } }, root(suite.account));
  expect((await suite.respond('rosa', '/release', { incident: body.incident, reason: 'look again' })).status).toBe(202);
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained' && incident.executions.length === 2);
  expect((await suite.respond('rosa', '/release', { incident: body.incident, reason: 'once more' })).status).toBe(409);
});

it('a level that was refused leaves the incident as it was', async () => {
  const bucket = await open();
  const { body } = await suite.respond('rosa', '/start', start(bucket));
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  await suite.respond('rosa', '/start', start(bucket, { inputs: { bucket, level: 'full' }, mode: 'approve' }));
  const { approvals } = await suite.until(body.incident, (view) => view.approvals.some(({ state }) => state === 'waiting'));
  await suite.respond('ravi', '/reject', { incident: body.incident, digest: approvals[0]?.digest, reason: 'that would be an outage' });
  const { incident } = await suite.until(body.incident, (view) => view.approvals.every(({ state }) => state === 'rejected') && view.incident.status !== 'waiting');
  expect([incident.status, incident.mode, incident.inputs['level']]).toEqual(['contained', 'contain', 'public']);
});

it('what is started while an outcome is put on record is not written over by it', async () => {
  let id = '';
  // Between what it reads and what it writes.
  suite.account.interrupt(async (service, operation, caller) => {
    if (id === '' || service !== 'dynamodb' || operation !== 'UpdateItem' || !('principalArn' in caller) || !caller.principalArn.endsWith('-record')) return;
    const [pk, execution] = [`INCIDENT#${id}`, `${id}-restore-1`];
    id = '';
    await suite.account.world.call('dynamodb', 'UpdateItem', { TableName: suite.deployment.name, Key: { pk: { S: pk }, sk: { S: 'META' } }, UpdateExpression: 'SET #s = :s, executions = list_append(executions, :more)', ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': { S: 'restoring' }, ':more': { L: [{ S: execution }] } } }, root(suite.account));
  });
  const { body } = await suite.respond('rosa', '/start', start(await open()));
  id = body.incident;
  const { incident, entries } = await suite.until(body.incident, (view) => view.entries.some(({ kind }) => kind === 'outcome'));
  expect([incident.status, entries.at(-1)?.text]).toEqual(['restoring', expect.stringContaining(`${body.incident}-contain-1 ended, after ${body.incident}-restore-1 had taken its place`)]);
});

it('a plan of an incident that is over starts nothing, and claims nothing', async () => {
  const bucket = await open();
  const ask = start(bucket);
  const { body: planned } = await suite.respond('rosa', '/plan', { playbook: ask.playbook, inputs: ask.inputs, mode: ask.mode });
  const { digest } = (planned as unknown as { readonly plan: { readonly digest: string } }).plan;
  const { body } = await suite.respond('rosa', '/start', { ...ask, digest });
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  await suite.respond('rosa', '/restore', { incident: body.incident, reason: 'over' });
  await suite.until(body.incident, ({ incident }) => incident.status === 'restored');
  expect(await suite.respond('rosa', '/start', { ...ask, digest })).toMatchObject({ status: 409, body: { error: expect.stringContaining('which is restored since: plan again') } });
  expect((await suite.respond('rosa', '/start', ask)).status).toBe(202);
});

it('its own evidence bucket is nobody\'s target', async () => {
  const { body } = await suite.respond('rosa', '/start', start(`${suite.deployment.name}-evidence-111122223333`, { inputs: { bucket: `${suite.deployment.name}-evidence-111122223333`, level: 'full' } }));
  const { incident, ledger } = await suite.until(body.incident, (view) => view.incident.status === 'held');
  expect([incident.outcome, ledger]).toEqual([expect.stringContaining("the suite's own evidence bucket"), []]);
});

it('an event finds a target that was claimed by a try which wrote no incident, and opens it', async () => {
  const bucket = await open();
  const target = `arn:aws:s3:::${bucket}`;
  await suite.account.world.call('s3', 'PutBucketPolicy', { Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${target}/*` }] }) }, root(suite.account));
  await suite.account.world.call('dynamodb', 'PutItem', { TableName: suite.deployment.name, Item: { pk: { S: `TARGET#${target}` }, sk: { S: 'CLAIM' }, incident: { S: 'inc-20260101-0123456789' }, signal: { S: 'lost' }, closedAt: { NULL: true } } }, root(suite.account));
  const event = {
    version: '0', id: '0f0e0d0c-0b0a-4000-8000-0000000000ee', 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: '111122223333', time: new Date(suite.account.clock.now()).toISOString(), region: 'us-east-1', resources: [],
    detail: { schemaVersion: '2.0', accountId: '111122223333', region: 'us-east-1', partition: 'aws', id: 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f1', arn: 'x', type: 'Policy:S3/BucketAnonymousAccessGranted', severity: 8, createdAt: new Date(suite.account.clock.now()).toISOString(), updatedAt: new Date(suite.account.clock.now()).toISOString(), title: 't', description: 'd', resource: { resourceType: 'S3Bucket', s3BucketDetails: [{ arn: target, name: bucket, type: 'Destination', publicAccess: { effectivePermission: 'PUBLIC' } }] }, service: { serviceName: 'guardduty', detectorId: 'a'.repeat(32), count: 1, archived: false, action: { actionType: 'AWS_API_CALL', awsApiCallAction: {} } } },
  };
  await fetch(`${suite.account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) });
  const { incident } = await suite.until('inc-20260101-0123456789', (view) => view.incident.status === 'contained');
  expect(incident.target.name).toBe(bucket);
});
