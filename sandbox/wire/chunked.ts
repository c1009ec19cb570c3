import { AwsError } from '../service.ts';
import type { HttpRequest } from '../service.ts';

/** A body in `aws-chunked` framing, taken apart. */
export interface Chunked {
  readonly data: Buffer;
  readonly chunks: readonly { readonly data: Buffer; readonly signature: string | null }[];
  /** Names in lower case; `x-amz-trailer-signature` is not among them. */
  readonly trailers: Readonly<Record<string, string>>;
  readonly trailerSignature: string | null;
}

/**
 * Take apart an `aws-chunked` body: `<hex size>[;chunk-signature=…]\r\n<data>\r\n`, a chunk of size 0, trailers.
 *
 * @throws {AwsError} `IncompleteBody` where the framing ends early or is not framing
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeChunked(bytes: Uint8Array): Chunked {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: { data: Buffer; signature: string | null }[] = [];
  let at = 0;
  const line = () => {
    const end = body.indexOf('\r\n', at);
    if (end < 0) throw incomplete();
    const text = body.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  for (;;) {
    const header = /^([0-9a-fA-F]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line());
    if (!header) throw incomplete();
    const size = Number.parseInt(header[1] ?? '', 16);
    chunks.push({ data: body.subarray(at, at + size), signature: header[2] ?? null });
    if (size === 0) break;
    if (at + size + 2 > body.length || body.toString('latin1', at + size, at + size + 2) !== '\r\n') throw incomplete();
    at += size + 2;
  }
  const trailers: Record<string, string> = {};
  while (at < body.length) {
    const text = line();
    const colon = text.indexOf(':');
    if (colon > 0) trailers[text.slice(0, colon).trim().toLowerCase()] = text.slice(colon + 1).trim();
  }
  const { 'x-amz-trailer-signature': trailerSignature = null, ...rest } = trailers;
  return { data: Buffer.concat(chunks.map((chunk) => chunk.data)), chunks, trailers: rest, trailerSignature };
}

/**
 * The request as if it had been sent without framing: trailers among its headers.
 *
 * @throws {AwsError} `IncompleteBody` where it is not as long as it said
 */
export function unframed(request: HttpRequest, chunked: Chunked): HttpRequest {
  const stated = request.headers['x-amz-decoded-content-length'];
  if (stated !== undefined && Number(stated) !== chunked.data.length) throw incomplete();
  const { 'content-encoding': encodings = '', ...headers } = request.headers;
  const rest = encodings.split(',').map((name) => name.trim()).filter((name) => name !== '' && name !== 'aws-chunked');
  return {
    ...request,
    headers: {
      ...headers,
      ...chunked.trailers,
      'content-length': String(chunked.data.length),
      ...(rest.length > 0 ? { 'content-encoding': rest.join(',') } : {}),
    },
    body: chunked.data,
  };
}

function incomplete(): AwsError {
  return new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
}
