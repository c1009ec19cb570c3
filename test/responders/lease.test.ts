import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { intendAll } from '../../aws/apply.ts';
import { TransientError } from '../../aws/errors.ts';
import { addExecution, OvertakenError, updateIncident } from '../../aws/incidents.ts';
import type { Incident } from '../../core/incident.ts';
import { tendLeases } from '../../functions/lease/lease.ts';
import { root, startSuite, toolsOf, type Input, type Meanwhile, type Suite } from './suite.ts';

/** What the end of a lease may do, and runs that meet on one incident. */
let suite: Suite;
let count = 0;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

const call = async (operation: string, input: object, service = 'dynamodb') => await suite.account.world.call(service, operation, input, root(suite.account));
const hoursOn = (hours: number) => new Date(suite.account.clock.now() + hours * 3_600_000).toISOString();

/** A bucket of its own, public or not, contained by rosa. */
async function contained(open: 'public' | 'private' = 'private'): Promise<string> {
  const bucket = `family-lease-${++count}-111122223333`;
  const s3 = await suite.photos.s3('admin');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  s3.destroy();
  await call('DeletePublicAccessBlock', { Bucket: bucket }, 's3');
  if (open === 'public') await call('PutBucketPolicy', { Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` }] }) }, 's3');
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket }, mode: 'contain', reason: 'a test' });
  await suite.until(body.incident, ({ incident }) => incident.status === 'contained' && Boolean(incident.lease));
  return body.incident;
}

async function set(incident: string, expression: string, values: object, names: object = {}): Promise<void> {
  await call('UpdateItem', { TableName: suite.deployment.name, Key: { pk: { S: `INCIDENT#${incident}` }, sk: { S: 'META' } }, UpdateExpression: `SET ${expression}`, ExpressionAttributeValues: values, ...(Object.keys(names).length > 0 ? { ExpressionAttributeNames: names } : {}) });
}

/** Its lease is over, as if the time had passed. */
async function due(incident: string): Promise<void> {
  await set(incident, 'lease.#until = :then', { ':then': { S: hoursOn(-1) } }, { '#until': 'until' });
}

/** What triage does to an incident whose quarantine somebody undid. */
async function reopen(incident: string): Promise<void> {
  await set(incident, '#status = :open, executions = list_append(executions, :again)', { ':open': { S: 'open' }, ':again': { L: [{ S: `${incident}-contain-2` }] } }, { '#status': 'status' });
}

const tools = (meanwhile?: Meanwhile) => toolsOf(suite, meanwhile);

it('can be made longer, and not shorter', async () => {
  const id = await contained();
  const { lease } = (await suite.view(id)).incident;
  expect(await suite.respond('rosa', '/extend', { incident: id, until: hoursOn(0.01), reason: 'over soon' })).toMatchObject({ status: 400, body: { error: expect.stringContaining('stands until') } });
  expect((await suite.view(id)).incident.lease).toEqual(lease);
  expect((await suite.respond('ravi', '/extend', { incident: id, until: hoursOn(24 * 60), reason: 'forensics' })).status).toBe(200);
  expect((await suite.view(id)).incident.lease?.owner).toMatch(/\/ravi$/);
});

it('that ends opens what was public by two persons alone; its owner may be one of them', async () => {
  const id = await contained('public');
  await due(id);
  suite.account.events.tick(`${suite.deployment.name}-lease`);
  const { approvals: [asked] } = await suite.until(id, ({ approvals }) => approvals.length > 0);
  expect(asked).toMatchObject({ needed: 2, gates: ['lease', 'reopens'] });
  const ask = { incident: id, digest: asked?.digest };
  expect(await suite.respond('rosa', '/approve', ask)).toMatchObject({ status: 200, body: { state: 'waiting' } });
  expect((await suite.respond('rosa', '/approve', ask)).body.why).toBe('same-person');
  expect((await suite.view(id)).ledger.every(({ direction }) => direction === 'contain')).toBe(true);
  expect((await suite.respond('ravi', '/approve', ask)).status).toBe(200);
  await suite.until(id, ({ incident }) => incident.status === 'restored');
});

it('that ends and opens nothing takes one person, as a restore that somebody asks for takes none', async () => {
  const id = await contained();
  await due(id);
  suite.account.events.tick(`${suite.deployment.name}-lease`);
  const { approvals: [asked] } = await suite.until(id, ({ approvals }) => approvals.length > 0);
  await suite.respond('rosa', '/approve', { incident: id, digest: asked?.digest });
  await suite.until(id, ({ incident }) => incident.status === 'restored');
});

it.each([
  ['since the page was read', ({ IndexName }: Input) => IndexName === 'byStatus'],
  ['while it asks', ({ Item }: Input) => Item?.sk?.startsWith('REQUEST#') ?? false],
])('that ends stops no containment that was started %s', async (_, after) => {
  const id = await contained();
  await due(id);
  expect((await tendLeases(tools({ after, happens: () => reopen(id) }))).asked).toBe(0);
  const { incident, entries } = await suite.view(id);
  expect(incident.executions).toEqual([expect.stringMatching(/-contain-1-\w+$/), `${id}-contain-2`]);
  expect(entries.filter(({ text }) => text.startsWith('the lease ended'))).toEqual([]);
});

it.each([
  ['since the page was read', ({ IndexName }: Input) => IndexName === 'byStatus'],
  ['since it was read itself', ({ Key }: Input) => Key?.sk === 'META'],
])('that was extended %s is neither asked about nor set back', async (_, after) => {
  const id = await contained();
  const until = hoursOn(24 * 30);
  const longer = async () => void (await suite.respond('ravi', '/extend', { incident: id, until, reason: 'forensics' }));
  await due(id);
  expect(await tendLeases(tools({ after, happens: longer }))).toEqual({ reminded: 0, asked: 0 });
  expect((await suite.view(id)).incident.lease?.until).toBe(until);
});

it('is looked after where many others cannot be, and these are named', async () => {
  const id = await contained();
  const { Item } = (await call('GetItem', { TableName: suite.deployment.name, Key: { pk: { S: `INCIDENT#${id}` }, sk: { S: 'META' } } })) as { readonly Item: Readonly<Record<string, unknown>> };
  // Newer, so that they come first, and with a lease that nobody has.
  const broken = Array.from({ length: 20 }, (_, index) => `inc-29990101-${String(index).padStart(10, '0')}`);
  const lease = { M: { until: { S: hoursOn(-1) }, remindedAt: { NULL: true } } };
  for (const other of broken) await call('PutItem', { TableName: suite.deployment.name, Item: { ...Item, pk: { S: `INCIDENT#${other}` }, id: { S: other }, gsi1sk: { S: `2999-01-01T00:00:00.000Z#${other}` }, lease } });
  await due(id);
  await expect(tendLeases(tools())).rejects.toThrow(/20 of the open incidents could not be looked after.*inc-29990101-/);
  await suite.until(id, ({ approvals }) => approvals.length > 0);
  for (const other of broken) await call('DeleteItem', { TableName: suite.deployment.name, Key: { pk: { S: `INCIDENT#${other}` }, sk: { S: 'META' } } });
});

it('a run writes nothing once another one was started, and nobody starts one beside a run that writes', async () => {
  const id = await contained();
  const { incident: seen, ledger, plans: [plan] } = await suite.view(id);
  if (!plan) throw new Error('there is no plan');
  const planned = { incident: seen, plan: { ...plan, direction: 'restore' }, execution: `${id}-contain-1`, written: [], readAt: Date.parse(tools().now()) } as const;
  await intendAll(tools(), planned, []);
  expect((await suite.view(id)).incident.status).toBe('restoring');
  await expect(addExecution(tools(), seen, `${id}-contain-2`, { status: 'open' })).rejects.toThrow(OvertakenError);

  await reopen(id);
  await expect(intendAll(tools(), planned, plan.changes)).rejects.toThrow(TransientError);
  const { incident, ledger: after } = await suite.view(id);
  expect([incident.status, after.length]).toEqual(['open', ledger.length]);
});

it('an incident that lists no more executions than it may is overtaken like any other', async () => {
  const id = await contained();
  const executions = Array.from({ length: 50 }, (_, index) => `${id}-contain-${index + 1}`);
  await updateIncident(tools(), id, { executions });
  const { incident: seen } = await suite.view(id);
  await addExecution(tools(), seen, `${id}-contain-51`);
  await expect(addExecution(tools(), seen, `${id}-contain-52`)).rejects.toThrow(OvertakenError);
  expect((await suite.view(id)).incident.executions).toEqual([...executions.slice(1), `${id}-contain-51`]);
});

it('of two who add the same execution both go on: an earlier try may have lost the answer', async () => {
  const id = await contained();
  const seen: Incident = (await suite.view(id)).incident;
  await Promise.all([addExecution(tools(), seen, `${id}-restore-1`), addExecution(tools(), seen, `${id}-restore-1`)]);
  expect((await suite.view(id)).incident.executions).toEqual([...seen.executions, `${id}-restore-1`]);
});
