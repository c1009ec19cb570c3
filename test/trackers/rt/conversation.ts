import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RequestTracker } from './server.ts';

/** One thing to ask of a Request Tracker; `{id}` is the ticket that the first one opened. */
interface Ask {
  readonly about: string;
  readonly by?: 'mallory' | 'nobody';
  readonly method?: 'POST' | 'PUT';
  readonly path: string;
  readonly body?: object;
}

export interface Answer {
  readonly about: string;
  readonly status: number;
  readonly body: unknown;
}

const search = (subject: string) => `/tickets?${new URLSearchParams({ query: `Queue = 'Security' AND Subject LIKE '[${subject}]' AND Creator = '__CurrentUser__'`, orderby: 'id', order: 'ASC', per_page: '1' }).toString()}`;

/** What the suite asks of a Request Tracker, what a person does there, and what goes wrong. */
const ASKS: readonly Ask[] = [
  { about: 'a ticket', method: 'POST', path: '/ticket', body: { Queue: 'Security', Subject: 'a bucket [inc-recorded]', Content: '<p>open</p>', ContentType: 'text/html', Priority: 70 } },
  { about: 'a ticket in a queue that is not there', method: 'POST', path: '/ticket', body: { Queue: 'Deleted', Subject: 'x', Content: 'x', ContentType: 'text/html', Priority: 70 } },
  { about: 'a ticket by nobody', by: 'nobody', method: 'POST', path: '/ticket', body: { Queue: 'Security', Subject: 'x' } },
  { about: 'what the ticket is', path: '/ticket/{id}' },
  { about: 'a search', path: search('inc-recorded') },
  { about: 'a search of somebody else', by: 'mallory', path: search('inc-recorded') },
  { about: 'a comment', method: 'POST', path: '/ticket/{id}/comment', body: { Subject: 'Contained [m-1]', Content: '<p>contained</p>', ContentType: 'text/html' } },
  { about: 'its history', path: '/ticket/{id}/history?fields=Type,Data&per_page=100&page=1' },
  { about: 'its texts', path: '/ticket/{id}/attachments?fields=Content&per_page=100' },
  { about: 'another priority', method: 'PUT', path: '/ticket/{id}', body: { Priority: 90 } },
  { about: 'the same priority', method: 'PUT', path: '/ticket/{id}', body: { Priority: 90 } },
  { about: 'closing it', method: 'PUT', path: '/ticket/{id}', body: { Status: 'resolved' } },
  { about: 'opening it again', method: 'PUT', path: '/ticket/{id}', body: { Status: 'open' } },
  { about: 'a status that is none', method: 'PUT', path: '/ticket/{id}', body: { Status: 'finished' } },
  { about: 'a ticket that is not there', path: '/ticket/99999' },
  { about: 'a comment on it', method: 'POST', path: '/ticket/99999/comment', body: { Content: 'x', ContentType: 'text/html' } },
  { about: 'a person who deletes it', by: 'mallory', method: 'PUT', path: '/ticket/{id}', body: { Status: 'deleted' } },
  { about: 'what a deleted ticket is', path: '/ticket/{id}' },
  { about: 'a search for it', path: search('inc-recorded') },
];

/** Asks all of it, one after the other. */
export async function converse({ url, tokens }: Pick<RequestTracker, 'url' | 'tokens'>): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let id = '';
  for (const { about, by, method = 'GET', path, body } of ASKS) {
    const token = by === 'nobody' ? '1-1-0123456789abcdef0123456789abcdef' : tokens[by ?? 'stopbath'];
    const answer = await fetch(`${url}/REST/2.0${path.replace('{id}', id)}`, { method, headers: { authorization: `token ${token}`, 'content-type': 'application/json' }, ...(body ? { body: JSON.stringify(body) } : {}) });
    const said: unknown = await answer.json();
    id ||= String(Reflect.get(Object(said), 'id'));
    answers.push({ about, status: answer.status, body: said });
  }
  return answers;
}

/** As Request Tracker 5.0.3 of Debian 12 answered (`RT_RECORD=1 npm run test:rt` writes it anew). */
export const RECORDED = join(import.meta.dirname, 'recorded.json');

export function recorded(): readonly Answer[] {
  return JSON.parse(readFileSync(RECORDED, 'utf8')) as readonly Answer[];
}

/** What an answer is like, whatever numbers, names and times are in it: the words of messages stay. */
export function shapeOf({ about, status, body }: Answer): object {
  return { about, status, body: typesIn(body) };
}

function typesIn(value: unknown): unknown {
  if (Array.isArray(value)) return value.every((entry) => typeof entry === 'string') ? value.map((words: string) => words.replaceAll(/\d+/g, '#')) : value.map(typesIn);
  if (typeof value !== 'object' || value === null) return value === null ? null : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, key === 'Status' ? entry : typesIn(entry)]));
}
