import { DisableRuleCommand, EnableRuleCommand, EventBridgeClient, ListRulesCommand, StartReplayCommand } from '@aws-sdk/client-eventbridge';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from '../cli/main.ts';
import { readDecisions, type DecisionRecord } from '../aws/decisions.ts';
import { createClients } from '../aws/clients.ts';
import { getIncident } from '../aws/incidents.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { skippingClock } from '../sandbox/clock.ts';
import type { Deployment } from '../sandbox/deploy.ts';
import { seedPhotos, type Photos } from '../sandbox/photos/seed.ts';
import type { EventEnvelope } from '../sandbox/services/events.ts';
import { pascal } from './decide/builders.ts';
import { root } from './responders/suite.ts';

/** Events that EventBridge dropped, that it could not deliver, and that triage failed on: each ends as a decision. */
const UNREACHABLE = '333322221111';
let account: Account;
let photos: Photos;
let deployment: Deployment;
let printed: string;

beforeAll(async () => {
  account = await startAccount({ clock: skippingClock() });
  photos = await seedPhotos(account, () => account.s3.settle());
  deployment = await account.deploy({ config: { responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], trackers: {}, accounts: [UNREACHABLE], externalId: 'an-external-id' } });
  const { accessKeyId, secretAccessKey, sessionToken = '' } = await photos.credentialsOf('rosa');
  for (const [name, value] of Object.entries({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: account.endpoint, STOPBATH_RESPOND_URL: deployment.urls['respond'], STOPBATH_AUDIT_URL: deployment.urls['audit'], ROSA_AWS_ACCESS_KEY_ID: accessKeyId, ROSA_AWS_SECRET_ACCESS_KEY: secretAccessKey, ROSA_AWS_SESSION_TOKEN: sessionToken })) vi.stubEnv(name, value);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await account.stop();
});
beforeEach(() => {
  printed = '';
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation((text) => (printed += String(text)) !== '');
});

const minutesAgo = (minutes: number) => new Date(account.clock.now() - minutes * 60_000).toISOString();

/** An event of `test/events`, with ids of its own. */
function event(file: string, id: string, time: string): EventEnvelope & { readonly detail: { readonly [key: string]: unknown } } {
  const values: Readonly<Record<string, string>> = { account: account.accounts.home, region: 'us-east-1', bucket: photos.family, now: time };
  const parsed = JSON.parse(readFileSync(join(import.meta.dirname, 'events', file), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '')) as EventEnvelope & { readonly detail: object };
  return { ...parsed, id: `envelope-${id}`, detail: { ...parsed.detail, id, eventID: id, updatedAt: time, eventTime: time } };
}

async function decisionOn(id: string): Promise<(DecisionRecord & { readonly deliveries: number }) | undefined> {
  const clients = createClients('us-east-1', () => Promise.resolve(account.admin));
  const { decisions } = await readDecisions({ settings: { STOPBATH_TABLE: deployment.name }, clients }, new Date(account.clock.now()).toISOString().slice(0, 10), 1000, null);
  clients.dynamo.destroy();
  return decisions.find((decision) => decision.event === id);
}

async function reconcile(): Promise<readonly string[]> {
  const before = account.lambda.logs.length;
  account.events.tick(`${deployment.name}-reconcile`);
  await account.idle();
  return account.lambda.logs.slice(before).filter((entry) => entry.function.endsWith('-reconcile')).map(({ text }) => text);
}

