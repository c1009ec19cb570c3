import type { Clock } from '../../sandbox/clock.ts';

/** A clock whose time no computing takes: it goes on when all that is left to do is to wait. What a call takes is said by whoever sleeps for it. */
export interface SimulatedClock extends Clock {
  /** Says that something computes: until it has ended, no time passes. */
  readonly busy: <T>(run: () => Promise<T>) => Promise<T>;
  /** Others that compute, in another thread. */
  readonly beside: (others: Others) => void;
}

interface Others {
  /** Lets them come to an end of what they have. */
  readonly turn: () => Promise<void>;
  /** How long they wait at the most for anything, ms: while any of them runs, and nothing is due within it, they compute. */
  readonly longest: number;
  readonly running: () => boolean;
}

/** So many turns in which nothing stirs, and everything waits: what is on its way between two threads arrives within one. */
const QUIET = 3;

/**
 * Where a skipping clock runs on beside functions that run, and wakes one sleeper at a time, this one measures many at once: what they
 * wait for each other, and not what this machine takes to play them.
 *
 * @param stepMs - sleepers that are due within it wake together
 */
export function simulatedClock(stepMs = 5): SimulatedClock {
  const offset = new Float64Array(new SharedArrayBuffer(16));
  // The second says that the first is all there is.
  [offset[0], offset[1]] = [Date.now(), 1];
  const now = () => offset[0] ?? 0;
  const sleepers = new Set<{ readonly due: number; readonly wake: () => void }>();
  let [stirred, computing, watching] = [0, 0, false];
  let others: Others = { turn: async () => undefined, longest: 0, running: () => false };
  const pause = async (): Promise<void> => await new Promise((resolve) => void setTimeout(resolve, 1));

  const watch = async (): Promise<void> => {
    if (watching) return;
    watching = true;
    while (sleepers.size > 0) {
      for (let [quiet, seen] = [0, -1]; quiet < QUIET; seen = stirred) {
        await others.turn();
        await pause();
        quiet = stirred === seen && computing === 0 ? quiet + 1 : 0;
      }
      let due = Number.POSITIVE_INFINITY;
      for (const sleeper of sleepers) due = Math.min(due, sleeper.due);
      if (due === Number.POSITIVE_INFINITY) break;
      if (due > now() + others.longest && others.running()) continue;
      offset[0] = Math.max(now(), due);
      for (const sleeper of sleepers) if (sleeper.due <= now() + stepMs) sleeper.wake();
    }
    watching = false;
  };

  const busy: SimulatedClock['busy'] = async (run) => {
    computing++;
    try {
      return await run();
    } finally {
      computing--;
      stirred++;
    }
  };

  return {
    offset,
    now,
    busy,
    beside: (given) => {
      others = given;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        stirred++;
        const abort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper = {
          due: Math.ceil(now() + ms),
          wake: () => {
            stirred++;
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal?.addEventListener('abort', abort, { once: true });
        sleepers.add(sleeper);
        void watch();
      }),
    work: async (run) => {
      stirred++;
      try {
        return await run();
      } finally {
        stirred++;
      }
    },
  };
}
