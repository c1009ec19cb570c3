import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { documentJson, type TicketDocument } from '../../../core/ticket/document.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import { type Api, request } from './http.ts';
import type { Draft, Tracker } from './port.ts';

/**
 * For every other tracker: one signed POST for each thing that happens, by the rules of Standard Webhooks. `webhook-id` is the
 * same however often a message is sent again, so that a receiver that keeps the ids it has seen does nothing twice; the
 * timestamp is inside the signature, so that one who records a message cannot send it later.
 *
 * @param secret - `whsec_` and base64, or any text of 24 characters or more
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhook(config: TrackerOf<'webhook'>, name: string, secret: string, now: () => number): Tracker {
  const address = new URL(config.url);
  const api: Api = { name, base: address.origin, headers: {}, secrets: [secret], now, timeoutSeconds: config.timeoutSeconds };
  const post = async (id: string, type: string, data: object) => {
    const timestamp = String(Math.floor(now() / 1000));
    const body = JSON.stringify({ type, timestamp: new Date(now()).toISOString(), data });
    const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signatureOf(secret, `${id}.${timestamp}.${body}`)}` };
    await request(api, { method: 'POST', path: `${address.pathname}${address.search}`, body, headers, answer: z.unknown() });
  };
  const facts = ({ incident, title, severity, target, status }: Draft) => ({ incident, title, severity, target, status });

  return {
    shape: { title: 1024, limit: 200_000, size: (document) => JSON.stringify(document).length },
    // Whatever is posted to it is an event to somebody.
    check: () => Promise.resolve(`its secret can be read; whether ${address.host} takes messages shows with the first one`),
    create: async (draft) => {
      await post(`${draft.mark}.opened`, 'ticket.opened', { ...facts(draft), document: documentJson(draft.document) });
      return { id: draft.incident, url: null };
    },
    comment: async (id, document: TicketDocument, mark) => await post(`${id}.${mark}`, 'ticket.commented', { incident: id, title: document.title, severity: document.severity, milestone: mark, document: documentJson(document) }),
    close: async (_, draft) => await post(`${draft.mark}.${draft.stance}`, 'ticket.closed', facts(draft)),
    reopen: async (_, draft) => await post(`${draft.mark}.${draft.stance}`, 'ticket.reopened', facts(draft)),
  };
}

/** HMAC-SHA256, base64. */
export function signatureOf(secret: string, signed: string): string {
  return createHmac('sha256', keyOf(secret)).update(signed).digest('base64');
}

export function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret);
}
