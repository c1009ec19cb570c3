import { AwsError } from '../service.ts';
import type { Call, Caller, ConditionContext, HttpRequest, Service } from '../service.ts';
import { decodeChunked, unframed } from '../wire/chunked.ts';
import type { Chunked } from '../wire/chunked.ts';
import type { Directory, Key } from './directory.ts';
import { basicTime, isSignedBy, parseBasicTime, sameText, scopeText, sha256, sign } from './signature.ts';
import type { Signature } from './signature.ts';

/** Who sent a request, and the request as an operation reads it: without `aws-chunked` framing, trailers as headers. */
export interface Authenticated {
  readonly caller: Caller;
  readonly authType: Call['authType'];
  readonly region: string;
  readonly request: HttpRequest;
  readonly context: ConditionContext;
}

type Protocol = Service['protocol'];

const SKEW_MS = 15 * 60_000;

/**
 * Verify a signed request as the service would: key, session token, time, signature, payload, in this order.
 *
 * @param now - sandbox time, ms since the epoch
 * @throws {AwsError} with the code and status that services of this protocol use
 */
export function authenticate(request: HttpRequest, signature: Signature, protocol: Protocol, directory: Pick<Directory, 'findKey'>, now: number): Authenticated {
  const key = directory.findKey(signature.accessKeyId);
  if (!key) throw refusal('unknownKey', protocol);
  checkToken(key, signature, protocol, now);
  checkTime(signature, protocol, now);
  const sent = payloadHash(request, signature);
  if (!signature.signedHeaders.includes('host') || !isSignedBy(key.secret, signature, request, sent)) throw refusal('badSignature', protocol);
  return {
    caller: key.caller,
    authType: signature.kind === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING',
    region: signature.region,
    request: checkPayload(request, signature, key, sent, protocol),
    context: {
      's3:x-amz-content-sha256': sent,
      ...(signature.kind === 'query' ? { 's3:signatureage': String(now - parseBasicTime(signature.timestamp)) } : {}),
    },
  };
}

export function missingSignature(protocol: Protocol): AwsError {
  return refusal('missing', protocol);
}

function checkToken(key: Key, signature: Signature, protocol: Protocol, now: number): void {
  if (key.token === null ? signature.sessionToken !== null : !sameText(key.token, signature.sessionToken ?? '')) {
    throw refusal('badToken', protocol);
  }
  if (key.expires !== null && now >= key.expires) throw refusal('expiredToken', protocol);
}

function checkTime(signature: Signature, protocol: Protocol, now: number): void {
  const signedAt = parseBasicTime(signature.timestamp);
  if (Number.isNaN(signedAt) || !signature.timestamp.startsWith(signature.date)) throw refusal('badSignature', protocol);
  const [given, current] = [signature.timestamp, basicTime(now)];
  if (signature.expires !== null) {
    const end = signedAt + signature.expires * 1000;
    if (now > end) {
      throw protocol === 'rest-xml'
        ? new AwsError('AccessDenied', 'Request has expired', 403, {
            'X-Amz-Expires': signature.expires,
            Expires: new Date(end).toISOString(),
            ServerTime: new Date(now).toISOString(),
          })
        : refusal('badSignature', protocol, `Signature expired: ${given} is now earlier than ${current}`);
    }
    if (signedAt > now + SKEW_MS) throw new AwsError('AccessDenied', 'Request is not valid yet', 403);
    return;
  }
  if (Math.abs(now - signedAt) <= SKEW_MS) return;
  if (protocol === 'rest-xml') {
    throw new AwsError('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', 403, {
      RequestTime: given,
      ServerTime: new Date(now).toISOString(),
      MaxAllowedSkewMilliseconds: SKEW_MS,
    });
  }
  const early = signedAt < now;
  const limit = basicTime(early ? now - SKEW_MS : now + SKEW_MS);
  throw refusal(
    'badSignature',
    protocol,
    early
      ? `Signature expired: ${given} is now earlier than ${limit} (${current} - 15 min.)`
      : `Signature not yet current: ${given} is still later than ${limit} (${current} + 15 min.)`,
  );
}

