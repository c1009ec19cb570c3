import type { Target } from '@aws-sdk/client-eventbridge';
import { AwsError, type World } from '../../service.ts';
import type { DeadLetter } from './dead-letters.ts';
import { type EventEnvelope, forward } from './put-events.ts';
import type { Rule } from './rules.ts';

export interface Delivery {
  /** Sends an event to every target of a rule that it matched; to no other bus where another bus sent it (`hopped`). */
  send(rule: Rule, event: EventEnvelope, hopped?: boolean): void;
  idle(): Promise<void>;
  stop(): void;
}

/** Defaults and longest wait of EventBridge's retries; AWS says "exponential back off and jitter" and no more. */
const RETRIES = { attempts: 185, ageSeconds: 86_400, firstWaitMs: 1_000, longestWaitMs: 600_000 };

/**
 * Invokes targets, tries again while the failure may pass, and keeps what it gave up on.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
 */
export function createDelivery(world: World, deadLetter: (letter: DeadLetter) => void): Delivery {
  const underway = new Set<Promise<void>>();
  const stopped = new AbortController();

  const invoke = async (rule: Rule, target: Target, event: EventEnvelope, hopped: boolean): Promise<void> => {
    const arn = target.Arn ?? '';
    const body = bodyOf(target, event);
    const asRole = () => world.assume(target.RoleArn ?? '', `events-${rule.name}`.slice(0, 64), 'events.amazonaws.com', rule.arn);
    if (arn.includes(':event-bus/')) {
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html: not to a third account, nor to a third bus of one.
      if (hopped) throw new AwsError('THIRD_ACCOUNT_HOP_DETECTED', 'another bus sent this event');
      await forward(world, arn, event, asRole());
    } else if (arn.includes(':states:')) {
      await world.call('states', 'StartExecution', { stateMachineArn: arn, input: body }, asRole());
    } else {
      const caller = { kind: 'service', service: 'events.amazonaws.com', sourceArn: rule.arn } as const;
      await world.call('lambda', 'Invoke', { FunctionName: arn, InvocationType: 'Event', Payload: body }, caller);
    }
  };

  const deliver = async (rule: Rule, target: Target, event: EventEnvelope, hopped: boolean): Promise<void> => {
    const begun = world.clock.now();
    const attempts = target.RetryPolicy?.MaximumRetryAttempts ?? RETRIES.attempts;
    const age = (target.RetryPolicy?.MaximumEventAgeInSeconds ?? RETRIES.ageSeconds) * 1000;
    for (let retries = 0; ; retries++) {
      try {
        return await invoke(rule, target, event, hopped);
      } catch (error) {
        const wait = Math.min(RETRIES.longestWaitMs, RETRIES.firstWaitMs * 2 ** retries) * (0.5 + world.random() / 2);
        const exhausted =
          retries >= attempts ? 'MaximumRetryAttempts' : world.clock.now() + wait - begun > age ? 'MaximumEventAgeInSeconds' : null;
        if (!mayPass(error) || exhausted) return deadLetter(letterOf(rule, target, bodyOf(target, event), error, retries, mayPass(error) ? exhausted : null, world.clock.now()));
        await world.clock.sleep(wait, stopped.signal);
      }
    }
  };

  return {
    send: (rule, event, hopped = false) => {
      for (const target of rule.targets.values()) {
        const task = deliver(rule, target, event, hopped)
          .catch(() => undefined)
          .finally(() => underway.delete(task));
        underway.add(task);
      }
    },
    idle: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
    stop: () => stopped.abort(),
  };
}

function bodyOf({ Input }: Target, event: EventEnvelope): string {
  return Input ?? JSON.stringify(event);
}

/** A missing permission or target does not come back by waiting: such events go straight to the dead letters. */
function mayPass(error: unknown): boolean {
  return !(error instanceof AwsError) || error.status >= 500 || error.status === 429 || error.code.includes('Throttl') || error.code.includes('TooManyRequests');
}

function letterOf(rule: Rule, target: Target, body: string, error: unknown, retries: number, exhausted: string | null, at: number): DeadLetter {
  const [code, message] = error instanceof AwsError ? [codeOf(error), error.message] : ['INTERNAL_ERROR', String(error)];
  return {
    at,
    queue: target.DeadLetterConfig?.Arn ?? null,
    body,
    source: rule.arn,
    target: target.Arn ?? '',
    attributes: {
      RULE_ARN: rule.arn,
      TARGET_ARN: target.Arn ?? '',
      ERROR_CODE: code,
      ERROR_MESSAGE: message,
      RETRY_ATTEMPTS: String(retries),
      ...(exhausted ? { EXHAUSTED_RETRY_CONDITION: exhausted } : {}),
    },
  };
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
function codeOf(error: AwsError): string {
  if (error.code.startsWith('THIRD_')) return error.code;
  if (error.code.startsWith('AccessDenied')) return 'NO_PERMISSIONS';
  if (error.code.includes('NotFound') || error.code.includes('DoesNotExist')) return 'NO_RESOURCE';
  return error.status === 429 ? 'THROTTLING' : 'ERROR_FROM_TARGET';
}
