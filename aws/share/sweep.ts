import { z } from 'zod';
import { guardSays } from '../../core/guard.ts';
import { HeldError } from '../../core/held.ts';
import type { Direction, Incident } from '../../core/incident.ts';
import { backoffMs, paced, START, type Pace } from '../../core/share/pace.ts';
import { partsOf, placeIn, type Part } from '../../core/share/parts.ts';
import type { Cutoff } from '../../core/share/revocation.ts';
import { lanesOf, scopeOf } from '../../core/share/scope.ts';
import { added, counted, NOTHING, seen, type SweepOutcome, type Tally } from '../../core/share/tally.ts';
import { classified, TransientError } from '../errors.ts';
import type { Tools } from '../function.ts';
import { partitionOf } from '../partitions.ts';
import { readGuard } from '../guard.ts';
import { saveProgress } from '../incidents.ts';
import { get, putIf, putNew, query } from '../records.ts';
import { countLinks, readLinks, type Page, type Position } from './links.ts';
import { markLink, unmarkLink } from './marks.ts';

/** Which sweep: one plan's, in one execution. Done again it goes on where it was. */
export interface SweepOf {
  readonly incident: string;
  readonly execution: string;
  readonly digest: string;
}

/** How the links of a sweep are divided among workers. Written once; what is not in it is not swept. */
export interface Division {
  readonly direction: Direction;
  readonly cutoff: Cutoff;
  readonly parts: readonly Part[];
  /** Links that were counted; `null` where there are more than were counted. */
  readonly total: number | null;
  readonly startedAt: string;
}

const tallySchema = z.strictObject({ changed: z.int(), ended: z.int(), other: z.int(), newer: z.int(), held: z.int(), untouched: z.int(), gone: z.int() });
const partSchema = z.object({
  part: z.int().nonnegative(),
  position: z.strictObject({ range: z.string(), linkId: z.string() }).nullable(),
  tally: tallySchema,
  finishedAt: z.string().nullable(),
});
/** How far a part has come: everything up to `position` is done and counted, and nothing beyond it is counted. */
export type PartState = Readonly<z.infer<typeof partSchema>>;

/**
 * Divides a sweep by counting its links. A second time (a retry, or another worker at the same moment) the first division stays.
 */
export async function divide(tools: Tools, of: SweepOf, incident: Incident, direction: Direction, cutoff: Cutoff, options: SweepOptions = {}): Promise<Division> {
  const stored = await divisionOf(tools, of);
  if (stored) return stored;
  const scope = scopeOf(incident);
  const lanes = lanesOf(scope);
  const counts = await Promise.all(lanes.map((lane) => countLinks(tools, lane, { limit: options.countPage })));
  const division: Division = {
    direction,
    cutoff,
    parts: scope.kind === 'links' ? [{ lane: -1, from: null, to: null }] : partsOf(counts, options.smallestPart),
    total: scope.kind === 'links' ? scope.linkIds.length : counts.every(({ complete }) => complete) ? counts.reduce((sum, { count }) => sum + count, 0) : null,
    startedAt: tools.now(),
  };
  if (await putNew(tools, { ...keyOf(of), json: JSON.stringify(division) })) return division;
  return (await divisionOf(tools, of)) ?? division;
}

/** `null` where the sweep was never begun. */
export async function sweepState(tools: Tools, of: SweepOf): Promise<{ readonly division: Division; readonly tally: Tally; readonly open: readonly number[] } | null> {
  const division = await divisionOf(tools, of);
  if (!division) return null;
  const states = await statesOf(tools, of);
  const finished = new Set(states.filter(({ finishedAt }) => finishedAt !== null).map(({ part }) => part));
  return { division, tally: added(NOTHING, ...states.map(({ tally }) => tally)), open: division.parts.map((_, index) => index).filter((index) => !finished.has(index)) };
}

export interface SweepOptions {
  /** Links a checkpoint: what is done again after a crash is at most this. */
  readonly pageSize?: number;
  /** Links a page of the count: as many as DynamoDB puts into 1 MB unless told. */
  readonly countPage?: number;
  /** Fewer links than that are not worth another worker. */
  readonly smallestPart?: number;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly random?: () => number;
}

/** What is kept free at the end of an invocation for the last page and its checkpoint, ms. */
const RESERVE_MS = 15_000;
/** Progress is told at most so often, ms. */
const TELL_MS = 2000;

/**
 * Works on one part until it is done or the invocation's time is nearly over: reads a page of links, writes each of them
 * conditionally, and writes down how far it has come. One page ahead is read meanwhile; nothing else is kept in memory. The kill
 * switch is read with each page, since a sweep goes on long after somebody said yes to it.
 *
 * @returns whether there is more to do: call again
 * @throws {HeldError} where containment was paused meanwhile; what was done until then is counted
 */
