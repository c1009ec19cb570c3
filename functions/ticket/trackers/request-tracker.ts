import { z } from 'zod';
import type { TicketSeverity } from '../../../core/ticket/document.ts';
import { ticketHtml } from '../../../core/ticket/markup/html.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import { type Api, request } from './http.ts';
import { type Opened, type Tracker, TrackerError } from './port.ts';

const id = z.union([z.string(), z.int()]).transform(String);
const ticket = z.object({ Status: z.string(), Priority: z.union([z.string(), z.int()]) });
/** What an update did, in words, with 200 also where it did nothing. */
const messages = z.array(z.string());

/**
 * Request Tracker 5 by its REST 2. A ticket is found by the incident's id in its subject, among those that the suite's own
 * account created; a comment by its subject.
 *
 * @param token - an authentication token of an account that may create, see, comment on and modify tickets of the queue
 * @see https://docs.bestpractical.com/rt/5.0.8/RT/REST2.html
 */
export function requestTracker(config: TrackerOf<'request-tracker'>, name: string, token: string, now: () => number): Tracker {
  const api: Api = { name, base: `${config.url}/REST/2.0`, headers: { authorization: `token ${token}` }, secrets: [token], now, timeoutSeconds: config.timeoutSeconds };
  const opened = (number: string): Opened => ({ id: number, url: `${config.url}/Ticket/Display.html?id=${encodeURIComponent(number)}` });
  const read = async (number: string) => {
    try {
      return await request(api, { method: 'GET', path: `/ticket/${number}`, answer: ticket });
    } catch (error) {
      if (error instanceof TrackerError && error.status === 404) return null;
      throw error;
    }
  };
  const update = async (number: string, body: { readonly Status?: string; readonly Priority?: number }, holds: (now: z.infer<typeof ticket>) => boolean) => {
    const said = await request(api, { method: 'PUT', path: `/ticket/${number}`, body, answer: messages });
    const after = await read(number);
    if (after && !holds(after)) throw new TrackerError('standing', `${name}: ticket ${number} was not changed: ${said.join('; ')}`);
  };

  return {
    // Subjects are cut at 200 bytes; a comment may be large, and nobody reads that far.
    shape: { title: 200, limit: 60_000, size: (document) => ticketHtml(document).length },
    check: async () => {
      await request(api, { method: 'GET', path: `/queue/${encodeURIComponent(config.queue)}`, answer: z.unknown() });
      return `the queue ${config.queue} answers`;
    },
    create: async (draft) => {
      const body = { Queue: config.queue, Subject: draft.title, Content: ticketHtml(draft.document), ContentType: 'text/html', Priority: config.priorities[draft.severity] };
      return opened((await request(api, { method: 'POST', path: '/ticket', body, answer: z.object({ id }) })).id);
    },
    find: async (draft) => {
      const query = `Queue = '${config.queue.replaceAll(/['\\]/g, String.raw`\$&`)}' AND Subject LIKE '[${draft.incident}]' AND Creator = '__CurrentUser__'`;
      const search = new URLSearchParams({ query, orderby: 'id', order: 'ASC', per_page: '1' });
      const { items } = await request(api, { method: 'GET', path: `/tickets?${search.toString()}`, answer: z.object({ items: z.array(z.object({ id })) }) });
      return items[0] ? opened(items[0].id) : null;
    },
    read: async (number) => {
      const found = await read(number);
      if (found === null || found.Status === 'deleted') return null;
      return { status: CLOSED.has(found.Status) ? 'closed' : 'open', severity: severityOf(config, Number(found.Priority)), body: null };
    },
    comment: async (number, document, mark) => {
      await request(api, { method: 'POST', path: `/ticket/${number}/comment`, body: { Subject: `${document.sections[0]?.heading ?? 'Stopbath'} [${mark}]`, Content: ticketHtml(document), ContentType: 'text/html' }, answer: messages });
    },
    said: async (number, mark) => {
      for (let page = 1; page <= 20; page++) {
        // How many pages there are it says only of searches; of a history that is null.
        const answer = z.object({ items: z.array(z.object({ Data: z.string().nullish() })) });
        const { items } = await request(api, { method: 'GET', path: `/ticket/${number}/history?fields=Type,Data&per_page=100&page=${page}`, answer });
        if (items.some(({ Data }) => Data?.includes(`[${mark}]`))) return true;
        if (items.length < 100) return false;
      }
      return true;
    },
    setSeverity: async (number, severity) => await update(number, { Priority: config.priorities[severity] }, ({ Priority }) => Number(Priority) === config.priorities[severity]),
    close: async (number) => await update(number, { Status: 'resolved' }, ({ Status }) => CLOSED.has(Status)),
    reopen: async (number) => await update(number, { Status: 'open' }, ({ Status }) => !CLOSED.has(Status)),
  };
}

/** The inactive statuses of RT's default life cycle. */
const CLOSED: ReadonlySet<string> = new Set(['resolved', 'rejected']);

function severityOf({ priorities }: TrackerOf<'request-tracker'>, priority: number): TicketSeverity | null {
  return (['critical', 'high', 'medium', 'low'] as const).find((severity) => priorities[severity] === priority) ?? null;
}
