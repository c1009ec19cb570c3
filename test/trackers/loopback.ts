import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as a tracker's server gets it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly text: string;
  /** ms since the epoch, by the clock that the server was given. */
  readonly at: number;
}

export interface Answered {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong with requests that match: instead of their effect, or after it (the answer is lost). */
export interface TrackerFault {
  readonly method?: string;
  readonly path?: RegExp;
  /** What stands in the body. */
  readonly text?: RegExp;
  readonly times: number;
  readonly when: 'before' | 'after';
  /** `hang up`: the connection breaks. `silence`: there is never an answer. */
  readonly how: Answered | 'hang up' | 'silence';
}

/** A tracker on loopback, which does what its `serve` says and counts. */
export interface Loopback {
  readonly url: string;
  readonly asked: Asked[];
  readonly fail: (fault: TrackerFault) => void;
  /** Nothing goes wrong any more. */
  readonly heal: () => void;
  readonly stop: () => Promise<void>;
}

export async function startLoopback(serve: (asked: Asked) => Answered, now: () => number = Date.now): Promise<Loopback> {
  const asked: Asked[] = [];
  const faults: { readonly fault: TrackerFault; left: number }[] = [];
  const faultOf = (request: Asked, when: TrackerFault['when']) => {
    const entry = faults.find(({ fault, left }) => left > 0 && fault.when === when && (fault.method ?? request.method) === request.method && (fault.path?.test(request.path) ?? true) && (fault.text?.test(request.text) ?? true));
    if (entry) entry.left--;
    return entry?.fault.how;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const got = await read(request, now());
    asked.push(got);
    const before = faultOf(got, 'before');
    const served = before === undefined ? serve(got) : null;
    const how = before ?? faultOf(got, 'after') ?? served ?? { status: 500 };
    if (how === 'silence') return;
    if (how === 'hang up') return void request.socket.destroy();
    response.writeHead(how.status, { 'content-type': 'application/json', ...how.headers });
    response.end(how.body === undefined ? '' : JSON.stringify(how.body));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ message: String(error) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    fail: (fault) => void faults.push({ fault, left: fault.times }),
    heal: () => void faults.splice(0),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage, at: number): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString('utf8');
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  return { method: request.method ?? '', path: url.pathname, query: url.searchParams, headers, text, at, body: text === '' ? undefined : JSON.parse(text) };
}
