import { GetDistributionCommand, ListDistributionsCommand, type DistributionSummary, type Origin } from '@aws-sdk/client-cloudfront';
import { cloudfrontOf } from '../clients.ts';
import type { Tools } from '../function.ts';

/** An origin by which a distribution reads a bucket; it may have several, each with a root of its own. */
export interface CdnOrigin {
  readonly id: string;
  readonly arn: string;
  /** `''`, or the folder that is its root. */
  readonly originPath: string;
  /** How it reads: by origin access control, as an identity (whose ARN that is), or as anybody. */
  readonly access: 'control' | { readonly identity: string } | 'none';
  /** Whether cached objects carry tags. */
  readonly tags: boolean;
}

/** `bucket.s3.us-east-1.amazonaws.com`, `bucket.s3.amazonaws.com`, and the website's name. */
const S3_NAME = /^(.+)\.s3(?:-website)?(?:[.-][a-z0-9-]+){0,2}\.amazonaws\.com$/;

/**
 * Every way in which a distribution of the account reads a bucket: found, not configured, so that none is forgotten.
 *
 * @param listed - what there is, where somebody has begun to list it
 */
export async function distributionsOf(tools: Tools, bucket: string, listed?: Promise<() => readonly DistributionSummary[]>): Promise<readonly CdnOrigin[]> {
  const { clients } = tools;
  const all = listed ? (await listed)() : await listDistributions(tools);
  const found = all.map((summary) => ({ summary, origins: originsAt(summary, bucket) })).filter(({ origins }) => origins.length > 0);
  const each = await Promise.all(
    found.map(async ({ summary, origins }) => {
      const { Distribution } = await cloudfrontOf(clients).send(new GetDistributionCommand({ Id: summary.Id }));
      const tags = Distribution?.DistributionConfig?.CacheTagConfig !== undefined;
      return origins.map((origin) => ({ id: summary.Id ?? '', arn: summary.ARN ?? '', originPath: origin.OriginPath ?? '', access: accessOf(origin), tags }));
    }),
  );
  return each.flat();
}

/** @see https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html */
export async function listDistributions({ clients }: Pick<Tools, 'clients'>): Promise<readonly DistributionSummary[]> {
  const found: DistributionSummary[] = [];
  let Marker: string | undefined;
  do {
    const { DistributionList: page } = await cloudfrontOf(clients).send(new ListDistributionsCommand({ Marker }));
    found.push(...(page?.Items ?? []));
    Marker = page?.IsTruncated ? page.NextMarker : undefined;
  } while (Marker !== undefined);
  return found;
}

function originsAt({ Origins }: DistributionSummary, bucket: string): readonly Origin[] {
  return Origins?.Items?.filter(({ DomainName }) => S3_NAME.exec(DomainName ?? '')?.[1] === bucket) ?? [];
}

function accessOf({ OriginAccessControlId, S3OriginConfig }: Origin): CdnOrigin['access'] {
  if (OriginAccessControlId) return 'control';
  const identity = S3OriginConfig?.OriginAccessIdentity?.split('/').at(-1);
  return identity ? { identity: `arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ${identity}` } : 'none';
}
