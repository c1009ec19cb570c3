import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate, missingSignature } from './auth/authenticate.ts';
import { signatureOf } from './auth/signature.ts';
import { AwsError, CutError } from './service.ts';
import type { Call, HttpRequest, HttpResponse, Service } from './service.ts';
import { decodeChunked, unframed } from './wire/chunked.ts';
import { checkChecksums } from './wire/checksums.ts';
import { modelOf } from './wire/model.ts';
import { protocolOf, readRequest } from './wire/protocol.ts';
import type { Room } from './world.ts';

export interface Server {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** More than any request of the suite has; a larger body is refused, not buffered. */
const MAX_BODY = 64 * 1024 * 1024;

/**
 * Serve a room on one loopback port, for every AWS client: which service a request is for is in its signature.
 *
 * @param port - 0 for a free one
 */
export async function startServer(room: Room, port: number): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    // A request is work that a skipping clock waits for.
    void room.clock.work(() => handle(room, incoming, outgoing));
  });
  // SDK clients keep sockets open between calls of a long drill.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address: AddressInfo | string | null = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(room: Room, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const response = await readBody(incoming).then(
    (body): Promise<HttpResponse | CutError> => answer(room, requestOf(incoming, body), incoming),
    (): HttpResponse => ({ status: 413, headers: { connection: 'close' }, body: '' }),
  );
  // Sandbox time, so that SDKs correct their clocks to it; in an answer that is cut off too.
  outgoing.setHeader('date', new Date(room.clock.now()).toUTCString());
  if (response instanceof CutError) return cut(outgoing, response);
  for (const [name, value] of Object.entries(response.headers)) outgoing.setHeader(name, headerText(value));
  // Whoever asked was killed meanwhile: no event of this response comes any more.
  if (outgoing.destroyed) return;
  const bodiless = incoming.method === 'HEAD' || response.status === 204 || response.status === 304;
  if (!bodiless) outgoing.setHeader('content-length', Buffer.byteLength(response.body));
  outgoing.writeHead(response.status);
  await new Promise<void>((resolve) => {
    outgoing.once('close', resolve);
    outgoing.end(bodiless ? undefined : response.body, resolve);
  });
}

/** As a network does: nothing at all, or a body that is shorter than was said. */
async function cut(outgoing: ServerResponse, { cut: where }: CutError): Promise<void> {
  if (where === 'within') {
    outgoing.writeHead(200, { 'content-length': 1000 });
    await new Promise<void>((resolve) => outgoing.write('{', () => resolve()));
  }
  outgoing.destroy();
}

async function answer(room: Room, request: HttpRequest, incoming: IncomingMessage): Promise<HttpResponse | CutError> {
  const requestId = randomUUID();
  const target = targetOf(room, request);
  const protocol = protocolOf(target.service);
  try {
    const { service, plain } = target;
    if (!room.services.has(service.name)) throw new AwsError('NotImplemented', `The sandbox has no service '${service.name}'`, 501);
    const signature = signatureOf(request);
    const signed = signature && authenticate(request, signature, refusesLike(service), room.directory, room.clock.now());
    if (!signed && !plain && service.name !== 's3') throw missingSignature(refusesLike(service));
    const body = signed?.request ?? unsigned(request);
    const call: Call = room.callOf(signed?.caller ?? { kind: 'anonymous' }, {
      requestId,
      sourceIp: (incoming.socket.remoteAddress ?? '127.0.0.1').replace(/^::ffff:/, ''),
      authType: signed?.authType ?? 'none',
      ...(signed ? { region: signed.region } : {}),
      ...(request.headers['user-agent'] === undefined ? {} : { userAgent: request.headers['user-agent'] }),
      context: { ...signed?.context, ...(request.headers['referer'] === undefined ? {} : { 'aws:referer': request.headers['referer'] }) },
    });
    if (plain) return await room.serve(service, body, call);
    if (service.name === 's3') await checkChecksums(body);
    const { operation, input } = readRequest(protocol, modelOf(service.sdk), body);
    return protocol.write(operation, await room.perform(service, operation.name, input, call), requestId);
  } catch (error) {
    if (error instanceof CutError) return error;
    return protocol.writeError(error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500), requestId);
  }
}

/** CloudFront speaks S3's protocol and refuses in the words of IAM's. https://docs.aws.amazon.com/cloudfront/latest/APIReference/CommonErrors.html */
function refusesLike({ name, protocol }: Service): Service['protocol'] {
  return name === 'cloudfront' ? 'query' : protocol;
}

function unsigned(request: HttpRequest): HttpRequest {
  return request.headers['x-amz-content-sha256'] === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' ? unframed(request, decodeChunked(request.body)) : request;
}

/** The service that a request is for, and whether it is for something of it that is no API operation. */
function targetOf(room: Room, request: HttpRequest): { readonly service: Service; readonly plain: boolean } {
  for (const service of room.services.values()) {
    if (service.http?.serves(request)) return { service, plain: true };
    if (service.claims?.(request)) return { service, plain: false };
  }
  const scope =
    /Credential=[^,\s]*?\/\d{8}\/[^/,\s]+\/([^/,\s]+)\//.exec(request.headers['authorization'] ?? '')?.[1] ??
    request.query.get('X-Amz-Credential')?.split('/')[3];
  const service = scope === undefined ? undefined : room.services.get(scope);
  if (service) return { service, plain: false };
  // Without a service of ours the protocol shows in the request itself, and S3 is all that answers the unsigned.
  const looksLike = protocolLike(request);
  const known = scope === undefined ? [...room.services.values()].find((candidate) => candidate.protocol === looksLike) : undefined;
  return { service: known ?? { name: scope ?? 's3', sdk: {}, protocol: looksLike, operations: {} }, plain: false };
}

function protocolLike(request: HttpRequest): Service['protocol'] {
  const target = request.headers['x-amz-target'];
  if (target !== undefined) return request.headers['content-type']?.includes('json-1.0') ? 'json-1.0' : 'json-1.1';
  const isForm = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;
  if (isForm || request.query.has('Action')) return 'query';
  return /^\/\d{4}-\d\d-\d\d\//.test(request.path) ? 'rest-json' : 'rest-xml';
}

function requestOf(incoming: IncomingMessage, body: Buffer): HttpRequest {
  // A client that was told to use this port as its proxy sends the whole URL; the host is in its header as well.
  const url = (incoming.url ?? '/').replace(/^http:\/\/[^/?]*/, '');
  const mark = url.indexOf('?');
  const headers = Object.entries(incoming.headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value]],
  );
  return {
    method: incoming.method ?? 'GET',
    host: (incoming.headers.host ?? '').replace(/:\d+$/, ''),
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: Object.fromEntries(headers),
    body,
  };
}

function readBody(incoming: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming
      .on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY) reject(new RangeError('request body too large'));
        else chunks.push(chunk);
      })
      .on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
      .on('error', reject);
  });
}

/** Header values are Latin-1 on the wire; a line break or another control character in one would split the response. */
function headerText(value: string): string {
  if (/^[\x20-\x7e]*$/.test(value)) return value;
  return Buffer.from(value.replaceAll(/[^\P{Cc}\t]/gu, ' '), 'utf8').toString('latin1');
}
