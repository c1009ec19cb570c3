import { AwsError } from '../service.ts';

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
export function decodeChunked(body: Buffer): Chunked {
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

function incomplete(): AwsError {
  return new AwsError('IncompleteBody', 'You did not provide the number of bytes specified by the Content-Length HTTP header');
}
