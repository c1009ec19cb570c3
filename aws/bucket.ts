import {
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketReplicationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutPublicAccessBlockCommand,
  type Grant as S3Grant,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { strictest, type KnownState } from '../core/exposure.ts';
import { byKey, type BucketState, type Grant, type Json, type Lifecycle, type PublicAccessBlock } from '../core/bucket.ts';
import { afterWithOthers } from '../core/denials.ts';
import type { LedgerEntry } from '../core/incident.ts';
import { settledPolicy } from '../core/policy.ts';
import { readAccessPoints } from './access-points.ts';
import { readAccountBlock } from './account.ts';
import { blockOf } from './block.ts';
import { s3ControlOf, s3Of, type Clients } from './clients.ts';
import { codeOf, isRefusal } from './errors.ts';

export interface BucketAddress {
  readonly bucket: string;
  readonly account: string;
  readonly region: string;
}

/** The codes by which S3 says that a setting is absent: a value, not a failure. */
const ABSENT: ReadonlySet<string> = new Set([
  'NoSuchPublicAccessBlockConfiguration',
  'NoSuchBucketPolicy',
  'OwnershipControlsNotFoundError',
  'NoSuchLifecycleConfiguration',
  'ReplicationConfigurationNotFoundError',
  'NoSuchWebsiteConfiguration',
  'NoSuchCORSConfiguration',
  'NoSuchTagSet',
  'ObjectLockConfigurationNotFoundError',
]);

export interface ReadOptions {
  readonly mayMiss?: (setting: keyof BucketState) => boolean;
}

/** There is no such bucket, or it is not this account's: nothing here is ours to contain. */
export class NoSuchBucketError extends Error {
  override readonly name = 'NoSuchBucketError';
}

/**
 * All settings of a bucket that a quarantine may change or that tell who can reach it, read in parallel: its own, its
 * access points, and the account's block.
 *
 * @param options.mayMiss - settings without which it goes on where a policy refuses them: they are named as `unread`. One refused
 *   read must not be all that it takes to keep a bucket open.
 * @throws {NoSuchBucketError} where it does not exist
 */
export async function readBucket(clients: Pick<Clients, 'region' | 'credentials'>, address: BucketAddress, { mayMiss }: ReadOptions = {}): Promise<BucketState> {
  const unread: (keyof BucketState)[] = [];
  const shown: Shown = async (setting, read) =>
    await absentAsNull(read).catch((error: unknown) => {
      if (!isRefusal(error) || mayMiss?.(setting) !== true) throw error;
      unread.push(setting);
      return null;
    });
  return await existing(address, async () => {
    const [reach, more] = await Promise.all([reachOf(clients, address, undefined, shown), moreOf(clients, address, shown)]);
    return { ...address, ...reach, ...more, ...(unread.length === 0 ? {} : { unread: unread.toSorted() }) };
  });
}

/**
 * What of a bucket tells who can reach it and whether a quarantine stands: half the calls that all of it takes.
 *
 * @param accountBlock - where that was read already, for many buckets of one account
 * @throws {NoSuchBucketError} where it does not exist
 */
export async function readReach(clients: Pick<Clients, 'region' | 'credentials'>, address: BucketAddress, accountBlock?: PublicAccessBlock | null): Promise<KnownState> {
  return await existing(address, async () => ({ ...address, ...(await reachOf(clients, address, accountBlock, async (_, read) => await absentAsNull(read))) }));
}

/** A setting that is absent, or that may be missed, is `null`. */
type Shown = <T>(setting: keyof BucketState, read: Promise<T>) => Promise<T | null>;

async function reachOf(clients: Pick<Clients, 'region' | 'credentials'>, address: BucketAddress, accountBlock: PublicAccessBlock | null | undefined, shown: Shown) {
  const [s3, control, target] = [s3Of(clients), s3ControlOf(clients, address.region), targetOf(address)];
  const [accountPublicAccessBlock, accessPoints, block, policy, acl, ownership, lifecycle] = await Promise.all([
    accountBlock === undefined ? readAccountBlock(control, address.account) : accountBlock,
    readAccessPoints(control, address),
    absentAsNull(s3.send(new GetPublicAccessBlockCommand(target))),
    shown('policy', s3.send(new GetBucketPolicyCommand(target))),
    shown('acl', s3.send(new GetBucketAclCommand(target))),
    shown('ownership', s3.send(new GetBucketOwnershipControlsCommand(target))),
    shown('lifecycle', s3.send(new GetBucketLifecycleConfigurationCommand(target))),
  ]);
  return {
    publicAccessBlock: blockOf(block?.PublicAccessBlockConfiguration),
    accountPublicAccessBlock,
    policy: policy?.Policy === undefined ? null : settledPolicy(policy.Policy),
    acl: acl ? { owner: acl.Owner?.ID ?? null, grants: grantsOf(acl.Grants) } : null,
    ownership: ownership?.OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? null,
    lifecycle: lifecycle?.Rules ? lifecycleOf(lifecycle.Rules, lifecycle.TransitionDefaultMinimumObjectSize) : null,
    accessPoints,
  };
}

async function moreOf(clients: Pick<Clients, 'region' | 'credentials'>, address: BucketAddress, shown: Shown) {
  const [s3, target] = [s3Of(clients), targetOf(address)];
  const [replication, website, cors, tagging, versioning, lock, notifications] = await Promise.all([
    shown('replication', s3.send(new GetBucketReplicationCommand(target))),
    shown('website', s3.send(new GetBucketWebsiteCommand(target))),
    shown('cors', s3.send(new GetBucketCorsCommand(target))),
    shown('tagging', s3.send(new GetBucketTaggingCommand(target))),
    shown('versioning', s3.send(new GetBucketVersioningCommand(target))),
    shown('objectLock', s3.send(new GetObjectLockConfigurationCommand(target))),
    shown('notifications', s3.send(new GetBucketNotificationConfigurationCommand(target))),
  ]);
  return {
    replication: json(replication?.ReplicationConfiguration),
    website: website ? json({ ...website, $metadata: undefined }) : null,
    cors: json(cors?.CORSRules),
    tagging: tagging?.TagSet ? byKey(tagging.TagSet.map((tag) => ({ Key: tag.Key ?? '', Value: tag.Value ?? '' }))) : null,
    versioning: versioning?.Status ?? null,
    objectLock: json(lock?.ObjectLockConfiguration),
    notifications: notifications ? emptyAsNull(json({ ...notifications, $metadata: undefined })) : null,
  };
}

function targetOf({ bucket, account }: BucketAddress) {
  return { Bucket: bucket, ExpectedBucketOwner: account };
}

async function existing<T>({ bucket, account }: BucketAddress, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (codeOf(error) === 'NoSuchBucket') throw new NoSuchBucketError(`there is no bucket ${JSON.stringify(bucket)} in account ${account}`, { cause: error });
    throw error;
  }
}

