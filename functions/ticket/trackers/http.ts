import { z } from 'zod';
import { plain } from '../../../core/text.ts';
import type { Trouble } from '../../../core/ticket/patience.ts';
import { TrackerError } from './port.ts';

/** One HTTP API: where it is, and who the suite is there. */
export interface Api {
  /** The tracker's name in messages. */
  readonly name: string;
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What must not reach a message, whatever the tracker echoes. */
  readonly secrets: readonly string[];
  readonly now: () => number;
  /** How long one request may take, so that a slow tracker leaves room in the function's own time. */
  readonly timeoutSeconds: number;
}

export interface Ask<T> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query; parts that are not constant are encoded by the caller. */
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: z.ZodType<T>;
}

/** More than any answer that is read here. */
const LARGEST_ANSWER = 4 * 1024 * 1024;

/**
 * One request, once. What the failure means for the next try is in the error: `passing` (too busy, not reached), `standing` (a
 * person must put it right), `unanswered` (it may have taken effect).
 *
 * @throws {TrackerError}
 */
export async function request<T>(api: Api, ask: Ask<T>): Promise<T> {
  const what = `${ask.method} ${ask.path.split('?')[0] ?? ''}`;
  const response = await send(api, ask, what);
  const text = await bodyOf(api, ask, what, response);
  if (!response.ok) throw new TrackerError(troubleOf(response, ask.method), `${api.name}: ${what} was answered ${response.status}${saidBy(api, text)}`, { retryAfter: retryAfterOf(response, api.now()), status: response.status });
  const answer = ask.answer.safeParse(text === '' ? null : parsed(text));
  if (answer.success) return answer.data;
  throw new TrackerError(ask.method === 'GET' ? 'standing' : 'unanswered', `${api.name}: ${what} was answered ${response.status}, but not as its API describes: ${plain(z.prettifyError(answer.error), 300)}`);
}

async function send<T>(api: Api, ask: Ask<T>, what: string): Promise<Response> {
  const body = ask.body === undefined ? undefined : typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body);
  const headers = { accept: 'application/json', 'user-agent': 'stopbath', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...api.headers, ...ask.headers };
  try {
    // Redirects are not followed: the credentials are for this host.
    return await fetch(`${api.base}${ask.path}`, { method: ask.method, headers, redirect: 'manual', signal: AbortSignal.timeout(api.timeoutSeconds * 1000), ...(body === undefined ? {} : { body }) });
  } catch (error) {
    const { trouble, why } = reached(error, api, ask.method);
    throw new TrackerError(trouble, `${api.name}: ${what} was not answered (${why})`, { cause: error });
  }
}

/** A refused connection never took effect; anything after that may have. */
function reached(error: unknown, { timeoutSeconds }: Api, method: string): { readonly trouble: Trouble; readonly why: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  // A time-out is a DOMException, whose code is a number that says nothing.
  const code = !(cause instanceof Error) ? String(cause) : 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  const before = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code);
  return { trouble: method === 'GET' || before ? 'passing' : 'unanswered', why: code === 'TimeoutError' ? `after ${timeoutSeconds} s` : code };
}

async function bodyOf<T>(api: Api, ask: Ask<T>, what: string, response: Response): Promise<string> {
  if (Number(response.headers.get('content-length') ?? 0) > LARGEST_ANSWER) throw new TrackerError('standing', `${api.name}: the answer to ${what} is larger than ${LARGEST_ANSWER} bytes`);
  try {
    return await response.text();
  } catch (error) {
    throw new TrackerError(ask.method === 'GET' ? 'passing' : 'unanswered', `${api.name}: the answer to ${what} broke off`, { cause: error });
  }
}

function troubleOf(response: Response, method: string): Trouble {
  const { status } = response;
  if (status === 429 || (status === 403 && (response.headers.has('retry-after') || response.headers.get('x-ratelimit-remaining') === '0'))) return 'passing';
  if (status === 503) return 'passing';
  if (status >= 500 || status === 408) return method === 'GET' ? 'passing' : 'unanswered';
  return 'standing';
}

/**
 * Seconds: `Retry-After` as seconds or as a date, or GitHub's time of reset.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
export function retryAfterOf(response: Pick<Response, 'headers'>, now: number): number | null {
  const said = response.headers.get('retry-after');
  if (said !== null && /^\d+$/.test(said.trim())) return Number(said);
  const date = said === null ? Number.NaN : Date.parse(said);
  if (!Number.isNaN(date)) return Math.max(0, Math.ceil((date - now) / 1000));
  const reset = response.headers.get('x-ratelimit-remaining') === '0' ? Number(response.headers.get('x-ratelimit-reset') ?? Number.NaN) : Number.NaN;
  return Number.isNaN(reset) ? null : Math.max(0, Math.ceil(reset - now / 1000));
}

function saidBy(api: Api, text: string): string {
  const hidden = api.secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[secret]')), text);
  return hidden.trim() === '' ? '' : `: ${plain(hidden.replaceAll(/\s+/g, ' '), 300)}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
