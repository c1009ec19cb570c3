import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as s3 from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { quoted, undoSteps } from '../../core/undo.ts';
import { readRawSettings } from '../../sandbox/scenario/settings.ts';
import { root, startSuite, type Suite } from './suite.ts';

const run = promisify(execFile);
const BUCKET = 'family-photos-111122223333';
let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.stop());

const settings = () => readRawSettings({ endpoint: suite.account.endpoint, region: 'us-east-1', credentials: suite.account.admin, now: suite.account.clock.now() }, BUCKET);

/** Contains at the level that changes most, and gives the commands that the ticket and `show` carry. */
async function contained() {
  await suite.photos.attacks['make-public'](BUCKET);
  const before = await settings();
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket: BUCKET, level: 'external' }, reason: 'a test', mode: 'contain' });
  const view = await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  expect(await settings()).not.toEqual(before);
  return { before, steps: undoSteps(view), view };
}

it('the requests behind the undo commands put the bucket back as it was, without the suite', async () => {
  const { before, steps, view } = await contained();
  expect(steps).toHaveLength(view.ledger.length);
  // A restore that got half of the way leaves all of them, one that got all of the way none.
  const back = (result: 'intended' | 'done') => view.ledger.slice(0, 1).map((entry) => ({ ...entry, direction: 'restore' as const, execution: 'restore', result }));
  expect([undoSteps({ ...view, ledger: [...view.ledger, ...back('intended')] }).length, undoSteps({ ...view, ledger: [...view.ledger, ...back('done')] }).length]).toEqual([steps.length, 0]);
  const client = await suite.photos.s3('admin');
  for (const { request } of steps) {
    if (!request) throw new Error('every change of a quarantine has a plain request');
    const Command = Reflect.get(s3, `${request.operation}Command`);
    await client.send(new Command(request.input));
  }
  client.destroy();
  expect(await settings()).toEqual(before);
});

it('and so do the commands themselves, typed into a shell', async (context) => {
  const cli = await run('aws', ['--version']).catch(() => null);
  if (!cli) {
    process.stdout.write('not run: the undo commands in a shell, since the AWS CLI is not installed\n');
    return context.skip();
  }
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket: BUCKET, level: 'full' }, reason: 'a test', mode: 'contain' });
  const before = await settings();
  const view = await suite.until(body.incident, ({ incident, ledger }) => incident.status === 'contained' && ledger.some(({ execution }) => execution === incident.executions.at(-1)));
  const last = view.incident.executions.at(-1);
  const steps = undoSteps({ ...view, ledger: view.ledger.filter(({ execution }) => execution === last) });
  // At level full nobody else gets in, the administrator neither.
  const { accessKeyId, secretAccessKey } = suite.account.root;
  const env = { ...process.env, AWS_ENDPOINT_URL: suite.account.endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_EC2_METADATA_DISABLED: 'true' };
  await run('sh', ['-e', '-c', steps.map(({ command }) => command).join('\n')], { env });
  expect(await settings()).toEqual(before);
});

it.each(["it's", '$(reboot)', '`reboot`', 'a b', '"', '-rf', '{"a":1}', 'x\ny', '!!', '*'])('quotes %s so that a shell takes it as it is', async (text) => {
  const { stdout } = await run('sh', ['-c', `printf %s ${quoted(text)}`]);
  expect(stdout).toBe(text);
});

it('a level that the policy has no room for is not called contained', async () => {
  const bucket = suite.photos.uploads;
  const client = await suite.photos.s3('admin');
  const Statement = { Sid: 'x'.repeat(20_000), Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:root' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` };
  await client.send(new s3.PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  client.destroy();
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket, level: 'external' }, reason: 'a test', mode: 'contain' });
  const { incident } = await suite.until(body.incident, ({ incident: { outcome } }) => outcome !== '');
  expect(incident).toMatchObject({ status: 'unverified', outcome: expect.stringContaining('level external was not reached') });
});

it('nine hundred lifecycle rules are planned, switched off and given back', async () => {
  const bucket = 'family-rules-111122223333';
  const Rules = Array.from({ length: 900 }, (_, n) => ({ ID: `rule-${n}`, Status: 'Enabled' as const, Filter: { Prefix: `albums/${n}/${'x'.repeat(200)}` }, Expiration: { Days: 3650 } }));
  const client = await suite.photos.s3('admin');
  await client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
  const statuses = async () => new Set((await client.send(new s3.GetBucketLifecycleConfigurationCommand({ Bucket: bucket }))).Rules?.map(({ Status }) => Status));
  await client.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket: bucket, LifecycleConfiguration: { Rules } }));
  const { body } = await suite.respond('rosa', '/start', { playbook: 'quarantine-bucket', inputs: { bucket, level: 'external' }, reason: 'a test', mode: 'contain' });
  const view = await suite.until(body.incident, ({ incident }) => incident.status === 'contained');
  expect(await statuses()).toEqual(new Set(['Disabled']));
  const back = undoSteps(view).find(({ request }) => request?.operation === 'PutBucketLifecycleConfiguration')?.request?.input;
  await suite.account.world.call('s3', 'PutBucketLifecycleConfiguration', back, root(suite.account));
  expect(await statuses()).toEqual(new Set(['Enabled']));
  client.destroy();
});
