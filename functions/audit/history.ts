import { readDecisions } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { idOf, readHistory } from '../../aws/history.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { incidentOf, NoSuchIncidentError, viewWithRecords } from '../../aws/incidents.ts';
import { readSealEntries, readWaiting } from '../../aws/sealed.ts';
import { CursorError, readCursor, writeCursor } from '../../core/cursor.ts';
import { BEGINNING, HistoryFilterError, readHistoryFilter } from '../../core/history.ts';

type Query = Readonly<Record<string, string>>;

const PAGE = 50;
const LARGEST_PAGE = 200;
const IDS_PAGE = 1000;
const VIEWS = 25;
/**
 * A function's answer is 6 MB at most, and JSON in JSON grows: an answer with full records ends before that.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (payload of a synchronous response)
 */
const VIEWS_BYTES = 3_000_000;
const ROWS_PAGE = 1000;

/**
 * `GET /history?…` → `{ incidents, cursor }`; `/history/ids` → `{ ids, cursor }`; `/history/count` → `{ count, cursor }`.
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
      case 'ids': {
        const { items, next } = await readHistory(tools, filter, sizeOf(limit, IDS_PAGE, IDS_PAGE), after, 'ids');
        return httpAnswer(200, { ids: items.map(idOf), cursor: goOn(next) });
      }
      case 'count': {
        const { count, next } = await readHistory(tools, filter, 'count', after);
        return httpAnswer(200, { count, cursor: goOn(next) });
      }
      default:
        return httpAnswer(404, { error: `there is nothing at /history/${what}; there are /history, /history/ids and /history/count` });
    }
  });
}

/**
 * `GET /views?ids=<id>,<id>…` → `{ views: [{ view, records }] }`, up to 25 and in this order; where not all of them fit into an answer, those that
 * do: ask for the rest again.
 */
export async function views({ ids = '' }: Query, tools: Tools): Promise<HttpAnswer> {
  const asked = ids.split(',').filter((id) => id !== '');
  if (asked.length === 0 || asked.length > VIEWS) return httpAnswer(400, { error: `ids names ${asked.length} incidents: name 1 to ${VIEWS}, with commas` });
  try {
    const found = await Promise.all(asked.map(async (id) => await viewWithRecords(tools, id)));
    return httpAnswer(200, { views: found.slice(0, fitting(found)) });
  } catch (error) {
    if (error instanceof NoSuchIncidentError) return httpAnswer(404, { error: error.message });
    throw error;
  }
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
function fitting(found: readonly object[]): number {
  let bytes = 0;
  const over = found.findIndex((view, index) => (bytes += Buffer.byteLength(JSON.stringify(view))) > VIEWS_BYTES && index > 0);
  return over === -1 ? found.length : over;
}
