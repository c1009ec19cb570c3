import * as sdk from '@aws-sdk/client-s3';
import { AwsError, type Call, type Need, type Operation, type Service, type World } from '../service.ts';
import { assertAllowed, assertAllowedByIdentity } from './s3/access.ts';
import { doorOf } from './s3/access-points.ts';
import { bucketOperations } from './s3/buckets.ts';
import { deleteOperations } from './s3/deletes.ts';
import { listingOperations } from './s3/listings.ts';
import { lockOperations } from './s3/lock.ts';
import { objectSettingOperations } from './s3/object-settings.ts';
import { objectOperations } from './s3/objects.ts';
import { permissionOperations } from './s3/permissions.ts';
import { latest, settled } from './s3/propagation.ts';
import { settingOperations } from './s3/settings.ts';
import { bucketOf, type Bucket, type BucketInput, type S3State } from './s3/state.ts';
import { createS3Control } from './s3-control.ts';
import { isWebsiteRequest, serveWebsite } from './s3/website.ts';

export interface S3 extends Service {
  /** What belongs to an account: its Block Public Access, its access points. A service of its own over the same state. */
  readonly control: Service;
  /** Makes the data plane see every setting at once, as if all had been made long ago: for seeds. */
  readonly settle: () => void;
  /** What S3 last counted of a bucket, which it does once a day; `null` where it has not yet. */
  readonly counted: (account: string, bucket: string) => { readonly objects: number; readonly at: number } | null;
}

const DAY_MS = 86_400_000;

/** Without a bucket to ask: only the caller's own policies count. */
const WITHOUT_BUCKET: ReadonlySet<string> = new Set(['CreateBucket', 'ListBuckets']);

/**
 * The sandbox's S3: buckets and their settings, objects in memory, and who may reach them, as S3 decides it. Settings
 * that govern access reach reads and writes of objects `world.propagationMs` after they were written.
 */
export function createS3(world: World): S3 {
  const counts = new Map<Bucket, { readonly objects: number; readonly at: number }>();
  const state: S3State = { world, buckets: new Map(), accountBlocks: new Map(), accessPoints: new Map() };
  const operations: Readonly<Record<string, Operation>> = {
    ...bucketOperations(state),
    ...permissionOperations(state),
    ...settingOperations(state),
    ...objectOperations(state),
    ...objectSettingOperations(state),
    ...lockOperations(state),
    ...deleteOperations(state),
    ...listingOperations(state),
  };
  return {
    name: 's3',
    sdk,
    protocol: 'rest-xml',
    operations,
    authorize: (operation, input, call) => {
      const needs: readonly Need[] = operations[operation]?.needs?.(input, call) ?? [];
      if (WITHOUT_BUCKET.has(operation)) {
        for (const need of needs) assertAllowedByIdentity(call, need);
        return;
      }
      // Before anything else: the bucket exists, and it is whose the caller thinks it is.
      bucketOf(state, input as BucketInput);
      assertServedThrough(state, operation, input as BucketInput);
      for (const need of needs) assertAllowed(state, call, need);
    },
    http: {
      serves: isWebsiteRequest,
      handle: (request, call: Call) => serveWebsite(state, request, call),
    },
    control: createS3Control(state),
    settle: () => {
      for (const [account, block] of state.accountBlocks) state.accountBlocks.set(account, settled(latest(block)));
      for (const point of state.accessPoints.values()) point.policy = settled(latest(point.policy));
      const at = Math.floor(world.clock.now() / DAY_MS) * DAY_MS - DAY_MS;
      for (const bucket of state.buckets.values()) {
        settleBucket(bucket);
        counts.set(bucket, { objects: [...bucket.objects.values()].reduce((sum, versions) => sum + versions.length, 0), at });
      }
    },
    counted: (account, name) => {
      const bucket = state.buckets.get(name);
      return bucket?.account === account ? (counts.get(bucket) ?? null) : null;
    },
  };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-service-api-support.html */
const THROUGH_ACCESS_POINTS: ReadonlySet<string> = new Set(['GetObject', 'HeadObject', 'PutObject', 'DeleteObject', 'ListObjects', 'ListObjectsV2', 'ListObjectVersions', 'GetObjectAcl', 'PutObjectAcl', 'HeadBucket', 'GetBucketLocation']);

/** Settings of a bucket are not to be had through a door of it. */
function assertServedThrough(state: S3State, operation: string, input: BucketInput): void {
  if (doorOf(state, input.Bucket ?? '')?.point && !THROUGH_ACCESS_POINTS.has(operation)) {
    throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  }
}

function settleBucket(bucket: Bucket): void {
  bucket.block = settled(latest(bucket.block));
  bucket.policy = settled(latest(bucket.policy));
  bucket.acl = settled(latest(bucket.acl));
  bucket.ownership = settled(latest(bucket.ownership));
}
