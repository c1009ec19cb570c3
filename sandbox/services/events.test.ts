import { AddPermissionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateArchiveCommand,
  CreateEventBusCommand,
  DeleteRuleCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutPermissionCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand,
  StartReplayCommand,
  TestEventPatternCommand,
} from '@aws-sdk/client-eventbridge';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skippingClock } from '../clock.ts';
import { startTestAccount, type TestAccount } from './lambda/testing.ts';

let account: TestAccount;
let events: EventBridgeClient;
let target: string;

beforeEach(async () => {
  account = await startTestAccount({ clock: skippingClock() });
  events = new EventBridgeClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin, maxAttempts: 1 });
  target = account.makeFunction('target', 'export const handler = async (event) => console.log(JSON.stringify(event));');
});
afterEach(() => account.stop());

const DEAD = 'arn:aws:sqs:us-east-1:111122223333:dead';
const finding = { version: '0', id: 'e-1', 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: '111122223333', time: '2026-11-24T00:00:00Z', region: 'us-east-1', resources: [], detail: { type: 'x' } };

/** A rule with a Lambda target that lets EventBridge in, unless told otherwise. */
async function putRule(Name: string, pattern: object, options: { readonly permitted?: boolean; readonly retries?: number } = {}): Promise<string> {
  const { RuleArn = '' } = await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
  const RetryPolicy = options.retries === undefined ? undefined : { MaximumRetryAttempts: options.retries };
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 't', Arn: target, DeadLetterConfig: { Arn: DEAD }, RetryPolicy }] }));
  if (options.permitted !== false) {
    const lambda = new LambdaClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });
    await lambda.send(
      new AddPermissionCommand({ FunctionName: 'target', StatementId: Name, Action: 'lambda:InvokeFunction', Principal: 'events.amazonaws.com', SourceArn: RuleArn }),
    );
  }
  return RuleArn;
}

async function received(): Promise<readonly unknown[]> {
  await account.events.idle();
  await account.lambda.idle();
  return account.lambda.logs.filter((line) => line.function === 'target').map((line) => JSON.parse(line.text));
}

function send(body: unknown, headers: Readonly<Record<string, string>> = { 'content-type': 'application/json' }): Promise<Response> {
  return fetch(`${account.endpoint}/_sandbox/events`, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });
}

describe('PutEvents', () => {
  it('reaches the targets of the rules that match, in the envelope', async () => {
    await putRule('mine', { source: ['my.app'] });
    await putRule('other', { source: ['other'] });
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({ Entries: [{ Source: 'my.app', DetailType: 'Something', Detail: '{"a":1}', Resources: ['arn:x'], Time: new Date('2026-01-02T03:04:05.678Z') }] }),
    );
    expect(FailedEntryCount).toBe(0);
    expect(await received()).toEqual([
      { version: '0', id: Entries?.[0]?.EventId, 'detail-type': 'Something', source: 'my.app', account: '111122223333', time: '2026-01-02T03:04:05Z', region: 'us-east-1', resources: ['arn:x'], detail: { a: 1 } },
    ]);
  });

  it('takes and refuses each entry on its own, aws sources always', async () => {
    await putRule('all', { source: [{ prefix: '' }] });
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          { Source: 'aws.guardduty', DetailType: 'GuardDuty Finding', Detail: '{}' },
          { Source: 'my.app', DetailType: 'x', Detail: '{' },
          { Source: 'my.app', DetailType: 'x', Detail: '[]' },
          { Source: 'my.app', Detail: '{}' },
          { Source: 'my.app', DetailType: 'x', Detail: '{}' },
        ],
      }),
    );
    expect(FailedEntryCount).toBe(4);
    expect(Entries?.map((entry) => entry.ErrorCode)).toEqual(['NotAuthorizedForSourceException', 'MalformedDetail', 'MalformedDetail', 'InvalidArgument', undefined]);
    expect(await received()).toHaveLength(1);
  });

  it('refuses a request that is over the limits', async () => {
    const entry = { Source: 's', DetailType: 'd', Detail: JSON.stringify({ text: 'x'.repeat(600_000) }) };
    await expect(events.send(new PutEventsCommand({ Entries: [entry, entry] }))).rejects.toMatchObject({ name: 'ValidationException', message: 'Total size of the entries in the request is over the limit.' });
    await expect(events.send(new PutEventsCommand({ Entries: Array.from({ length: 11 }, () => ({ Source: 's' })) }))).rejects.toMatchObject({ name: 'ValidationException' });
  });
});