describe('the reconciler', () => {
  it('finds a finding that EventBridge dropped, once', async () => {
    account.guardduty.report({ ...(pascal(event('guardduty-bucket-anonymous.json', 'finding-dropped', minutesAgo(10)).detail) as object), Id: 'finding-dropped' } as Parameters<Account['guardduty']['report']>[0]);
    expect(await decisionOn('finding-dropped')).toBeUndefined();
    const log = (await reconcile()).join('\n');
    expect(log).toContain('EventBridge did not deliver finding-dropped');
    expect(log).toContain('"MissedEvents":1');
    expect(await decisionOn('finding-dropped')).toMatchObject({ source: 'guardduty', type: 'Policy:S3/BucketAnonymousAccessGranted', deliveries: 1 });
    expect((await reconcile()).join('\n')).toContain('"MissedEvents":0');
    expect(await decisionOn('finding-dropped')).toMatchObject({ deliveries: 1 });
  });

  it('finds a change that CloudTrail lists and EventBridge dropped, and leaves what no trigger asks for', async () => {
    account.cloudtrail.report({ ...event('cloudtrail-put-bucket-policy.json', 'record-dropped', minutesAgo(10)).detail, readOnly: false });
    account.cloudtrail.report({ ...event('cloudtrail-put-bucket-policy.json', 'record-other', minutesAgo(10)).detail, readOnly: false, eventName: 'PutBucketRequestPayment' });
    await reconcile();
    expect(await decisionOn('record-dropped')).toMatchObject({ source: 'cloudtrail', type: 'PutBucketPolicy' });
    expect(await decisionOn('record-other')).toBeUndefined();
  });

  it('leaves what EventBridge delivered, and what may still be on its way', async () => {
    const delivered = event('guardduty-bucket-anonymous.json', 'finding-delivered', minutesAgo(10));
    account.events.deliver(delivered);
    await account.idle();
    for (const [id, minutes] of [['finding-delivered', 10], ['finding-young', 1]] as const) account.guardduty.report({ ...(pascal(event('guardduty-bucket-anonymous.json', id, minutesAgo(minutes)).detail) as object), Id: id } as Parameters<Account['guardduty']['report']>[0]);
    await reconcile();
    expect(await decisionOn('finding-delivered')).toMatchObject({ deliveries: 1 });
    expect(await decisionOn('finding-young')).toBeUndefined();
  });

  it('gives triage what has occurred again before EventBridge says so, and calls nothing lost', async () => {
    const made = minutesAgo(60);
    account.events.deliver(event('guardduty-bucket-anonymous.json', 'finding-again', made));
    await account.idle();
    // As if that had been an hour ago.
    await account.world.call('dynamodb', 'UpdateItem', { TableName: deployment.name, Key: { pk: { S: `DECISION#${minutesAgo(0).slice(0, 10)}` }, sk: { S: 'finding-again' } }, UpdateExpression: 'SET lastAt = :then', ExpressionAttributeValues: { ':then': { S: made } } }, root(account));
    account.guardduty.report({ ...(pascal({ ...event('guardduty-bucket-anonymous.json', 'finding-again', minutesAgo(10)).detail, createdAt: made }) as object), Id: 'finding-again' } as Parameters<Account['guardduty']['report']>[0]);
    const log = (await reconcile()).join('\n');
    expect([log, log]).toEqual([expect.stringContaining('finding-again has occurred again'), expect.stringContaining('"MissedEvents":0')]);
    expect(await decisionOn('finding-again')).toMatchObject({ deliveries: 2 });
  });

  it('says which account lets nobody in, and looks at the others', async () => {
    const log = (await reconcile()).join('\n');
    expect(log).toContain(`not looked at to the end: guardduty/${UNREACHABLE}/us-east-1: AccessDenied`);
    expect(log).toContain(`"ReconcileBehind":2`);
  });

  it('reports the kill switch, which an alarm watches', async () => {
    expect([await run(['pause', '--reason', 'tested', '--as', 'rosa']), printed]).toEqual([0, expect.stringContaining('containment is paused')]);
    expect((await reconcile()).join('\n')).toContain('"GuardPaused":1');
    expect(await run(['resume', '--reason', 'tested', '--as', 'rosa'])).toBe(0);
    expect((await reconcile()).join('\n')).toContain('"GuardPaused":0');
  });
});

