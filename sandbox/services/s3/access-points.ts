import { createHash } from 'node:crypto';
import type { PublicAccessBlock } from '../../../core/bucket.ts';
import type { Lagging } from './propagation.ts';
import type { Bucket, BucketPolicy, S3State } from './state.ts';

/** A door to a bucket with a policy of its own. Its block is set when it is made and never changes. */
export interface AccessPoint {
  readonly name: string;
  readonly arn: string;
  /** Stands where a bucket's name stands, for requests to objects. */
  readonly alias: string;
  readonly account: string;
  readonly bucket: string;
  readonly createdAt: Date;
  readonly block: PublicAccessBlock;
  /** The VPC that alone may use it; `null`: the internet. */
  readonly vpc: string | null;
  policy: Lagging<BucketPolicy | null>;
}

/** What a bucket's name or an access point's alias in a request stands for. */
export interface Door {
  readonly bucket: Bucket;
  /** `null` where the bucket is named itself. */
  readonly point: AccessPoint | null;
}

/**
 * @returns `undefined` where nothing is called so
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html#access-points-alias
 */
export function doorOf(state: Pick<S3State, 'buckets' | 'accessPoints'>, name: string): Door | undefined {
  const bucket = state.buckets.get(name);
  if (bucket) return { bucket, point: null };
  if (!name.endsWith(ALIAS_END)) return undefined;
  const point = [...state.accessPoints.values()].find((entry) => entry.alias === name);
  const behind = point && state.buckets.get(point.bucket);
  return behind && { bucket: behind, point };
}

const ALIAS_END = '-s3alias';

/** The name's beginning and 34 characters that S3 makes up: here always the same for the same access point. */
export function aliasOf(name: string, account: string): string {
  return `${name.slice(0, 20)}-${createHash('sha256').update(`${account}/${name}`).digest('hex').slice(0, 34)}${ALIAS_END}`;
}
