import { z } from 'zod';
import type { TicketDocument, TicketSeverity } from '../../../core/ticket/document.ts';
import { githubMarkdown } from '../../../core/ticket/markup/markdown.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import { type Api, request } from './http.ts';
import { type Draft, type Opened, type Tracker, TrackerError } from './port.ts';

const issue = z.object({ number: z.int(), html_url: z.string(), state: z.enum(['open', 'closed']), body: z.string().nullish(), labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])) });
const anything = z.unknown();
const SEVERITIES: readonly TicketSeverity[] = ['critical', 'high', 'medium', 'low'];

/**
 * GitHub Issues. The severity is a label, `severity: high`. A ticket whose creation was not answered is looked for among the
 * issues that changed since, not with the search, whose index lags behind.
 *
 * @param token - a fine-grained token or an app's, with read and write access to issues of the one repository
 * @see https://docs.github.com/en/rest/issues/issues?apiVersion=2022-11-28
 */
export function github(config: TrackerOf<'github'>, name: string, token: string, now: () => number): Tracker {
  const api: Api = { name, base: config.url, headers: { accept: 'application/vnd.github+json', authorization: `Bearer ${token}`, 'x-github-api-version': '2022-11-28' }, secrets: [token], now, timeoutSeconds: config.timeoutSeconds };
  const issues = `/repos/${config.repository}/issues`;
  const read = async (id: string) => {
    try {
      return await request(api, { method: 'GET', path: `${issues}/${id}`, answer: issue });
    } catch (error) {
      // Moved to another repository, deleted, or hidden from this token.
      if (error instanceof TrackerError && error.status !== null && [301, 404, 410].includes(error.status)) return null;
      throw error;
    }
  };
  const setState = async (id: string, state: 'open' | 'closed') => {
    const state_reason = state === 'closed' ? 'completed' : 'reopened';
    await request(api, { method: 'PATCH', path: `${issues}/${id}`, body: { state, state_reason }, answer: anything });
  };

  return {
    // Characters: GitHub answers 422 beyond these. The marker and the labels want a little room.
    shape: { title: 256, limit: 60_000, size: (document) => githubMarkdown(document).length },
    check: async () => {
      await request(api, { method: 'GET', path: `${issues}?state=all&per_page=1`, answer: z.array(issue) });
      return `issues of ${config.repository} can be read`;
    },
    create: async (draft) => {
      const body = { title: draft.title, body: `${githubMarkdown(draft.document)}\n${markerOf(draft)}\n`, labels: [...config.labels, labelOf(draft.severity)] };
      return openedOf(await request(api, { method: 'POST', path: issues, body, answer: issue }));
    },
    find: async (draft, since) => {
      for (let page = 1; page <= PAGES; page++) {
        const query = new URLSearchParams({ state: 'all', since, sort: 'updated', direction: 'asc', per_page: '100', page: String(page) });
        const found = await request(api, { method: 'GET', path: `${issues}?${query.toString()}`, answer: z.array(issue) });
        const ours = found.find(({ body }) => body?.includes(markerOf(draft)));
        if (ours) return openedOf(ours);
        if (found.length < 100) return null;
      }
      throw new TrackerError('passing', `${name}: more than ${PAGES * 100} issues changed since ${since}: whether one of them is ours is not known`);
    },
    read: async (id) => {
      const found = await read(id);
      return found && { status: found.state, severity: severityIn(found), body: null };
    },
    comment: async (id, document, mark) => {
      await request(api, { method: 'POST', path: `${issues}/${id}/comments`, body: { body: commentBody(document, mark) }, answer: anything });
    },
    said: async (id, mark) => {
      for (let page = 1; page <= PAGES; page++) {
        const comments = await request(api, { method: 'GET', path: `${issues}/${id}/comments?per_page=100&page=${page}`, answer: z.array(z.object({ body: z.string().nullish() })) });
        if (comments.some(({ body }) => body?.includes(`stopbath ${mark}`))) return true;
        if (comments.length < 100) return false;
      }
      return true;
    },
    setSeverity: async (id, severity) => {
      const found = await read(id);
      const before = found && severityIn(found);
      await request(api, { method: 'POST', path: `${issues}/${id}/labels`, body: { labels: [labelOf(severity)] }, answer: anything });
      if (before && before !== severity) await removeLabel(api, `${issues}/${id}`, before);
    },
    close: async (id) => await setState(id, 'closed'),
    reopen: async (id) => await setState(id, 'open'),
  };
}

/** More than a busy repository changes while an answer is missing. */
const PAGES = 10;

async function removeLabel(api: Api, path: string, severity: TicketSeverity): Promise<void> {
  try {
    await request(api, { method: 'DELETE', path: `${path}/labels/${encodeURIComponent(labelOf(severity))}`, answer: anything });
  } catch (error) {
    if (!(error instanceof TrackerError && error.status === 404)) throw error;
  }
}

/** Not shown, and not to be guessed by somebody who opens issues of their own. */
function markerOf({ incident, mark }: Draft): string {
  return `<!-- stopbath ${incident} ${mark} -->`;
}

function commentBody(document: TicketDocument, mark: string): string {
  return `${githubMarkdown(document)}\n<!-- stopbath ${mark} -->\n`;
}

function labelOf(severity: TicketSeverity): string {
  return `severity: ${severity}`;
}

function severityIn({ labels }: z.infer<typeof issue>): TicketSeverity | null {
  const names = labels.map((label) => (typeof label === 'string' ? label : label.name));
  const ours = SEVERITIES.filter((severity) => names.includes(labelOf(severity)));
  return ours.length === 1 ? (ours[0] ?? null) : null;
}

function openedOf({ number, html_url }: z.infer<typeof issue>): Opened {
  return { id: String(number), url: html_url };
}
