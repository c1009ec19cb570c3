import { ListBucketsCommand, type S3Client } from '@aws-sdk/client-s3';
import { GetPublicAccessBlockCommand, type S3ControlClient } from '@aws-sdk/client-s3-control';
import type { PublicAccessBlock } from '../core/bucket.ts';
import type { NamedBucket } from '../core/decide/facts.ts';
import { blockOf } from './block.ts';
import { codeOf } from './errors.ts';

/** The account's own Block Public Access, which counts for every bucket and access point of it; `null` where it has none. */
export async function readAccountBlock(control: S3ControlClient, account: string): Promise<PublicAccessBlock | null> {
  try {
    const { PublicAccessBlockConfiguration } = await control.send(new GetPublicAccessBlockCommand({ AccountId: account }));
    return blockOf(PublicAccessBlockConfiguration);
  } catch (error) {
    if (codeOf(error) === 'NoSuchPublicAccessBlockConfiguration') return null;
    throw error;
  }
}

const PAGE = 1000;

/**
 * All buckets of the account that calls, in every region.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html (a bucket's region is told in pages only)
 */
export async function listBuckets(s3: S3Client): Promise<readonly NamedBucket[]> {
  const buckets: NamedBucket[] = [];
  let from: string | undefined;
  do {
    const { Buckets = [], ContinuationToken } = await s3.send(new ListBucketsCommand({ MaxBuckets: PAGE, ...(from === undefined ? {} : { ContinuationToken: from }) }));
    buckets.push(...Buckets.flatMap(({ Name, BucketRegion }) => (Name === undefined ? [] : [{ name: Name, ...(BucketRegion === undefined ? {} : { region: BucketRegion }) }])));
    from = ContinuationToken;
  } while (from !== undefined);
  return buckets;
}
