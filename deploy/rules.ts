import { parsePattern } from '../core/event-pattern.ts';
import type { Config } from './config.ts';
import { arnOf, DELIVERY, DeployError, functionLogicalId, NAME, ref, type Resource, sub, type Template } from './names.ts';

/** One trigger of a playbook, as far as its rule needs it. */
export interface RuleTrigger {
  readonly playbook: string;
  readonly name: string;
  readonly pattern: object;
}

/** The default quota of a rule's pattern, in characters. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const PATTERN_LIMIT = 2048;

/**
 * The union of all triggers, in as many rules as AWS's limit makes necessary, each with triage as its target; severe findings
 * have rules of their own, whose target is triage-urgent.
 *
 * @throws {DeployError} where one pattern alone is over the limit
 */
export function rulesTemplate(triggers: readonly RuleTrigger[], { eventBus, eventArchiveDays, organizationId }: Pick<Config, 'eventBus' | 'eventArchiveDays' | 'organizationId'>): Template {
  const lanes: readonly (readonly [lane: Lane, patterns: readonly object[]])[] = [['triage', patternsOf(triggers.map(notUrgent))], ['triage-urgent', patternsOf(triggers.flatMap(urgent))]];
  const rulesOn = (bus: string | null) =>
    lanes.flatMap(([lane, patterns]) =>
      patterns.map((pattern, index): Readonly<Record<string, Resource>> => {
        const [of, urgently, number] = [bus === null ? '' : 'Organization', lane === 'triage' ? '' : 'Urgent', index + 1];
        const id = `${of}Triage${urgently}Rule${number}`;
        return { [id]: rule(pattern, lane, number, bus), [`${id}Permission`]: permission(id, lane), [`${of}${urgently}EventArchive${number}`]: archive(pattern, lane, number, bus, eventArchiveDays) };
      }),
    );
  const organization = eventBus === null ? [] : [organizationBus(eventBus, organizationId ?? ''), ...rulesOn(eventBus)];
  return { Resources: Object.assign({}, ...rulesOn(null), ...organization) };
}

/** The functions that decide: each has concurrency of its own. */
type Lane = 'triage' | 'triage-urgent';

/** High and critical. @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-severity-levels.html */
const SEVERE = 7;

/** What of a trigger goes to triage-urgent: severe findings. */
function urgent(trigger: RuleTrigger): readonly RuleTrigger[] {
  return isOfFindings(trigger) ? [withSeverity(trigger, [{ numeric: ['>=', SEVERE] }])] : [];
}

/**
 * What of it stays with triage: all the rest, whatever stands in the place of a severity, since what no rule matches is lost. Only `null`
 * cannot be asked for: the reconciler would find that one.
 */
function notUrgent(trigger: RuleTrigger): RuleTrigger {
  return isOfFindings(trigger) ? withSeverity(trigger, [{ numeric: ['<', SEVERE] }, { exists: false }, { wildcard: '*' }, true, false]) : trigger;
}

function withSeverity(trigger: RuleTrigger, severity: readonly (object | boolean)[]): RuleTrigger {
  return { ...trigger, pattern: { ...trigger.pattern, detail: { ...detailOf(trigger.pattern), severity } } };
}

/** A trigger that asks for a severity itself is left as it is. */
function isOfFindings({ pattern }: RuleTrigger): boolean {
  const only = (name: string, value: string) => JSON.stringify(Reflect.get(pattern, name)) === JSON.stringify([value]);
  return only('source', 'aws.guardduty') && only('detail-type', 'GuardDuty Finding') && !('severity' in detailOf(pattern)) && !('$or' in pattern);
}

function detailOf(pattern: object): object {
  return 'detail' in pattern && isObject(pattern.detail) ? pattern.detail : {};
}

/**
 * Patterns for rules: what any trigger matches, one of them matches, and nothing else does. A pattern that another
 * one covers is left out, since each rule that an event matches invokes triage once more.
 */
