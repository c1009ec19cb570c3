import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner';
import { HttpRequest } from '@smithy/core/protocols';
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac } from 'node:crypto';
import type { Credentials } from '../service.ts';

export interface SignedRequest {
  /** Signing name: `s3`, `lambda`. */
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly method: string;
  readonly url: URL;
  readonly body?: string;
  /** Sandbox time, so that a skipped clock does not make signatures old; ms. */
  readonly now: number;
}

/** Sends a request with Signature V4, as any client outside would. */
export async function fetchSigned(request: SignedRequest): Promise<Response> {
  const { method, url, body } = request;
  const signed = await signerOf(request).sign(unsigned(request), { signingDate: new Date(request.now) });
  const { host: _, ...headers } = signed.headers;
  return await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
}

/** A URL that anybody may use for a quarter of an hour. */
export async function presigned(request: SignedRequest): Promise<URL> {
  const { region, credentials } = request;
  const { query = {} } = await new S3RequestPresigner({ region, credentials, sha256: Sha256 }).presign(new HttpRequest(unsigned(request)), { signingDate: new Date(request.now), expiresIn: 900 });
  const url = new URL(request.url);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}

function signerOf({ service, region, credentials }: SignedRequest): SignatureV4 {
  return new SignatureV4({ service, region, credentials, sha256: Sha256, uriEscapePath: service !== 's3', applyChecksum: true });
}

function unsigned({ method, url, body }: SignedRequest) {
  return {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body }),
  };
}

/** Node's SHA-256 in the form that the signer asks for. */
class Sha256 {
  readonly #hash;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
