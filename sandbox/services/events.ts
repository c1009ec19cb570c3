import { randomUUID } from 'node:crypto';
import * as sdk from '@aws-sdk/client-eventbridge';
import { InvalidEventPatternError, matchesPattern, parsePattern } from '../../core/event-pattern.ts';
import { AwsError, operation, type Service, type World } from '../service.ts';
import { type DeadLetter, toQueue } from './events/dead-letters.ts';
import { createDelivery } from './events/delivery.ts';
import { type EventEnvelope, putEvents } from './events/put-events.ts';
import { receive } from './events/receive.ts';
import { periodOf, type Rule, Rules } from './events/rules.ts';

export type { EventEnvelope } from './events/put-events.ts';

export interface EventsService extends Service {
  /**
   * An event as AWS itself delivers it, `aws.*` sources included: what no caller of `PutEvents` can do. Served over
   * HTTP as `POST /_sandbox/events`, which is how `stopbath send` plays an event.
   */
  deliver(event: EventEnvelope): void;
  /** An event of a service of the sandbox, such as a change of an execution's status. */
  emit(event: { readonly source: string; readonly detailType: string; readonly detail: unknown; readonly resources: readonly string[] }): void;
  /**
   * Lets a scheduled rule's time come now: nothing else lets it, unless `startSchedules` was called, so that a scenario
   * decides when its hour is over.
   *
   * @param name - of the rule
   */
  tick(name: string): void;
  /** Runs scheduled rules at their rates from now on, until `stop`: for a sandbox that people use. */
  startSchedules(): void;
  /** What could not be delivered. */
  readonly deadLetters: readonly DeadLetter[];
  /** Resolves once every delivery has ended, retries included. */
  idle(): Promise<void>;
  stop(): void;
}

