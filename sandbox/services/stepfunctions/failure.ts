import type { Catcher, Retrier } from './definition.ts';

/**
 * Why a state failed, as `ErrorEquals` names it.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export class StateFailure extends Error {
  override readonly name = 'StateFailure';
  /** `States.Timeout`, `S3.NoSuchBucketException`, an `errorType` of a function … */
  readonly error: string | null;
  override readonly cause: string | null;
  /** `ErrorEquals` also matches these: a missed heartbeat is *reported* as `States.Timeout`. */
  readonly aliases: readonly string[];
  /** No `Retry` or `Catch` applies: `States.Runtime`, and `States.DataLimitExceeded` of a state's own output. */
  readonly terminal: boolean;

  constructor(error: string | null, cause: string | null, options: { readonly aliases?: readonly string[]; readonly terminal?: boolean } = {}) {
    super(cause ?? error ?? 'failed');
    this.error = error;
    this.cause = cause;
    this.aliases = options.aliases ?? [];
    this.terminal = options.terminal ?? false;
  }
}

/** The execution was stopped, ran out of time, or a sibling failed: what runs ends without a word. */
export class Aborted extends Error {
  override readonly name = 'Aborted';
}

export function runtimeFailure(cause: string): StateFailure {
  return new StateFailure('States.Runtime', cause, { terminal: true });
}

/** 256 KiB of UTF-8, for inputs, outputs and results. @see https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const PAYLOAD_LIMIT = 262_144;

/**
 * Recorded on AWS: the result of a task is over the limit in a way that `Catch` with `States.ALL` sees, though the guide
 * calls the error terminal; a state's own output is.
 */
export function dataLimitFailure(what: string, terminal: boolean): StateFailure {
  const cause = `The state/task '${what}' returned a result with a size exceeding the maximum number of bytes service limit.`;
  return new StateFailure('States.DataLimitExceeded', cause, { terminal });
}

export function matches(failure: StateFailure, errorEquals: readonly string[]): boolean {
  if (failure.terminal) return false;
  return errorEquals.some(
    (name) =>
      name === 'States.ALL' ||
      name === failure.error ||
      failure.aliases.includes(name) ||
      (name === 'States.TaskFailed' && failure.error !== 'States.Timeout'),
  );
}

export function catcherOf(failure: StateFailure, catchers: readonly Catcher[] | undefined): { readonly catcher: Catcher; readonly index: number } | null {
  const index = catchers?.findIndex((catcher) => matches(failure, catcher.ErrorEquals)) ?? -1;
  const catcher = catchers?.[index];
  return catcher ? { catcher, index } : null;
}

/**
 * How long to wait before the next attempt; `null` where there is none. Each retrier counts its own attempts.
 * Defaults as AWS has them: interval 1 s, 3 attempts, rate 2.
 */
export function retryDelay(
  failure: StateFailure,
  retriers: readonly Retrier[] | undefined,
  attempts: Map<Retrier, number>,
  random: () => number,
): number | null {
  const retrier = retriers?.find(({ ErrorEquals }) => matches(failure, ErrorEquals));
  if (!retrier) return null;
  const attempt = attempts.get(retrier) ?? 0;
  if (attempt >= (retrier.MaxAttempts ?? 3)) return null;
  attempts.set(retrier, attempt + 1);
  const delay = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** attempt;
  const capped = Math.min(delay, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
  return retrier.JitterStrategy === 'FULL' ? capped * random() : capped;
}

/** What `$states.errorOutput` and a catcher's default output hold. */
export function errorOutput(failure: StateFailure): { readonly [key: string]: string } {
  return { Error: failure.error ?? '', Cause: failure.cause ?? '' };
}