export async function sweepPart(tools: Tools, of: SweepOf, incident: Incident, part: number, options: SweepOptions = {}): Promise<{ readonly more: boolean; readonly tally: Tally }> {
  const division = await divisionOf(tools, of);
  const bounds = division?.parts[part];
  if (!division || !bounds) throw new Error(`part ${part} of the sweep ${of.digest} of ${of.incident} was never divided`);
  const stored = await get(tools, keyOf(of).pk, partKey(of, part));
  let state: PartState = stored ? partSchema.parse(JSON.parse(String(stored['json']))) : { part, position: null, tally: NOTHING, finishedAt: null };
  let version = Number(stored?.['version'] ?? 0);
  let pace = START;
  let told = 0;
  if (state.finishedAt !== null) return { more: false, tally: state.tally };

  const one = division.direction === 'contain' ? (id: string) => markLink(tools, id, incident.id, division.cutoff) : (id: string) => unmarkLink(tools, id, incident.id);
  const pages = pagesOf(tools, incident, bounds, options.pageSize ?? 1000);
  let page: Promise<Batch> | null = pages(state.position);
  while (page !== null) {
    const [{ ids, next }, held]: readonly [Batch, string | null] = await Promise.all([page, readGuard(tools).then((guard) => guardSays(division.direction, guard))]);
    if (held !== null) throw new HeldError(`${held}; ${seen(state.tally)} links of part ${part} were swept until then`);
    page = next === null ? null : pages(next);
    // An error of the page ahead is met when it is awaited, not before.
    page?.catch(() => undefined);
    const written = await writeAll(ids, one, pace, options);
    pace = written.pace;
    state = { part, position: next ?? state.position, tally: added(state.tally, counted(written.outcomes)), finishedAt: next === null ? tools.now() : null };
    if (!(await checkpoint(tools, of, state, version))) throw new TransientError(`another worker has gone on with part ${part}: this one stops`);
    version++;
    const now = Date.parse(tools.now());
    if (next === null || now - told >= TELL_MS) {
      told = now;
      await tellProgress(tools, of, division);
    }
    if (next !== null && tools.remainingMs() < RESERVE_MS) return { more: true, tally: state.tally };
  }
  return { more: false, tally: state.tally };
}

interface Batch {
  readonly ids: readonly string[];
  readonly next: Position | null;
}

function pagesOf(tools: Tools, incident: Incident, part: Part, limit: number): (after: Position | null) => Promise<Batch> {
  const scope = scopeOf(incident);
  if (scope.kind === 'links') return () => Promise.resolve({ ids: scope.linkIds, next: null });
  const lane = lanesOf(scope)[part.lane];
  if (!lane) throw new Error(`the scope of ${incident.id} has no lane ${part.lane}`);
  return async (after) => {
    const { links, next }: Page = await readLinks(tools, lane, { part, after, limit });
    const places = links.map(({ range }) => placeIn(part, lane, range));
    return { ids: links.filter((_, index) => places[index] === 'in').map(({ linkId }) => linkId), next: places.includes('beyond') ? null : next };
  };
}

/** Rounds in a row in which nothing got through, after which the workflow's retry takes over. */
const MOST_ROUNDS = 12;

/** Writes all, as many at once as the table takes: what is throttled is written again, slower. */
async function writeAll(ids: readonly string[], one: (id: string) => Promise<SweepOutcome>, start: Pace, { sleep = wait, random = Math.random }: SweepOptions): Promise<{ readonly outcomes: readonly SweepOutcome[]; readonly pace: Pace }> {
  const outcomes: SweepOutcome[] = [];
  let left = [...ids];
  let pace = start;
  for (let rounds = 0; left.length > 0; ) {
    const failed: string[] = [];
    let last: unknown;
    const before = outcomes.length;
    const worker = async () => {
      for (let id = left.pop(); id !== undefined; id = failed.length === 0 ? left.pop() : undefined) {
        try {
          outcomes.push(await one(id));
        } catch (error) {
          const known = classified(error, 'sweep');
          if (!(known instanceof TransientError)) throw error;
          failed.push(id);
          last = known;
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(pace.limit, left.length) }, worker));
    pace = paced(pace, failed.length);
    left = [...left, ...failed];
    rounds = outcomes.length > before || failed.length === 0 ? Math.min(1, failed.length) : rounds + 1;
    if (rounds > MOST_ROUNDS) throw last;
    if (failed.length > 0) await sleep(backoffMs(rounds, random()));
  }
  return { outcomes, pace };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @returns false where another worker has written since: its count holds */
async function checkpoint(tools: Tools, of: SweepOf, state: PartState, version: number): Promise<boolean> {
  const item = { pk: keyOf(of).pk, sk: partKey(of, state.part), version: version + 1, json: JSON.stringify(state) };
  return version === 0 ? await putNew(tools, item) : await putIf(tools, item, { expression: 'version = :version', values: { ':version': version } });
}

async function tellProgress(tools: Tools, of: SweepOf, division: Division): Promise<void> {
  const states = await statesOf(tools, of);
  const finished = states.filter(({ finishedAt }) => finishedAt !== null).length === division.parts.length;
  const at = tools.now();
  await saveProgress(tools, {
    incident: of.incident,
    execution: of.execution,
    what: division.direction === 'contain' ? 'links revoked' : 'links given back',
    done: seen(added(NOTHING, ...states.map(({ tally }) => tally))),
    total: division.total,
    startedAt: division.startedAt,
    updatedAt: at,
    finishedAt: finished ? at : null,
  });
}

async function divisionOf(tools: Tools, of: SweepOf): Promise<Division | null> {
  const { pk, sk } = keyOf(of);
  const item = await get(tools, pk, sk);
  // What the suite itself wrote under this key is trusted to have its shape: only the suite's roles can write this partition.
  return item ? (JSON.parse(String(item['json'])) as Division) : null;
}

async function statesOf(tools: Tools, of: SweepOf): Promise<readonly PartState[]> {
  const items = await query(tools, keyOf(of).pk, `${keyOf(of).sk}#`);
  return items.map((item) => partSchema.parse(JSON.parse(String(item['json']))));
}

function keyOf({ incident, execution, digest }: SweepOf): { readonly pk: string; readonly sk: string } {
  return { pk: partitionOf('INCIDENT', incident), sk: `SWEEP#${execution}#${digest.slice(0, 16)}` };
}

function partKey(of: SweepOf, part: number): string {
  return `${keyOf(of).sk}#${String(part).padStart(3, '0')}`;
}
