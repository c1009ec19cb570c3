import { GetObjectCommand, ListObjectVersionsCommand, type ListObjectVersionsCommandInput, type ListObjectVersionsCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import type { EvidenceFiles, ListedRecord } from '../../core/verify.ts';

/** How a bucket is read: with S3's own API, or inside the sandbox. */
export interface BucketReader {
  readonly page: (input: ListObjectVersionsCommandInput) => Promise<Omit<ListObjectVersionsCommandOutput, '$metadata'>>;
  readonly text: (of: { readonly Bucket: string; readonly Key: string; readonly VersionId: string | undefined }) => Promise<string>;
}

/** An evidence bucket, read by somebody who may. */
export interface BucketFiles extends EvidenceFiles {
  readonly keys: (prefix: string) => Promise<readonly string[]>;
  readonly text: (key: string, versionId?: string) => Promise<string>;
}

export function bucketFiles(s3: S3Client, bucket: string): BucketFiles {
  return filesOf(bucket, {
    page: async (input) => await s3.send(new ListObjectVersionsCommand(input)),
    text: async (of) => (await (await s3.send(new GetObjectCommand(of))).Body?.transformToString()) ?? '',
  });
}

export function filesOf(bucket: string, reader: BucketReader): BucketFiles {
  const listed = async (prefix: string): Promise<readonly ListedRecord[]> => {
    const found: ListedRecord[] = [];
    let page: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let more = true; more; ) {
      const answer = await reader.page({ Bucket: bucket, Prefix: prefix, ...page });
      for (const { Key = '', VersionId = '', LastModified } of [...(answer.Versions ?? []), ...(answer.DeleteMarkers ?? [])]) found.push({ key: Key, versionId: VersionId, at: () => LastModified?.toISOString() ?? null });
      page = { ...(answer.NextKeyMarker ? { KeyMarker: answer.NextKeyMarker } : {}), ...(answer.NextVersionIdMarker ? { VersionIdMarker: answer.NextVersionIdMarker } : {}) };
      more = answer.IsTruncated === true;
    }
    return found;
  };
  const keys: BucketFiles['keys'] = async (prefix) => [...new Set((await listed(prefix)).map(({ key }) => key))].toSorted();
  const text: BucketFiles['text'] = async (Key, VersionId) => await reader.text({ Bucket: bucket, Key, VersionId });
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
