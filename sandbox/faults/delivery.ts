import type { EventEnvelope } from '../services/events.ts';
import { bucketEvents, type Prepared } from './cases.ts';
import { rest } from './run.ts';
import type { Stage } from './stage.ts';

/** What became of a day's events. */
export interface Delivered {
  readonly seed: number;
  readonly events: number;
  readonly deliveries: number;
  readonly violations: readonly string[];
}

/** How far the clocks of those who report are apart, ms. */
const SKEW_MS = 600_000;

/**
 * Delivers what happened to some buckets, each event several times, in an order that a seed makes up, several at once, by clocks that
 * disagree, from two regions; and then the whole of it once more as a replay of the day.
 *
 * @param buckets - how many
 * @param seed - plays the same order again
 */
export async function deliverDay(stage: Stage, { buckets, times = 3, seed }: { readonly buckets: number; readonly times?: number; readonly seed: number }): Promise<Delivered> {
  const { account } = stage;
  const random = generator(seed);
  const prepared = await Promise.all(Array.from({ length: buckets }, (_, index) => bucketEvents(stage, index % 2 === 0 ? undefined : ELSEWHERE)));
  const events = prepared.flatMap(({ events }) => events.flatMap((event) => [skewed(event, random), ...(random() < 0.5 ? [elsewhere(event)] : [])]));
  const deliveries = shuffled(events.flatMap((event) => Array.from({ length: times }, () => event)), random);
  const violations: string[] = [];

  await deliver(deliveries);
  for (const one of prepared) await rest(stage, one);
  const first = await Promise.all(prepared.map(async (one) => await held(one, 'after the day')));
  await deliver(shuffled(events, random).map((event) => ({ ...event, 'replay-name': 'the-day-again' })));
  for (const one of prepared) await rest(stage, one);
  const again = await Promise.all(prepared.map(async (one) => await held(one, 'after the replay')));
  for (const [index, executions] of again.entries()) if (executions !== first[index]) violations.push(`${prepared[index]?.arn ?? ''}: the replay started ${executions - (first[index] ?? 0)} more executions`);
  return { seed, events: events.length, deliveries: deliveries.length, violations };

  /** A few at a time, as EventBridge brings them. */
  async function deliver(all: readonly EventEnvelope[]): Promise<void> {
    for (let from = 0; from < all.length; from += 4) {
      for (const event of all.slice(from, from + 4)) account.events.deliver(event);
      await account.clock.sleep(Math.floor(random() * 3000));
    }
  }

  /** @returns how many executions its incident has */
  async function held(one: Prepared, when: string): Promise<number> {
    const [view, open, running] = [await stage.find(one.arn), await one.open(), await stage.running()];
    const say = (what: string) => violations.push(`${when}: ${one.arn}: ${what}`);
    if (running.length > 0) say(`${running.join(', ')} hangs`);
    if (!view) {
      say('there is no incident');
      return 0;
    }
    const { incident, ledger, requests } = view;
    if (incident.status !== 'contained') say(`it is ${incident.status}: ${incident.outcome}`);
    if (open) say('an outsider is served');
    const acts = new Set(ledger.map(({ execution, seq }) => `${execution} ${seq}`));
    if (acts.size !== ledger.length || new Set(ledger.map(({ execution }) => execution)).size > 1) say(`it was contained more than once: ${[...new Set(ledger.map(({ execution }) => execution))].join(', ')}`);
    if (requests.length > 0) say('somebody is said to have asked for it');
    const tickets = await stage.ticketsOf(incident.id);
    if (tickets !== 1) say(`${tickets} tickets`);
    return incident.executions.length;
  }
}

/** The same event by a clock that is wrong: every time that it tells is off by as much. */
function skewed(event: EventEnvelope, random: () => number): EventEnvelope {
  const off = Math.round((random() * 2 - 1) * SKEW_MS);
  return JSON.parse(JSON.stringify(event), (_, value: unknown) => (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? new Date(Date.parse(value) + off).toISOString() : value));
}

/** Half of the buckets lie here, and some of what happens to the others is told from here too. */
const ELSEWHERE = 'eu-west-1';

/** The same event, as another region's bus passes it on. */
function elsewhere(event: EventEnvelope): EventEnvelope {
  return { ...event, id: `${event.id}-eu`, region: ELSEWHERE };
}

function shuffled<T>(all: readonly T[], random: () => number): readonly T[] {
  return all.map((one) => ({ one, at: random() })).toSorted((a, b) => a.at - b.at).map(({ one }) => one);
}

/** Mulberry32: small, and the same everywhere. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
