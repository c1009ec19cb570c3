import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical.ts';
import { codeOf } from './errors.ts';
import type { Tools } from './function.ts';

/** Where a record lies and what it says, for whoever checks it later. */
export interface EvidencePointer {
  readonly key: string;
  /** `null` where an earlier try wrote it and its version is not known here. */
  readonly versionId: string | null;
  readonly sha256: string;
}

/**
 * Writes a record as canonical JSON, once: a key that exists is left as it is.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html (`If-None-Match: *`, 412 where the key exists)
 */
export async function putEvidence(tools: Pick<Tools, 'settings' | 'clients'>, key: string, record: unknown): Promise<EvidencePointer> {
  const body = canonicalJson(JSON.parse(JSON.stringify(record)));
  const sha256 = createHash('sha256').update(body).digest('hex');
  try {
    const { VersionId } = await tools.clients.s3.send(
      new PutObjectCommand({
        Bucket: tools.settings.STOPBATH_EVIDENCE_BUCKET,
        Key: key,
        Body: body,
        ContentType: 'application/json',
        IfNoneMatch: '*',
        ExpectedBucketOwner: tools.settings.STOPBATH_ACCOUNT,
        ChecksumAlgorithm: 'SHA256',
      }),
    );
    return { key, versionId: VersionId ?? null, sha256 };
  } catch (error) {
    if (codeOf(error) === 'PreconditionFailed') return { key, versionId: null, sha256 };
    throw error;
  }
}