/** A bucket's policy alone, as `settledPolicy` has it; `null` where it has none. */
export async function readPolicy(s3: S3Client, { bucket, account }: BucketAddress): Promise<string | null> {
  const read = await absentAsNull(s3.send(new GetBucketPolicyCommand({ Bucket: bucket, ExpectedBucketOwner: account })));
  return read?.Policy === undefined ? null : settledPolicy(read.Policy);
}

/**
 * Whether S3 refuses every policy with a public statement here: by the bucket's own block, as a quarantine leaves it, or by the account's.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html (BlockPublicPolicy)
 */
export async function refusesPublicPolicies(clients: Pick<Clients, 'region' | 'credentials'>, { bucket, account, region }: BucketAddress): Promise<boolean> {
  const [own, whole] = await Promise.all([absentAsNull(s3Of(clients).send(new GetPublicAccessBlockCommand({ Bucket: bucket, ExpectedBucketOwner: account }))), readAccountBlock(s3ControlOf(clients, region), account)]);
  return strictest(blockOf(own?.PublicAccessBlockConfiguration), whole).BlockPublicPolicy;
}

/**
 * What tells whether the public can reach a bucket, in as few calls as that takes: under a block of its own that closes
 * it nothing else matters.
 */
export async function readAccess(clients: Pick<Clients, 'region' | 'credentials'>, address: BucketAddress, accountBlock: PublicAccessBlock | null): Promise<KnownState> {
  const s3 = s3Of(clients);
  const own = await absentAsNull(s3.send(new GetPublicAccessBlockCommand({ Bucket: address.bucket, ExpectedBucketOwner: address.account })));
  const publicAccessBlock = blockOf(own?.PublicAccessBlockConfiguration);
  if (publicAccessBlock?.IgnorePublicAcls && publicAccessBlock.RestrictPublicBuckets) return { publicAccessBlock, accountPublicAccessBlock: accountBlock };
  return await readReach(clients, address, accountBlock);
}

