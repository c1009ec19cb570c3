import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AwsError } from '../../service.ts';

/**
 * Checksums of an upload, checked where the client sent one, by member name of the SDK.
 *
 * Those that Node cannot compute (CRC32C, CRC64NVME) are kept as they came.
 *
 * @throws {AwsError} BadDigest, 400, where the bytes are not those that the client meant
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function checksumsOf(input: object, body: Uint8Array): Readonly<Record<string, string>> {
  const given = input as Readonly<Record<string, unknown>>;
  const md5 = given['ContentMD5'];
  if (md5 !== undefined && md5 !== createHash('md5').update(body).digest('base64')) throw new AwsError('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400);
  const found: Record<string, string> = {};
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const member = `Checksum${algorithm}`;
    const sent = given[member];
    const asked = typeof sent === 'string' || given['ChecksumAlgorithm'] === algorithm;
    const computed = asked ? compute(algorithm, body) : null;
    if (typeof sent === 'string' && computed !== null && sent !== computed) {
      throw new AwsError('BadDigest', `The ${algorithm} you specified did not match the calculated checksum.`, 400);
    }
    const value = computed ?? sent;
    if (asked && typeof value === 'string') found[member] = value;
  }
  return found;
}

function compute(algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME' | 'SHA1' | 'SHA256', body: Uint8Array): string | null {
  switch (algorithm) {
    case 'CRC32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc32(body));
      return bytes.toString('base64');
    }
    case 'SHA1':
    case 'SHA256':
      return createHash(algorithm).update(body).digest('base64');
    default:
      return null;
  }
}
