import { randomUUID } from 'node:crypto';
import * as sdk from '@aws-sdk/client-eventbridge';
import { InvalidEventPatternError, matchesPattern, parsePattern } from '../../core/event-pattern.ts';
import { authorizeByIdentity, accessDenied } from '../auth/authorize.ts';
import { contextOf } from '../auth/context.ts';
import { policyText } from '../auth/directory.ts';
import { evaluate } from '../auth/evaluate.ts';
import { AwsError, operation, type Call, type Need, type Operations, type Service, type World } from '../service.ts';
import { archiveOperations, keep } from './events/archives.ts';
import { type Bus, Buses, type Place } from './events/buses.ts';
import { type DeadLetter, toQueue } from './events/dead-letters.ts';
import { createDelivery } from './events/delivery.ts';
import { type EventEnvelope, putEvents, type Take } from './events/put-events.ts';
import { receive } from './events/receive.ts';
import { periodOf, type Rule } from './events/rules.ts';

export type { EventEnvelope } from './events/put-events.ts';

export interface EventsService extends Service {
  /**
   * An event as AWS itself delivers it, `aws.*` sources included: what no caller of `PutEvents` can do. Served over
   * HTTP as `POST /_sandbox/events`, which is how `stopbath send` plays an event.
   *
   * @param at - whose own bus it arrives at; the home account's in the home region unless told
   */
  deliver(event: EventEnvelope, at?: Place): void;
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

/** EventBridge: rules on buses, their targets invoked at least once, archives. */
export function createEvents(world: World): EventsService {
  const buses = new Buses();
  const home: Place = { account: world.account, region: world.region };
  const own = buses.get(home).rules;
  const deadLetters: DeadLetter[] = [];
  const delivery = createDelivery(world, (letter) => {
    deadLetters.push(letter);
    void toQueue(world, letter);
  });
  const stopped = new AbortController();

  /** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
  const tick = (name: string): void => {
    const rule = own.get(name);
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

  /** @param only - ARNs of the rules that get it; all unless told */
  const arrive = (bus: Bus, event: EventEnvelope, hopped = false, only: readonly string[] = []): void => {
    keep(bus, event);
    for (const rule of bus.rules.list()) {
      if (rule.enabled && rule.parsed && matchesPattern(rule.parsed, event) && (only.length === 0 || only.includes(rule.arn))) delivery.send(rule, event, hopped);
    }
  };
  const deliver: EventsService['deliver'] = (event, at = home) => arrive(buses.get(at), event);

  const placeOf = ({ caller, region }: Call): Place => ({ account: 'account' in caller ? caller.account : world.account, region });
  const rulesOf = (input: { readonly EventBusName?: string | undefined }, call: Call) => buses.get(placeOf(call), input.EventBusName).rules;
  const onRule = (action: string) => (input: { readonly Name?: string | undefined; readonly Rule?: string | undefined; readonly EventBusName?: string | undefined }, call: Call) => [
    { action: `events:${action}`, resource: rulesOf(input, call).arnOf(input.Name ?? input.Rule ?? '') },
  ];
  const onBus = (action: string) => (input: { readonly Name?: string | undefined; readonly EventBusName?: string | undefined }, call: Call) => {
    const { account, region } = placeOf(call);
    return [{ action: `events:${action}`, resource: `arn:aws:events:${region}:${account}:event-bus/${input.Name ?? input.EventBusName ?? 'default'}` }];
  };
  const setState = (enabled: boolean) => (input: { readonly Name: string | undefined; readonly EventBusName?: string | undefined }, call: Call) => {
    rulesOf(input, call).get(input.Name).enabled = enabled;
    return {};
  };

  const operations: Operations = {
    PutRule: operation<sdk.PutRuleCommandInput, sdk.PutRuleCommandOutput>({
      needs: onRule('PutRule'),
      run: (input, call) => {
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
        const rule = rulesOf(input, call).put(input.Name, { pattern: pattern ?? null, parsed, schedule, description: input.Description ?? null, enabled: input.State !== 'DISABLED' });
        return { RuleArn: rule.arn };
      },
    }),
    DescribeRule: operation<sdk.DescribeRuleCommandInput, sdk.DescribeRuleCommandOutput>({
      needs: onRule('DescribeRule'),
      run: (input, call) => ({ ...describe(rulesOf(input, call).get(input.Name)), CreatedBy: placeOf(call).account }),
    }),
    ListRules: operation<sdk.ListRulesCommandInput, sdk.ListRulesCommandOutput>({
      needs: (input, call) => [{ action: 'events:ListRules', resource: rulesOf(input, call).arnOf('*') }],
      run: (input, call) => ({ Rules: rulesOf(input, call).list().filter((rule) => rule.name.startsWith(input.NamePrefix ?? '')).map(describe) }),
    }),
    EnableRule: operation<sdk.EnableRuleCommandInput, sdk.EnableRuleCommandOutput>({ needs: onRule('EnableRule'), run: setState(true) }),
    DisableRule: operation<sdk.DisableRuleCommandInput, sdk.DisableRuleCommandOutput>({ needs: onRule('DisableRule'), run: setState(false) }),
    DeleteRule: operation<sdk.DeleteRuleCommandInput, sdk.DeleteRuleCommandOutput>({
      needs: onRule('DeleteRule'),
      run: (input, call) => {
        rulesOf(input, call).delete(input.Name);
        return {};
      },
    }),
    PutTargets: operation<sdk.PutTargetsCommandInput, sdk.PutTargetsCommandOutput>({
      needs: onRule('PutTargets'),
      run: (input, call) => {
        rulesOf(input, call).putTargets(input.Rule, input.Targets ?? []);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    }),
    RemoveTargets: operation<sdk.RemoveTargetsCommandInput, sdk.RemoveTargetsCommandOutput>({
      needs: onRule('RemoveTargets'),
      run: (input, call) => {
        const rule = rulesOf(input, call).get(input.Rule);
        for (const id of input.Ids ?? []) rule.targets.delete(id);
        return { FailedEntryCount: 0, FailedEntries: [] };
      },
    }),
    ListTargetsByRule: operation<sdk.ListTargetsByRuleCommandInput, sdk.ListTargetsByRuleCommandOutput>({
      needs: onRule('ListTargetsByRule'),
      run: (input, call) => ({ Targets: [...rulesOf(input, call).get(input.Rule).targets.values()] }),
    }),
    PutEvents: operation<sdk.PutEventsCommandInput, sdk.PutEventsCommandOutput>({
      needs: (input, call) => [...new Set((input.Entries ?? []).map(({ EventBusName }) => buses.get(placeOf(call), EventBusName).arn))].map((resource) => ({ action: 'events:PutEvents', resource })),
      run: (input, call) => {
        const take: Take = (event, bus, hopped) => arrive(buses.get(placeOf(call), bus), event, hopped);
        return putEvents(input, call, take);
      },
    }),
    TestEventPattern: operation<sdk.TestEventPatternCommandInput, sdk.TestEventPatternCommandOutput>({
      needs: () => [{ action: 'events:TestEventPattern', resource: '*' }],
      run: (input) => ({ Result: matchesPattern(parseText(input.EventPattern ?? ''), readEvent(input.Event ?? '')) }),
    }),
    CreateEventBus: operation<sdk.CreateEventBusCommandInput, sdk.CreateEventBusCommandOutput>({
      needs: onBus('CreateEventBus'),
      run: ({ Name = '' }, call) => ({ EventBusArn: buses.create(placeOf(call), Name).arn }),
    }),
    PutPermission: operation<sdk.PutPermissionCommandInput, sdk.PutPermissionCommandOutput>({
      needs: onBus('PutPermission'),
      run: ({ EventBusName, Policy }, call) => {
        if (Policy === undefined) throw new AwsError('NotImplemented', 'events:PutPermission without Policy is not in the sandbox', 501);
        buses.get(placeOf(call), EventBusName).policy = policyText(Policy);
        return {};
      },
    }),
    ...archiveOperations(buses, placeOf, parseText, (bus, event, only) => arrive(bus, event, false, only)),
  };

  return {
    name: 'events',
    sdk,
    protocol: 'json-1.1',
    operations,
    authorize: (name, input, call) => operations[name]?.needs?.(input, call).forEach((need) => authorizeEvents(buses, need, call)),
    http: {
      serves: (request) => request.path === '/_sandbox/events',
      handle: (request) => receive(request, home, deliver),
    },
    deliver,
    emit: ({ source, detailType, detail, resources }) => {
      const time = secondsOf(world.clock.now());
      deliver({ version: '0', id: randomUUID(), 'detail-type': detailType, source, account: world.account, time, region: world.region, resources, detail });
    },
    tick,
    startSchedules: () => own.list().filter(({ schedule }) => schedule !== null).forEach((rule) => void run(rule)),
    deadLetters,
    idle: () => delivery.idle(),
    stop: () => {
      stopped.abort();
      delivery.stop();
    },
  };
}

/**
 * Within an account the caller's policies decide, or the bus's; whoever sends to another account's bus needs both.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html
 */
function authorizeEvents(buses: Buses, need: Need, call: Call): void {
  const account = 'account' in call.caller ? call.caller.account : '';
  const bus = need.action === 'events:PutEvents' ? buses.get({ account, region: call.region }, need.resource) : null;
  if (!bus?.policy) return authorizeByIdentity(call, [need]);
  const resource = evaluate({ policies: [bus.policy.policy], principal: call.caller, owner: bus.account, action: need.action, resource: need.resource, context: { ...contextOf(call), ...need.context } });
  const identity = call.world.identityDecision(call, need);
  if (resource === 'deny' || identity === 'deny') throw accessDenied(call, need, `with an explicit deny in ${resource === 'deny' ? 'a resource' : 'an identity'}-based policy`);
  if (account === bus.account ? resource === 'allow' || identity === 'allow' : resource === 'allow' && identity === 'allow') return;
  throw accessDenied(call, need, `because no ${identity === 'allow' ? 'resource' : 'identity'}-based policy allows the ${need.action} action`);
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
    EventBusName: /:rule\/([^/]+)\//.exec(rule.arn)?.[1] ?? 'default',
  };
}
