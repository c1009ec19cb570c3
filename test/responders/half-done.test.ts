import { afterAll, beforeAll, expect, it } from 'vitest';
import { claimTarget } from '../../aws/claims.ts';
import { startExecution } from '../../aws/executions.ts';
import { createIncident, updateIncident } from '../../aws/incidents.ts';
import type { Incident } from '../../core/incident.ts';
import { manualIncident } from '../../core/manual.ts';
import { nextRun } from '../../core/runs.ts';
import { endUnfinished } from '../../functions/archive/unfinished.ts';
import { begin, restore, wordOf } from '../../functions/respond/incident.ts';
import { openBucket, root, startSuite, toolsOf, type Input, type Suite } from './suite.ts';

/** Starts that died half-way, and runs that somebody refused: what is left behind stands in nobody's way. */
let suite: Suite;
let count = 0;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

const open = async () => await openBucket(suite, `family-half-${++count}-111122223333`);

async function publish(bucket: string): Promise<void> {
  await suite.account.world.call('s3', 'PutBucketPolicy', { Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }] }) }, root(suite.account));
}

/** GuardDuty finds that everybody may read it. */
async function tellOf(bucket: string): Promise<void> {
  const now = new Date(suite.account.clock.now()).toISOString();
  const event = {
    version: '0', id: `0f0e0d0c-0b0a-4000-8000-${bucket.replaceAll(/\D/g, '').padStart(12, '0').slice(0, 12)}`, 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: '111122223333', time: now, region: 'us-east-1', resources: [],
    detail: { schemaVersion: '2.0', accountId: '111122223333', region: 'us-east-1', partition: 'aws', id: `f0f0${bucket.replaceAll(/\D/g, '').padStart(28, '0').slice(0, 28)}`, arn: 'x', type: 'Policy:S3/BucketAnonymousAccessGranted', severity: 8, createdAt: now, updatedAt: now, title: 't', description: 'd', resource: { resourceType: 'S3Bucket', s3BucketDetails: [{ arn: `arn:aws:s3:::${bucket}`, name: bucket, type: 'Destination', publicAccess: { effectivePermission: 'PUBLIC' } }] }, service: { serviceName: 'guardduty', detectorId: 'a'.repeat(32), count: 1, archived: false, action: { actionType: 'AWS_API_CALL', awsApiCallAction: {} } } },
  };
  await fetch(`${suite.account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) });
}

const start = (bucket: string, more: object = {}) => ({ playbook: 'quarantine-bucket', inputs: { bucket }, mode: 'contain', reason: 'a test', ...more });
const ROSA = 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/rosa';
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

/** After a request is on record, and before its run is on the incident's list. */
const asked = ({ Item }: Input) => Item?.sk?.startsWith('REQUEST#') ?? false;
const contained = async (bucket: string) => (await suite.until((await suite.respond('rosa', '/start', start(bucket))).body.incident, ({ incident }) => incident.status === 'contained')).incident;

it('a request whose start was lost is nobody\'s later: who asks next gets what they ask for', async () => {
  const seen = await contained(await open());
  const lost = toolsOf(suite, { after: asked, happens: () => Promise.reject(new Error('it ended here')) });
  await expect(restore({ incident: seen.id, reason: 'lost', newer: 'overwrite', digest: '0'.repeat(64) }, ROSA, lost)).rejects.toThrow('it ended here');
  expect((await suite.respond('ravi', '/restore', { incident: seen.id, reason: 'over' })).status).toBe(202);
  const { requests, incident } = await suite.until(seen.id, (view) => view.incident.status === 'restored');
  expect([requests.slice(1).map(({ by, newer }) => [by.split('/').at(-1), newer]), incident.requestedBy]).toEqual([[['ravi', 'keep']], expect.stringMatching(/\/ravi$/)]);
});

it('a start that an event overtakes is refused, and what the event started is not held to its plan', async () => {
  const seen = await contained(await open());
  const again = async () => void (await startExecution(toolsOf(suite), seen, 'contain', nextRun(seen, 'contain'), { status: 'open' }));
  const answer = await begin(seen, 'contain', { act: 'start', text: 'start', reason: 'exactly this', by: ROSA, change: { status: 'open', mode: 'approve' }, was: wordOf(seen), digest: '0'.repeat(64) }, toolsOf(suite, { after: asked, happens: again }));
  expect([answer.statusCode, answer.body]).toEqual([409, expect.stringContaining('nothing was started')]);
  const { incident, requests, approvals } = await suite.until(seen.id, (view) => view.incident.executions.length === 2 && !['open', 'containing'].includes(view.incident.status));
  expect([incident.status, incident.mode, requests.length, approvals]).toEqual(['contained', 'contain', 1, []]);
});

it('a start that a restore overtakes starts nothing, then or later', async () => {
  const bucket = await open();
  await publish(bucket);
  const seen = await contained(bucket);
  const first = async () => void (await suite.respond('ravi', '/restore', { incident: seen.id, reason: 'over' }));
  const full = { ...wordOf(seen), inputs: { ...seen.inputs, level: 'full' }, status: 'open', mode: 'approve' } as const;
  const answer = await begin(seen, 'contain', { act: 'start', text: 'start', reason: 'all of it', by: ROSA, change: full, was: wordOf(seen), digest: '0'.repeat(64) }, toolsOf(suite, { after: asked, happens: first }));
  expect([answer.statusCode, answer.body]).toEqual([409, expect.stringContaining('/ravi asked for')]);
  const { approvals } = await suite.until(seen.id, (view) => view.approvals.some(({ state }) => state === 'waiting'));
  await suite.respond('rosa', '/reject', { incident: seen.id, digest: approvals[0]?.digest, reason: 'not yet' });
  await suite.until(seen.id, ({ entries }) => entries.some(({ kind, detail }) => kind === 'outcome' && Object(detail).execution === approvals[0]?.execution));
  const { status, body } = await suite.respond('ravi', '/start', start(bucket, { inputs: { bucket, level: 'external' } }));
  expect(status, body.error).toBe(202);
  const { incident } = await suite.until(seen.id, (view) => view.incident.executions.length === 3 && view.incident.status === 'contained');
  expect([incident.inputs['level'], incident.requestedBy]).toEqual(['external', expect.stringMatching(/\/ravi$/)]);
});

it('what a person asked for and did not begin is begun by nobody else in their place', async () => {
  const bucket = await open();
  const target: Incident['target'] = { kind: 'bucket', name: bucket, arn: `arn:aws:s3:::${bucket}`, account: '111122223333', region: 'us-east-1' };
  const incident = manualIncident({ playbook: 'quarantine-bucket', target, recordedAs: target.arn, inputs: { level: 'public' }, mode: 'approve', reason: 'a test', by: ROSA, at: new Date(suite.account.clock.now()).toISOString() }, null, 'contain');
  const { id } = incident;
  await createIncident(toolsOf(suite), incident);
  expect(await suite.respond('rosa', '/restore', { incident: id, reason: 'begin it' })).toMatchObject({ status: 409, body: { error: expect.stringContaining('nothing to restore') } });
  const { incident: present } = await suite.view(id);
  expect([present.status, present.executions]).toEqual(['failed', []]);
});

it('somebody who asks for what runs already sets nothing back', async () => {
  const bucket = await open();
  const { body } = await suite.respond('rosa', '/start', start(bucket));
  await suite.until(body.incident, (view) => view.incident.status === 'contained');
  expect((await suite.respond('rosa', '/start', start(bucket))).status).toBe(202);
  const { incident } = await suite.until(body.incident, (view) => view.incident.executions.length === 2 && view.incident.status === 'contained');
  // As ravi read it before rosa asked again.
  const before: Incident = { ...incident, executions: incident.executions.slice(0, 1) };
  const asked = await begin(before, 'contain', { act: 'start', text: 'again', reason: 'again', by: 'ravi', change: { status: 'open' }, was: wordOf(before) }, toolsOf(suite));
  expect([asked.statusCode, asked.body]).toEqual([409, expect.stringContaining('/rosa asked for')]);
  expect((await suite.view(body.incident)).incident).toMatchObject({ status: 'contained', requestedBy: incident.requestedBy });
});

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
  expect([incident.status, entries.at(-1)?.text]).toEqual(['restoring', expect.stringMatching(/-contain-1-\w+ ended, after .*-restore-1 had taken its place/)]);
});

it('what a run says of its outcome while its end is looked at is not written over by that', async () => {
  const { id, target } = await contained(await open());
  await updateIncident(toolsOf(suite), id, { status: 'containing' });
  const meanwhile = toolsOf(suite, { after: ({ Key }) => Key?.sk === 'META', happens: async () => await updateIncident(toolsOf(suite), id, { status: 'contained', outcome: 'verified' }) });
  const { incident } = await suite.view(id);
  await endUnfinished({ $metadata: {}, executionArn: 'x', stateMachineArn: 'x', startDate: new Date(0), status: 'ABORTED', name: incident.executions.at(-1) ?? '', input: JSON.stringify({ incident: id, direction: 'contain', target }) }, meanwhile);
  expect((await suite.view(id)).incident).toMatchObject({ status: 'contained', outcome: 'verified' });
});

it('a run goes by who would feel it now, not by what a plan of the same changes said the first time', async () => {
  const trusting = (Principal: object) => ({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] });
  const principal = suite.account.createRole('album-batch', { trust: trusting({ Service: 'ec2.amazonaws.com' }) });
  const { body } = await suite.respond('rosa', '/start', { playbook: 'contain-principal', inputs: { principal }, mode: 'observe', reason: 'a test' });
  const { plans: [first] } = await suite.until(body.incident, ({ incident }) => incident.status === 'observed');
  expect(first?.impact['wouldFeelIt']).toEqual(['ec2.amazonaws.com may run as it']);
  await suite.account.world.call('iam', 'UpdateAssumeRolePolicy', { RoleName: 'album-batch', PolicyDocument: JSON.stringify(trusting({ AWS: 'arn:aws:iam::111122223333:root' })) }, root(suite.account));
  await suite.respond('rosa', '/release', { incident: body.incident, reason: 'nothing runs as it any more' });
  const { approvals, plans } = await suite.until(body.incident, (view) => view.approvals.length > 0);
  expect([plans.length, plans[0]?.digest, plans[0]?.impact['wouldFeelIt'], approvals[0]?.gates]).toEqual([1, first?.digest, [], ['mode']]);
  expect((await suite.respond('ravi', '/approve', { incident: body.incident, digest: approvals[0]?.digest })).status).toBe(200);
  const { incident } = await suite.until(body.incident, (view) => ['contained', 'held', 'failed', 'unverified'].includes(view.incident.status));
  expect(incident.status, incident.outcome).toBe('contained');
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

it('an event that comes while a person opens an incident leaves them to begin it', async () => {
  const bucket = await open();
  await publish(bucket);
  const target: Incident['target'] = { kind: 'bucket', name: bucket, arn: `arn:aws:s3:::${bucket}`, account: '111122223333', region: 'us-east-1' };
  const now = new Date(suite.account.clock.now()).toISOString();
  const incident = manualIncident({ playbook: 'quarantine-bucket', target, recordedAs: target.arn, inputs: { level: 'public' }, mode: 'contain', reason: 'a test', by: ROSA, at: now }, null, 'contain');
  await claimTarget(toolsOf(suite), target.arn, { incident: incident.id, signal: `manual/${ROSA}` }, now);
  await createIncident(toolsOf(suite), incident);
  await tellOf(bucket);
  const { incident: present } = await suite.until(incident.id, (view) => view.entries.some(({ kind }) => kind === 'signal'));
  expect([present.status, present.executions]).toEqual(['open', []]);
  await startExecution(toolsOf(suite), present, 'contain', nextRun(present, 'contain'));
  expect((await suite.until(incident.id, (view) => view.incident.status === 'contained')).incident.requestedBy).toBe(ROSA);
});

it('an event finds a target that was claimed by a try which wrote no incident, and opens it', async () => {
  const bucket = await open();
  const target = `arn:aws:s3:::${bucket}`;
  await publish(bucket);
  await suite.account.world.call('dynamodb', 'PutItem', { TableName: suite.deployment.name, Item: { pk: { S: `TARGET#${target}` }, sk: { S: 'CLAIM' }, incident: { S: 'inc-20260101-0123456789' }, signal: { S: 'lost' }, closedAt: { NULL: true } } }, root(suite.account));
  await tellOf(bucket);
  const { incident } = await suite.until('inc-20260101-0123456789', (view) => view.incident.status === 'contained');
  expect(incident.target.name).toBe(bucket);
});
