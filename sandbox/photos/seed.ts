import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { canonicalUserId } from '../auth/accounts.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Credentials } from '../service.ts';
import { ALBUMS } from './albums.ts';
import { seedPeople, type People, type Person, type Roles } from './people.ts';
import { picture } from './picture.ts';

/** A small photo service that somebody runs in the sandbox's home account. */
export interface Photos extends People {
  /** Families' pictures, versioned: what the drill is about. */
  readonly family: string;
  /** Public on purpose. */
  readonly thumbnails: string;
  readonly uploads: string;
  /** A picture in the family bucket, by key: what an outsider tries to read. */
  readonly picture: string;
  /** The keys of all objects in the family bucket. */
  readonly keys: readonly string[];
  /** A client of the sandbox's S3 for somebody; destroy it after use. */
  readonly s3: (person: Person | 'admin') => Promise<S3Client>;
  /** What an attack of a scenario does, by its name. */
  readonly attacks: Readonly<Record<Attack, (bucket: string) => Promise<void>>>;
}

export type Attack = 'make-public';

/**
 * Sets up the photo service through S3's own API: three buckets with the settings that a real one gathers over the
 * years, a few pictures, and the people around it.
 *
 * @param settle - called at the end: makes the data plane see all settings at once, as if they were made long ago
 * @param membersToo - the member accounts have a bucket of pictures each, too
 * @param owner - the account of `deploy-bot` and of the role that signs URLs; the home account unless told
 */
export async function seedPhotos(sandbox: Sandbox, settle: () => void = () => undefined, membersToo = false, owner = sandbox.accounts.home): Promise<Photos> {
  const { home: account, members } = sandbox.accounts;
  const [family, thumbnails, uploads] = [familyOf(account), `family-thumbnails-${account}`, `family-uploads-${account}`];
  const people = seedPeople(sandbox, { family, all: [family, thumbnails, uploads, ...members.map(familyOf)] }, owner);
  const client = (credentials: Credentials) => new S3Client({ endpoint: sandbox.endpoint, region: sandbox.world.region, forcePathStyle: true, credentials });
  const s3: Photos['s3'] = async (person) => client(await people.credentialsOf(person));
  const admin = client(sandbox.admin);
  try {
    const [keys] = await Promise.all([seedFamily(admin, family, account, people.roles), seedThumbnails(admin, thumbnails), admin.send(new CreateBucketCommand({ Bucket: uploads }))]);
    await seedAccessPoint(sandbox, family, people.roles.printLab);
    if (membersToo) await Promise.all(members.map((member) => seedMember(sandbox, member, people.roles)));
    settle();
    const [first = ''] = keys;
    const attacker = async (bucket: string) => (members.includes(accountIn(bucket)) ? client(sandbox.adminOf(accountIn(bucket))) : await s3('deploy-bot'));
    return { ...people, family, thumbnails, uploads, keys, picture: first, s3, attacks: { 'make-public': async (bucket) => makePublic(await attacker(bucket), bucket, first) } };
  } finally {
    admin.destroy();
  }
}

function familyOf(account: string): string {
  return `family-photos-${account}`;
}

/** The account that a bucket of the seed is in: its name ends with it. */
export function accountIn(bucket: string): string {
  return bucket.slice(-12);
}

async function seedMember(sandbox: Sandbox, member: string, roles: Roles): Promise<void> {
  const admin = new S3Client({ endpoint: sandbox.endpoint, region: sandbox.world.region, forcePathStyle: true, credentials: sandbox.adminOf(member) });
  await seedFamily(admin, familyOf(member), member, roles).finally(() => admin.destroy());
}