const dated = z.looseObject({ Date: z.coerce.date().optional() });
const rule = z.looseObject({
  Status: z.enum(['Enabled', 'Disabled']),
  Expiration: dated.optional(),
  Transitions: z.array(dated).optional(),
});
/** The settings that can be written, as they come out of a plan: JSON, in which S3's dates are text. */
const writable = z.discriminatedUnion('setting', [
  z.object({
    setting: z.literal('publicAccessBlock'),
    value: z.strictObject({ BlockPublicAcls: z.boolean(), IgnorePublicAcls: z.boolean(), BlockPublicPolicy: z.boolean(), RestrictPublicBuckets: z.boolean() }).nullable(),
  }),
  z.object({ setting: z.literal('policy'), value: z.string().nullable() }),
  z.object({
    setting: z.literal('lifecycle'),
    value: z.object({ Rules: z.array(rule), TransitionDefaultMinimumObjectSize: z.enum(['all_storage_classes_128K', 'varies_by_storage_class']).nullable() }).nullable(),
  }),
  z.object({ setting: z.literal('tagging'), value: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).nullable() }),
]);

/**
 * Writes one setting; `null` deletes it. Only settings that a quarantine changes can be written.
 *
 * @param value - in the shape that `readBucket` returns
 * @throws {ZodError} for another setting or another shape
 */
export async function writeSetting(s3: S3Client, address: BucketAddress, setting: string, value: Json): Promise<void> {
  const target = { Bucket: address.bucket, ExpectedBucketOwner: address.account };
  const write = writable.parse({ setting, value });
  if (write.value === null) {
    const Delete = DELETE[write.setting];
    await s3.send(new Delete(target));
    return;
  }
  switch (write.setting) {
    case 'publicAccessBlock':
      await s3.send(new PutPublicAccessBlockCommand({ ...target, PublicAccessBlockConfiguration: write.value }));
      return;
    case 'policy':
      await s3.send(new PutBucketPolicyCommand({ ...target, Policy: write.value }));
      return;
    case 'lifecycle': {
      const { Rules, TransitionDefaultMinimumObjectSize: size } = write.value;
      await s3.send(
        new PutBucketLifecycleConfigurationCommand({ ...target, LifecycleConfiguration: { Rules }, ...(size === null ? {} : { TransitionDefaultMinimumObjectSize: size }) }),
      );
      return;
    }
    case 'tagging':
      await s3.send(new PutBucketTaggingCommand({ ...target, Tagging: { TagSet: write.value } }));
  }
}

/**
 * Writes a change of a bucket's policy, with what other incidents deny there by now. S3 has no condition for a write of a policy: what is put
 * between this read and this write is still lost, so that the window is one call instead of all that lies between a judgement and its write.
 *
 * @throws {StateMovedError} where somebody else has changed the policy
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html (no `If-Match`, no version)
 */
export async function writePolicy(s3: S3Client, address: BucketAddress, change: Pick<LedgerEntry, 'setting' | 'before' | 'after' | 'incident'>): Promise<void> {
  await writeSetting(s3, address, 'policy', afterWithOthers(change, await readPolicy(s3, address)));
}

const DELETE = {
  publicAccessBlock: DeletePublicAccessBlockCommand,
  policy: DeleteBucketPolicyCommand,
  lifecycle: DeleteBucketLifecycleCommand,
  tagging: DeleteBucketTaggingCommand,
} as const;

async function absentAsNull<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (ABSENT.has(codeOf(error) ?? '')) return null;
    throw error;
  }
}

function grantsOf(grants: readonly S3Grant[] | undefined): readonly Grant[] {
  return (grants ?? []).flatMap(({ Permission: permission, Grantee: grantee }): readonly Grant[] => {
    if (!permission || !grantee) return [];
    return [{ permission, grantee: grantee.URI === undefined ? { id: grantee.ID ?? '' } : { uri: grantee.URI } }];
  });
}

function lifecycleOf(rules: readonly LifecycleRule[], size: string | undefined): Lifecycle {
  return { Rules: JSON.parse(JSON.stringify(rules)) as Lifecycle['Rules'], TransitionDefaultMinimumObjectSize: size ?? null };
}

function json(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}

function emptyAsNull(value: Json): Json {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0 ? null : value;
}
