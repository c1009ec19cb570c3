import { createHash } from 'node:crypto';
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { AwsError } from '../service.ts';
import type { HttpRequest } from '../service.ts';

/** Digest of a body under each of S3's checksum headers, base64. SHA-512 and XXHash are not checked. */
const CHECKSUMS: Readonly<Record<string, (body: Uint8Array) => Promise<string>>> = {
  'content-md5': hash('md5'),
  'x-amz-checksum-sha1': hash('sha1'),
  'x-amz-checksum-sha256': hash('sha256'),
  'x-amz-checksum-crc32': crc(() => new Crc32()),
  'x-amz-checksum-crc32c': crc(() => new Crc32c()),
  'x-amz-checksum-crc64nvme': crc(() => new Crc64Nvme()),
};

/**
 * Check a body against the checksums that the client sent with it.
 *
 * @throws {AwsError} `BadDigest` or `InvalidDigest` as S3 answers
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export async function checkChecksums(request: Pick<HttpRequest, 'headers' | 'body'>): Promise<void> {
  for (const [header, digest] of Object.entries(CHECKSUMS)) {
    const sent = request.headers[header];
    if (sent === undefined || sent === (await digest(request.body))) continue;
    if (header === 'content-md5') {
      if (Buffer.from(sent, 'base64').length !== 16) throw new AwsError('InvalidDigest', 'The Content-MD5 you specified was invalid.');
      throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    const algorithm = header.slice('x-amz-checksum-'.length).toUpperCase();
    throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`);
  }
}

function hash(algorithm: string): (body: Uint8Array) => Promise<string> {
  return (body) => Promise.resolve(createHash(algorithm).update(body).digest('base64'));
}

function crc(create: () => { update(data: Uint8Array): void; digest(): Promise<Uint8Array> }): (body: Uint8Array) => Promise<string> {
  return async (body) => {
    const checksum = create();
    checksum.update(body);
    return Buffer.from(await checksum.digest()).toString('base64');
  };
}
