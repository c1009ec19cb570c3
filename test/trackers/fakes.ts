import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { described, NotDescribedError } from './api.ts';
import { type Answered, type Asked, type Loopback, startLoopback } from './loopback.ts';

/** A tracker to be held against the contract, and what somebody who works in it can see and do. */
export interface Fake extends Loopback {
  readonly token: string;
  /** What was not as the vendor describes it. */
  readonly complaints: readonly string[];
  /** By the incident's id in the title. */
  readonly ticketsOf: (incident: string) => readonly Work[];
}

/** A ticket as its tracker has it. */
export interface Work {
  readonly id: string;
  title: string;
  body: string;
  open: boolean;
  severity: string | null;
  by: string;
  deleted: boolean;
  readonly comments: string[];
  readonly labels: Set<string>;
}

/** GitHub, as far as GitHub's own description goes: each request is held against it. */
export async function fakeGithub(token = 'github-token'): Promise<Fake> {
  const operationOf = described('github.api.json');
  const works: Work[] = [];
  const issueOf = (work: Work) => ({ number: Number(work.id), html_url: `https://github.example/acme/alerts/issues/${work.id}`, state: work.open ? 'open' : 'closed', body: work.body, labels: [...work.labels].map((name) => ({ name })) });
  const serve = (asked: Asked): Answered => {
    const operation = operationOf(asked);
    if (asked.headers['authorization'] !== `Bearer ${token}`) return { status: 401, body: { message: 'Bad credentials' } };
    if (!asked.path.startsWith('/repos/acme/alerts/')) return { status: 404, body: { message: 'Not Found' } };
    const body = record(asked.body);
    if (operation === 'issues/create') {
      const [title, text] = [String(body['title']), String(body['body'])];
      if (title.length > 256 || text.length > 65_536) return { status: 422, body: { message: 'Validation Failed' } };
      const made = newWork(String(works.length + 1), title, text, list(body['labels']));
      works.push(made);
      return { status: 201, body: issueOf(made) };
    }
    if (operation === 'issues/list-for-repo') return { status: 200, body: works.filter(({ deleted }) => !deleted).map(issueOf) };
    const work = works.find(({ id, deleted }) => id === asked.path.split('/')[5] && !deleted);
    if (!work) return { status: 404, body: { message: 'Not Found' } };
    if (operation === 'issues/update') work.open = body['state'] === 'open';
    if (operation === 'issues/create-comment') work.comments.push(String(body['body']));
    if (operation === 'issues/list-comments') return { status: 200, body: work.comments.map((text) => ({ body: text })) };
    if (operation === 'issues/add-labels') list(body['labels']).forEach((label) => work.labels.add(label));
    if (operation === 'issues/remove-label') work.labels.delete(decodeURIComponent(asked.path.split('/').at(-1) ?? ''));
    return { status: asked.method === 'POST' ? 201 : 200, body: issueOf(work) };
  };
  const complaints: string[] = [];
  const server = await startLoopback(refusing(serve, complaints));
  return { ...server, token, complaints, ticketsOf: (incident) => works.filter(({ title }) => title.includes(incident)) };
}

const STATUSES = { open: { id: '11', to: { name: 'To Do', statusCategory: { key: 'new' } } }, closed: { id: '31', to: { name: 'Done', statusCategory: { key: 'done' } } } } as const;

/**
 * Jira, Cloud or Data Center: each request is held against the description, each document against the format's schema.
 *
 * @param options.before - what is answered to any request instead of what it asks for
 */
