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
  const { service, region, credentials, method, url, body } = request;
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256, uriEscapePath: service !== 's3', applyChecksum: true });
  const signed = await signer.sign(
    {
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      port: Number(url.port),
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: { host: url.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    },
    { signingDate: new Date(request.now) },
  );
  const { host: _, ...headers } = signed.headers;
  return await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
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