describe('an event of AWS', () => {
  it('arrives exactly as it was sent', async () => {
    await putRule('findings', { source: ['aws.guardduty'], 'detail-type': ['GuardDuty Finding'] });
    const extra = { ...finding, 'replay-name': 'again' };
    expect((await send([finding, extra])).status).toBe(200);
    expect(await received()).toEqual([finding, extra]);
  });

  it.each([
    [400, '{"id"', undefined],
    [400, '{"id":"x"}', undefined],
    [415, JSON.stringify(finding), { 'content-type': 'text/plain' }],
  ])('answers %i to %s', async (status, body, headers) => {
    await putRule('findings', { source: ['aws.guardduty'] });
    const response = await send(body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ message: expect.any(String) });
    expect(await received()).toEqual([]);
  });

  it('comes from the sandbox itself too', async () => {
    await putRule('executions', { source: ['aws.states'] });
    account.world.emit({ source: 'aws.states', detailType: 'Step Functions Execution Status Change', detail: { status: 'FAILED' }, resources: ['arn:e'] });
    expect(await received()).toMatchObject([{ source: 'aws.states', 'detail-type': 'Step Functions Execution Status Change', account: '111122223333', resources: ['arn:e'], detail: { status: 'FAILED' } }]);
  });
});

describe('a delivery', () => {
  it('is tried again while the failure may pass', async () => {
    await putRule('flaky', { source: ['aws.guardduty'] });
    account.inject({ service: 'lambda', operation: 'Invoke', code: 'ServiceException', status: 500, times: 3 });
    const before = account.clock.now();
    await send(finding);
    expect(await received()).toEqual([finding]);
    expect(account.clock.now() - before).toBeGreaterThan(3_000);
    expect(account.deadLetters()).toEqual([]);
  });

  it('ends in the queue once its attempts are used up', async () => {
    const rule = await putRule('down', { source: ['aws.guardduty'] }, { retries: 2 });
    account.inject({ service: 'lambda', operation: 'Invoke', code: 'ServiceException', message: 'down', status: 500, times: 10 });
    await send(finding);
    expect(await received()).toEqual([]);
    expect(account.deadLetters()).toMatchObject([
      { queue: DEAD, source: rule, target, attributes: { RULE_ARN: rule, TARGET_ARN: target, ERROR_MESSAGE: 'down', RETRY_ATTEMPTS: '2', EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts' } },
    ]);
    expect(JSON.parse(account.deadLetters()[0]?.body ?? '')).toEqual(finding);
  });

  it('gives up after a day', async () => {
    await putRule('forever', { source: ['aws.guardduty'] });
    account.inject({ service: 'lambda', operation: 'Invoke', code: 'ServiceException', status: 500, times: 1_000 });
    await send(finding);
    await received();
    expect(account.deadLetters()[0]?.attributes['EXHAUSTED_RETRY_CONDITION']).toMatch(/^Maximum(EventAgeInSeconds|RetryAttempts)$/);
  });

  it('is not tried again where the permission or the target is missing', async () => {
    await putRule('closed', { source: ['aws.guardduty'] }, { permitted: false });
    await send(finding);
    expect(await received()).toEqual([]);
    expect(account.deadLetters()).toMatchObject([{ attributes: { ERROR_CODE: 'NO_PERMISSIONS', RETRY_ATTEMPTS: '0' } }]);
  });
});

describe('a bus of its own', () => {
  const BUS = 'arn:aws:events:us-east-1:111122223333:event-bus/team';
  const [member] = ['222233334444'];
  /** A rule of a member, on its own bus in another region, that sends everything to a bus. */
  const forwards = async (Arn: string) => {
    const there = new EventBridgeClient({ endpoint: account.endpoint, region: 'eu-west-1', credentials: account.adminOf(member), maxAttempts: 1 });
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole', Condition: { StringEquals: { 'aws:SourceAccount': member } } }] };
    const RoleArn = account.createRole('forward', { account: member, trust, policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: Arn }] } });
    await there.send(new PutRuleCommand({ Name: 'forward', EventPattern: '{"source":["aws.guardduty"]}' }));
    await there.send(new PutTargetsCommand({ Rule: 'forward', Targets: [{ Id: 't', Arn, RoleArn, DeadLetterConfig: { Arn: DEAD } }] }));
  };
  const arrives = () => account.events.deliver({ ...finding, account: member, region: 'eu-west-1' }, { account: member, region: 'eu-west-1' });
  const letters = () => account.deadLetters().map(({ attributes }) => attributes['ERROR_CODE']);
  const listens = async () => {
    await events.send(new PutRuleCommand({ Name: 'heard', EventBusName: 'team', EventPattern: '{"source":["aws.guardduty"]}' }));
    await events.send(new PutTargetsCommand({ Rule: 'heard', EventBusName: 'team', Targets: [{ Id: 't', Arn: target }] }));
    const lambda = new LambdaClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });
    await lambda.send(new AddPermissionCommand({ FunctionName: 'target', StatementId: 'heard', Action: 'lambda:InvokeFunction', Principal: 'events.amazonaws.com', SourceArn: 'arn:aws:events:us-east-1:111122223333:rule/team/heard' }));
  };
  beforeEach(async () => {
    await events.send(new CreateEventBusCommand({ Name: 'team' }));
  });

  it('hears what another account sends from another region, once its policy lets that in', async () => {
    await Promise.all([listens(), forwards(BUS)]);
    arrives();
    expect(await received()).toEqual([]);
    expect(letters()).toEqual(['NO_PERMISSIONS']);
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 'events:PutEvents', Resource: BUS, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-stopbath01' } } }] });
    await events.send(new PutPermissionCommand({ EventBusName: 'team', Policy }));
    arrives();
    expect(await received()).toEqual([{ ...finding, account: member, region: 'eu-west-1' }]);
  });

  it('sends on to no third one what another bus sent it', async () => {
    await listens();
    const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'events.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    const RoleArn = account.createRole('onward', { trust, policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'events:PutEvents', Resource: '*' }] } });
    await events.send(new CreateEventBusCommand({ Name: 'between' }));
    for (const [from, to] of [['default', 'between'], ['between', 'team']] as const) {
      await events.send(new PutRuleCommand({ Name: 'onward', EventBusName: from, EventPattern: '{"source":["aws.guardduty"]}' }));
      await events.send(new PutTargetsCommand({ Rule: 'onward', EventBusName: from, Targets: [{ Id: 't', Arn: `arn:aws:events:us-east-1:111122223333:event-bus/${to}`, RoleArn, DeadLetterConfig: { Arn: DEAD } }] }));
    }
    await send(finding);
    expect(await received()).toEqual([]);
    expect(letters()).toEqual(['THIRD_ACCOUNT_HOP_DETECTED']);
  });
});

