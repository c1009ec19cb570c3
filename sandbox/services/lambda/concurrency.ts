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
  /** By function: the most that ever ran at once, and how often there was no place. */
  readonly seen: ReadonlyMap<string, Seen>;
}

export interface Seen {
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
  const running = new Map<string, number>();
  const seen = new Map<string, Seen>();
  let shared = 0;
  return {
    seen,
    run: async ({ name, reservedConcurrency: reserved = null }, invoke) => {
      const [own, { most, throttled }] = [running.get(name) ?? 0, seen.get(name) ?? { most: 0, throttled: 0 }];
      if (reserved === null ? shared >= unreserved : own >= reserved) {
        seen.set(name, { most, throttled: throttled + 1 });
        throw new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, { Type: 'User', Reason: reserved === null ? 'ConcurrentInvocationLimitExceeded' : 'ReservedFunctionConcurrentInvocationLimitExceeded' });
      }
      running.set(name, own + 1);
      seen.set(name, { most: Math.max(most, own + 1), throttled });
      if (reserved === null) shared++;
      try {
        return await invoke();
      } finally {
        running.set(name, (running.get(name) ?? 1) - 1);
        if (reserved === null) shared--;
      }
    },
  };
}

export function isThrottle(error: unknown): error is AwsError {
  return error instanceof AwsError && error.code === 'TooManyRequestsException';
}