export function patternsOf(triggers: readonly RuleTrigger[]): readonly object[] {
  const groups: RuleTrigger[][] = [];
  for (const trigger of uncovered(triggers)) {
    const [text, where] = [JSON.stringify(trigger.pattern), `workflows/${trigger.playbook}/playbook.json: the pattern of trigger ${trigger.name}`];
    if (text.length > PATTERN_LIMIT) throw new DeployError(`${where} has ${text.length} characters, AWS takes ${PATTERN_LIMIT}: split the trigger`);
    if (/[[,]null[\],]/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""'))) throw new DeployError(`${where} has null, which CloudFormation does not take: ask with a predicate`);
    const last = groups.at(-1);
    if (last && fits([...last, trigger])) last.push(trigger);
    else groups.push([trigger]);
  }
  return groups.map(unionOf);
}

function uncovered(triggers: readonly RuleTrigger[]): readonly RuleTrigger[] {
  return triggers.filter(
    (trigger, index) =>
      !triggers.some((other, at) => at !== index && covers(other.pattern, trigger.pattern) && !(at > index && covers(trigger.pattern, other.pattern))),
  );
}

/** Whether everything that the narrow pattern matches, the wide one matches too; `false` where that does not show in their text. */
function covers(wide: object, narrow: object): boolean {
  return Object.entries(wide).every(([name, value]: readonly [string, unknown]) => {
    const other: unknown = Object.hasOwn(narrow, name) ? Reflect.get(narrow, name) : undefined;
    if (name === '$or' || !Array.isArray(value)) {
      return name !== '$or' && isObject(value) && isObject(other) ? covers(value, other) : JSON.stringify(value) === JSON.stringify(other);
    }
    const alternatives = new Set(value.map((alternative) => JSON.stringify(alternative)));
    return Array.isArray(other) && other.every((alternative) => alternatives.has(JSON.stringify(alternative)));
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fits(group: readonly RuleTrigger[]): boolean {
  const union = unionOf(group);
  if (JSON.stringify(union).length > PATTERN_LIMIT) return false;
  try {
    parsePattern(union);
    return true;
  } catch {
    // More combinations than a rule may have; alone, each pattern is fine.
    return false;
  }
}

function unionOf(group: readonly RuleTrigger[]): object {
  const [first, ...rest] = group;
  return first && rest.length === 0 ? first.pattern : { $or: group.map((trigger) => trigger.pattern) };
}

/**
 * Where the organisation's accounts send their events, and no other.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-permissions-manage.html
 */
function organizationBus(name: string, organization: string): Readonly<Record<string, Resource>> {
  return {
    OrganizationBus: { Type: 'AWS::Events::EventBus', Properties: { Name: name, Description: 'Events of the accounts of the organisation, for triage' } },
    OrganizationBusPolicy: {
      Type: 'AWS::Events::EventBusPolicy',
      Properties: {
        EventBusName: ref('OrganizationBus'),
        StatementId: 'TheOrganisationSends',
        Statement: {
          Effect: 'Allow',
          Principal: '*',
          Action: 'events:PutEvents',
          Resource: arnOf('OrganizationBus'),
          Condition: { StringEquals: { 'aws:PrincipalOrgID': organization } },
        },
      },
    },
  };
}

/**
 * Keeps what a rule listens to, so that it can be replayed: a replay carries `replay-name`, and never acts beyond observe.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
 */
function archive(pattern: object, lane: Lane, number: number, bus: string | null, days: number): Resource {
  return {
    Type: 'AWS::Events::Archive',
    Properties: {
      ArchiveName: `${NAME}-${bus === null ? 'events' : 'organization'}-${lane === 'triage' ? '' : 'urgent-'}${number}`,
      Description: `What rule ${NAME}-${lane}-${number} listens to`,
      SourceArn: sub(`arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:event-bus/${bus ?? 'default'}`),
      EventPattern: pattern,
      RetentionDays: days,
    },
  };
}

function rule(pattern: object, lane: Lane, number: number, bus: string | null): Resource {
  return {
    Type: 'AWS::Events::Rule',
    Properties: {
      Name: `${NAME}-${lane}-${number}`,
      ...(bus === null ? {} : { EventBusName: ref('OrganizationBus') }),
      Description: 'Made from the triggers in workflows/*/playbook.json',
      State: 'ENABLED',
      EventPattern: pattern,
      Targets: [
        { Id: lane, Arn: arnOf(functionLogicalId(lane)), ...DELIVERY },
      ],
    },
  };
}

function permission(ruleId: string, lane: Lane): Resource {
  return {
    Type: 'AWS::Lambda::Permission',
    Properties: {
      Action: 'lambda:InvokeFunction',
      FunctionName: arnOf(functionLogicalId(lane)),
      Principal: 'events.amazonaws.com',
      SourceArn: arnOf(ruleId),
    },
  };
}
