import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PutItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { UpdateStateMachineCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { NAMESPACE } from '../deploy/alarms.ts';
import { stackOf } from '../deploy/stack.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { skippingClock } from '../sandbox/clock.ts';
import { seedPhotos } from '../sandbox/photos/seed.ts';
import { playScenario } from '../sandbox/scenario/play.ts';
import { ROOT } from '../sandbox/scenario/scenario.ts';

/** What an alarm watches is what some function writes: the same name, in the same namespace, under the same dimensions. */
interface Emitted {
  readonly function: string;
  readonly namespace: string;
  readonly name: string;
  /** Every set under which CloudWatch keeps it. */
  readonly dimensions: readonly Readonly<Record<string, string>>[];
  readonly value: number;
}

/** The metrics that functions wrote into their logs, in CloudWatch's embedded format. */
function emittedIn({ lambda }: Pick<Account, 'lambda'>): readonly Emitted[] {
  return lambda.logs.filter(({ text }) => text.includes('"CloudWatchMetrics"')).flatMap(({ function: name, text }) => {
    const line: EmbeddedLine = JSON.parse(text);
    return line._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
      Metrics.map((metric) => ({ function: name, namespace: Namespace, name: metric.Name, dimensions: Dimensions.map((set) => Object.fromEntries(set.map((key) => [key, String(line[key])]))), value: Number(line[metric.Name]) })),
    );
  });
}

interface EmbeddedLine {
  readonly [name: string]: unknown;
  readonly _aws: { readonly CloudWatchMetrics: readonly { readonly Namespace: string; readonly Dimensions: readonly (readonly string[])[]; readonly Metrics: readonly { readonly Name: string }[] }[] };
}