describe('an archive', () => {
  it('keeps what it asks for, whatever the rules do, and replays a span of it, marked, to some rules', async () => {
    const EventSourceArn = 'arn:aws:events:us-east-1:111122223333:event-bus/default';
    const { ArchiveArn } = await events.send(new CreateArchiveCommand({ ArchiveName: 'kept', EventSourceArn, EventPattern: '{"source":["aws.guardduty"]}' }));
    await send([finding, { ...finding, id: 'e-2', source: 'aws.s3' }, { ...finding, id: 'e-3', time: '2026-11-25T00:00:00Z' }]);
    const rule = await putRule('late', { source: [{ prefix: 'aws.' }] });
    await putRule('other', { source: [{ prefix: 'aws.' }] });
    const replay = (ReplayName: string, Arn = EventSourceArn) => events.send(new StartReplayCommand({ ReplayName, EventSourceArn: ArchiveArn, EventStartTime: new Date('2026-11-24T00:00:00Z'), EventEndTime: new Date('2026-11-25T00:00:00Z'), Destination: { Arn, FilterArns: [rule] } }));
    await replay('last-week');
    await replay('again');
    expect(await received()).toEqual([{ ...finding, 'replay-name': 'last-week' }, { ...finding, 'replay-name': 'again' }]);
    await events.send(new CreateEventBusCommand({ Name: 'team' }));
    await expect(replay('elsewhere', 'arn:aws:events:us-east-1:111122223333:event-bus/team')).rejects.toThrow('Cross event bus replay');
  });
});

