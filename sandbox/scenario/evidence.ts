import { GetObjectCommand, ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { EvidenceFiles, ListedRecord } from '../../core/verify.ts';

/** An evidence bucket, read with S3's own API by somebody who may. */
export interface BucketFiles extends EvidenceFiles {
  readonly keys: (prefix: string) => Promise<readonly string[]>;
  readonly text: (key: string, versionId?: string) => Promise<string>;
}

export function bucketFiles(s3: S3Client, bucket: string): BucketFiles {
  const listed = async (prefix: string): Promise<readonly ListedRecord[]> => {
    const found: ListedRecord[] = [];
    let page: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let more = true; more; ) {
      const answer = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix, ...page }));
      for (const { Key = '', VersionId = '', LastModified } of [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])]) found.push({ key: Key, versionId: VersionId, at: () => LastModified?.toISOString() ?? null });
      page = { ...(answer.NextKeyMarker ? { KeyMarker: answer.NextKeyMarker } : {}), ...(answer.NextVersionIdMarker ? { VersionIdMarker: answer.NextVersionIdMarker } : {}) };
      more = answer.IsTruncated === true;
    }
    return found;
  };
  const keys: BucketFiles['keys'] = async (prefix) => [...new Set((await listed(prefix)).map(({ key }) => key))].toSorted();
  const text: BucketFiles['text'] = async (Key, VersionId) => (await (await s3.send(new GetObjectCommand({ Bucket: bucket, Key, VersionId }))).Body?.transformToString()) ?? '';
  return {
    keys,
    text,
    seals: async function* () {
      yield* await keys('seals/');
    },
    readSeal: async (key) => await text(key),
    readRecord: async ({ key, versionId }) => Buffer.from(await text(key, versionId)),
    records: async function* () {
      yield* await listed('records/');
    },
  };
}
