import type { Clock } from './clock.ts';

/** A clock that can tell whether the sandbox is still busy. */
export interface Activity {
  readonly clock: Clock;
  /**
   * Resolves once nothing is at work and nothing sleeps that is due within `withinMs` of sandbox time. Sleepers
   * beyond it (the time-out of a token, in days) are no work under way.
   */
  readonly idle: (withinMs: number) => Promise<void>;
}

export function watch(inner: Clock): Activity {
  const due = new Set<{ readonly at: number }>();
  let working = 0;
  const turn = (wait: boolean) => new Promise<void>((resolve) => void (wait ? setTimeout(resolve, 2) : setImmediate(resolve)));
  return {
    clock: {
      offset: inner.offset,
      now: () => inner.now(),
      sleep: async (ms, signal) => {
        const sleeper = { at: inner.now() + ms };
        due.add(sleeper);
        try {
          await inner.sleep(ms, signal);
        } finally {
          due.delete(sleeper);
        }
      },
      work: async (run) => {
        working++;
        try {
          return await inner.work(run);
        } finally {
          working--;
        }
      },
    },
    idle: async (withinMs) => {
      const busy = () => working > 0 || [...due].some((sleeper) => sleeper.at - inner.now() <= withinMs);
      // Several quiet turns in a row: one task's end may be what starts the next.
      for (let quiet = 0; quiet < 5; quiet = busy() ? 0 : quiet + 1) await turn(busy());
    },
  };
}
