/**
 * The sandbox's time. Everything in the sandbox that waits, waits here.
 *
 * `real` waits as a clock does. `skipping` never waits: once nothing is at work, it jumps to the next sleeper's
 * time, so that a test of a 72-hour lease takes milliseconds and still sees every instant in order.
 */
export interface Clock {
  /** Milliseconds since the epoch, in sandbox time. */
  now(): number;
  /** Resolves once `ms` of sandbox time have passed; rejects with the signal's reason where it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Runs something that takes real time (a Lambda function, a request); a skipping clock stands still meanwhile. */
  work<T>(run: () => Promise<T>): Promise<T>;
  /** How far sandbox time is ahead of the machine's, in ms, or where a second number is not 0 sandbox time itself: shared memory, so that worker threads agree. */
  readonly offset: Float64Array;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

export function realClock(): Clock {
  return {
    offset: new Float64Array(new SharedArrayBuffer(8)),
    now: () => Date.now(),
    sleep: async (ms, signal) => {
      let left = ms;
      do {
        await timer(Math.min(left, LONGEST_TIMER), signal);
        left -= LONGEST_TIMER;
      } while (left > 0);
    },
    work: (run) => run(),
  };
}

/** A timer of Node's holds 24.8 days; one that is set for longer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    const abort = () => {
      clearTimeout(handle);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
  });
}

export function skippingClock(): Clock {
  const offset = new Float64Array(new SharedArrayBuffer(8));
  const now = () => Date.now() + (offset[0] ?? 0);
  const sleepers = new Set<Sleeper>();
  let working = 0;
  let scheduled = false;

  // setImmediate lets everything that is ready run first: only a sandbox that is really idle jumps.
  const settle = () => {
    if (scheduled || working > 0 || sleepers.size === 0) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (working > 0) return;
      let next: Sleeper | undefined;
      for (const sleeper of sleepers) if (!next || sleeper.due < next.due) next = sleeper;
      if (!next) return;
      offset[0] = (offset[0] ?? 0) + Math.max(0, next.due - now());
      next.wake();
      settle();
    });
  };

  return {
    offset,
    now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          due: now() + ms,
          wake: () => {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
        settle();
      }),
    work: async (run) => {
      working++;
      try {
        return await run();
      } finally {
        working--;
        settle();
      }
    },
  };
}
