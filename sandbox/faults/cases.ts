import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { AwsError } from '../service.ts';
import type { EventEnvelope } from '../services/events.ts';
import { fetchSigned } from '../scenario/signed.ts';
import { differences, inOneOrder } from '../scenario/settings.ts';
import { ROOT } from '../deploy.ts';
import { modelOf } from '../wire/model.ts';
import { protocolOf } from '../wire/protocol.ts';
import type { Stage } from './stage.ts';

/** A playbook in one direction: how it begins, and how its target is seen without the suite. */
export interface Case {
  readonly playbook: string;
  readonly direction: 'contain' | 'restore';
  /** A target of its own, exposed; nothing of it has been contained. */
  readonly prepare: (stage: Stage) => Promise<Prepared>;
}

export interface Prepared {
  readonly arn: string;
  /** Asks the suite to contain it. `refused`: whoever asked was told that it cannot be done now. */
  readonly contain: () => Promise<{ readonly refused: boolean }>;
  /** Its settings now, by the names of the ledger, as text. */
  readonly state: () => Promise<Readonly<Record<string, string>>>;
  /** Its playbook hands on to another one, as an incident of its own. */
  readonly handsOn?: true;
  /** Whether an outsider is served. */
  readonly open: () => Promise<boolean>;
}

export const CASES: readonly Case[] = (['contain', 'restore'] as const).flatMap((direction) => [
  { playbook: 'quarantine-bucket', direction, prepare: bucketByEvent },
  { playbook: 'revoke-share-links', direction, prepare: albumByHand },
  { playbook: 'contain-principal', direction, prepare: sessionByHand },
]);

let count = 0;

/** A bucket that somebody opened to everybody, and the finding that says so. */
async function bucketByEvent(stage: Stage): Promise<Prepared> {
  return await bucketEvents(stage);
}

/** The same, with all events that tell of it: GuardDuty's, and CloudTrail's, of the region where it lies. */
export async function bucketEvents(stage: Stage, region = stage.account.world.region): Promise<Prepared & { readonly events: readonly EventEnvelope[] }> {
  const { account, photos, call } = stage;
  const Bucket = `family-faults-${++count}-${account.accounts.home}`;
  const text = (value: object) => JSON.stringify(value);
  await call('s3:CreateBucket', { Bucket, ...(region === account.world.region ? {} : { CreateBucketConfiguration: { LocationConstraint: region } }) });
  await call('s3:PutObject', { Bucket, Key: photos.picture, Body: 'a picture' });
  await call('s3:PutBucketTagging', { Bucket, Tagging: { TagSet: [{ Key: 'service', Value: 'photos' }] } });
  await call('s3:PutBucketLifecycleConfiguration', { Bucket, LifecycleConfiguration: { Rules: [{ ID: 'empty-the-bin', Status: 'Enabled', Filter: { Prefix: 'bin/' }, Expiration: { Days: 30 } }] } });
  await call('s3:DeletePublicAccessBlock', { Bucket });
  await call('s3:PutBucketPolicy', { Bucket, Policy: text({ Version: '2012-10-17', Statement: [{ Sid: 'Everyone', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }] }) });
  account.s3.settle();
  const at = new Date(account.clock.now()).toISOString();
  const names: Readonly<Record<string, string>> = { bucket: Bucket, account: account.world.account, region, now: at, nowMs: at };
  const read = (file: string): EventEnvelope => JSON.parse(readFileSync(join(ROOT, 'test/events', file), 'utf8').replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => names[name] ?? whole));
  const id = `${count.toString(16).padStart(8, '0')}${account.clock.now().toString(16)}`.padEnd(32, '0').slice(0, 32);
  const [finding, trail] = [read('guardduty-bucket-anonymous.json'), read('cloudtrail-put-bucket-policy.json')];
  const events: readonly EventEnvelope[] = [{ ...finding, id: `finding-${id}`, detail: { ...Object(finding.detail), id } }, { ...trail, id: `trail-${id}`, detail: { ...Object(trail.detail), eventID: `trail-${id}` } }];
  return {
    events,
    arn: `arn:aws:s3:::${Bucket}`,
    contain: () => {
      events.slice(0, 1).forEach((event) => account.events.deliver(event));
      return Promise.resolve({ refused: false });
    },
    state: async () => Object.fromEntries(await Promise.all(Object.keys(SETTINGS).map(async (name) => [name, await settingOf(stage, Bucket, name)] as const))),
    open: async () => await account.clock.work(async () => (await fetch(`${account.endpoint}/${Bucket}/${photos.picture}`)).status < 400),
  };
}

/** By the ledger's names: what reads them. */
const SETTINGS: Readonly<Record<string, string>> = {
  publicAccessBlock: 'GetPublicAccessBlock',
  policy: 'GetBucketPolicy',
  acl: 'GetBucketAcl',
  ownershipControls: 'GetBucketOwnershipControls',
  lifecycle: 'GetBucketLifecycleConfiguration',
  replication: 'GetBucketReplication',
  website: 'GetBucketWebsite',
  cors: 'GetBucketCors',
  tagging: 'GetBucketTagging',
  versioning: 'GetBucketVersioning',
  'object-lock': 'GetObjectLockConfiguration',
  notification: 'GetBucketNotificationConfiguration',
};