/** The default quota of a rule's pattern, in characters. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
const PATTERN_LIMIT = 2048;

/** EventBridge: rules on the default bus, and their targets invoked at least once. */
export function createEvents(world: World): EventsService {
  const rules = new Rules(world.region, world.account);
  const deadLetters: DeadLetter[] = [];
  const delivery = createDelivery(world, (letter) => {
    deadLetters.push(letter);
    void toQueue(world, letter);
  });
  const stopped = new AbortController();

  /** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
  const tick = (name: string): void => {
    const rule = rules.get(name, undefined);
    const { account, region } = world;
    const time = secondsOf(world.clock.now());
    if (rule.enabled) delivery.send(rule, { version: '0', id: randomUUID(), 'detail-type': 'Scheduled Event', source: 'aws.events', account, time, region, resources: [rule.arn], detail: {} });
  };
  const run = async ({ name, schedule }: Rule): Promise<void> => {
    while (!stopped.signal.aborted) {
      await world.clock.sleep(periodOf(schedule ?? ''), stopped.signal).catch(() => undefined);
      if (!stopped.signal.aborted) tick(name);
    }
  };

  const deliver = (event: EventEnvelope): void => {
    for (const rule of rules.list()) {
      if (rule.enabled && rule.parsed && matchesPattern(rule.parsed, event)) delivery.send(rule, event);
    }
  };

  const onRule = (action: string) => (input: { readonly Name?: string | undefined; readonly Rule?: string | undefined }) => [
    { action: `events:${action}`, resource: rules.arnOf(input.Name ?? input.Rule ?? '') },
  ];
  const setState = (enabled: boolean) => (input: { readonly Name: string | undefined; readonly EventBusName?: string | undefined }) => {
    rules.get(input.Name, input.EventBusName).enabled = enabled;
    return {};
  };

  return {
    name: 'events',
    sdk,
    protocol: 'json-1.1',
    operations: {
      PutRule: operation<sdk.PutRuleCommandInput, sdk.PutRuleCommandOutput>({
        needs: onRule('PutRule'),
        run: (input) => {
          const pattern = input.EventPattern;
          if (pattern === undefined && input.ScheduleExpression === undefined) {
            throw new AwsError('ValidationException', "Parameter(s) EventPattern or ScheduleExpression must be specified.");
          }
          const schedule = input.ScheduleExpression ?? null;
          if (schedule !== null) periodOf(schedule);
          if (pattern !== undefined && schedule !== null) throw new AwsError('NotImplemented', 'events:PutRule with both EventPattern and ScheduleExpression is not in the sandbox', 501);
          if ((pattern?.length ?? 0) > PATTERN_LIMIT) {
            throw new AwsError('LimitExceededException', `The event pattern has ${pattern?.length} characters; the quota is ${PATTERN_LIMIT}.`);
          }
          const parsed = pattern === undefined ? null : parseText(pattern);
          const rule = rules.put(input.Name, input.EventBusName, { pattern: pattern ?? null, parsed, schedule, description: input.Description ?? null, enabled: input.State !== 'DISABLED' });
          return { RuleArn: rule.arn };
        },
      }),
      DescribeRule: operation<sdk.DescribeRuleCommandInput, sdk.DescribeRuleCommandOutput>({
        needs: onRule('DescribeRule'),
        run: (input) => ({ ...describe(rules.get(input.Name, input.EventBusName)), CreatedBy: world.account }),
      }),
      ListRules: operation<sdk.ListRulesCommandInput, sdk.ListRulesCommandOutput>({
        needs: () => [{ action: 'events:ListRules', resource: rules.arnOf('*') }],
        run: (input) => ({ Rules: rules.list().filter((rule) => rule.name.startsWith(input.NamePrefix ?? '')).map(describe) }),
      }),
      EnableRule: operation<sdk.EnableRuleCommandInput, sdk.EnableRuleCommandOutput>({ needs: onRule('EnableRule'), run: setState(true) }),
      DisableRule: operation<sdk.DisableRuleCommandInput, sdk.DisableRuleCommandOutput>({ needs: onRule('DisableRule'), run: setState(false) }),
      DeleteRule: operation<sdk.DeleteRuleCommandInput, sdk.DeleteRuleCommandOutput>({
        needs: onRule('DeleteRule'),
        run: (input) => {
          rules.delete(input.Name, input.EventBusName);
          return {};
        },
      }),
      PutTargets: operation<sdk.PutTargetsCommandInput, sdk.PutTargetsCommandOutput>({
        needs: onRule('PutTargets'),
        run: (input) => {
          rules.putTargets(input.Rule, input.EventBusName, input.Targets ?? []);
          return { FailedEntryCount: 0, FailedEntries: [] };
        },
      }),
      RemoveTargets: operation<sdk.RemoveTargetsCommandInput, sdk.RemoveTargetsCommandOutput>({
        needs: onRule('RemoveTargets'),
        run: (input) => {
          const rule = rules.get(input.Rule, input.EventBusName);
          for (const id of input.Ids ?? []) rule.targets.delete(id);
          return { FailedEntryCount: 0, FailedEntries: [] };
        },
      }),
      ListTargetsByRule: operation<sdk.ListTargetsByRuleCommandInput, sdk.ListTargetsByRuleCommandOutput>({
        needs: onRule('ListTargetsByRule'),
        run: (input) => ({ Targets: [...rules.get(input.Rule, input.EventBusName).targets.values()] }),
      }),
      PutEvents: operation<sdk.PutEventsCommandInput, sdk.PutEventsCommandOutput>({
        needs: () => [{ action: 'events:PutEvents', resource: `arn:aws:events:${world.region}:${world.account}:event-bus/default` }],
        run: (input, call) => putEvents(input, call, deliver),
      }),
      TestEventPattern: operation<sdk.TestEventPatternCommandInput, sdk.TestEventPatternCommandOutput>({
        needs: () => [{ action: 'events:TestEventPattern', resource: '*' }],
        run: (input) => ({ Result: matchesPattern(parseText(input.EventPattern ?? ''), readEvent(input.Event ?? '')) }),
      }),
    },
    http: {
      serves: (request) => request.path === '/_sandbox/events',
      handle: (request) => receive(request, deliver),
    },
    deliver,
    emit: ({ source, detailType, detail, resources }) => {
      const time = secondsOf(world.clock.now());
      deliver({ version: '0', id: randomUUID(), 'detail-type': detailType, source, account: world.account, time, region: world.region, resources, detail });
    },
    tick,
    startSchedules: () => rules.list().filter(({ schedule }) => schedule !== null).forEach((rule) => void run(rule)),
    deadLetters,
    idle: () => delivery.idle(),
    stop: () => {
      stopped.abort();
      delivery.stop();
    },
  };
}

/** EventBridge's own form of a time: no fraction. */
function secondsOf(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}

function parseText(pattern: string) {
  try {
    return parsePattern(JSON.parse(pattern));
  } catch (cause) {
    if (cause instanceof InvalidEventPatternError) throw new AwsError('InvalidEventPatternException', cause.message);
    throw new AwsError('InvalidEventPatternException', 'Event pattern is not valid. Reason: Filter is not an object');
  }
}

/** `TestEventPattern` wants the envelope. @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_TestEventPattern.html */
function readEvent(text: string): unknown {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw new AwsError('ValidationException', 'Parameter Event is not valid.');
  }
  const required = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'];
  if (typeof event !== 'object' || event === null || required.some((name) => !Object.hasOwn(event, name))) {
    throw new AwsError('ValidationException', 'Parameter Event is not valid.');
  }
  return event;
}

function describe(rule: Rule): sdk.Rule {
  return {
    Name: rule.name,
    Arn: rule.arn,
    ...(rule.pattern === null ? {} : { EventPattern: rule.pattern }),
    ...(rule.schedule === null ? {} : { ScheduleExpression: rule.schedule }),
    State: rule.enabled ? 'ENABLED' : 'DISABLED',
    ...(rule.description === null ? {} : { Description: rule.description }),
    EventBusName: 'default',
  };
}
