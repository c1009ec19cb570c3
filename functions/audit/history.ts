import { readDecisions } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { readHistory } from '../../aws/history.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { incidentOf, viewWithRecords } from '../../aws/incidents.ts';
import { readSealEntries, readWaiting } from '../../aws/sealed.ts';
import { CursorError, readCursor, writeCursor } from '../../core/cursor.ts';
import { BEGINNING, HistoryFilterError, readHistoryFilter } from '../../core/history.ts';

type Query = Readonly<Record<string, string>>;

const PAGE = 50;
const LARGEST_PAGE = 200;
const FULL_PAGE = 25;
/**
 * A function's answer is 6 MB at most, and JSON in JSON grows: a page of full records ends before that.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (payload of a synchronous response)
 */
const FULL_BYTES = 3_000_000;
const ROWS_PAGE = 1000;

/**
 * `GET /history?…` → `{ incidents, cursor }`; `/history/full` → `{ views: [{ view, records }], cursor }`; `/history/count` → `{ count, cursor }`.
 * A page may hold less than asked for, or nothing, and still have a cursor: the end is where the cursor is `null`.
 */
export async function history(what: string | undefined, { cursor, limit, ...question }: Query, tools: Tools): Promise<HttpAnswer> {
  return await refusing(async () => {
    const filter = readHistoryFilter(question, tools.now());
    const after = cursor === undefined ? null : readCursor(cursor, { what: what ?? 'page', ...question });
    const goOn = (next: string | null) => (next === null ? null : writeCursor(next, { what: what ?? 'page', ...question }));
    switch (what) {
      case undefined: {
        const { items, next } = await readHistory(tools, filter, sizeOf(limit, LARGEST_PAGE, PAGE), after);
        return httpAnswer(200, { incidents: items.map(incidentOf), cursor: goOn(next) });
      }
      case 'full': {
        const { items, next } = await readHistory(tools, filter, sizeOf(limit, FULL_PAGE, FULL_PAGE), after);
        const views = await Promise.all(items.map(async (item) => await viewWithRecords(tools, incidentOf(item).id)));
        const fits = fitting(views);
        const last = items[fits - 1];
        return httpAnswer(200, { views: views.slice(0, fits), cursor: goOn(fits < items.length && last ? String(last['gsi1sk']) : next) });
      }
      case 'count': {
        const { count, next } = await readHistory(tools, filter, 'count', after);
        return httpAnswer(200, { count, cursor: goOn(next) });
      }
      default:
        return httpAnswer(404, { error: `there is nothing at /history/${what}; there are /history, /history/full and /history/count` });
    }
  });
}

/** `GET /decisions/<yyyy-mm-dd>?cursor=` → `{ decisions, cursor }`: all of a day, in the order of their events' ids. */
export async function decisions(day: string | undefined, { cursor }: Query, tools: Tools): Promise<HttpAnswer> {
  if (day === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return httpAnswer(400, { error: 'name a day: /decisions/2026-01-31' });
  return await refusing(async () => {
    const after = cursor === undefined ? null : readCursor(cursor, { day });
    const { decisions: found, next } = await readDecisions(tools, day, ROWS_PAGE, after);
    return httpAnswer(200, { decisions: found, cursor: next === null ? null : writeCursor(next, { day }) });
  });
}

/** `GET /seals?since=&cursor=` → `{ seals, waiting, cursor }`: those made since then, by number; `waiting` on the last page. */
export async function seals({ cursor, since = BEGINNING, ...others }: Query, tools: Tools): Promise<HttpAnswer> {
  return await refusing(async () => {
    const filter = readHistoryFilter({ since, ...others }, tools.now());
    const after = cursor === undefined ? 0 : Number(readCursor(cursor, { seals: since }));
    const { seals: found, next } = await readSealEntries(tools, filter.since, ROWS_PAGE, after);
    const waiting = next === null ? await readWaiting(tools) : [];
    return httpAnswer(200, { seals: found, waiting, cursor: next === null ? null : writeCursor(String(next), { seals: since }) });
  });
}

/** Questions that cannot be answered as they are put: 400 with what is wrong with them. */
export async function refusing(answer: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof CursorError || error instanceof HistoryFilterError) return httpAnswer(400, { error: error.message });
    throw error;
  }
}

function sizeOf(limit: string | undefined, largest: number, usual: number): number {
  if (limit === undefined) return usual;
  const size = Number(limit);
  if (Number.isInteger(size) && size >= 1 && size <= largest) return size;
  throw new HistoryFilterError(`limit is ${JSON.stringify(limit)}: use a whole number from 1 to ${largest}`);
}

/** How many of them fit into an answer; at least one, so that every walk comes to an end. */
function fitting(views: readonly object[]): number {
  let bytes = 0;
  const over = views.findIndex((view, index) => (bytes += Buffer.byteLength(JSON.stringify(view))) > FULL_BYTES && index > 0);
  return over === -1 ? views.length : over;
}
