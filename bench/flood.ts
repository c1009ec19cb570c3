/** What floods of events do to the suite: repeats of a finding, distinct events about one target, one after the other and all in a minute, decoys that use the budgets up. */
import { parseArgs } from 'node:util';
import { table } from '../cli/table.ts';
import { startStage } from '../sandbox/faults/stage.ts';
import { playMinute, type Minute } from './flood/minute.ts';
import { decoys, distinct, reopened, repeats, type Decoys, type Kept, type Reopened, type Took } from './flood/play.ts';

export interface Flood {
  readonly repeats: Kept;
  readonly distinct: Kept;
  readonly reopened: Reopened;
  readonly decoys: Decoys;
}

export interface FloodSize {
  readonly repeats: number;
  readonly distinct: number;
  readonly reopened: number;
  readonly buckets: number;
  /** Of each call while decoys come in, ms. */
  readonly latency: number;
}

/** As a new install has them (deploy/config.ts). */
export const BUDGETS = { account: 20, all: 50, links: 200_000, linksAll: 500_000, reserved: 5 };

/** What each call takes in a minute's flood, ms: those of DynamoDB less, those of S3's settings more. */
const CALL_MS = 30;

/**
 * @param args - `--repeats`, `--distinct`, `--minute`, `--reopened`, `--buckets`: how many, 2,000, 1,000, 1,000, 60 and 60 unless told, and 0
 *   of all but `--minute` plays that alone; 100,000 repeats take half an hour to an hour and a half; `--latency <ms>` of a call while decoys come in, 150 unless told; `--json`
 */
export async function run(args: readonly string[]): Promise<boolean> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...args], options: { repeats: { ...text, default: '2000' }, distinct: { ...text, default: '1000' }, minute: { ...text, default: '1000' }, reopened: { ...text, default: '60' }, buckets: { ...text, default: '60' }, latency: { ...text, default: '150' }, json: { type: 'boolean', default: false } } });
  for (const name of ['repeats', 'distinct', 'minute', 'reopened', 'buckets', 'latency'] as const) if (!/^\d{1,7}$/.test(values[name])) throw new RangeError(`--${name} is ${values[name]}: give a whole number`);
  const size = { repeats: Number(values.repeats), distinct: Number(values.distinct), reopened: Number(values.reopened), buckets: Number(values.buckets), latency: Number(values.latency) };
  const minute = Number(values.minute) === 0 ? null : await playMinute(Number(values.minute), CALL_MS);
  const flood = size.repeats + size.distinct + size.reopened + size.buckets === 0 ? null : await playFlood(size);
  const missed = [...(minute ? missedInMinute(minute) : []), ...(flood ? missedBy(flood) : [])];
  if (values.json) console.log(JSON.stringify({ minute, ...flood, missed }, null, 2));
  else console.log([...(minute ? minuteRowsOf(minute).map((rows) => `${table(...rows)}\n`) : []), ...(flood ? [table(...rowsOf(flood)), '', table(...reopenedRowsOf(flood)), '', table(...decoyRowsOf(flood))] : []), ...missed.map((what) => `\nMISSED: ${what}`)].join('\n'));
  return missed.length === 0;
}

export async function playFlood(size: FloodSize, budgets = BUDGETS): Promise<Flood> {
  const stage = await startStage({ budgets });
  try {
    return { repeats: await repeats(stage, size.repeats), distinct: await distinct(stage, size.distinct), reopened: await reopened(stage, size.reopened), decoys: await decoys(stage, size.buckets, size.latency) };
  } finally {
    await stage.stop();
  }
}

/** An incident may get as large as this, whatever is reported about its target: 100 signals, 20 actors who are told of, and its own history. */
const MOST_ITEMS = 250;
/** As large the item of an incident may get; DynamoDB takes 400 KB. */
const MOST_KILOBYTES = 20;
/** A function's heap may grow by this while nine tenths of a flood go through it. */
const MOST_HEAP = 1.5;
const MOST_TIMES = 2;