/** What the signature covers of the body: its hash, or a word for "not the body". */
function payloadHash(request: HttpRequest, signature: Signature): string {
  const stated = request.headers['x-amz-content-sha256'];
  if (signature.service !== 's3') return stated === 'UNSIGNED-PAYLOAD' ? stated : sha256(request.body);
  if (stated !== undefined) return stated;
  if (signature.kind === 'query') return 'UNSIGNED-PAYLOAD';
  throw new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
}

function checkPayload(request: HttpRequest, signature: Signature, key: Key, hash: string, protocol: Protocol): HttpRequest {
  if (hash === 'UNSIGNED-PAYLOAD') return request;
  if (!hash.startsWith('STREAMING-')) {
    if (hash === sha256(request.body)) return request;
    throw new AwsError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  const chunked = decodeChunked(request.body);
  if (hash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD') && !isChainSigned(chunked, signature, key)) throw refusal('badSignature', protocol);
  return unframed(request, chunked);
}

/** Each chunk's signature covers the one before it, the first one the request's own; the trailer's covers the last. */
function isChainSigned(chunked: Chunked, signature: Signature, key: Key): boolean {
  const text = (kind: string, ...rest: readonly string[]) => [`AWS4-HMAC-SHA256-${kind}`, signature.timestamp, scopeText(signature), ...rest].join('\n');
  let previous = signature.signature;
  for (const chunk of chunked.chunks) {
    const expected = sign(key.secret, signature, text('PAYLOAD', previous, sha256(''), sha256(chunk.data)));
    if (!sameText(expected, chunk.signature ?? '')) return false;
    previous = expected;
  }
  if (chunked.trailerSignature === null) return Object.keys(chunked.trailers).length === 0;
  const trailers = Object.entries(chunked.trailers).map(([name, value]) => `${name}:${value}\n`).join('');
  return sameText(sign(key.secret, signature, text('TRAILER', previous, sha256(trailers))), chunked.trailerSignature);
}

type Reason = 'unknownKey' | 'badToken' | 'expiredToken' | 'badSignature' | 'missing';
type Answer = readonly [code: string, status: number, message: string];

const UNKNOWN = 'The security token included in the request is invalid.';
const EXPIRED = 'The security token included in the request is expired';
const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const MISSING = 'Request is missing Authentication Token';

const JSON_ANSWERS: Readonly<Record<Reason, Answer>> = {
  unknownKey: ['UnrecognizedClientException', 400, UNKNOWN],
  badToken: ['UnrecognizedClientException', 400, UNKNOWN],
  expiredToken: ['ExpiredTokenException', 400, EXPIRED],
  badSignature: ['InvalidSignatureException', 400, MISMATCH],
  missing: ['MissingAuthenticationTokenException', 400, MISSING],
};

/**
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const ANSWERS: Readonly<Record<Protocol, Readonly<Record<Reason, Answer>>>> = {
  'rest-xml': {
    unknownKey: ['InvalidAccessKeyId', 403, 'The AWS Access Key Id you provided does not exist in our records.'],
    badToken: ['InvalidToken', 400, 'The provided token is malformed or otherwise invalid.'],
    expiredToken: ['ExpiredToken', 400, 'The provided token has expired.'],
    badSignature: [
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    ],
    missing: ['AccessDenied', 403, 'Access Denied'],
  },
  query: {
    unknownKey: ['InvalidClientTokenId', 403, UNKNOWN],
    badToken: ['InvalidClientTokenId', 403, UNKNOWN],
    expiredToken: ['ExpiredToken', 403, EXPIRED],
    badSignature: ['SignatureDoesNotMatch', 403, MISMATCH],
    missing: ['MissingAuthenticationToken', 403, MISSING],
  },
  'json-1.0': JSON_ANSWERS,
  'json-1.1': JSON_ANSWERS,
  'rest-json': {
    unknownKey: ['UnrecognizedClientException', 403, UNKNOWN],
    badToken: ['UnrecognizedClientException', 403, UNKNOWN],
    expiredToken: ['ExpiredTokenException', 403, EXPIRED],
    badSignature: ['InvalidSignatureException', 403, MISMATCH],
    missing: ['MissingAuthenticationTokenException', 403, MISSING],
  },
};

function refusal(reason: Reason, protocol: Protocol, detail?: string): AwsError {
  const [code, status, message] = ANSWERS[protocol][reason];
  return new AwsError(code, detail ?? message, status);
}
