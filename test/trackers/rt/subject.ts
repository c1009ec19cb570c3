import { z } from 'zod';
import { trackerSchema } from '../../../core/ticket/trackers.ts';
import { requestTracker } from '../../../functions/ticket/trackers/request-tracker.ts';
import type { Seen, Subject } from '../contract.ts';
import type { RequestTracker } from './server.ts';

const items = z.object({ items: z.array(z.object({ id: z.string(), Content: z.string().nullish() })) });

/** A Request Tracker, real or not, as the contract wants it: what somebody sees and does there goes through its API too. */
export function requestTrackerSubject({ url, tokens, stop }: Omit<RequestTracker, 'version'>): Subject {
  const at = (queue = 'Security', token = tokens.stopbath) => {
    const config = trackerSchema().parse({ kind: 'request-tracker', url, queue, secret: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:tracker-AbCdEf' });
    if (config.kind !== 'request-tracker') throw new Error('not a Request Tracker');
    return requestTracker(config, 'rt', token, () => Date.now());
  };
  const ask = async (path: string, change?: object): Promise<unknown> => {
    const headers = { authorization: `token ${tokens.mallory}`, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/REST/2.0${path}`, change === undefined ? { headers } : { method: 'PUT', headers, body: JSON.stringify(change) });
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return await answer.json();
  };
  return {
    tracker: at(),
    refused: at('Security', '1-1-0123456789abcdef0123456789abcdef'),
    gone: at('Deleted'),
    token: tokens.stopbath,
    seen: async (incident) => {
      const found = items.parse(await ask(`/tickets?${new URLSearchParams({ query: `Subject LIKE '[${incident}]'` }).toString()}`));
      return await Promise.all(
        found.items.map(async ({ id }): Promise<Seen> => {
          const { Status } = z.object({ Status: z.string() }).parse(await ask(`/ticket/${id}`));
          const [body, ...comments] = items.parse(await ask(`/ticket/${id}/attachments?fields=Content&per_page=100`)).items.map(({ Content }) => Content ?? '');
          return { id, open: Status === 'new' || Status === 'open', body: body ?? '', comments };
        }),
      );
    },
    byHand: {
      close: async (id) => void (await ask(`/ticket/${id}`, { Status: 'resolved' })),
      reopen: async (id) => void (await ask(`/ticket/${id}`, { Status: 'open' })),
      remove: async (id) => void (await ask(`/ticket/${id}`, { Status: 'deleted' })),
      imitate: async (draft) => void (await at('Security', tokens.mallory).create(draft)),
    },
    stop,
  };
}