/** What did not hold, in words. */
export function missedBy({ repeats: same, distinct: others, reopened: again, decoys: attack }: Flood): readonly string[] {
  const floods = [['repeats', same], ['distinct events', others]] as const;
  return [
    ...floods.flatMap(([what, { events, items, tickets, onRecord, heap }]) => [
      ...(items.after > MOST_ITEMS ? [`${what}: the incident has ${items.after} items, more than ${MOST_ITEMS}`] : []),
      ...(tickets === 1 ? [] : [`${what}: ${tickets} tickets, not one`]),
      ...(onRecord === events ? [] : [`${what}: ${onRecord} of ${events} are on record`]),
      ...(heap <= MOST_HEAP ? [] : [`${what}: the functions' heap grew ${heap.toFixed(2)} times`]),
    ]),
    ...(again.contained === again.times ? [] : [`opened again ${again.times} times, it was contained ${again.contained} times`]),
    ...(again.kilobytes <= MOST_KILOBYTES ? [] : [`opened again ${again.times} times, the incident itself has ${again.kilobytes.toFixed(1)} KB, more than ${MOST_KILOBYTES}`]),
    ...(again.tickets === 1 ? [] : [`opened again ${again.times} times, it has ${again.tickets} tickets, not one`]),
    ...(attack.critical === 'contained' ? [] : [`the critical incident is ${attack.critical}`]),
    ...(attack.among.steps <= MOST_TIMES * attack.alone.steps ? [] : [`the critical incident took ${attack.among.steps} calls in sequence, and ${attack.alone.steps} alone`]),
    ...(attack.among.ms <= MOST_TIMES * attack.alone.ms ? [] : [`the critical incident took ${(attack.among.ms / attack.alone.ms).toFixed(1)} times as long as alone`]),
    ...(attack.other === 0 ? [] : [`${attack.other} decoys are neither contained nor held`]),
    ...(attack.untold === 0 ? [] : [`${attack.untold} held decoys wait for nobody: no approval asked for, or no ticket`]),
  ];
}

/** The same of a minute's flood. */
export function missedInMinute({ events, onRecord, items, lost, alone, among, critical }: Minute): readonly string[] {
  return [
    ...(onRecord === events ? [] : [`a minute: ${onRecord} of ${events} are on record`]),
    ...(items <= MOST_ITEMS ? [] : [`a minute: the incident has ${items} items, more than ${MOST_ITEMS}`]),
    ...(lost === 0 ? [] : [`a minute: ${lost} events were given up`]),
    ...(critical === 'contained' ? [] : [`a minute: the critical incident is ${critical}`]),
    ...(among.steps <= MOST_TIMES * alone.steps ? [] : [`a minute: the critical incident took ${among.steps} calls in sequence, and ${alone.steps} alone`]),
    ...(among.ms <= MOST_TIMES * alone.ms ? [] : [`a minute: the critical incident took ${Math.round(among.ms)} ms, and ${Math.round(alone.ms)} alone`]),
  ];
}

/** The rows that docs/performance.md has too. */
export function rowsOf({ repeats: same, distinct: others }: Flood): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  const row = (what: string, { events, seconds, calls, items, kilobytes, executions, tickets, onRecord, heap }: Kept) => [what, events.toLocaleString('en'), `${Math.round(events / seconds)}/s`, calls.toFixed(1), `${items.before} → ${items.after}`, `${Math.round(kilobytes.before)} → ${Math.round(kilobytes.after)} KB`, `${executions.before} → ${executions.after}`, String(tickets), onRecord.toLocaleString('en'), heap.toFixed(2)];
  return [
    ['flood', 'events', 'through triage', 'calls each', "the incident's items", 'their size', 'executions', 'tickets', 'on record', 'heap'],
    [row('repeats of one finding', same), row('distinct events about one bucket', others)],
  ];
}

type Rows = readonly [head: readonly string[], rows: readonly (readonly string[])[]];

export function minuteRowsOf({ events, seconds, playedIn, atOnce, queue, throttled, heap, rss, onRecord, lost, alone, among, medium }: Minute): readonly Rows[] {
  const seen = ({ ms, steps }: Took) => `${Math.round(ms)} ms, ${steps} calls in sequence`;
  return [
    [['distinct events of a minute, at once', 'decided in', 'played in', 'in the queue', 'found no place', 'triage at once', 'triage-urgent', 'functions that contain', 'heap', 'process', 'on record', 'given up'], [[events.toLocaleString('en'), `${seconds.toFixed(0)} s`, `${playedIn.toFixed(0)} s`, queue.toLocaleString('en'), `${throttled.toLocaleString('en')} times`, String(atOnce.triage), String(atOnce.urgent), `${atOnce.contain} each`, `${heap.toFixed(0)} MB`, `${rss.toFixed(0)} MB`, onRecord.toLocaleString('en'), String(lost)]]],
    [['critical finding alone', 'critical behind all of them', 'medium behind all of them'], [[seen(alone), seen(among), seen(medium)]]],
  ];
}

export function reopenedRowsOf({ reopened: { times, contained, severity, kilobytes, executions, tickets } }: Flood): Rows {
  return [['one bucket opened again', 'contained', 'severity', 'executions listed', 'the incident itself', 'tickets'], [[`${times} times`, `${contained} times`, String(severity), String(executions), `${kilobytes.toFixed(1)} KB`, String(tickets)]]];
}

export function decoyRowsOf({ decoys: attack }: Flood): readonly [head: readonly string[], rows: readonly (readonly string[])[]] {
  const took = ({ ms, steps }: Took) => `${Math.round(ms)} ms, ${steps} calls in sequence`;
  return [
    ['decoys', 'contained', 'held, and asked about', 'a critical one alone', 'among them', 'times'],
    [[String(attack.buckets), String(attack.contained), String(attack.held), took(attack.alone), took(attack.among), (attack.among.ms / attack.alone.ms).toFixed(1)]],
  ];
}