interface Watched {
  readonly AlarmName: string;
  readonly Namespace?: string;
  readonly MetricName: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

const NAME = 'stopbath-dev';
const alarms = Object.values(stackOf(ROOT).alarms.Resources).map(({ Properties }) => Properties as Watched);
const own = alarms.filter(({ Namespace }) => Namespace === NAMESPACE);

const emitted: Emitted[] = [];
const valuesOf = (name: string): readonly number[] => emitted.filter((one) => one.name === name).map(({ value }) => value);

describe("the suite's own alarms", () => {
  let account: Account;

  beforeAll(async () => {
    for (const name of ['account-block', 'over-budget', 'drift', 'may-not-write']) await playScenario(join(ROOT, `workflows/quarantine-bucket/scenarios/${name}.json`), { clock: 'skipping', onEnd: (played) => void emitted.push(...emittedIn(played)) });
    account = await startAccount({ clock: skippingClock() });
    await seedPhotos(account, () => account.s3.settle());
    await account.deploy({ config: { trackers: {}, accounts: ['333322221111'], externalId: 'an-external-id' } });
    const config = { endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin };
    // Nobody else may write there at all.
    const credentials = account.world.credentials(`arn:aws:iam::${account.accounts.home}:role/${NAME}-archive`, 'x', 'lambda.amazonaws.com');
    const [sfn, s3, dynamo] = [new SFNClient(config), new S3Client({ ...config, credentials, forcePathStyle: true }), new DynamoDBClient(config)];
    const key = 'records/decisions/x.json';
    const text = (value: string) => ({ S: value });
    const stateMachineArn = `arn:aws:states:us-east-1:${account.accounts.home}:stateMachine:${NAME}-open-ticket`;
    // No time is skipped meanwhile: something lies where a record is announced, and something hangs.
    await account.clock.work(async () => {
      await s3.send(new PutObjectCommand({ Bucket: `${NAME}-evidence-${account.accounts.home}`, Key: key, Body: 'not a record', IfNoneMatch: '*' }));
      await dynamo.send(new PutItemCommand({ TableName: NAME, Item: { pk: text('UNSEALED#decisions'), sk: text(key), at: text('2026-01-01T00:00:00.000Z'), sha256: text('0'.repeat(64)), kind: text('decisions'), incident: { NULL: true }, drill: { BOOL: false } } }));
      await sfn.send(new UpdateStateMachineCommand({ stateMachineArn, definition: JSON.stringify({ QueryLanguage: 'JSONata', StartAt: 'Hang', States: { Hang: { Type: 'Wait', Seconds: 86_400 * 90, End: true } } }) }));
      await sfn.send(new StartExecutionCommand({ stateMachineArn, name: 'hangs', input: '{}' }));
    });
    await account.clock.sleep(3 * 86_400_000);
    [sfn, s3, dynamo].forEach((client) => client.destroy());
    for (const rule of ['reconcile', 'seal']) account.events.tick(`${NAME}-${rule}`);
    await Promise.all([account.events.idle(), account.lambda.idle()]);
    emitted.push(...emittedIn(account));
  }, 120_000);
  afterAll(() => account.stop());

  it('watch numbers that functions write, over all playbooks', () => {
    expect(own.length).toBeGreaterThan(6);
    for (const { MetricName, Dimensions } of own) {
      const wanted = Object.fromEntries(Dimensions.map(({ Name, Value }) => [Name, Value.replace(/^\$\{self:custom\.name\}/, NAME)]));
      const found = emitted.filter(({ namespace, name }) => namespace === NAMESPACE && name === MetricName);
      expect([MetricName, found.length > 0]).toEqual([MetricName, true]);
      for (const { dimensions } of found) expect([MetricName, dimensions]).toEqual([MetricName, expect.arrayContaining([wanted])]);
    }
  });

  it('ring where what they name happens, and are silent where it does not', () => {
    for (const name of ['BudgetReached', 'UnverifiedOutcomes', 'FailedOutcomes', 'StuckExecutions', 'ForeignRecords']) expect([name, Math.max(...valuesOf(name))]).toEqual([name, 1]);
    // GuardDuty's and CloudTrail's of the account that lets nobody in.
    expect(valuesOf('ReconcileBehind')).toEqual([2]);
    expect([valuesOf('GuardPaused'), valuesOf('MissedEvents')]).toEqual([[0], [0]]);
    expect(valuesOf('UnverifiedOutcomes')).toContain(0);
  });

  it('ring where a schedule does not come: by its function, or by its rule where others invoke the function too', () => {
    const rules = z.record(z.string(), z.looseObject({ Type: z.string(), Properties: z.looseObject({ Name: z.string().optional(), ScheduleExpression: z.string().optional(), Targets: z.array(z.object({ Id: z.string() })).optional() }) })).parse(stackOf(ROOT).recording.Resources);
    const all = Object.values(rules).flatMap(({ Type, Properties: { Name = '', ScheduleExpression, Targets = [] } }) => (Type === 'AWS::Events::Rule' ? Targets.map(({ Id }) => ({ rule: Name, scheduled: ScheduleExpression !== undefined, invokes: Id })) : []));
    const wanted = all.filter(({ scheduled }) => scheduled).map(({ rule, invokes }) => (all.filter((other) => other.invokes === invokes).length === 1 ? `${rule.slice(0, rule.lastIndexOf('-'))}-${invokes}` : rule));
    expect(wanted.length).toBeGreaterThan(3);
    const silent = alarms.filter((alarm) => 'TreatMissingData' in alarm && alarm.TreatMissingData === 'breaching').map(({ Dimensions: [of] }) => of?.Value);
    expect(new Set(silent)).toEqual(new Set(wanted));
  });

  it('are in docs/operations.md, each with what to do', () => {
    const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
    const names = alarms.map(({ AlarmName }) => AlarmName.replace('${self:custom.name}-', '').replace(/^.*-executions$/, (name) => (name === 'stuck-executions' ? name : '<playbook>-executions')));
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('find the outcomes by playbook too', () => {
    const outcomes = emitted.filter(({ name }) => name === 'Outcomes');
    expect(outcomes.length).toBeGreaterThan(2);
    for (const { dimensions } of outcomes) expect(dimensions).toEqual(expect.arrayContaining([{ service: NAME, playbook: 'quarantine-bucket' }]));
  });
});
