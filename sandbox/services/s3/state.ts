import type {
  CORSRule,
  LifecycleRule,
  NotificationConfiguration,
  ObjectLockConfiguration,
  ReplicationConfiguration,
  TransitionDefaultMinimumObjectSize,
  WebsiteConfiguration,
} from '@aws-sdk/client-s3';
import type { Acl, BucketState, PublicAccessBlock, Tag } from '../../../core/bucket.ts';
import type { Policy } from '../../../core/policy.ts';
import { canonicalUserId } from '../../auth/accounts.ts';
import type { Call, Caller, World } from '../../service.ts';
import { doorOf, type AccessPoint } from './access-points.ts';
import { accessDenied, deleteMarker, invalidArgument, noSuchBucket, noSuchKey, noSuchVersion } from './errors.ts';
import { settled, written, type Lagging } from './propagation.ts';

/** All that the sandbox's S3 holds, of every account. */
export interface S3State {
  readonly world: World;
  readonly buckets: Map<string, Bucket>;
  /** The account's own Block Public Access, by account id. */
  readonly accountBlocks: Map<string, Lagging<PublicAccessBlock | null>>;
  /** By `<account>/<name>`. */
  readonly accessPoints: Map<string, AccessPoint>;
}

/** Settings are replaced, never changed in place: whoever reads one keeps what was read. */
export interface Bucket {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly createdAt: Date;
  block: Lagging<PublicAccessBlock | null>;
  policy: Lagging<BucketPolicy | null>;
  acl: Lagging<Acl>;
  ownership: Lagging<Ownership>;
  lifecycle: LifecycleSetting | null;
  replication: ReplicationConfiguration | null;
  website: WebsiteConfiguration | null;
  cors: readonly CORSRule[] | null;
  tags: readonly Tag[] | null;
  versioning: 'Enabled' | 'Suspended' | null;
  objectLock: ObjectLockConfiguration | null;
  notifications: NotificationConfiguration;
  /** Versions of each key, newest first; never an empty list. */
  readonly objects: Map<string, readonly Version[]>;
}

export type Ownership = BucketState['ownership'];

export interface BucketPolicy {
  readonly text: string;
  readonly parsed: Policy;
  /** Of the users and roles that it named when it was written: their ids by their ARNs. */
  readonly ids?: Readonly<Record<string, string>>;
}

export interface LifecycleSetting {
  readonly rules: readonly LifecycleRule[];
  readonly minimumSize: TransitionDefaultMinimumObjectSize;
}

export type Version = ObjectVersion | DeleteMarker;

export interface DeleteMarker {
  readonly marker: true;
  readonly id: string;
  readonly modified: Date;
  readonly owner: string;
}

export interface ObjectVersion {
  readonly marker: false;
  /** `null` as text where versioning was off or suspended, as in S3. */
  readonly id: string;
  readonly modified: Date;
  /** Canonical user id. */
  readonly owner: string;
  readonly body: Uint8Array;
  readonly etag: string;
  readonly acl: Acl;
  readonly tags: readonly Tag[];
  readonly headers: ObjectHeaders;
  /** By member name of the SDK: `ChecksumCRC32`. */
  readonly checksums: Readonly<Record<string, string>>;
  readonly retention: Retention | null;
  readonly legalHold: boolean;
}

/** What a client sent to be sent back. */
export interface ObjectHeaders {
  readonly ContentType: string;
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly Metadata: Readonly<Record<string, string>>;
}

export interface Retention {
  readonly mode: 'COMPLIANCE' | 'GOVERNANCE';
  readonly until: Date;
}

/** Who owns what an anonymous caller uploads. https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html */
const ANONYMOUS_OWNER = '65a011a29cdf8ec533ec3d1ccaae921c';

export function accountOf(caller: Caller): string | null {
  return 'account' in caller ? caller.account : null;
}

export function canonicalUserOf(caller: Caller): string {
  const account = accountOf(caller);
  return account === null ? ANONYMOUS_OWNER : canonicalUserId(account);
}

export interface BucketInput {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/**
 * @throws {AwsError} NoSuchBucket; AccessDenied where `ExpectedBucketOwner` is somebody else
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
 */
export function bucketOf(state: S3State, input: BucketInput): Bucket {
  const name = input.Bucket ?? '';
  const bucket = doorOf(state, name)?.bucket;
  if (!bucket) throw noSuchBucket(name);
  if (input.ExpectedBucketOwner !== undefined && input.ExpectedBucketOwner !== bucket.account) throw accessDenied();
  return bucket;
}

/** The current version of a key, delete marker or not; of a named version that one. */
export function versionOf(bucket: Bucket, key: string, versionId?: string): Version | undefined {
  const versions = bucket.objects.get(key) ?? [];
  return versionId === undefined ? versions[0] : versions.find((version) => version.id === versionId);
}

/**
 * An object that can be read.
 *
 * @param method - of the request, for the error about a delete marker: `GET`
 * @throws {AwsError} NoSuchKey, NoSuchVersion, InvalidArgument for an id that is none, MethodNotAllowed for a delete marker
 */
export function objectOf(bucket: Bucket, key: string, versionId: string | undefined, method: string): ObjectVersion {
  if (versionId !== undefined) assertVersionId(bucket, versionId);
  const version = versionOf(bucket, key, versionId);
  if (version && !version.marker) return version;
  if (versionId === undefined) throw noSuchKey(key);
  throw version ? deleteMarker(method) : noSuchVersion(key, versionId);
}

export function assertVersionId(bucket: Bucket, versionId: string): void {
  const known = versionId === 'null' || (bucket.versioning !== null && /^[\w.-]{32}$/.test(versionId));
  if (!known) throw invalidArgument('versionId', versionId, 'Invalid version id specified');
}

/** Puts a version in the place of another one of the same id, or newest of all. */
export function replaceVersion(bucket: Bucket, key: string, version: Version): void {
  const versions = bucket.objects.get(key) ?? [];
  bucket.objects.set(key, versions.map((entry) => (entry.id === version.id ? version : entry)));
}

export function removeVersion(bucket: Bucket, key: string, versionId: string): void {
  const left = (bucket.objects.get(key) ?? []).filter((version) => version.id !== versionId);
  if (left.length > 0) bucket.objects.set(key, left);
  else bucket.objects.delete(key);
}

/** Writes a setting that governs access: it reaches the data plane after the sandbox's propagation delay. */
export function write<T>(state: S3State, setting: Lagging<T>, value: T, call: Pick<Call, 'time'>): Lagging<T> {
  return written(setting, value, call.time, state.world.propagationMs);
}

export function accountBlockOf(state: S3State, account: string): Lagging<PublicAccessBlock | null> {
  return state.accountBlocks.get(account) ?? settled(null);
}
