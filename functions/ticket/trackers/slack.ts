import { z } from 'zod';
import type { TicketDocument } from '../../../core/ticket/document.ts';
import { slackBlocks, slackText } from '../../../core/ticket/markup/slack.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import type { Trouble } from '../../../core/ticket/patience.ts';
import { type Api, request } from './http.ts';
import { type Tracker, TrackerError } from './port.ts';

const answer = z.object({ ok: z.boolean(), error: z.string().optional(), ts: z.string().optional() });

/**
 * A channel that is told: one message an incident, and a thread under it. A notification, not a ticket: it cannot be closed,
 * and a message whose answer was lost comes again, with the same incident in its title.
 *
 * @param token - a bot's, with `chat:write`
 * @see https://docs.slack.dev/reference/methods/chat.postMessage/
 */
export function slack(config: TrackerOf<'slack'>, name: string, token: string, now: () => number): Tracker {
  const api: Api = { name, base: config.url, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json; charset=utf-8' }, secrets: [token], now, timeoutSeconds: config.timeoutSeconds };
  const post = async (document: TicketDocument, title: string, thread: string | null) => {
    const body = { channel: config.channel, text: slackText(title), blocks: slackBlocks({ ...document, title }), unfurl_links: false, unfurl_media: false, ...(thread === null ? {} : { thread_ts: thread }) };
    const said = await request(api, { method: 'POST', path: '/chat.postMessage', body, answer });
    if (said.ok && said.ts !== undefined) return said.ts;
    throw new TrackerError(troubleOf(said.error ?? ''), `${name}: chat.postMessage was refused: ${said.error ?? 'without a reason'}`);
  };
  return {
    // A message is to be read: at most 50 blocks, and what stands in them short.
    shape: { title: 150, limit: 3000, size: sizeOf },
    check: async () => {
      const said = await request(api, { method: 'POST', path: '/auth.test', answer: answer.extend({ user: z.string().optional(), team: z.string().optional() }) });
      if (!said.ok) throw new TrackerError(troubleOf(said.error ?? ''), `${name}: auth.test was refused: ${said.error ?? 'without a reason'}`);
      return `the token is ${said.user ?? 'a bot'}'s, of ${said.team ?? 'a team'}; whether it may write to ${config.channel} shows with the first message`;
    },
    create: async (draft) => ({ id: await post(draft.document, draft.title, null), url: null }),
    comment: async (id, document) => void (await post(document, document.title, id)),
    close: () => Promise.resolve(),
    reopen: () => Promise.resolve(),
  };
}

function sizeOf(document: TicketDocument): number {
  return document.sections.length > 45 ? Number.POSITIVE_INFINITY : JSON.stringify(slackBlocks(document)).length / 2;
}

function troubleOf(error: string): Trouble {
  if (error === 'ratelimited' || error === 'rate_limited' || error === 'service_unavailable') return 'passing';
  return error === 'internal_error' || error === 'fatal_error' || error === 'request_timeout' ? 'unanswered' : 'standing';
}