export async function fakeJira(edition: 'cloud' | 'data-center', { token = 'jira-token', now = Date.now, before = (): Answered | null => null } = {}): Promise<Fake> {
  const fields = ['project', 'issuetype', 'summary', 'description', 'labels', 'priority'];
  const operationOf = described('jira.api.json');
  const adf = new Ajv({ strict: false }).compile(JSON.parse(readFileSync(join(import.meta.dirname, 'adf.schema.json'), 'utf8')));
  const works: Work[] = [];
  const wanted = edition === 'cloud' ? `Basic ${Buffer.from(`bot@example.com:${token}`).toString('base64')}` : `Bearer ${token}`;
  const textOf = (value: unknown): string => {
    if (edition === 'data-center') return String(value);
    if (!adf(value)) throw new NotDescribedError(`not a document: ${JSON.stringify(adf.errors?.slice(0, 2))}`);
    return JSON.stringify(value);
  };
  const serve = (asked: Asked): Answered => {
    const stopped = before();
    if (stopped) return stopped;
    const operation = operationOf(asked);
    if (asked.headers['authorization'] !== wanted) return { status: 401, body: { errorMessages: ['You are not authenticated.'] } };
    const body = record(asked.body);
    const given = record(body['fields']);
    const sets = operation === 'createIssue' || operation === 'editIssue';
    const unknown = !sets ? undefined : Object.keys(given).find((name) => !fields.includes(name));
    if (unknown !== undefined) return { status: 400, body: { errorMessages: [], errors: { [unknown]: `Field '${unknown}' cannot be set. It is not on the appropriate screen, or unknown.` } } };
    if (operation === 'createIssue') {
      if (record(given['project'])['key'] !== 'SEC') return { status: 400, body: { errorMessages: [], errors: { project: 'valid project is required' } } };
      const made = newWork(`SEC-${works.length + 1}`, String(given['summary']), textOf(given['description']), list(given['labels']));
      if (made.title.length > 255 || made.body.length > 32_767) return { status: 400, body: { errorMessages: [], errors: { description: 'The entered text is too long.' } } };
      made.severity = nameOf(given['priority']);
      works.push(made);
      return { status: 201, body: { id: String(10_000 + works.length), key: made.id, self: '' } };
    }
    if (operation.startsWith('search')) {
      const label = /labels = "([^"]+)"/.exec(String(body['jql']))?.[1] ?? '';
      return { status: 200, body: { issues: works.filter(({ labels, by, deleted }) => labels.has(label) && by === 'bot' && !deleted).map(({ id }) => ({ key: id })) } };
    }
    if (operation === 'getProject') return asked.path.endsWith('/project/SEC') ? { status: 200, body: { key: 'SEC' } } : { status: 404, body: { errorMessages: ['No project could be found with key.'] } };
    const work = works.find(({ id, deleted }) => id === asked.path.split('/')[5] && !deleted);
    if (!work) return { status: 404, body: { errorMessages: ['Issue does not exist or you do not have permission to see it.'] } };
    if (operation === 'getIssue') return { status: 200, body: { key: work.id, fields: { status: STATUSES[work.open ? 'open' : 'closed'].to, priority: work.severity === null ? null : { name: work.severity } } } };
    if (operation === 'editIssue') work.severity = nameOf(given['priority']);
    if (operation === 'addComment') work.comments.push(textOf(body['body']));
    if (operation === 'getComments') return { status: 200, body: { startAt: 0, maxResults: 100, total: work.comments.length, comments: work.comments.slice(Number(asked.query.get('startAt'))).map((text) => ({ body: edition === 'cloud' ? JSON.parse(text) : text })) } };
    if (operation === 'getTransitions') return { status: 200, body: { transitions: [STATUSES.open, STATUSES.closed] } };
    if (operation === 'doTransition') work.open = record(body['transition'])['id'] === STATUSES.open.id;
    return operation === 'addComment' ? { status: 201, body: { id: '1' } } : { status: 204 };
  };
  const complaints: string[] = [];
  const server = await startLoopback(refusing(serve, complaints), now);
  return { ...server, token, complaints, ticketsOf: (incident) => works.filter(({ title }) => title.includes(incident)) };
}

/** A receiver that keeps what it gets, once by its id. */
export async function fakeReceiver(): Promise<Fake> {
  const seen = new Map<string, Asked>();
  const server = await startLoopback((asked) => {
    seen.set(asked.headers['webhook-id'] ?? '', asked);
    return { status: 204 };
  });
  return {
    ...server,
    complaints: [],
    token: `whsec_${Buffer.from('a secret of twenty-four!').toString('base64')}`,
    ticketsOf: (incident) => [...seen.values()].filter(({ body }) => record(body)['type'] === 'ticket.opened' && record(record(body)['data'])['incident'] === incident).map((asked) => newWork(asked.headers['webhook-id'] ?? '', String(record(record(asked.body)['data'])['title']), asked.text, [])),
  };
}

/** Slack's chat.postMessage: 200 whatever happens, and why not in the answer. */
export async function fakeSlack(token = 'xoxb-token'): Promise<Fake> {
  const works: Work[] = [];
  const server = await startLoopback(({ headers, body, path }) => {
    const said = record(body);
    if (headers['authorization'] !== `Bearer ${token}`) return { status: 200, body: { ok: false, error: 'invalid_auth' } };
    if (path === '/auth.test') return { status: 200, body: { ok: true, user: 'stopbath', team: 'Photos' } };
    if (path !== '/chat.postMessage') return { status: 404 };
    if (said['channel'] !== 'C0123456789') return { status: 200, body: { ok: false, error: 'channel_not_found' } };
    if (list(said['blocks']).length > 50 || String(said['text']).length > 40_000) return { status: 200, body: { ok: false, error: 'msg_too_long' } };
    const thread = works.find(({ id }) => id === said['thread_ts']);
    if (thread) thread.comments.push(JSON.stringify(said));
    else works.push(newWork(`17${works.length}.0001`, String(said['text']), JSON.stringify(said), []));
    return { status: 200, body: { ok: true, ts: thread?.id ?? works.at(-1)?.id } };
  });
  return { ...server, token, complaints: [], ticketsOf: (incident) => works.filter(({ title }) => title.includes(incident)) };
}

/** What is not as the vendor describes it is answered 418 and kept for the test to see. */
function refusing(serve: (asked: Asked) => Answered, complaints: string[]): (asked: Asked) => Answered {
  return (asked) => {
    try {
      return serve(asked);
    } catch (error) {
      if (!(error instanceof NotDescribedError)) throw error;
      complaints.push(error.message);
      return { status: 418, body: { message: `not as described: ${error.message}` } };
    }
  };
}

function newWork(id: string, title: string, body: string, labels: readonly string[]): Work {
  return { id, title, body, open: true, severity: null, by: 'bot', deleted: false, comments: [], labels: new Set(labels) };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function nameOf(value: unknown): string | null {
  const name = record(value)['name'];
  return typeof name === 'string' ? name : null;
}
