import { describe, expect, it } from 'vitest';
import { AwsError } from '../service.ts';
import type { HttpRequest } from '../service.ts';
import { authenticate } from './authenticate.ts';
import type { Key } from './directory.ts';
import { parseBasicTime, signatureOf } from './signature.ts';

/**
 * Requests with the signatures that AWS's documentation works out for them, by its example key.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 */
const KEY: Key = {
  id: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  token: null,
  caller: { kind: 'root', account: '111122223333', principalArn: 'arn:aws:iam::111122223333:root', arn: 'arn:aws:iam::111122223333:root', userId: '111122223333' },
  expires: null,
  createdAt: 0,
  status: 'Active',
};
const NOW = parseBasicTime('20130524T000500Z');
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

describe('header signatures', () => {
  it('accepts a ranged GET of an object', () => {
    expect(outcome(getObject())).toBe('root');
  });

  it('accepts a PUT whose key has to be encoded', () => {
    const body = Buffer.from('Welcome to Amazon S3.');
    const headers = {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      host: 'examplebucket.s3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    };
    expect(outcome(request({ method: 'PUT', path: '/test%24file.text', headers, body }))).toBe('root');
    expect(outcome(request({ method: 'PUT', path: '/test%24file.text', headers, body: Buffer.from('Welcome to Amazon S4.') }))).toBe(
      'XAmzContentSHA256Mismatch',
    );
  });

  it('accepts a subresource without a value, and parameters in any order', () => {
    const lifecycle = (signature: string, query: string) =>
      request({
        path: '/',
        query: new URLSearchParams(query),
        headers: {
          host: 'examplebucket.s3.amazonaws.com',
          'x-amz-date': '20130524T000000Z',
          'x-amz-content-sha256': EMPTY,
          authorization: authorization('host;x-amz-content-sha256;x-amz-date', signature),
        },
      });
    expect(outcome(lifecycle('fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543', 'lifecycle'))).toBe('root');
    expect(outcome(lifecycle('34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7', 'prefix=J&max-keys=2'))).toBe('root');
  });

  it.each([
    ['another method', getObject({ method: 'DELETE' })],
    ['another path', getObject({ path: '/test2.txt' })],
    ['a further parameter', getObject({ query: new URLSearchParams('acl') })],
    ['a signed header changed', getObject({ headers: { ...getObject().headers, range: 'bytes=0-99' } })],
    ['another host', getObject({ headers: { ...getObject().headers, host: 'otherbucket.s3.amazonaws.com' } })],
    ['a signature cut short', getObject({ headers: { ...getObject().headers, authorization: getObject().headers['authorization']?.slice(0, -1) ?? '' } })],
  ])('refuses %s', (_, changed) => {
    expect(outcome(changed)).toBe('SignatureDoesNotMatch');
  });

  it('refuses a time more than 15 minutes away, either way', () => {
    const at = parseBasicTime('20130524T000000Z');
    expect(outcome(getObject(), at + 15 * 60_000)).toBe('root');
    expect(outcome(getObject(), at + 15 * 60_000 + 1)).toBe('RequestTimeTooSkewed');
    expect(outcome(getObject(), at - 15 * 60_000 - 1)).toBe('RequestTimeTooSkewed');
  });

  it('refuses a key it does not know, and an authorization that is none', () => {
    expect(outcome(getObject({ headers: { ...getObject().headers, authorization: authorization('host', 'x').replace('AKIA', 'AKIB') } }))).toBe('InvalidAccessKeyId');
    expect(outcome(getObject({ headers: { ...getObject().headers, authorization: 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=' } }))).toBe('IncompleteSignature');
  });
});

describe('signatures of other services', () => {
  /** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
  it('accepts the request of ListUsers, whose body is covered without a header saying so', () => {
    const key: Key = { ...KEY, id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
    const sent = request({
      path: '/',
      query: new URLSearchParams('Action=ListUsers&Version=2010-05-08'),
      headers: {
        host: 'iam.amazonaws.com',
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'x-amz-date': '20150830T123600Z',
        authorization:
          'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
      },
    });
    const now = parseBasicTime('20150830T123600Z');
    const check = (one: HttpRequest) => {
      const signature = signatureOf(one);
      return signature && authenticate(one, signature, 'query', { findKey: () => key }, now).authType;
    };
    expect(check(sent)).toBe('REST-HEADER');
    expect(() => check({ ...sent, body: Buffer.from('x') })).toThrow('signature we calculated does not match');
  });
});

describe('presigned URLs', () => {
  const presigned = (change: Readonly<Record<string, string>> = {}) =>
    request({
      path: '/test.txt',
      headers: { host: 'examplebucket.s3.amazonaws.com' },
      query: new URLSearchParams({
        'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
        'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
        'X-Amz-Date': '20130524T000000Z',
        'X-Amz-Expires': '86400',
        'X-Amz-SignedHeaders': 'host',
        'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
        ...change,
      }),
    });

  it('lives as long as it says, and not a moment longer', () => {
    const end = parseBasicTime('20130525T000000Z');
    expect(outcome(presigned())).toBe('root');
    expect(outcome(presigned(), end)).toBe('root');
    expect(outcome(presigned(), end + 1)).toBe('AccessDenied');
  });

  it('cannot be made to live longer, nor beyond seven days', () => {
    expect(outcome(presigned({ 'X-Amz-Expires': '86401' }))).toBe('SignatureDoesNotMatch');
    expect(outcome(presigned({ 'X-Amz-Expires': '604801' }))).toBe('IncompleteSignature');
  });
});

describe('aws-chunked bodies', () => {
  const SIGNATURES = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ];
  const upload = (sizes: readonly number[], letter = 'a') =>
    request({
      method: 'PUT',
      path: '/examplebucket/chunkObject.txt',
      headers: {
        host: 's3.amazonaws.com',
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
        'content-encoding': 'aws-chunked',
        'x-amz-decoded-content-length': '66560',
        'content-length': '66824',
        authorization: authorization(
          'content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class',
          '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
        ),
      },
      body: Buffer.from(sizes.map((size, index) => `${size.toString(16)};chunk-signature=${SIGNATURES[index]}\r\n${letter.repeat(size)}\r\n`).join('')),
    });

  it('reads a body whose chunks are signed one upon the other, and drops the framing', () => {
    const { request: read } = authenticated(upload([65_536, 1024, 0]));
    expect(read.body.length).toBe(66_560);
    expect(Buffer.from(read.body).equals(Buffer.alloc(66_560, 'a'))).toBe(true);
    expect(read.headers['content-encoding']).toBeUndefined();
    expect(read.headers['content-length']).toBe('66560');
  });

  it('refuses a chunk that was changed, and a body that was cut', () => {
    expect(outcome(upload([65_536, 1024, 0], 'b'))).toBe('SignatureDoesNotMatch');
    expect(outcome(upload([65_536]))).toBe('IncompleteBody');
    expect(outcome(upload([65_536, 0]))).toBe('SignatureDoesNotMatch');
  });
});

function getObject(change: Partial<HttpRequest> = {}): HttpRequest {
  return request({
    path: '/test.txt',
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      'x-amz-date': '20130524T000000Z',
      authorization: authorization('host;range;x-amz-content-sha256;x-amz-date', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'),
    },
    ...change,
  });
}

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
}

function request(parts: Partial<HttpRequest>): HttpRequest {
  return { method: 'GET', host: '', path: '/', query: new URLSearchParams(), headers: {}, body: new Uint8Array(), ...parts };
}

function authenticated(sent: HttpRequest, now = NOW) {
  const signature = signatureOf(sent);
  if (!signature) throw new Error('no signature');
  return authenticate(sent, signature, 'rest-xml', { findKey: (id) => (id === KEY.id ? KEY : null) }, now);
}

function outcome(sent: HttpRequest, now = NOW): string {
  try {
    return authenticated(sent, now).caller.kind;
  } catch (error) {
    if (error instanceof AwsError) return error.code;
    throw error;
  }
}
