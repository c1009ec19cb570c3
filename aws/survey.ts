import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { cloudwatchOf, s3Of } from './clients.ts';
import type { Json } from '../core/bucket.ts';
import type { BucketAddress } from './bucket.ts';
import { impactOf as shareImpactOf } from '../core/share/survey.ts';
import type { Tools } from './function.ts';
import { surveyLinks } from './share/survey.ts';

/**
 * How much is behind a bucket, in the service's own terms, without listing it. Says of each number whether it is exact.
 *
 * @param options.pages - of the count of links, of 1 MB each: beyond them it says "at least"
 */
export async function surveyBucket(tools: Tools, address: BucketAddress, options: { readonly pages?: number } = {}): Promise<{ readonly [key: string]: Json }> {
  const [objects, links] = await Promise.all([countObjects(tools, address), orWhy(surveyLinks(tools, { kind: 'bucket', bucket: address.bucket }, options))]);
  return { ...objects, ...(typeof links === 'string' ? { links: `unknown: ${links}` } : sharedBy(shareImpactOf(links))) };
}

/** Of what is known of the links, what a quarantine concerns: not what a sweep of them would take. */
function sharedBy(impact: { readonly [key: string]: Json }): { readonly [key: string]: Json } {
  const told = ['links', 'liveLinks', 'albums', 'owners'].map((name): readonly [string, unknown] => [name, impact[name]]);
  return Object.fromEntries(told.flatMap(([name, number]) => {
    const read = counted.safeParse(number);
    return read.success ? [[name, `${read.data.value} (${read.data.how})`] as const] : [];
  }));
}

const counted = z.object({ value: z.number(), how: z.string() });

/** What S3 counts once a day, or one page of a listing where S3 has not counted yet. */
async function countObjects(tools: Tools, address: BucketAddress): Promise<{ readonly [key: string]: Json }> {
  const byS3 = await orWhy(objectsCounted(tools, address));
  if (typeof byS3 === 'object' && byS3 !== null) return { objects: `about ${byS3.objects}, older versions included (S3's own count of ${byS3.day}; an estimate)` };
  const page = await s3Of(tools.clients).send(new ListObjectsV2Command({ Bucket: address.bucket, ExpectedBucketOwner: address.account, MaxKeys: 1000 }));
  const found = page.KeyCount ?? 0;
  const why = byS3 === null ? '' : `; S3's own count cannot be read: ${byS3}`;
  return { objects: page.IsTruncated === true ? `at least ${found} (one page was listed; an estimate${why})` : `${found} (counted${why})` };
}

const DAY_MS = 86_400_000;

/**
 * S3 counts once a day and publishes it within a day or two, at the best effort.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html (NumberOfObjects, AllStorageTypes)
 */
async function objectsCounted({ clients, now }: Tools, { bucket }: BucketAddress): Promise<{ readonly objects: number; readonly day: string } | null> {
  const end = Date.parse(now());
  const Metric = { Namespace: 'AWS/S3', MetricName: 'NumberOfObjects', Dimensions: [{ Name: 'BucketName', Value: bucket }, { Name: 'StorageType', Value: 'AllStorageTypes' }] };
  const { MetricDataResults } = await cloudwatchOf(clients).send(
    new GetMetricDataCommand({
      StartTime: new Date(end - 3 * DAY_MS),
      EndTime: new Date(end),
      ScanBy: 'TimestampDescending',
      MetricDataQueries: [{ Id: 'objects', MetricStat: { Metric, Period: 86_400, Stat: 'Average' } }],
    }),
  );
  const { Timestamps: [time] = [], Values: [objects] = [] } = MetricDataResults?.[0] ?? {};
  return time === undefined || objects === undefined ? null : { objects: Math.round(objects), day: time.toISOString().slice(0, 10) };
}

/** A number that is missing is no reason to plan nothing: its place says why. */
async function orWhy<T>(read: Promise<T>): Promise<T | string> {
  try {
    return await read;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}