describe('stopbath redrive events', () => {
  const redrive = async (...more: readonly string[]) => {
    printed = '';
    process.exitCode = undefined;
    const code = await run(['redrive', 'events', '--reason', 'mended', '--as', 'rosa', ...more]);
    process.exitCode = undefined;
    await account.idle();
    return [code, printed] as const;
  };

  it('sends again what EventBridge could not deliver', async () => {
    account.inject({ service: 'lambda', operation: 'Invoke', code: 'AccessDeniedException', times: 1 });
    account.events.deliver(event('guardduty-bucket-anonymous.json', 'finding-refused', minutesAgo(1)));
    await account.idle();
    expect(await decisionOn('finding-refused')).toBeUndefined();
    expect(await redrive('--json')).toEqual([0, expect.stringContaining('"stopbath-dev-triage"')]);
    expect(await decisionOn('finding-refused')).toMatchObject({ deliveries: 1 });
    expect(await redrive()).toEqual([0, 'there was nothing in the queue of undelivered events\n']);
  });

  it('sends again what triage failed on three times, which is on record meanwhile', async () => {
    account.inject({ service: 'dynamodb', operation: 'UpdateItem', role: `${deployment.name}-triage`, code: 'AccessDeniedException', times: 3 });
    account.events.deliver(event('guardduty-bucket-anonymous.json', 'finding-failed', minutesAgo(1)));
    await account.idle();
    expect(await decisionOn('envelope-finding-failed')).toMatchObject({ decision: 'rejected', reason: expect.stringContaining('triage failed for good') });
    expect(await redrive()).toEqual([0, expect.stringContaining('sent again: 1 for stopbath-dev-triage')]);
    expect(await decisionOn('finding-failed')).toMatchObject({ type: 'Policy:S3/BucketAnonymousAccessGranted' });
  });

  it('takes out what calls itself a drill', async () => {
    const root = { kind: 'root', account: account.accounts.home, principalArn: '', arn: '', userId: '' } as const;
    const MessageBody = JSON.stringify({ drill: true, event: event('guardduty-bucket-anonymous.json', 'finding-forged', minutesAgo(1)) });
    const MessageAttributes = { TARGET_ARN: { DataType: 'String', StringValue: `arn:aws:lambda:us-east-1:${account.accounts.home}:function:${deployment.name}-triage` } };
    await account.world.call('sqs', 'SendMessage', { QueueUrl: `https://sqs.us-east-1.amazonaws.com/${account.accounts.home}/${deployment.name}-undelivered-events`, MessageBody, MessageAttributes }, root);
    expect(await redrive()).toEqual([0, expect.stringContaining('it was a drill: 1 for a drill of stopbath-dev-triage')]);
    expect(await decisionOn('finding-forged')).toBeUndefined();
  });

  it('says what is wrong with a wrong one', async () => {
    expect(await run(['redrive', 'events', '--as', 'rosa'])).toBe(2);
    expect(printed).toContain('redrive needs --reason');
    printed = '';
    expect(await run(['redrive', 'letters', '--reason', 'x', '--as', 'rosa'])).toBe(2);
    expect(printed).toContain('events, tickets');
    process.exitCode = undefined;
  });
});

describe('a replay of an archive', () => {
  it('brings what came while the rules were disabled to a decision, and acts on none of it', async () => {
    const bridge = new EventBridgeClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });
    try {
      const { Rules = [] } = await bridge.send(new ListRulesCommand({ NamePrefix: `${deployment.name}-triage-` }));
      for (const { Name } of Rules) await bridge.send(new DisableRuleCommand({ Name }));
      account.events.deliver(event('guardduty-bucket-anonymous.json', 'finding-unheard', minutesAgo(5)));
      await account.idle();
      for (const { Name } of Rules) await bridge.send(new EnableRuleCommand({ Name }));
      expect(await decisionOn('finding-unheard')).toBeUndefined();
      const [EventStartTime, EventEndTime] = [new Date(minutesAgo(6)), new Date(minutesAgo(4))];
      const place = `us-east-1:${account.accounts.home}`;
      for (const { Name = '' } of Rules) await bridge.send(new StartReplayCommand({ ReplayName: Name, EventSourceArn: `arn:aws:events:${place}:archive/${Name.replace('-triage-', '-events-')}`, EventStartTime, EventEndTime, Destination: { Arn: `arn:aws:events:${place}:event-bus/default` } }));
      await account.idle();
      expect(await decisionOn('finding-unheard')).toMatchObject({ decision: 'observe', reason: expect.stringContaining('only observed, because it is a replay') });
    } finally {
      bridge.destroy();
    }
  });
});

describe('an execution that somebody aborts', () => {
  it('leaves its incident failed, not under way for ever', async () => {
    const root = { kind: 'root', account: account.accounts.home, principalArn: `arn:aws:iam::${account.accounts.home}:root`, arn: `arn:aws:iam::${account.accounts.home}:root`, userId: account.accounts.home } as const;
    // No time is skipped meanwhile: it would wait for an approval until that expires.
    const incident = await account.clock.work(async () => {
      await run(['start', 'quarantine-bucket', '--bucket', photos.thumbnails, '--reason', 'tried', '--as', 'rosa', '--json']);
      const { incident: id, execution }: { readonly incident: string; readonly execution: string } = JSON.parse(printed);
      await account.world.call('states', 'StopExecution', { executionArn: `arn:aws:states:us-east-1:${account.accounts.home}:execution:${deployment.name}-quarantine-bucket:${execution}`, error: 'Tried', cause: 'by hand' }, root);
      return id;
    });
    await account.idle(60_000);
    const clients = createClients('us-east-1', () => Promise.resolve(account.admin));
    expect(await getIncident({ settings: { STOPBATH_TABLE: deployment.name }, clients }, incident)).toMatchObject({ status: 'failed', outcome: 'contain ended by Tried (nothing was changed): by hand' });
    clients.dynamo.destroy();
  });
});
