import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eraseOwner, ownerOf, pseudonymOf, readErasures } from '../aws/owners.ts';
import { createIncident, savePlan, viewIncident } from '../aws/incidents.ts';
import { againOf, announcedIn } from '../aws/partitions.ts';
import { put } from '../aws/records.ts';
import { sha256Of } from '../core/evidence.ts';
import type { Target } from '../core/incident.ts';
import { manualIncident } from '../core/manual.ts';
import { withDigest } from '../core/plan.ts';
import type { Caller, Fault } from '../sandbox/service.ts';
import { startSuite, type Suite } from './evidence/suite.ts';

/** What goes wrong while the record is kept: nothing is lost, nothing is sealed twice, and what was late is said to be. */
let suite: Suite;
afterEach(() => suite.stop());

const HOUR = 3_600_000;
const brokenEvent = (id: string) => ({ version: '0', id, 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: suite.account.accounts.home, time: suite.now(), region: 'us-east-1', resources: [], detail: { severity: 'very' } });
const admin = (): Caller => {
  const caller = suite.account.directory.findKey(suite.account.admin.accessKeyId)?.caller;
  if (!caller) throw new Error('the admin has no key');
  return caller;
};
const call = (service: string, operation: string, input: object) => suite.account.world.call(service, operation, input, admin());
const named = async () => (await suite.seals()).flatMap(({ records }) => records.map(({ key }) => key));
/** More often than Lambda and the SDK try together. */
const always = (service: string, operation: string, more: Partial<Fault> = {}): Fault => ({ service, operation, role: 'stopbath-dev-seal', times: 1_000, when: 'before', status: 500, code: 'InternalError', ...more });

describe('the archive', () => {
  it('misses an event, and the sweep finds the execution', async () => {
    suite = await startSuite();
    await call('events', 'DisableRule', { Name: 'stopbath-dev-archive' });
    await suite.photos.attacks['make-public'](suite.photos.family);
    await suite.send('guardduty-bucket-anonymous.json');
    expect(await suite.keys('records/execution/')).toEqual([]);
    await suite.tick('sweep');
    expect((await suite.keys('records/execution/')).map((key) => key.split('/')[2])).toEqual(expect.arrayContaining(['stopbath-dev-open-ticket', 'stopbath-dev-quarantine-bucket']));
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', problems: [] });

    // What is delivered again after it was locked is locked again, with the number; a sweep with nothing new adds nothing.
    const event = brokenEvent('e-1');
    for (let delivery = 1; delivery <= 2; delivery++) {
      await suite.send(event);
      await suite.tick('sweep');
      await suite.tick('sweep');
    }
    const recorded = await Promise.all((await suite.keys('records/decisions/')).map(suite.record));
    const aboutIt = recorded.flatMap(({ body }) => z.object({ decisions: z.array(z.looseObject({ decision: z.string(), deliveries: z.number() })) }).parse(body).decisions).filter(({ decision }) => decision === 'rejected');
    expect(new Set(aboutIt.map(({ deliveries }) => deliveries))).toEqual(new Set([1, 2]));
    expect(aboutIt).toHaveLength(2);
  });
});

