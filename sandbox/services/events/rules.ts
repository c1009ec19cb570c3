import type { Target } from '@aws-sdk/client-eventbridge';
import type { EventPattern } from '../../../core/event-pattern.ts';
import { AwsError } from '../../service.ts';
import type { Place } from './buses.ts';

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly targets: Map<string, Target>;
  /** `null` in a rule that runs on a schedule. */
  pattern: string | null;
  parsed: EventPattern | null;
  /** `rate(1 hour)`; `null` in a rule that waits for events. */
  schedule: string | null;
  description: string | null;
  enabled: boolean;
}

/** What a target may say here. The rest changes what arrives, so it is refused instead of ignored. */
const TARGET_FIELDS = new Set(['Id', 'Arn', 'RoleArn', 'Input', 'DeadLetterConfig', 'RetryPolicy']);
const TARGETS_LIMIT = 5;

/** The rules of one bus. */
export class Rules {
  readonly #byName = new Map<string, Rule>();
  readonly #prefix: string;
  readonly #bus: string;

  constructor({ region, account }: Place, bus: string) {
    this.#bus = bus;
    this.#prefix = `arn:aws:events:${region}:${account}:rule/${bus === 'default' ? '' : `${bus}/`}`;
  }

  arnOf(name: string): string {
    return `${this.#prefix}${name}`;
  }

  list(): readonly Rule[] {
    return [...this.#byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1));
  }

  put(name: string | undefined, settings: Pick<Rule, 'pattern' | 'parsed' | 'schedule' | 'description' | 'enabled'>): Rule {
    if (!name || !/^[.\-_A-Za-z0-9]{1,64}$/.test(name)) {
      const message = `1 validation error detected: Value '${name ?? ''}' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+`;
      throw new AwsError('ValidationException', message);
    }
    const rule: Rule = { name, arn: this.arnOf(name), targets: this.#byName.get(name)?.targets ?? new Map(), ...settings };
    this.#byName.set(name, rule);
    return rule;
  }

  /** @throws {AwsError} `ResourceNotFoundException` */
  get(name: string | undefined): Rule {
    const rule = this.#byName.get(name ?? '');
    if (!rule) throw new AwsError('ResourceNotFoundException', `Rule ${name ?? ''} does not exist on EventBus ${this.#bus}.`);
    return rule;
  }

  /** Deleting what is not there succeeds, as with AWS. */
  delete(name: string | undefined): void {
    if ((this.#byName.get(name ?? '')?.targets.size ?? 0) > 0) throw new AwsError('ValidationException', "Rule can't be deleted since it has targets.");
    this.#byName.delete(name ?? '');
  }

  putTargets(name: string | undefined, targets: readonly Target[]): void {
    const rule = this.get(name);
    for (const target of targets) {
      const unknown = Object.entries(target).find(([field, value]) => value !== undefined && !TARGET_FIELDS.has(field));
      if (unknown) throw new AwsError('NotImplemented', `events:PutTargets with ${unknown[0]} is not in the sandbox`, 501);
      if (!/:(lambda|states):|:event-bus\//.test(target.Arn ?? '')) {
        throw new AwsError('NotImplemented', `events:PutTargets for ${target.Arn ?? 'a target without ARN'} is not in the sandbox: only Lambda, Step Functions and event buses are`, 501);
      }
    }
    const ids = new Set([...rule.targets.keys(), ...targets.map((target) => target.Id)]);
    if (ids.size > TARGETS_LIMIT) throw new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
    for (const target of targets) rule.targets.set(target.Id ?? '', target);
  }
}

/**
 * How often a rule runs, ms.
 *
 * @throws {AwsError} for what is no rate
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function periodOf(schedule: string): number {
  if (schedule.startsWith('cron(')) throw new AwsError('NotImplemented', `events:PutRule with ${schedule} is not in the sandbox: only rate(…) is`, 501);
  const [, count = '', unit = '', plural = ''] = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(schedule) ?? [];
  const ms = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }[unit];
  if (ms === undefined || (count === '1') !== (plural === '')) throw new AwsError('ValidationException', 'Parameter ScheduleExpression is not valid.');
  return Number(count) * ms;
}
