import { GetAccessPointCommand, GetAccessPointPolicyCommand, paginateListAccessPoints, type AccessPoint as Listed, type S3ControlClient } from '@aws-sdk/client-s3-control';
import type { AccessPoint } from '../core/bucket.ts';
import { blockOf } from './block.ts';
import type { BucketAddress } from './bucket.ts';
import { inTurns } from './concurrently.ts';
import { codeOf } from './errors.ts';

/**
 * The account's own access points of a bucket, with their blocks and policies. Those that other accounts made for it
 * are theirs to read; the bucket's block and a deny in its policy count for them too.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html
 */
export async function readAccessPoints(control: S3ControlClient, { account, bucket }: Pick<BucketAddress, 'account' | 'bucket'>): Promise<readonly AccessPoint[]> {
  const listed: Listed[] = [];
  for await (const page of paginateListAccessPoints({ client: control }, { AccountId: account, Bucket: bucket })) listed.push(...(page.AccessPointList ?? []));
  const read = await inTurns(listed, async (point) => await readAccessPoint(control, account, point));
  return read.filter((point) => point !== null);
}

/** The bucket behind an access point, which events about it do not name; `null` where there is no such access point. */
export async function bucketBehind(control: S3ControlClient, account: string, name: string): Promise<string | null> {
  const point = await goneAsNull(control.send(new GetAccessPointCommand({ AccountId: account, Name: name })));
  return point?.Bucket ?? null;
}

async function readAccessPoint(control: S3ControlClient, account: string, { Name: name = '', AccessPointArn: arn = '' }: Listed): Promise<AccessPoint | null> {
  const which = { AccountId: account, Name: name };
  const [point, policy] = await Promise.all([goneAsNull(control.send(new GetAccessPointCommand(which))), goneAsNull(control.send(new GetAccessPointPolicyCommand(which)))]);
  // Removed since it was listed.
  if (!point) return null;
  return {
    name,
    arn: point.AccessPointArn ?? arn,
    alias: point.Alias ?? null,
    publicAccessBlock: blockOf(point.PublicAccessBlockConfiguration),
    policy: policy?.Policy ?? null,
    networkOrigin: point.NetworkOrigin === 'VPC' ? 'VPC' : 'Internet',
  };
}

/** S3 Control's model has no errors for these; the codes are what it sends. */
const GONE: ReadonlySet<string> = new Set(['NoSuchAccessPoint', 'NoSuchAccessPointPolicy']);

async function goneAsNull<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (GONE.has(codeOf(error) ?? '')) return null;
    throw error;
  }
}