describe('a seal', () => {
  const crashes: readonly Fault[] = [
    always('s3', 'PutObject'),
    always('s3', 'PutObject', { when: 'after' }),
    always('s3', 'HeadObject'),
    always('kms', 'Sign'),
    always('dynamodb', 'PutItem'),
    always('dynamodb', 'PutItem', { when: 'after' }),
    always('dynamodb', 'PutItem', { from: 2 }),
    always('dynamodb', 'DeleteItem'),
    always('dynamodb', 'DeleteItem', { when: 'after' }),
  ];
  it.each(crashes)('that dies at $service:$operation, $when the effect is healed by the next run', async (fault) => {
    suite = await startSuite();
    for (const id of ['e-1', 'e-2']) {
      await suite.send(brokenEvent(id));
      await suite.tick('sweep');
    }
    suite.account.inject(fault);
    await suite.tick('seal');
    expect(suite.account.calls.filter(({ error }) => error === 'InternalError')).not.toEqual([]);
    suite.account.clearFaults();
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', unsealed: 0, problems: [] });
    expect((await named()).toSorted()).toEqual(await suite.keys('records/'));
  });

  it('is made by one of two that run at once, and the chain stays one', async () => {
    suite = await startSuite();
    await suite.send(brokenEvent('e-1'));
    await suite.tick('sweep');
    suite.account.events.tick('stopbath-dev-seal');
    suite.account.events.tick('stopbath-dev-seal');
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', problems: [] });
    expect((await named()).toSorted()).toEqual(await suite.keys('records/'));
  });

  it('that KMS refuses is overdue for all to see; when it comes, it is late, and the record is intact', async () => {
    suite = await startSuite();
    await suite.tick('seal');
    suite.account.inject(always('kms', 'Sign', { code: 'AccessDeniedException', status: 400 }));
    await suite.send(brokenEvent('e-1'));
    await suite.tick('sweep');
    await suite.pass(3 * HOUR);
    await suite.tick('seal');
    expect(suite.account.lambda.logs.filter(({ function: name, text }) => name === 'stopbath-dev-seal' && text.includes('"level":"ERROR"')).map(({ text }) => text).join('\n')).toContain('PermissionError');
    expect(await suite.verify()).toMatchObject({ verdict: 'broken', problems: [{ kind: 'missing', place: 'seals/0000000002.jsonl' }, {}, {}] });
    suite.account.clearFaults();
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'late', unsealed: 0, counts: { late: 1 } });
  });

  it('is signed by both keys where the key changes, and by the new one from then on', async () => {
    suite = await startSuite({ sealKeys: 2 });
    const both = (await environmentOf('seal'))['STOPBATH_SEAL_KEYS'] ?? '';
    await redeploy('seal', { STOPBATH_SEAL_KEYS: both.split(',')[0] ?? '' });
    await suite.tick('seal');
    await redeploy('seal', { STOPBATH_SEAL_KEYS: both });
    await suite.tick('seal');
    await suite.tick('seal');
    const [old, present] = [await suite.fingerprint(1), await suite.fingerprint(2)];
    expect((await suite.seals()).map(({ keys }) => keys)).toEqual([[old], [old, present], [present]]);
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', signer: present });
  });

  it('covers only what the suite announced: what somebody else put under its name is named, and sealing goes on', async () => {
    suite = await startSuite();
    const { account, bucket, table } = suite;
    const announce = async (id: string, content: string) => await put(table, { pk: announcedIn('outcome'), sk: `records/outcome/${id}.json`, kind: 'outcome', id, incident: null, at: suite.now(), drill: false, sha256: sha256Of(content) });
    const write = async (id: string, Body: string, as: Caller, more: object = { ChecksumSHA256: Buffer.from(sha256Of(Body), 'hex').toString('base64') }) => await account.world.call('s3', 'PutObject', { Bucket: bucket, Key: `records/outcome/${id}.json`, Body, IfNoneMatch: '*', ...more }, as).then(() => 'written', (error: unknown) => String(Reflect.get(Object(error), 'code')));
    const record = account.world.assume(`arn:aws:iam::${account.accounts.home}:role/stopbath-dev-record`, 'x', 'lambda.amazonaws.com');
    // Nobody but the writer of a kind gets that far.
    expect(await write('forged', '{}', admin())).toBe('AccessDenied');
    expect(await write('forged', '{}', account.world.assume(`arn:aws:iam::${account.accounts.home}:role/stopbath-dev-archive`, 'x', 'lambda.amazonaws.com'))).toBe('AccessDenied');
    expect(await account.world.call('s3', 'PutObject', { Bucket: bucket, Key: 'other/x', Body: 'x', IfNoneMatch: '*' }, admin()).catch((error: unknown) => Reflect.get(Object(error), 'code'))).toBe('AccessDenied');

    for (const id of ['ours', 'retried', 'forged', 'unhashed']) await announce(id, '{"ours":1}');
    await put(table, { pk: againOf('records/outcome/retried.json'), sk: sha256Of('{"ours":2}') });
    expect(await Promise.all([write('ours', '{"ours":1}', record), write('retried', '{"ours":2}', record), write('forged', '{"theirs":1}', record, { ChecksumSHA256: Buffer.from(sha256Of('{"theirs":1}'), 'hex').toString('base64'), Metadata: { at: 'x' } }), write('unhashed', '{"ours":1}', record, {})])).toEqual(['written', 'written', 'written', 'written']);
    await suite.tick('seal');
    const [seal] = await suite.seals();
    expect(seal?.records.map(({ key }) => key)).toEqual(['records/outcome/ours.json', 'records/outcome/retried.json']);
    expect(account.lambda.logs.filter(({ text }) => text.includes('is not what the suite announced'))).toHaveLength(2);
    const verdict = await suite.verify();
    expect(verdict.verdict).toBe('broken');
    expect(verdict.problems.filter(({ kind }) => kind === 'missing').map(({ place }) => place)).toEqual(['records/outcome/forged.json', 'records/outcome/unhashed.json']);
    await suite.tick('seal');
    expect(await suite.seals()).toHaveLength(2);
  });

  it('takes what lies under a name that was announced alone, and leaves no word of a name that nothing was written under', async () => {
    suite = await startSuite();
    const at = new Date(Date.parse(suite.now()) - 20 * 60_000).toISOString();
    const name = async (id: string) => await put(suite.table, { pk: announcedIn('snapshot'), sk: `records/snapshot/${id}.json`, kind: 'snapshot', id, incident: 'i-1', at });
    const plan = suite.account.world.assume(`arn:aws:iam::${suite.account.accounts.home}:role/stopbath-dev-quarantine-bucket-plan`, 'x', 'lambda.amazonaws.com');
    const write = async (id: string, hash: object) => await suite.account.world.call('s3', 'PutObject', { Bucket: suite.bucket, Key: `records/snapshot/${id}.json`, Body: '{}', IfNoneMatch: '*', ...hash }, plan);
    for (const id of ['written', 'never', 'unhashed']) await name(id);
    // Its hash came to lie there, and its bytes did not: the next try had another name.
    await put(suite.table, { pk: announcedIn('snapshot'), sk: 'records/snapshot/retried.json', kind: 'snapshot', id: 'retried', incident: 'i-1', at, drill: false, sha256: sha256Of('{}'), named: true });
    await write('written', { ChecksumSHA256: Buffer.from(sha256Of('{}'), 'hex').toString('base64') });
    await write('unhashed', {});
    await suite.tick('seal');
    const [seal] = await suite.seals();
    expect(seal?.records).toMatchObject([{ key: 'records/snapshot/written.json', sha256: sha256Of('{}') }]);
    expect(seal?.lost).toEqual([]);
    expect(suite.account.lambda.logs.filter(({ text }) => text.includes('is not what the suite announced')).map(({ text }) => text.includes('unhashed'))).toEqual([true]);
    const { Items = [] } = await suite.table.clients.dynamo.send(new QueryCommand({ TableName: suite.deployment.name, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': announcedIn('snapshot') } }));
    expect(Items).toEqual([]);
  });

  it('says what was announced and never written', async () => {
    suite = await startSuite();
    const at = new Date(Date.parse(suite.now()) - 20 * 60_000).toISOString();
    const key = 'records/outcome/never.json';
    await suite.table.clients.dynamo.send(new PutCommand({ TableName: suite.deployment.name, Item: { pk: announcedIn('outcome'), sk: key, kind: 'outcome', id: 'never', incident: null, at, drill: false, sha256: 'a'.repeat(64) } }));
    await suite.tick('seal');
    expect((await suite.verify()).problems).toMatchObject([{ kind: 'missing', place: key }]);

    // A try that comes after that: the record is there, and late.
    const record = suite.account.world.assume(`arn:aws:iam::${suite.account.accounts.home}:role/stopbath-dev-record`, 'x', 'lambda.amazonaws.com');
    await put(suite.table, { pk: announcedIn('outcome'), sk: key, kind: 'outcome', id: 'never', incident: null, at: suite.now(), drill: false, sha256: sha256Of('{}') });
    await suite.account.world.call('s3', 'PutObject', { Bucket: suite.bucket, Key: key, Body: '{}', IfNoneMatch: '*', ChecksumSHA256: Buffer.from(sha256Of('{}'), 'hex').toString('base64') }, record);
    await suite.tick('seal');
    expect(await suite.verify()).toMatchObject({ verdict: 'late', problems: [{ kind: 'late', place: key }] });
  });
});

it('an owner has one pseudonym until erased; afterwards nobody can tell whom it meant', async () => {
  suite = await startSuite();
  const first = await pseudonymOf(suite.table, 'owner-id-1');
  expect(await pseudonymOf(suite.table, 'owner-id-1')).toBe(first);
  expect(await ownerOf(suite.table, first)).toBe('owner-id-1');
  const end = { account: suite.account.accounts.home, by: 'rosa', at: suite.now(), reason: 'owner-id-1 asked for it' };
  expect(await eraseOwner(suite.table, 'owner-id-1', end)).toEqual({ pseudonym: first, incidents: [] });
  expect(await ownerOf(suite.table, first)).toBeNull();
  expect(await readErasures(suite.table)).toEqual([{ pseudonym: first, incidents: [], by: 'rosa', at: end.at, reason: `${first} asked for it` }]);
  expect(await eraseOwner(suite.table, 'owner-id-1', end)).toBeNull();
  expect(await pseudonymOf(suite.table, 'owner-id-1')).not.toBe(first);
});

it('an erased owner is named by no plan, however long it is', async () => {
  suite = await startSuite();
  const { home } = suite.account.accounts;
  const target: Target = { kind: 'owner', name: 'owner-id-2', arn: `share:${home}:owner/owner-id-2`, account: home, region: 'us-east-1' };
  const at = suite.now();
  const wished = manualIncident({ playbook: 'revoke-share-links', target, recordedAs: target.arn, inputs: {}, mode: 'approve', reason: 'a test', by: 'rosa', at }, null, 'contain');
  const { id } = wished;
  await createIncident(suite.table, { ...wished, status: 'held' });
  const long = { incident: id, playbook: 'revoke-share-links', direction: 'contain', target, level: null, changes: [{ seq: 1, setting: 'policy', title: 'deny', before: null, after: `albums/owner-id-2/${'x'.repeat(70_000)}` }], notes: [], impact: {}, plannedAt: at } as const;
  await savePlan(suite.table, withDigest(long));
  const erased = await eraseOwner(suite.table, 'owner-id-2', { account: home, by: 'rosa', at: suite.now(), reason: 'asked for' });
  const { plans } = await viewIncident(suite.table, id);
  expect(JSON.stringify(plans)).not.toContain('owner-id-2');
  expect(plans[0]?.changes[0]?.after).toContain(`albums/${erased?.pseudonym}/xxx`);
});

async function configurationOf(name: string) {
  return (await call('lambda', 'GetFunctionConfiguration', { FunctionName: `stopbath-dev-${name}` })) as { readonly Role: string; readonly Timeout: number; readonly MemorySize: number; readonly Environment: { readonly Variables: Readonly<Record<string, string>> } };
}

async function environmentOf(name: string): Promise<Readonly<Record<string, string>>> {
  return (await configurationOf(name)).Environment.Variables;
}

async function redeploy(name: string, environment: Readonly<Record<string, string>>): Promise<void> {
  const { Role, Timeout, MemorySize, Environment } = await configurationOf(name);
  suite.account.lambda.deploy({ name: `stopbath-dev-${name}`, description: '', module: join(import.meta.dirname, '../functions', name, 'handler.ts'), role: Role, timeoutSeconds: Timeout, memorySize: MemorySize, environment: { ...Environment.Variables, ...environment } });
  await suite.account.killFunctions();
}
