import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import type { CountedDecision, RecordPointer } from '../../core/audit-numbers.ts';
import { daysOf } from '../../core/history.ts';
import type { IncidentView } from '../../core/incident.ts';
import { sealGaps, type SealEntry, type SealGap, type WaitingRecord } from '../../core/seal-gaps.ts';
import { readAudit, type Person } from '../api.ts';
import { CliError, EXIT } from '../exit.ts';
import type { Period } from '../period.ts';

/** One incident with all that is on record about it. */
export interface FullView {
  readonly view: IncidentView;
  readonly records: readonly RecordPointer[];
}

export type Decision = CountedDecision & { readonly receivedAt: string; readonly [key: string]: unknown };

type Query = Readonly<Record<string, string>>;

const idsPage = z.object({ ids: z.array(z.string()), cursor: z.string().nullable() });
const viewsAnswer = z.object({ views: z.array(z.custom<FullView>((value) => typeof value === 'object' && value !== null && 'view' in value && 'records' in value, 'is no incident')) });
const countPage = z.object({ count: z.number(), cursor: z.string().nullable() });
const decisionPage = z.object({ decisions: z.array(z.custom<Decision>((value) => typeof value === 'object' && value !== null && 'decision' in value, 'is no decision')), cursor: z.string().nullable() });

const sealPage = z.object({ seals: z.array(z.custom<SealEntry>((value) => typeof value === 'object' && value !== null && 'number' in value, 'is no seal')), waiting: z.array(z.object({ key: z.string(), at: z.string() })), cursor: z.string().nullable() });

/** A walk is thousands of requests: one that was not answered is asked again, so long; ms. */
const PAUSES = [250, 1000, 4000];

/** How many incidents are asked for at once, and how many such questions are under way: an export is bound by waiting, and each costs memory. */
const BATCH = 25;
const UNDER_WAY = 2;

/** Every incident that a question matches, oldest first, with all that is on record about it. */
export async function* walkIncidents(query: Query, person: Person): AsyncGenerator<FullView> {
  const under: Promise<readonly FullView[]>[] = [];
  for await (const ids of pages((cursor) => get(idsPage, '/history/ids', { ...query, order: 'oldest', ...cursor }, person), ({ ids }) => batches(ids))) {
    const asked = viewsOf(ids, person);
    // Whoever stops in the middle does not wait for it: its failure is nobody's then.
    asked.catch(() => undefined);
    under.push(asked);
    if (under.length >= UNDER_WAY) yield* (await under.shift()) ?? [];
  }
  for (const asked of under) yield* await asked;
}

/** An answer has room for so much: what did not fit is asked for again. */
async function viewsOf(ids: readonly string[], person: Person): Promise<readonly FullView[]> {
  const found: FullView[] = [];
  while (found.length < ids.length) {
    const { views } = await get(viewsAnswer, '/views', { ids: ids.slice(found.length).join() }, person);
    if (views.length === 0) throw new CliError(EXIT.unreachable, `STOPBATH_AUDIT_URL gave none of ${ids.length - found.length} incidents: look at the function's log`);
    found.push(...views);
  }
  return found;
}

function batches(ids: readonly string[]): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) => ids.slice(index * BATCH, (index + 1) * BATCH));
}

/** How many incidents a question matches, as the index counts them: what a walk is held against. */
export async function countIncidents(query: Query, person: Person): Promise<number> {
  let sum = 0;
  for await (const count of pages((cursor) => get(countPage, '/history/count', { ...query, ...cursor }, person), ({ count }) => [count])) sum += count;
  return sum;
}

/** Every decision about an event that arrived in a period, day by day. */
export async function* walkDecisions({ since, until }: Period, person: Person): AsyncGenerator<Decision> {
  for (const day of daysOf({ since, until })) {
    for await (const decision of pages((cursor) => get(decisionPage, `/decisions/${day}`, { ...cursor }, person), ({ decisions }) => decisions)) {
      if (decision.receivedAt >= since && decision.receivedAt < until) yield decision;
    }
  }
}

/** The seals made since the beginning of a period, and what is missing among them. */
export async function readSeals({ since }: Pick<Period, 'since'>, now: string, person: Person): Promise<{ readonly seals: readonly SealEntry[]; readonly gaps: readonly SealGap[] }> {
  const seals: SealEntry[] = [];
  const waiting: WaitingRecord[] = [];
  for await (const page of pages((cursor) => get(sealPage, '/seals', { since, ...cursor }, person), (page) => [page])) {
    seals.push(...page.seals);
    waiting.push(...page.waiting);
  }
  return { seals, gaps: sealGaps(seals, waiting, now) };
}

async function* pages<Page extends { readonly cursor: string | null }, Row>(ask: (cursor: Query) => Promise<Page>, rowsOf: (page: Page) => readonly Row[]): AsyncGenerator<Row> {
  let page: Page | null = await ask({});
  while (page !== null) {
    const following: Promise<Page> | null = page.cursor === null ? null : ask({ cursor: page.cursor });
    // Whoever stops in the middle does not wait for it: its failure is nobody's then.
    following?.catch(() => undefined);
    yield* rowsOf(page);
    page = await following;
  }
}

async function get<T>(schema: z.ZodType<T>, path: string, query: Query, person: Person): Promise<T> {
  for (const ms of PAUSES) {
    try {
      return await readAudit(schema, path, query, person);
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== EXIT.unreachable) throw error;
      await pause(ms);
    }
  }
  return await readAudit(schema, path, query, person);
}
