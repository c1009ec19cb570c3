import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Incident, IncidentView } from '../core/incident.ts';
import { root, startSuite, type Suite } from './responders/suite.ts';

/** What arrives after its target was closed, and is older than that. */
let suite: Suite;
let count = 0;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

const call = async (service: string, operation: string, input: object) => await suite.account.world.call(service, operation, input, root(suite.account));
const now = () => new Date(suite.account.clock.now()).toISOString();

async function bucketOf(block: boolean): Promise<string> {
  const Bucket = `family-late-${++count}-111122223333`;
  const s3 = await suite.photos.s3('admin');
  await s3.send(new CreateBucketCommand({ Bucket }));
  s3.destroy();
  if (block) await call('s3', 'PutPublicAccessBlock', { Bucket, PublicAccessBlockConfiguration: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true } });
  else await call('s3', 'DeletePublicAccessBlock', { Bucket });
  return Bucket;
}

async function ended(bucket: string, status: Incident['status']): Promise<IncidentView> {
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket }, mode: 'contain', reason: 'a test' });
  if (status === 'restored') {
    await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
    await suite.respond('rosa', '/restore', { incident: body.incident, reason: 'over' });
  }
  return await suite.until(body.incident, ({ incident }) => incident.status === status && Object.values(incident.tickets).some(({ state }) => state === 'closed'));
}

async function finding(bucket: string, time: string, more: object = {}): Promise<void> {
  const detail = {
    schemaVersion: '2.0', accountId: '111122223333', region: 'us-east-1', partition: 'aws', id: `f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0${String(count).padStart(2, '0')}`, arn: 'x', type: 'Exfiltration:S3/AnomalousBehavior', severity: 8, createdAt: time, updatedAt: time, title: 't', description: 'd',
    resource: { resourceType: 'S3Bucket', s3BucketDetails: [{ arn: `arn:aws:s3:::${bucket}`, name: bucket, type: 'Destination' }] },
    service: { serviceName: 'guardduty', detectorId: 'a'.repeat(32), count: 1, archived: false, eventLastSeen: time, action: { actionType: 'AWS_API_CALL', awsApiCallAction: {} }, ...more },
  };
  const event = { version: '0', id: `0f0e0d0c-0b0a-4000-8000-${Date.parse(time)}`, 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: '111122223333', time: now(), region: 'us-east-1', resources: [], detail };
  await fetch(`${suite.account.endpoint}/_sandbox/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(event) });
}

const incidentsOn = async (bucket: string) => (await suite.incidents()).filter(({ target }) => target.name === bucket);

it('pictures that were taken before a bucket was found closed to the public are answered by an incident of their own', async () => {
  const bucket = await bucketOf(true);
  const taken = now();
  const { incident: first } = await ended(bucket, 'not-exposed');
  await finding(bucket, taken);
  let second: Incident | undefined;
  for (let looks = 0; looks < 300 && !second; looks++) {
    await suite.account.clock.sleep(100);
    second = (await incidentsOn(bucket)).find(({ id }) => id !== first.id);
  }
  const { incident } = await suite.until(second?.id ?? '', ({ incident: { status } }) => status === 'contained');
  expect(incident.inputs).toEqual({ level: 'external' });
});

it('of what a person gave back, pictures that were taken before open the incident and its ticket once more, and contain nothing', async () => {
  const bucket = await bucketOf(false);
  const taken = now();
  const { incident: { id }, ledger } = await ended(bucket, 'restored');
  await finding(bucket, taken);
  const { incident, entries } = await suite.until(id, (view) => Object.values(view.incident.tickets).some(({ state }) => state === 'open'));
  expect([incident.status, incident.outcome]).toEqual(['observed', expect.stringContaining('somebody has to look at what was done')]);
  expect(entries.some(({ kind }) => kind === 'signal')).toBe(true);
  // What comes now joins it: the target is its own again.
  await finding(bucket, taken);
  const { deliveries } = await delivered(2);
  await suite.account.idle(60_000);
  expect([deliveries, (await incidentsOn(bucket)).length, (await suite.view(id)).ledger.length]).toEqual([2, 1, ledger.length]);
});

it('a target is closed as of when its restore began, and what was opened during that is news', async () => {
  const bucket = await bucketOf(false);
  const { ledger } = await ended(bucket, 'restored');
  const { Item } = (await call('dynamodb', 'GetItem', { TableName: suite.deployment.name, Key: { pk: { S: `TARGET#arn:aws:s3:::${bucket}` }, sk: { S: 'CLAIM' } } })) as { readonly Item: { readonly closedAt: { readonly S: string } } };
  expect(Item.closedAt.S).toBe(ledger.find(({ direction }) => direction === 'restore')?.intendedAt);
});

it('what an earlier incident archived and occurs again opens the next one, and the finding is no longer archived', async () => {
  const bucket = await bucketOf(false);
  const { incident: { id: first } } = await ended(bucket, 'restored');
  await finding(bucket, now(), { archived: true, count: 2 });
  let second: Incident | undefined;
  for (let looks = 0; looks < 300 && !second; looks++) {
    await suite.account.clock.sleep(100);
    second = (await incidentsOn(bucket)).find(({ id }) => id !== first);
  }
  expect((await suite.until(second?.id ?? '', ({ incident: { status } }) => status === 'contained')).incident.inputs).toEqual({ level: 'external' });
});

/** The last finding's decision, once it was delivered so often. */
async function delivered(times: number): Promise<{ readonly deliveries: number }> {
  const key = { pk: { S: `DECISION#${now().slice(0, 10)}` }, sk: { S: `f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0${String(count).padStart(2, '0')}` } };
  for (let looks = 0; looks < 300; looks++) {
    const { Item } = (await call('dynamodb', 'GetItem', { TableName: suite.deployment.name, Key: key })) as { readonly Item?: { readonly deliveries: { readonly N: string } } };
    if (Number(Item?.deliveries.N) >= times) return { deliveries: Number(Item?.deliveries.N) };
    await suite.account.clock.sleep(100);
  }
  throw new Error('it was not delivered');
}
