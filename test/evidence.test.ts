import { DeleteBucketPolicyCommand, DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { query } from '../aws/records.ts';
import { readWaiting } from '../aws/sealed.ts';
import { run } from '../cli/main.ts';
import { realClock } from '../sandbox/clock.ts';
import { startSuite, type Suite } from './evidence/suite.ts';

/** The record and its seals, made by the deployed functions under their own roles. */
describe('a drill', () => {
  let suite: Suite;
  beforeAll(async () => {
    suite = await startSuite();
    await suite.photos.attacks['make-public'](suite.photos.family);
    await suite.send('guardduty-bucket-anonymous.json', { drill: true });
    await suite.send({ version: '0', id: 'e-1', 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: suite.account.accounts.home, time: suite.now(), region: 'us-east-1', resources: [], detail: { severity: 'very' } });
    await suite.tick('sweep');
    await suite.tick('seal');
  });
  afterAll(() => suite.stop());

  it('ends with its records sealed, and verify says intact', async () => {
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', seals: 1, unsealed: 0, problems: [], signer: await suite.fingerprint() });
  });

  it('has everything of its execution on record', async () => {
    const [key = ''] = (await suite.keys('records/execution/')).filter((one) => one.includes('quarantine-bucket'));
    const { body, drill, incident } = await suite.record(key);
    expect({ drill, incident }).toEqual({ drill: true, incident: expect.stringMatching(/^inc-/) });
    expect(body).toMatchObject({
      execution: { status: 'SUCCEEDED', input: { direction: 'contain' } },
      workflow: { definition: { QueryLanguage: 'JSONata' }, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      configuration: { digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      furtherItems: 0,
    });
    const functions = Reflect.get(body, 'functions') as readonly { name: string; codeSha256: string }[];
    expect(functions.map(({ name }) => name)).toEqual(expect.arrayContaining(['stopbath-dev-quarantine-bucket-apply', 'stopbath-dev-quarantine-bucket-plan', 'stopbath-dev-quarantine-bucket-verify', 'stopbath-dev-record']));
    expect(functions.every(({ codeSha256 }) => codeSha256 !== '')).toBe(true);
    const kinds = (Reflect.get(body, 'items') as readonly { sk: string }[]).map(({ sk }) => sk.split('#')[0]);
    expect([...new Set(kinds)]).toEqual(expect.arrayContaining(['META', 'PLAN', 'LEDGER', 'ENTRY']));
  });

  it('has the full history, as Step Functions kept it', async () => {
    const [key = ''] = (await suite.keys('records/history/')).filter((one) => one.includes('quarantine-bucket'));
    const { body } = await suite.record(key);
    const events = Reflect.get(body, 'events') as readonly { id: number; type: string }[];
    expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(['ExecutionStarted', 'ExecutionSucceeded']);
  });

  it('has every decision on record once, drills apart', async () => {
    const batches = await Promise.all((await suite.keys('records/decisions/')).map((key) => suite.record(key)));
    const decisions = batches.flatMap(({ drill, body }) => (Reflect.get(body, 'decisions') as readonly { decision: string }[]).map(({ decision }) => `${decision}${drill ? ' in a drill' : ''}`));
    expect(new Set(decisions)).toEqual(new Set(['rejected', 'contain in a drill']));
    await suite.tick('sweep');
    expect(await suite.keys('records/decisions/')).toHaveLength(2);
  });

  it('has an index that names the seal of each record', async () => {
    const [seal] = await suite.seals();
    const incident = (await suite.record((await suite.keys('records/outcome/'))[0] ?? '')).incident ?? '';
    const items = [...(await query(suite.table, `RECORD#${incident}`, 'RECORD#')), ...(await query(suite.table, 'RECORDS', 'RECORD#'))];
    expect(items.map(({ key, versionId, sha256, seal: number }) => ({ key, versionId, sha256, number })).toSorted(byKey)).toEqual((seal?.records ?? []).map(({ key, versionId, sha256 }) => ({ key, versionId, sha256, number: 1 })).toSorted(byKey));
    expect(await readWaiting(suite.table)).toEqual([]);
  });

  it('seals an empty period too', async () => {
    await suite.pass(3_600_000);
    await suite.tick('seal');
    expect((await suite.seals()).at(-1)).toMatchObject({ number: 2, count: 0, first: null, last: null });
    expect(await suite.verify()).toMatchObject({ verdict: 'intact', seals: 2 });
  });

  it('lets nobody write over a record, hide one, nor seal', async () => {
    const [record = ''] = await suite.keys('records/outcome/');
    await expect(suite.s3.send(new PutObjectCommand({ Bucket: suite.bucket, Key: record, Body: '{}' }))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(suite.s3.send(new DeleteObjectCommand({ Bucket: suite.bucket, Key: record }))).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(suite.s3.send(new PutObjectCommand({ Bucket: suite.bucket, Key: 'seals/0000000099.jsonl', Body: '{}', IfNoneMatch: '*' }))).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('shows a record that is hidden by a delete marker, once somebody has taken the policy away', async () => {
    const [record = ''] = await suite.keys('records/outcome/');
    await suite.s3.send(new DeleteBucketPolicyCommand({ Bucket: suite.bucket }));
    await suite.s3.send(new DeleteObjectCommand({ Bucket: suite.bucket, Key: record }));
    expect(await suite.verify()).toMatchObject({ verdict: 'broken', counts: { extra: 1 }, problems: [{ kind: 'extra', place: record }] });
  });
});

/** A broken event: it leaves a decision and nothing else. */
const brokenEvent = (suite: Suite, id: string) => ({ version: '0', id, 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: suite.account.accounts.home, time: suite.now(), region: 'us-east-1', resources: [], detail: { severity: 'very' } });

describe('an auditor, who has the audit URL and nothing else', () => {
  let suite: Suite;
  let folder: string;
  beforeAll(async () => {
    suite = await startSuite({}, realClock());
    await suite.send(brokenEvent(suite, 'e-1'));
    await suite.tick('sweep');
    await suite.tick('seal');
    await suite.send(brokenEvent(suite, 'e-2'));
    await suite.tick('sweep');
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await suite.photos.credentialsOf('ada');
    Object.assign(process.env, { AWS_REGION: 'us-east-1', STOPBATH_AUDIT_URL: suite.deployment.urls['audit'], ADA_AWS_ACCESS_KEY_ID: accessKeyId, ADA_AWS_SECRET_ACCESS_KEY: secretAccessKey, ADA_AWS_SESSION_TOKEN: sessionToken });
    folder = mkdtempSync(join(tmpdir(), 'stopbath-pull-'));
  });
  afterEach(() => {
    process.exitCode = 0;
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await suite.stop();
  });

  it('verifies online', async () => {
    expect(await run(['verify', '--as', 'ada', '--json'])).toBe(0);
  });

  it('trusts no other key than the one that was given', async () => {
    expect(await run(['verify', '--as', 'ada', '--fingerprint', 'a'.repeat(64), '--json'])).toBe(1);
  });

  it('pulls the files, what is not sealed yet too, and verifies them offline', async () => {
    expect(await run(['evidence', 'pull', folder, '--as', 'ada', '--json'])).toBe(0);
    expect(readdirSync(join(folder, 'keys'))).toEqual([`${await suite.fingerprint()}.pem`]);
    expect(readdirSync(join(folder, 'records/decisions'))).toHaveLength(2);
    expect(await run(['verify', '--offline', folder, '--public-key', join(folder, 'keys', `${await suite.fingerprint()}.pem`), '--json'])).toBe(0);
  });

  it('is shown a record that somebody put there, though the table knows nothing of it', async () => {
    // Only the role that writes such records may: somebody has it.
    const record = suite.account.world.assume(`arn:aws:iam::${suite.account.accounts.home}:role/stopbath-dev-record`, 'x', 'lambda.amazonaws.com');
    await suite.account.world.call('s3', 'PutObject', { Bucket: suite.bucket, Key: 'records/outcome/forged.json', Body: '{}', IfNoneMatch: '*' }, record);
    await suite.tick('seal');
    expect((await suite.verify()).problems).toMatchObject([{ place: 'records/outcome/forged.json' }]);
  });
});

function byKey(one: { readonly key: unknown }, other: { readonly key: unknown }): number {
  return String(one.key) < String(other.key) ? -1 : 1;
}
