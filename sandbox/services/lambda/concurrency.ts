import { AwsError } from '../../service.ts';
import type { LambdaFunction } from './functions.ts';

/** How many invocations run at once, and what is over it. */
export interface Concurrency {
  /**
   * Runs an invocation in a place of its function's own, or in one that nothing is reserved of.
   *
   * @throws {AwsError} `TooManyRequestsException` where all of them are taken
   */
  run<T>(fn: LambdaFunction, invoke: () => Promise<T>): Promise<T>;
  readonly seen: ReadonlyMap<string, Seen>;
}

/** Of a function: how many run now, how many ever ran at once, and how often there was no place. */
export interface Seen {
  readonly running: number;
  readonly most: number;
  readonly throttled: number;
}

/**
 * Reserved concurrency is a function's alone: no other takes it, and the function takes no more. All others share what is left.
 *
 * @param unreserved - what is left of the account's concurrency
 * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (the reasons)
 */
export function createConcurrency(unreserved = Number.POSITIVE_INFINITY): Concurrency {
  const seen = new Map<string, Seen>();
  let shared = 0;
  const of = (name: string): Seen => seen.get(name) ?? { running: 0, most: 0, throttled: 0 };
  return {
    seen,
    run: async ({ name, reservedConcurrency: reserved = null }, invoke) => {
      const { running, most, throttled } = of(name);
      if (reserved === null ? shared >= unreserved : running >= reserved) {
        seen.set(name, { running, most, throttled: throttled + 1 });
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, { Type: 'User', Reason: reserved === null ? 'ConcurrentInvocationLimitExceeded' : 'ReservedFunctionConcurrentInvocationLimitExceeded' });
      }
      seen.set(name, { running: running + 1, most: Math.max(most, running + 1), throttled });
      if (reserved === null) shared++;
      try {
        return await invoke();
      } finally {
        seen.set(name, { ...of(name), running: of(name).running - 1 });
        if (reserved === null) shared--;
      }
    },
  };
}

export function isThrottle(error: unknown): error is AwsError {
  return error instanceof AwsError && error.code === 'TooManyRequestsException';
}
