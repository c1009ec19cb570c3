/**
 * A bucket's settings, as the S3 API returns them. `null` is "absent", which is a value of its own: restoring a
 * setting that was absent means deleting it.
 */
export interface BucketState {
  readonly bucket: string;
  readonly account: string;
  readonly region: string;
  readonly publicAccessBlock: PublicAccessBlock | null;
  /** The account's own block; `null` where it has none or it is not known. */
  readonly accountPublicAccessBlock: PublicAccessBlock | null;
  /** Its text as `settledPolicy` has it: S3 gives lists in another order at another read. */
  readonly policy: string | null;
  readonly acl: Acl | null;
  readonly ownership: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter' | null;
  readonly lifecycle: Lifecycle | null;
  readonly replication: Json | null;
  readonly website: Json | null;
  readonly cors: Json | null;
  /** By key. */
  readonly tagging: readonly Tag[] | null;
  readonly versioning: 'Enabled' | 'Suspended' | null;
  readonly objectLock: Json | null;
  readonly notifications: Json | null;
  readonly accessPoints: readonly AccessPoint[];
  /** Settings that somebody refuses to show: their values here are no values. Absent: everything was read. */
  readonly unread?: readonly (keyof BucketState)[];
}

export interface PublicAccessBlock {
  readonly BlockPublicAcls: boolean;
  readonly IgnorePublicAcls: boolean;
  readonly BlockPublicPolicy: boolean;
  readonly RestrictPublicBuckets: boolean;
}

export interface Acl {
  /** Canonical user id of the owner. */
  readonly owner: string | null;
  readonly grants: readonly Grant[];
}

export interface Grant {
  readonly permission: 'FULL_CONTROL' | 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP';
  /** A group's URI, or a canonical user id. */
  readonly grantee: { readonly uri: string } | { readonly id: string };
}

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/**
 * A tag set is a set: S3 gives it back in an order of its own.
 * @see https://github.com/boto/boto3/issues/1171
 */
export function byKey(tags: readonly Tag[]): readonly Tag[] {
  return tags.toSorted((a, b) => (a.Key < b.Key ? -1 : 1));
}

export interface Lifecycle {
  readonly Rules: readonly Readonly<Record<string, Json>>[];
  readonly TransitionDefaultMinimumObjectSize: string | null;
}

export interface AccessPoint {
  readonly name: string;
  readonly arn: string;
  /** Stands where a bucket's name stands in a request; `null` or absent where it is not known. */
  readonly alias?: string | null;
  /** Set when it was made; S3 has no way to change it. */
  readonly publicAccessBlock: PublicAccessBlock | null;
  readonly policy: string | null;
  /** Where requests may come from; an access point of a VPC is never public. Absent: the internet. */
  readonly networkOrigin?: 'Internet' | 'VPC';
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
