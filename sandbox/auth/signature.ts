import { createHmac, createSecretKey, hash, timingSafeEqual, type KeyObject } from 'node:crypto';
import { AwsError } from '../service.ts';
import type { HttpRequest } from '../service.ts';

/** A Signature Version 4 as a request carries it. */
export interface Signature {
  readonly kind: 'header' | 'query';
  readonly accessKeyId: string;
  /** `20250101`, as in the credential scope. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `20250101T000000Z` */
  readonly timestamp: string;
  /** Seconds a presigned request lives; `null` for a signed one. */
  readonly expires: number | null;
  readonly sessionToken: string | null;
}

/**
 * The signature of a request, or `null` where it carries none.
 *
 * @throws {AwsError} `IncompleteSignature` where it is not one that can be checked
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signatureOf(request: HttpRequest): Signature | null {
  const header = request.headers['authorization'];
  if (header !== undefined) {
    const fields = new Map(
      header
        .slice(header.indexOf(' ') + 1)
        .split(',')
        .map((field): [string, string] => {
          const [name = '', ...value] = field.trim().split('=');
          return [name, value.join('=')];
        }),
    );
    if (!header.startsWith('AWS4-HMAC-SHA256 ')) throw incomplete('Authorization', 'is not AWS4-HMAC-SHA256');
    return {
      kind: 'header',
      ...scopeOf(fields.get('Credential') ?? '', 'Authorization Credential'),
      signedHeaders: (fields.get('SignedHeaders') ?? '').split(';'),
      signature: fields.get('Signature') ?? '',
      timestamp: request.headers['x-amz-date'] ?? basicTime(Date.parse(request.headers['date'] ?? '')),
      expires: null,
      sessionToken: request.headers['x-amz-security-token'] ?? null,
    };
  }
  const signature = request.query.get('X-Amz-Signature');
  if (signature === null) return null;
  if (request.query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw incomplete('X-Amz-Algorithm', 'must be AWS4-HMAC-SHA256');
  const expires = Number(request.query.get('X-Amz-Expires') ?? 300);
  if (!(expires >= 0 && expires <= 604_800)) throw incomplete('X-Amz-Expires', 'must be between 0 and 604800 seconds');
  return {
    kind: 'query',
    ...scopeOf(request.query.get('X-Amz-Credential') ?? '', 'X-Amz-Credential'),
    signedHeaders: (request.query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature,
    timestamp: request.query.get('X-Amz-Date') ?? '',
    expires,
    sessionToken: request.query.get('X-Amz-Security-Token'),
  };
}

/** Whether the signature is that of the secret over this request with this payload hash. Compares in constant time. */
export function isSignedBy(secret: string, signature: Signature, request: HttpRequest, payloadHash: string): boolean {
  const expected = sign(secret, signature, stringToSign(signature, canonicalRequest(request, signature, payloadHash)));
  return sameText(expected, signature.signature);
}

/** Signs one string under a signature's scope, hexadecimal: also what chunks and trailers of a body are signed with. */
export function sign(secret: string, scope: Pick<Signature, 'date' | 'region' | 'service'>, text: string): string {
  return createHmac('sha256', signingKey(secret, scope)).update(text).digest('hex');
}

/** Four rounds of HMAC that are the same all day: thousands of requests come from one session. A `KeyObject` signs in a quarter of the time that its bytes take. */
function signingKey(secret: string, { date, region, service }: Pick<Signature, 'date' | 'region' | 'service'>): KeyObject {
  const name = [secret, date, region, service].join('\n');
  const key = signingKeys.get(name) ?? createSecretKey([date, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secret}`)));
  if (signingKeys.size > MOST_KEYS) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

const signingKeys = new Map<string, KeyObject>();
const MOST_KEYS = 1000;

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data);
}

export function scopeText(scope: Pick<Signature, 'date' | 'region' | 'service'>): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

/** `20250101T000000Z` of a time, or of nothing where the time is none. */
export function basicTime(ms: number): string {
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

/** ms since the epoch of `20250101T000000Z`; NaN where it is not of that form. */
export function parseBasicTime(text: string): number {
  const found = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  return found ? Date.parse(`${found[1]}-${found[2]}-${found[3]}T${found[4]}:${found[5]}:${found[6]}Z`) : Number.NaN;
}

export function canonicalRequest(request: HttpRequest, signature: Signature, payloadHash: string): string {
  return [
    request.method,
    canonicalPath(request.path, signature.service),
    canonicalQuery(request.query),
    ...signature.signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replaceAll(/ +/g, ' ')}`),
    '',
    signature.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function stringToSign(signature: Signature, canonical: string): string {
  return ['AWS4-HMAC-SHA256', signature.timestamp, scopeText(signature), sha256(canonical)].join('\n');
}

/** S3 encodes the path once and keeps it as it is; all others encode it twice and resolve dots and empty segments. */
function canonicalPath(path: string, service: string): string {
  if (service === 's3') return path.split('/').map((segment) => encode(decode(segment))).join('/');
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(encode(decode(segment))));
  }
  return `/${segments.join('/')}${path.length > 1 && path.endsWith('/') ? '/' : ''}`;
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]): [string, string] => [encode(name), encode(value)])
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map((pair) => pair.join('='))
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.");
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function scopeOf(credential: string, place: string): Pick<Signature, 'accessKeyId' | 'date' | 'region' | 'service'> {
  const parts = credential.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', end] = parts;
  if (parts.length !== 5 || end !== 'aws4_request') throw incomplete(place, 'must be <key>/<date>/<region>/<service>/aws4_request');
  return { accessKeyId, date, region, service };
}

function incomplete(place: string, problem: string): AwsError {
  return new AwsError('IncompleteSignature', `${place} ${problem}`);
}
