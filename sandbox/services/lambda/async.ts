import type { World } from '../../service.ts';
import type { DeadLetter } from '../events/dead-letters.ts';
import { isThrottle } from './concurrency.ts';
import type { LambdaFunction } from './functions.ts';
import type { Outcome } from './runtime.ts';

/** How long Lambda waits before the second and the third attempt, ms. */
const WAITS = [60_000, 120_000];
/** How long it waits where there was no place, ms: doubled each time. */
const THROTTLED = { first: 1000, longest: 300_000 };

export interface AsyncQueue {
  /** Takes an event in; `run` makes one attempt. */
  add(fn: LambdaFunction, payload: string, requestId: string): void;
  /** The most events that were ever taken in and ran not, by function. */
  readonly waited: ReadonlyMap<string, number>;
  /** Resolves once every event has ended, retries and destinations included. */
  idle(): Promise<void>;
  stop(): void;
}

/**
 * Asynchronous invocations: the event is tried again where the function fails, after one and two minutes, and then
 * sent to the destination with the record that AWS documents. What finds no place goes back to the queue and counts as no
 * attempt: it is tried again, at intervals from a second to five minutes, until it is too old. That the intervals are no two
 * alike is ours: AWS says that they grow, and that a long queue is read more slowly, and not how.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function createAsyncQueue(
  world: World,
  run: (fn: LambdaFunction, payload: string, requestId: string) => Promise<Outcome>,
  deadLetter: (letter: DeadLetter) => void,
): AsyncQueue {
  const underway = new Set<Promise<void>>();
  const [waitingNow, waited] = [new Map<string, number>(), new Map<string, number>()];
  const stopped = new AbortController();

  const process = async (fn: LambdaFunction, payload: string, requestId: string): Promise<void> => {
    const arrived = world.clock.now();
    const attempts = 1 + fn.async.maximumRetries;
    for (let [attempt, throttles] = [1, 0]; ; ) {
      const outcome = await run(fn, payload, requestId).catch((error: unknown) => (isThrottle(error) ? null : systemError(error)));
      const finished = { fn, payload, requestId, outcome, attempt: outcome === null ? attempt - 1 : attempt };
      if (outcome?.ok) return await send(fn.async.onSuccess, { ...finished, condition: 'Success' });
      if (outcome !== null && attempt >= attempts) return await send(fn.async.onFailure, { ...finished, condition: 'RetriesExhausted' });
      const wait = outcome === null ? Math.min(THROTTLED.longest, THROTTLED.first * 2 ** throttles++) * (0.5 + world.random() / 2) : (WAITS[attempt++ - 1] ?? 0);
      if (world.clock.now() + wait - arrived > fn.async.maximumAgeSeconds * 1000) {
        return await send(fn.async.onFailure, { ...finished, condition: 'EventAgeExceeded' });
      }
      const waiting = waits(fn, 1);
      waited.set(fn.name, Math.max(waited.get(fn.name) ?? 0, waiting));
      await world.clock.sleep(wait, stopped.signal).finally(() => waits(fn, -1));
    }
  };

  const waits = ({ name }: LambdaFunction, more: number): number => {
    const waiting = (waitingNow.get(name) ?? 0) + more;
    waitingNow.set(name, waiting);
    return waiting;
  };

  const send = async (destination: string | null, finished: Finished): Promise<void> => {
    if (destination === null) return;
    const record = JSON.stringify(recordOf(finished, world.clock.now()));
    const letter = { at: world.clock.now(), queue: destination, body: record, source: finished.fn.arn, target: finished.fn.arn };
    if (!destination.includes(':function:')) return deadLetter({ ...letter, attributes: {} });
    try {
      const caller = world.assume(finished.fn.role, finished.fn.name, 'lambda.amazonaws.com');
      await world.call('lambda', 'Invoke', { FunctionName: destination, InvocationType: 'Event', Payload: record }, caller);
    } catch (error) {
      deadLetter({ ...letter, attributes: { ERROR_MESSAGE: error instanceof Error ? error.message : String(error) } });
    }
  };

  return {
    add: (fn, payload, requestId) => {
      const task = process(fn, payload, requestId)
        .catch(() => undefined)
        .finally(() => underway.delete(task));
      underway.add(task);
    },
    waited,
    idle: async () => {
      while (underway.size > 0) await Promise.all(underway);
    },
    stop: () => stopped.abort(),
  };
}

interface Finished {
  readonly fn: LambdaFunction;
  readonly payload: string;
  readonly requestId: string;
  /** `null` where it never found a place. */
  readonly outcome: Outcome | null;
  readonly attempt: number;
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
}

function recordOf({ fn, payload, requestId, outcome, attempt, condition }: Finished, now: number): object {
  return {
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    requestContext: { requestId, functionArn: `${fn.arn}:$LATEST`, condition, approximateInvokeCount: attempt },
    requestPayload: JSON.parse(payload),
    ...(outcome && { responseContext: { statusCode: 200, executedVersion: '$LATEST', ...(outcome.ok ? {} : { functionError: 'Unhandled' }) }, responsePayload: JSON.parse(outcome.payload) }),
  };
}

function systemError(error: unknown): Outcome {
  const [errorType, errorMessage] = error instanceof Error ? [error.name, error.message] : ['Error', String(error)];
  return { ok: false, payload: JSON.stringify({ errorType, errorMessage }) };
}
