import type { Clock } from '../clock.ts';
import type { ProbeSeries } from './result.ts';

/** One request of the outsider's: when it was sent (sandbox time, ms) and how it was answered. */
export interface Probe {
  readonly at: number;
  readonly status: number;
}

export interface Outsider {
  readonly probes: readonly Probe[];
  /** Asks once more, now. */
  ask(): Promise<number>;
  stop(): Promise<void>;
}

/** How often it asks, ms. */
const INTERVAL_MS = 100;
/** After so many equal answers it asks less and less often, where time is skipped: a day has 864,000 of 100 ms. */
const PATIENCE = 50;
const LONGEST_MS = 600_000;

/**
 * Somebody outside, who reads a picture again and again without any signature, from now until stopped.
 *
 * @param onChange - called when an answer differs from the one before
 */
export function startOutsider(options: { readonly clock: Clock; readonly skips: boolean; readonly url: string; readonly onChange: (probe: Probe) => void }): Outsider {
  const { clock, url } = options;
  const probes: Probe[] = [];
  const stopping = new AbortController();
  let equal = 0;

  const ask = () =>
    clock.work(async () => {
      const at = clock.now();
      const answer = await fetch(url);
      await answer.arrayBuffer();
      equal = probes.at(-1)?.status === answer.status ? equal + 1 : 0;
      probes.push({ at, status: answer.status });
      if (equal === 0) options.onChange({ at, status: answer.status });
      return answer.status;
    });

  const running = (async () => {
    while (!stopping.signal.aborted) {
      await ask();
      const wait = options.skips && equal > PATIENCE ? Math.min(LONGEST_MS, INTERVAL_MS * 2 ** (equal - PATIENCE)) : INTERVAL_MS;
      await clock.sleep(wait, stopping.signal).catch(() => undefined);
    }
  })();

  return {
    probes,
    ask,
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

export function seriesOf(name: string, probes: readonly Probe[]): ProbeSeries {
  const steps = runsOf(probes).map((run) => ({ from: new Date(run.at).toISOString(), status: run.status, requests: run.requests }));
  return { name, requests: probes.length, steps };
}

/**
 * The answers in order, equal ones in a row as one. While settings propagate, old and new answers mix: a run that
 * gave way again within `mixedMs` counts to the run before it.
 */
export function lastingAnswers(probes: readonly Probe[], mixedMs: number): readonly number[] {
  const runs = runsOf(probes);
  const lasting = runs.filter((run, index) => {
    const next = runs[index + 1];
    return index === 0 || next === undefined || next.at - run.at > mixedMs;
  });
  return lasting.map((run) => run.status).filter((status, index, all) => status !== all[index - 1]);
}

/** The time of the first refusal after which no request within the span was answered; `null` where it had no access to lose, or did not lose it. */
export function lostAccessAt(probes: readonly Probe[], from: number, until: number): number | null {
  const within = probes.filter((probe) => probe.at >= from && probe.at <= until);
  const last = within.findLastIndex((probe) => probe.status < 400);
  return last === -1 ? null : (within[last + 1]?.at ?? null);
}

function runsOf(probes: readonly Probe[]): readonly (Probe & { readonly requests: number })[] {
  const runs: (Probe & { requests: number })[] = [];
  for (const probe of probes) {
    const run = runs.at(-1);
    if (run?.status === probe.status) run.requests += 1;
    else runs.push({ ...probe, requests: 1 });
  }
  return runs;
}
