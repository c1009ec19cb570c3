import { z } from 'zod';
import type { TicketDocument, TicketSeverity } from '../../../core/ticket/document.ts';
import { atlassianDocument } from '../../../core/ticket/markup/adf.ts';
import { wikiMarkup } from '../../../core/ticket/markup/wiki.ts';
import type { TrackerOf } from '../../../core/ticket/trackers.ts';
import { type Api, request } from './http.ts';
import { type Opened, type Tracker, TrackerError } from './port.ts';

const status = z.object({ name: z.string(), statusCategory: z.object({ key: z.string() }) });
const found = z.object({ fields: z.object({ status, priority: z.object({ name: z.string() }).nullish() }) });
const created = z.object({ id: z.string(), key: z.string() });
const transitions = z.object({ transitions: z.array(z.object({ id: z.string(), to: status })) });
const comments = z.object({ total: z.int(), comments: z.array(z.object({ body: z.unknown() })) });
const anything = z.unknown();

/** Cloud: `{ "email", "token" }`, an API token of an account of its own. Data Center: `{ "token" }`, a personal access token. */
export const JiraSecret = z.object({ email: z.string().min(1).optional(), token: z.string().min(1) });

/**
 * Jira: Cloud by its REST API 3, which takes Atlassian's document format, Data Center by version 2, which takes wiki markup.
 * A ticket is found by its label, among those that the suite's own account reported.
 *
 * @see https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/
 * @see https://developer.atlassian.com/server/jira/platform/rest/
 */
export function jira(config: TrackerOf<'jira'>, name: string, secret: z.infer<typeof JiraSecret>, now: () => number): Tracker {
  const cloud = config.edition === 'cloud';
  if (cloud && secret.email === undefined) throw new TrackerError('standing', `${name}: the secret has no "email": Jira Cloud takes {"email": "…", "token": "…"}`);
  const authorization = cloud ? `Basic ${Buffer.from(`${secret.email}:${secret.token}`).toString('base64')}` : `Bearer ${secret.token}`;
  const api: Api = { name, base: `${config.url}/rest/api/${cloud ? 3 : 2}`, headers: { authorization, 'x-atlassian-token': 'no-check' }, secrets: [secret.token, authorization], now, timeoutSeconds: config.timeoutSeconds };
  const body = (document: TicketDocument) => (cloud ? atlassianDocument(document) : wikiMarkup(document));
  const priority = (severity: TicketSeverity) => (config.priorities === null ? {} : { priority: { name: config.priorities[severity] } });
  const opened = ({ key }: { readonly key: string }): Opened => ({ id: key, url: `${config.url}/browse/${key}` });
  const move = async (id: string, wanted: 'open' | 'closed') => {
    const name = wanted === 'closed' ? config.closeTo : config.reopenTo;
    const ways = await request(api, { method: 'GET', path: `/issue/${id}/transitions`, answer: transitions });
    const way = ways.transitions.find(({ to }) => (name === null ? statusOf(to) === wanted : to.name === name));
    if (!way) {
      const there = ways.transitions.map(({ to }) => to.name).join(', ') || 'none';
      throw new TrackerError('standing', `${api.name}: ${id} has no transition to ${name ?? `a status that counts as ${wanted === 'closed' ? 'done' : 'not done'}`} (there are: ${there}): set ${wanted === 'closed' ? 'closeTo' : 'reopenTo'}, or let the suite's account make it`);
    }
    await request(api, { method: 'POST', path: `/issue/${id}/transitions`, body: { transition: { id: way.id } }, answer: anything });
  };

  return {
    // Jira answers 400 to a text of more than 32767 characters; of a document tree the JSON is counted, to be safe.
    shape: { title: 255, limit: 32_000, size: (document) => (cloud ? JSON.stringify(body(document)).length : wikiMarkup(document).length) },
    check: async () => {
      await request(api, { method: 'GET', path: `/project/${config.project}`, answer: anything });
      return `project ${config.project} can be seen`;
    },
    create: async (draft) => {
      const fields = {
        project: { key: config.project },
        issuetype: { name: config.issueType },
        summary: draft.title,
        description: body(draft.document),
        labels: ['stopbath', labelOf(draft.incident)],
        ...priority(draft.severity),
      };
      return opened(await request(api, { method: 'POST', path: '/issue', body: { fields }, answer: created }));
    },
    find: async (draft) => {
      const jql = `project = "${config.project}" AND labels = "${labelOf(draft.incident)}" AND reporter = currentUser() ORDER BY created ASC`;
      const path = cloud ? '/search/jql' : '/search';
      const { issues } = await request(api, { method: 'POST', path, body: { jql, fields: ['status'], maxResults: 1 }, answer: z.object({ issues: z.array(z.object({ key: z.string() })) }) });
      return issues[0] ? opened(issues[0]) : null;
    },
    read: async (id) => {
      try {
        const { fields } = await request(api, { method: 'GET', path: `/issue/${id}?fields=status,priority`, answer: found });
        return { status: statusOf(fields.status), severity: severityOf(config, fields.priority?.name), body: null };
      } catch (error) {
        if (error instanceof TrackerError && error.status === 404) return null;
        throw error;
      }
    },
    comment: async (id, document, mark) => {
      const marked: TicketDocument = { ...document, sections: [...document.sections, { heading: 'Reference', keep: 100, blocks: [{ kind: 'text', text: mark }] }] };
      await request(api, { method: 'POST', path: `/issue/${id}/comment`, body: { body: body(marked) }, answer: anything });
    },
    said: async (id, mark) => {
      for (let startAt = 0; startAt < 1000; ) {
        const page = await request(api, { method: 'GET', path: `/issue/${id}/comment?startAt=${startAt}&maxResults=100`, answer: comments });
        // In wiki markup the mark's dash is escaped.
        if (page.comments.some((comment) => JSON.stringify(comment.body).replaceAll('\\', '').includes(mark))) return true;
        startAt += page.comments.length;
        if (page.comments.length === 0 || startAt >= page.total) return false;
      }
      return true;
    },
    ...(config.priorities === null
      ? {}
      : { setSeverity: async (id: string, severity: TicketSeverity) => void (await request(api, { method: 'PUT', path: `/issue/${id}`, body: { fields: priority(severity) }, answer: anything })) }),
    close: async (id) => await move(id, 'closed'),
    reopen: async (id) => await move(id, 'open'),
  };
}

/** A label may not have spaces. */
function labelOf(incident: string): string {
  return `stopbath-${incident}`;
}

function statusOf({ statusCategory }: z.infer<typeof status>): 'open' | 'closed' {
  return statusCategory.key === 'done' ? 'closed' : 'open';
}

function severityOf({ priorities }: TrackerOf<'jira'>, name: string | undefined): TicketSeverity | null {
  return (['critical', 'high', 'medium', 'low'] as const).find((severity) => priorities?.[severity] === name) ?? null;
}