/**
 * A setting as S3 would send it, or its word for "absent". By no code of the product's, and without HTTP: a run asks some fifty times, and that was a
 * tenth of what it cost.
 */
async function settingOf({ account, call }: Stage, Bucket: string, name: string): Promise<string> {
  const service = account.services.get('s3');
  const wire = service && modelOf(service.sdk).operations.get(SETTINGS[name] ?? '');
  if (!wire) throw new TypeError(`S3 has no ${name}`);
  try {
    const { body } = protocolOf(service).write(wire, await call(`s3:${wire.name}`, { Bucket }), '');
    return inOneOrder(name, String(body));
  } catch (error) {
    if (error instanceof AwsError && error.status === 404) return error.code;
    throw error;
  }
}

const links = z.object({ Item: z.looseObject({ status: z.object({ S: z.string() }), revocations: z.unknown().optional() }) });

/** An album with a few links, which a responder wants dead. */
async function albumByHand(stage: Stage): Promise<Prepared> {
  const { account, shares, ask } = stage;
  const album = `faults-${++count}-${Date.now().toString(36)}`;
  const made = await Promise.all([1, 2, 3].map(() => shares.share({ album })));
  return {
    arn: `share:${account.accounts.home}:album/${album}`,
    contain: async () => refusedOf(await ask('rosa', '/start', { playbook: 'revoke-share-links', inputs: { albumId: album }, mode: 'contain', reason: 'the fault matrix' })),
    state: async () => await stateOfLinks(stage, made.map(({ linkId }) => linkId)),
    open: async () => (await Promise.all(made.map(async ({ url }) => await shares.open(url)))).some(({ status }) => status < 400),
  };
}

/** What a revocation of links may change: the links, the policy of the bucket, and the sessions of who signs for it. */
async function stateOfLinks(stage: Stage, ids: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const { photos, shares, call } = stage;
  const policies = async (role: string): Promise<string> => {
    const RoleName = role.split('/').at(-1);
    const { PolicyNames } = (await call('iam:ListRolePolicies', { RoleName })) as { readonly PolicyNames: readonly string[] };
    return (await Promise.all(PolicyNames.map(async (PolicyName) => JSON.stringify(await call('iam:GetRolePolicy', { RoleName, PolicyName }))))).join('\n');
  };
  const policy = await settingOf(stage, photos.family, 'policy');
  const marks = await Promise.all(ids.map(async (linkId) => links.parse(await call('dynamodb:GetItem', { TableName: shares.config.links.table, Key: { linkId: { S: linkId } }, ConsistentRead: true })).Item));
  const signers = await Promise.all(shares.config.signers.map(async ({ role }) => [`signer:${role}`, await policies(role)] as const));
  return { sweep: JSON.stringify(marks.map(({ status, revocations }) => [status, revocations ?? null])), [`policy:${photos.family}`]: policy, ...Object.fromEntries(signers) };
}

/** A role whose session somebody else has, who has issued a link by it. */
async function sessionByHand(stage: Stage): Promise<Prepared> {
  const { account, photos, shares, call, ask } = stage;
  const RoleName = `faults-${++count}-${Date.now().toString(36)}`;
  const arn = account.createRole(RoleName, {
    trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account.accounts.home}:root` }, Action: 'sts:AssumeRole' }] },
    policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${photos.family}` }] },
  });
  const sts = new STSClient({ endpoint: account.endpoint, region: account.world.region, credentials: account.admin });
  const { Credentials: session } = await sts.send(new AssumeRoleCommand({ RoleArn: arn, RoleSessionName: 'thief' }));
  sts.destroy();
  const credentials = { accessKeyId: session?.AccessKeyId ?? '', secretAccessKey: session?.SecretAccessKey ?? '', sessionToken: session?.SessionToken ?? '' };
  const { linkId, url } = await shares.share({ album: RoleName, issuedBy: arn });
  return {
    arn,
    handsOn: true,
    contain: async () => refusedOf(await ask('rosa', '/start', { playbook: 'contain-principal', inputs: { principal: arn, level: 'sessions' }, mode: 'contain', reason: 'the fault matrix' })),
    state: async () => {
      const { PolicyNames } = (await call('iam:ListRolePolicies', { RoleName })) as { readonly PolicyNames: readonly string[] };
      const policies = await Promise.all(PolicyNames.map(async (PolicyName) => await call('iam:GetRolePolicy', { RoleName, PolicyName })));
      return { deny: JSON.stringify(policies), ...(await stateOfLinks(stage, [linkId])) };
    },
    open: async () =>
      (await shares.open(url)).status < 400 || (await account.clock.work(async () => (await fetchSigned({ service: 's3', region: account.world.region, credentials, method: 'GET', url: new URL(`${account.endpoint}/${photos.family}?list-type=2`), now: account.clock.now() })).status < 400)),
  };
}

function refusedOf({ status }: { readonly status: number }): { readonly refused: boolean } {
  return { refused: status >= 400 };
}

/** The settings that are not what they were. */
export function changedSettings(before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): readonly string[] {
  return 'publicAccessBlock' in before ? differences(before, after) : Object.keys(before).filter((name) => before[name] !== after[name]);
}
