import type { Tag as SdkTag } from '@aws-sdk/client-s3';
import type { Tag } from '../../../core/bucket.ts';
import { AwsError } from '../../service.ts';
import { invalidArgument } from './errors.ts';

/**
 * A tag set, as S3 checks it. Wording recorded from AWS (localstack/localstack, `test_s3_api.snapshot.json`).
 *
 * @param limit - tags at most: 50 on a bucket, 10 on an object
 * @param reserved - what S3 says about a key that starts with `aws:`, which differs between buckets and objects
 * @throws {AwsError} InvalidTag, 400
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
 */
export function readTags(set: readonly SdkTag[] | undefined, limit: number, reserved: string): readonly Tag[] {
  const tags = (set ?? []).map((tag) => ({ Key: tag.Key ?? '', Value: tag.Value ?? '' }));
  const seen = new Set<string>();
  for (const { Key, Value } of tags) {
    if (seen.has(Key)) throw invalid('Cannot provide multiple Tags with the same key', { TagKey: Key });
    if (Key.startsWith('aws:')) throw invalid(reserved, { TagKey: Key });
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/u.test(Key)) throw invalid('The TagKey you have provided is invalid', { TagKey: Key });
    if (!/^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u.test(Value)) throw invalid('The TagValue you have provided is invalid', { TagKey: Key, TagValue: Value });
    seen.add(Key);
  }
  if (tags.length > limit) throw invalid(`Tags cannot be greater than ${limit}`, {});
  return tags;
}

/** The `x-amz-tagging` header: `a=1&b=2`, URL-encoded. */
export function tagsOfHeader(header: string | undefined): readonly Tag[] {
  if (header === undefined || header === '') return [];
  const tags = [...new URLSearchParams(header)].map(([Key, Value]) => ({ Key, Value }));
  if (new Set(tags.map((tag) => tag.Key)).size < tags.length || header.includes(',')) {
    throw invalidArgument('x-amz-tagging', header, "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.");
  }
  return readTags(tags, 10, 'Your TagKey cannot be prefixed with aws:');
}

function invalid(message: string, fields: Readonly<Record<string, string>>): AwsError {
  return new AwsError('InvalidTag', message, 400, fields);
}
