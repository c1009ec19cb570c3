import { performance } from 'node:perf_hooks';
import type { Around } from '../../sandbox/world.ts';
import { bucketEvents, type Prepared } from '../../sandbox/faults/cases.ts';
import { rest } from '../../sandbox/faults/run.ts';
import { startStage, type Stage } from '../../sandbox/faults/stage.ts';
import type { Config } from '../../deploy/config.ts';
import { createRecorder, type Call } from '../path/way.ts';
import { simulatedClock, type SimulatedClock } from './clock.ts';
import { another, containedBucket, heapReader, kept, nameOf, textOf, tookOf, withSeverity, type Took } from './play.ts';

/** What distinct events of one minute did that all arrived at once, in the sandbox's own time. */
export interface Minute {
  readonly events: number;
  /** From their arrival until the last was decided: simulated, and as long as it took to play. */
  readonly seconds: number;
  readonly playedIn: number;
  /** Invocations at once at the most: of triage, of triage-urgent, and of the functions that plan, apply and look. */
  readonly atOnce: { readonly triage: number; readonly urgent: number; readonly contain: number };
  /** Events in Lambda's queue at the most, and how often one found no place. */
  readonly queue: number;
  readonly throttled: number;
  /** The largest, megabytes: what the functions keep, and the process with the sandbox and its record of every call. */
  readonly heap: number;
  readonly rss: number;
  /** Events that decision records tell of, and items of the incident that they are about. */
  readonly onRecord: number;
  readonly items: number;
  /** Events that Lambda or EventBridge gave up. */
  readonly lost: number;
  /** From the finding to the write that shuts the public out: a critical one alone; one that arrives right behind all of these events; and one of medium severity beside it, which waits with them. */
  readonly alone: Took;
  readonly among: Took;
  readonly medium: Took;
  readonly critical: string;
}

const [CRITICAL, MEDIUM] = [9.5, 5];

/**
 * So many CloudTrail events about a contained bucket, each another one, which happened within a minute and are delivered at its end, all at
 * once; right behind them, when every place is taken and all others wait, comes a finding that GuardDuty calls critical.
 *
 * @param latency - of each call of the suite's functions, ms; what they compute takes no time
 */
export async function playMinute(events: number, latency: number, config: Partial<Config> = {}): Promise<Minute> {
  const clock = simulatedClock();
  const stage = await startStage(config, clock);
  try {
    const { account, deployment } = stage;
    clock.beside({ turn: async () => await account.lambda.turn(), longest: latency, running: () => [...account.lambda.concurrency.values()].some(({ running }) => running > 0) });
    const about = new Set<string>();
    const recorder = createRecorder(deployment.name, latency, account.clock, ({ function: of, input }) => of !== 'triage' || [...about].some((name) => textOf(input).includes(name)));
    account.around(timed(recorder.around, clock));
    const finding = async (severity: number) => {
      const one = await clock.busy(async () => await bucketEvents(stage));
      about.add(nameOf(one));
      return { one, deliver: () => account.events.deliver(withSeverity(one.events[0], severity)) };
    };
    let alone: Took = NEVER;
    // The first one loads the functions.
    for (let round = 0; round < 2; round++) {
      const { one, deliver } = await finding(CRITICAL);
      const calls = recorder.calls.length;
      deliver();
      await rest(stage, one);
      alone = await tookOf(stage, one, recorder.calls.slice(calls));
    }
    const { one: flooded, trail } = await containedBucket(stage);
    const before = await kept(stage, flooded);
    const [critical, medium] = [await finding(CRITICAL), await finding(MEDIUM)];
    const heapOf = heapReader(stage);
    const lost = account.deadLetters().length;
    const decided = () => account.lambda.invocations.filter(({ function: name }) => name.endsWith('-triage')).length;
    const [first, began, played] = [decided(), account.clock.now(), performance.now()];
    for (let index = 0; index < events; index++) account.events.deliver(another(trail, stage, index, new Date(began - 60_000 + (index * 60_000) / events).toISOString()));
    critical.deliver();
    medium.deliver();
    let [heap, rss, told, ended] = [0, 0, 0, began];
    // The finding of medium severity is decided by triage, too.
    while (decided() - first < events + 1) {
      await account.clock.sleep(250);
      const done = decided() - first;
      if (done >= told) {
        told += Math.ceil(events / 10);
        heap = Math.max(heap, await clock.busy(heapOf));
        rss = Math.max(rss, process.memoryUsage().rss / 2 ** 20);
      }
    }
    ended = account.clock.now();
    await Promise.all([account.events.idle(), account.lambda.idle()]);
    for (const { one } of [critical, medium]) await rest(stage, one);
    const playedIn = (performance.now() - played) / 1000;
    const after = await kept(stage, flooded);
    const since = (calls: readonly Call[]) => calls.filter(({ begin }) => begin >= began);
    const seen = (name: RegExp) => Math.max(0, ...[...account.lambda.concurrency].filter(([of]) => name.test(of)).map(([, { most }]) => most));
    return {
      events,
      seconds: (ended - began) / 1000,
      playedIn,
      atOnce: { triage: seen(/-triage$/), urgent: seen(/-triage-urgent$/), contain: seen(/-(plan|apply|verify)$/) },
      queue: account.lambda.waited.get(`${deployment.name}-triage`) ?? 0,
      throttled: account.lambda.concurrency.get(`${deployment.name}-triage`)?.throttled ?? 0,
      heap, rss,
      onRecord: after.onRecord - before.onRecord,
      items: after.items,
      lost: account.deadLetters().length - lost,
      alone,
      among: await fromDelivery(stage, critical.one, since(recorder.calls), began),
      medium: await fromDelivery(stage, medium.one, since(recorder.calls), began),
      critical: (await stage.find(critical.one.arn))?.incident.status ?? 'without an incident',
    };
  } finally {
    await stage.stop();
  }
}

const NEVER: Took = { ms: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY };

/** What it waited for its first call belongs to it. */
async function fromDelivery(stage: Stage, one: Prepared, calls: readonly Call[], delivered: number): Promise<Took> {
  const { ms, steps } = await tookOf(stage, one, calls);
  const begun = Math.min(...calls.filter(({ input }) => textOf(input).includes(nameOf(one))).map(({ begin }) => begin));
  return { ms: ms + begun - delivered, steps };
}

/** Whatever a call does takes no time beside what the recorder lets it take; one that waits for a function computes nothing meanwhile. */
function timed(around: Around | null, clock: SimulatedClock): Around {
  return async (call, run) => {
    const waits = call.service === 'lambda' && call.operation === 'Invoke';
    return await around?.(call, waits ? run : async () => await clock.busy(run));
  };
}