async function seedFamily(s3: S3Client, bucket: string, account: string, roles: Roles): Promise<readonly string[]> {
  const target = { Bucket: bucket };
  await s3.send(new CreateBucketCommand({ ...target, ObjectOwnership: 'ObjectWriter' }));
  await s3.send(new PutBucketVersioningCommand({ ...target, VersioningConfiguration: { Status: 'Enabled' } }));
  const owner = canonicalUserId(account);
  const pictures = ALBUMS.flatMap(({ id, owner, prefix }) => [1, 2, 3].map((n) => ({ key: `${prefix}${String(n).padStart(4, '0')}.jpg`, tags: `album:${id},owner:${owner}` })));
  const put = (key: string, body: Uint8Array | string, type: string, tags?: string) =>
    s3.send(new PutObjectCommand({ ...target, Key: key, Body: body, ContentType: type, Tagging: 'service=photos', ...(tags === undefined ? {} : { Metadata: { 'cache-tag': tags } }) }));
  await Promise.all([
    ...pictures.map(({ key, tags }) => put(key, picture(key), 'image/jpeg', tags)),
    put('index.html', '<!doctype html><title>Family photos</title><h1>Family photos</h1>', 'text/html'),
    put('error.html', '<!doctype html><title>Not here</title><h1>Not here</h1>', 'text/html'),
    s3.send(
      new PutBucketAclCommand({
        ...target,
        AccessControlPolicy: {
          Owner: { ID: owner },
          Grants: [
            { Grantee: { Type: 'CanonicalUser', ID: owner }, Permission: 'FULL_CONTROL' },
            { Grantee: { Type: 'Group', URI: 'http://acs.amazonaws.com/groups/s3/LogDelivery' }, Permission: 'WRITE' },
          ],
        },
      }),
    ),
    s3.send(new PutBucketPolicyCommand({ ...target, Policy: JSON.stringify(familyPolicy(bucket, account, roles)) })),
    s3.send(new PutBucketWebsiteCommand({ ...target, WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' } } })),
    s3.send(
      new PutBucketCorsCommand({
        ...target,
        CORSConfiguration: { CORSRules: [{ ID: 'web', AllowedMethods: ['GET', 'PUT'], AllowedOrigins: ['https://photos.example'], AllowedHeaders: ['*'], MaxAgeSeconds: 3000 }] },
      }),
    ),
    s3.send(new PutBucketTaggingCommand({ ...target, Tagging: { TagSet: [{ Key: 'service', Value: 'photos' }, { Key: 'data', Value: 'personal' }] } })),
    s3.send(
      new PutBucketLifecycleConfigurationCommand({
        ...target,
        LifecycleConfiguration: {
          Rules: [
            { ID: 'tidy-old-versions', Status: 'Enabled', Filter: { Prefix: 'albums/' }, NoncurrentVersionExpiration: { NoncurrentDays: 7 } },
            { ID: 'empty-the-bin', Status: 'Enabled', Filter: { Prefix: 'bin/' }, Expiration: { Days: 30 } },
            { ID: 'cool-down', Status: 'Enabled', Filter: { Prefix: 'albums/' }, Transitions: [{ Days: 90, StorageClass: 'INTELLIGENT_TIERING' }] },
          ],
        },
      }),
    ),
  ]);
  return pictures.map(({ key }) => key);
}

/** The print lab's own door to the albums, closed to the public as S3 makes them. */
async function seedAccessPoint(sandbox: Sandbox, bucket: string, printLab: string): Promise<void> {
  const caller = sandbox.directory.findKey(sandbox.admin.accessKeyId)?.caller;
  if (!caller) throw new Error('the administrator has no key');
  const which = { AccountId: sandbox.accounts.home, Name: 'print-lab-albums' };
  await sandbox.world.call('s3-control', 'CreateAccessPoint', { ...which, Bucket: bucket }, caller);
  const statement = { Sid: 'PrintLab', Effect: 'Allow', Principal: { AWS: printLab }, Action: 's3:GetObject', Resource: `arn:aws:s3:${sandbox.world.region}:${which.AccountId}:accesspoint/${which.Name}/object/albums/*` };
  await sandbox.world.call('s3-control', 'PutAccessPointPolicy', { ...which, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) }, caller);
}

function familyPolicy(bucket: string, account: string, roles: Roles): object {
  const objects = `arn:aws:s3:::${bucket}/*`;
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Cdn',
        Effect: 'Allow',
        Principal: { Service: 'cloudfront.amazonaws.com' },
        Action: 's3:GetObject',
        Resource: objects,
        Condition: { StringEquals: { 'AWS:SourceArn': `arn:aws:cloudfront::${account}:distribution/EPHOTOS2026` } },
      },
      { Sid: 'PhotoService', Effect: 'Allow', Principal: { AWS: roles.service }, Action: ['s3:GetObject', 's3:PutObject'], Resource: objects },
      // A role of another account needs the bucket's word beside its own account's.
      ...(accountOf(roles.signer) === account ? [] : [{ Sid: 'Signer', Effect: 'Allow', Principal: { AWS: roles.signer }, Action: 's3:GetObject', Resource: objects }]),
      { Sid: 'PrintLab', Effect: 'Allow', Principal: { AWS: roles.printLab }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/albums/*` },
    ],
  };
}

function accountOf(arn: string): string | undefined {
  return arn.split(':')[4];
}

async function seedThumbnails(s3: S3Client, bucket: string): Promise<void> {
  const target = { Bucket: bucket };
  await s3.send(new CreateBucketCommand(target));
  await s3.send(new DeletePublicAccessBlockCommand(target));
  const statement = { Sid: 'Thumbnails', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` };
  await Promise.all([
    s3.send(new PutBucketPolicyCommand({ ...target, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [statement] }) })),
    s3.send(new PutBucketTaggingCommand({ ...target, Tagging: { TagSet: [{ Key: 'public', Value: 'on-purpose' }] } })),
    ...ALBUMS.map(({ id }) => s3.send(new PutObjectCommand({ ...target, Key: `${id}.jpg`, Body: picture(`thumbnail of ${id}`), ContentType: 'image/jpeg' }))),
  ]);
}

/**
 * What a stolen key of a deployment user does: takes the block off, opens the policy to everybody beside what it says
 * already, lets everybody list the bucket, and one picture be read by its ACL too.
 */
async function makePublic(s3: S3Client, bucket: string, key: string): Promise<void> {
  try {
    const target = { Bucket: bucket };
    await s3.send(new DeletePublicAccessBlockCommand(target));
    const present: unknown = JSON.parse((await s3.send(new GetBucketPolicyCommand(target))).Policy ?? '{}');
    const document = typeof present === 'object' && present !== null ? present : {};
    const statements: readonly unknown[] = 'Statement' in document && Array.isArray(document.Statement) ? document.Statement : [];
    const opened = { Sid: 'Everyone', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${bucket}/*` };
    await s3.send(new PutBucketPolicyCommand({ ...target, Policy: JSON.stringify({ ...document, Statement: [...statements, opened] }) }));
    await s3.send(new PutBucketAclCommand({ ...target, ACL: 'public-read' }));
    await s3.send(new PutObjectAclCommand({ ...target, Key: key, ACL: 'public-read' }));
  } finally {
    s3.destroy();
  }
}
