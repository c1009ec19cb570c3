import { createPublicKey, type KeyObject } from 'node:crypto';
import type { DefaultCacheBehavior, Distribution as Output, DistributionSummary, Origins } from '@aws-sdk/client-cloudfront';
import type { World } from '../../service.ts';
import type { Invalidation } from './invalidations.ts';

/** What a seed says of a distribution. */
export interface NewDistribution {
  /** `EDFDVBD6EXAMPLE` */
  readonly id: string;
  /** `d111111abcdef8.cloudfront.net` */
  readonly domainName: string;
  /** The S3 bucket behind it, read with origin access control, as `cloudfront.amazonaws.com`. */
  readonly bucket: string;
  /** Public keys in PEM (RSA or ECDSA) by their id; with one, only signed URLs are served. */
  readonly trustedKeys?: Readonly<Record<string, string>>;
  /** The header in which the origin names an object's tags: `x-amz-meta-cache-tag`; without it tags are ignored. */
  readonly cacheTagHeader?: string;
  readonly ttl?: Ttl;
}

/** How long an object is kept, in seconds; AWS's defaults are 0, a day and a year. */
export interface Ttl {
  readonly min: number;
  readonly default: number;
  readonly max: number;
}

export interface Distribution {
  readonly id: string;
  readonly account: string;
  readonly arn: string;
  readonly domainName: string;
  readonly bucket: string;
  readonly region: string;
  readonly createdAt: number;
  /** `null` where anyone may view. */
  readonly keys: ReadonlyMap<string, KeyObject> | null;
  readonly cacheTagHeader: string | null;
  readonly ttl: Ttl;
  /** By path, percent-decoded. */
  readonly cache: Map<string, Cached>;
  /** Oldest first. */
  readonly invalidations: Invalidation[];
}

export interface Cached {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Lower case: "Tag values are case-insensitive". */
  readonly tags: ReadonlySet<string>;
  /** ms since the epoch. */
  readonly storedAt: number;
  readonly expiresAt: number;
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html */
const DEFAULT_TTL: Ttl = { min: 0, default: 86_400, max: 31_536_000 };
const KEY_GROUP = 'b3f8a1c0-0000-4000-8000-000000000001';

export function distributionArn(account: string, id: string): string {
  return `arn:aws:cloudfront::${account}:distribution/${id}`;
}

export function makeDistribution(made: NewDistribution, world: World): Distribution {
  const { id, domainName, bucket, trustedKeys, cacheTagHeader, ttl = DEFAULT_TTL } = made;
  return {
    id,
    domainName,
    bucket,
    ttl,
    account: world.account,
    region: world.region,
    arn: distributionArn(world.account, id),
    createdAt: world.clock.now(),
    keys: trustedKeys ? new Map(Object.entries(trustedKeys).map(([name, pem]) => [name, createPublicKey(pem)])) : null,
    cacheTagHeader: cacheTagHeader?.toLowerCase() ?? null,
    cache: new Map(),
    invalidations: [],
  };
}

/** @see https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Distribution.html */
export function describe(distribution: Distribution, running: number): Output {
  const { id, arn, domainName, createdAt, cacheTagHeader } = distribution;
  return {
    Id: id,
    ARN: arn,
    Status: 'Deployed',
    LastModifiedTime: new Date(createdAt),
    InProgressInvalidationBatches: running,
    DomainName: domainName,
    ActiveTrustedKeyGroups: { Enabled: distribution.keys !== null, Quantity: 0 },
    DistributionConfig: {
      CallerReference: id,
      Comment: '',
      Enabled: true,
      Origins: originsOf(distribution),
      DefaultCacheBehavior: behaviorOf(distribution),
      ...(cacheTagHeader === null ? {} : { CacheTagConfig: { HeaderName: cacheTagHeader } }),
    },
  };
}

/** @see https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionSummary.html */
export function summarise(distribution: Distribution): DistributionSummary {
  const none = { Quantity: 0 };
  return {
    Id: distribution.id,
    ARN: distribution.arn,
    Status: 'Deployed',
    LastModifiedTime: new Date(distribution.createdAt),
    DomainName: distribution.domainName,
    Aliases: none,
    Origins: originsOf(distribution),
    DefaultCacheBehavior: behaviorOf(distribution),
    CacheBehaviors: none,
    CustomErrorResponses: none,
    Comment: '',
    PriceClass: 'PriceClass_All',
    Enabled: true,
    ViewerCertificate: { CloudFrontDefaultCertificate: true },
    Restrictions: { GeoRestriction: { RestrictionType: 'none', Quantity: 0 } },
    WebACLId: '',
    HttpVersion: 'http2',
    IsIPV6Enabled: true,
    Staging: false,
  };
}

function originsOf({ bucket, region }: Distribution): Origins {
  const origin = { Id: bucket, DomainName: `${bucket}.s3.${region}.amazonaws.com`, OriginPath: '', OriginAccessControlId: 'E2OAC00EXAMPLE', S3OriginConfig: { OriginAccessIdentity: '' } };
  return { Quantity: 1, Items: [origin] };
}

function behaviorOf({ bucket, keys, ttl }: Distribution): DefaultCacheBehavior {
  return {
    TargetOriginId: bucket,
    ViewerProtocolPolicy: 'redirect-to-https',
    TrustedKeyGroups: keys === null ? { Enabled: false, Quantity: 0 } : { Enabled: true, Quantity: 1, Items: [KEY_GROUP] },
    MinTTL: ttl.min,
    DefaultTTL: ttl.default,
    MaxTTL: ttl.max,
  };
}