describe('rules', () => {
  it('are kept, shown, disabled and deleted', async () => {
    const Arn = await putRule('one', { source: ['aws.guardduty'] });
    expect(await events.send(new DescribeRuleCommand({ Name: 'one' }))).toMatchObject({ Arn, State: 'ENABLED', EventPattern: '{"source":["aws.guardduty"]}' });
    expect((await events.send(new ListTargetsByRuleCommand({ Rule: 'one' }))).Targets).toMatchObject([{ Id: 't', Arn: target }]);
    await events.send(new DisableRuleCommand({ Name: 'one' }));
    await send(finding);
    expect(await received()).toEqual([]);
    await events.send(new EnableRuleCommand({ Name: 'one' }));
    await expect(events.send(new DeleteRuleCommand({ Name: 'one' }))).rejects.toMatchObject({ message: "Rule can't be deleted since it has targets." });
    await events.send(new RemoveTargetsCommand({ Rule: 'one', Ids: ['t'] }));
    await events.send(new DeleteRuleCommand({ Name: 'one' }));
    expect((await events.send(new ListRulesCommand({ NamePrefix: 'o' }))).Rules).toEqual([]);
    await expect(events.send(new DescribeRuleCommand({ Name: 'one' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Rule one does not exist on EventBus default.' });
  });

  it.each([
    ['InvalidEventPatternException', { EventPattern: '{"source":[]}' }],
    ['InvalidEventPatternException', { EventPattern: '{' }],
    ['LimitExceededException', { EventPattern: JSON.stringify({ source: ['x'.repeat(2048)] }) }],
    ['ValidationException', { Name: 'no spaces', EventPattern: '{"source":["x"]}' }],
    ['ValidationException', {}],
    ['ResourceNotFoundException', { EventPattern: '{"source":["x"]}', EventBusName: 'another' }],
  ])('are refused with %s', async (name, input) => {
    await expect(events.send(new PutRuleCommand({ Name: 'x', ...input }))).rejects.toMatchObject({ name });
  });

  it('are not made by who may not', async () => {
    const client = new EventBridgeClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.createUser('nobody') });
    await expect(client.send(new PutRuleCommand({ Name: 'x', EventPattern: '{"source":["x"]}' }))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('events:PutRule on resource: arn:aws:events:us-east-1:111122223333:rule/x'),
    });
  });
});

it('TestEventPattern answers as the bus does', async () => {
  const test = async (pattern: object, event: object) => (await events.send(new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(event) }))).Result;
  expect(await test({ source: [{ prefix: 'aws.' }] }, finding)).toBe(true);
  expect(await test({ source: ['aws.s3'] }, finding)).toBe(false);
  await expect(test({ source: ['x'] }, { source: 'x' })).rejects.toMatchObject({ name: 'ValidationException' });
});
