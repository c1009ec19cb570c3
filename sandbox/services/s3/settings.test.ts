import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLocationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetBucketReplicationCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketAclCommand,
  PutBucketCorsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketReplicationCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
  PutBucketWebsiteCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
  type LifecycleRule,
  type Tag,
} from '@aws-sdk/client-s3';
import * as control from '@aws-sdk/client-s3-control';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canonicalUserId } from '../../auth/accounts.ts';
import { messageOf, outcomeOf, startBench, type Bench } from './harness.ts';

let bench: Bench;
let Bucket: string;
let count = 0;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());
beforeEach(async () => {
  Bucket = `settings-${++count}`;
  await bench.admin.send(new CreateBucketCommand({ Bucket }));
});

const owner = canonicalUserId('111122223333');
const statement = (more: object = {}) => ({ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, ...more });
const policyOf = (...statements: readonly object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });

describe('a new bucket', () => {
  it('is closed: all four blocks on, ACLs off, no policy', async () => {
    const block = await bench.admin.send(new GetPublicAccessBlockCommand({ Bucket }));
    expect(block.PublicAccessBlockConfiguration).toEqual({ BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true });
    const ownership = await bench.admin.send(new GetBucketOwnershipControlsCommand({ Bucket }));
    expect(ownership.OwnershipControls?.Rules).toEqual([{ ObjectOwnership: 'BucketOwnerEnforced' }]);
    const acl = await bench.admin.send(new GetBucketAclCommand({ Bucket }));
    expect(acl.Grants).toEqual([{ Grantee: { Type: 'CanonicalUser', ID: owner }, Permission: 'FULL_CONTROL' }]);
  });

  it('says by code which settings it does not have', async () => {
    await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await bench.admin.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
    const outcomes = [
      bench.admin.send(new GetPublicAccessBlockCommand({ Bucket })),
      bench.admin.send(new GetBucketPolicyCommand({ Bucket })),
      bench.admin.send(new GetBucketPolicyStatusCommand({ Bucket })),
      bench.admin.send(new GetBucketOwnershipControlsCommand({ Bucket })),
      bench.admin.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
      bench.admin.send(new GetBucketReplicationCommand({ Bucket })),
      bench.admin.send(new GetBucketWebsiteCommand({ Bucket })),
      bench.admin.send(new GetBucketCorsCommand({ Bucket })),
      bench.admin.send(new GetBucketTaggingCommand({ Bucket })),
      bench.admin.send(new GetObjectLockConfigurationCommand({ Bucket })),
    ].map(outcomeOf);
    expect(await Promise.all(outcomes)).toEqual([
      '404 NoSuchPublicAccessBlockConfiguration',
      '404 NoSuchBucketPolicy',
      '404 NoSuchBucketPolicy',
      '404 OwnershipControlsNotFoundError',
      '404 NoSuchLifecycleConfiguration',
      '404 ReplicationConfigurationNotFoundError',
      '404 NoSuchWebsiteConfiguration',
      '404 NoSuchCORSConfiguration',
      '404 NoSuchTagSet',
      '404 ObjectLockConfigurationNotFoundError',
    ]);
    expect((await bench.admin.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
    const { $metadata: _, ...notifications } = await bench.admin.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(notifications).toEqual({});
  });

  it('is found by its owner, and by its name only by others', async () => {
    expect((await bench.admin.send(new ListBucketsCommand({}))).Buckets?.map((bucket) => bucket.Name)).toContain(Bucket);
    expect((await bench.foreign.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect((await bench.admin.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint).toBeUndefined();
    expect((await bench.admin.send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe('us-east-1');
    expect(await outcomeOf(bench.foreign.send(new HeadBucketCommand({ Bucket })))).toMatch(/^403/);
    expect(await outcomeOf(bench.admin.send(new HeadBucketCommand({ Bucket: 'nobody-has-this' })))).toMatch(/^404/);
    expect(await outcomeOf(bench.foreign.send(new CreateBucketCommand({ Bucket })))).toBe('409 BucketAlreadyExists');
    expect(await outcomeOf(bench.admin.send(new CreateBucketCommand({ Bucket })))).toBe('ok');
  });

  it('cannot begin with a public ACL, or be named against the rules', async () => {
    expect(await outcomeOf(bench.admin.send(new CreateBucketCommand({ Bucket: 'begins-public', ACL: 'public-read' })))).toBe('400 InvalidBucketAclWithObjectOwnership');
    expect(await outcomeOf(bench.admin.send(new CreateBucketCommand({ Bucket: 'begins-public', ACL: 'public-read', ObjectOwnership: 'ObjectWriter' })))).toBe('400 InvalidBucketAclWithBlockPublicAccessError');
    expect(await outcomeOf(bench.admin.send(new CreateBucketCommand({ Bucket: 'No_Capitals' })))).toBe('400 InvalidBucketName');
  });

  it('goes only when it is empty', async () => {
    await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' }));
    expect(await outcomeOf(bench.admin.send(new DeleteBucketCommand({ Bucket })))).toBe('409 BucketNotEmpty');
  });
});

describe('every operation on a bucket', () => {
  it('is refused where the owner is not the one expected', async () => {
    const target = { Bucket, ExpectedBucketOwner: '444455556666' };
    expect(await outcomeOf(bench.admin.send(new GetBucketPolicyCommand(target)))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutObjectCommand({ ...target, Key: 'a', Body: 'a' })))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new DeleteBucketCommand(target)))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutObjectCommand({ Bucket, ExpectedBucketOwner: '111122223333', Key: 'a', Body: 'a' })))).toBe('ok');
  });

  it('says that there is no such bucket, whoever asks', async () => {
    expect(await outcomeOf(bench.admin.send(new GetBucketPolicyCommand({ Bucket: 'nobody-has-this' })))).toBe('404 NoSuchBucket');
    expect((await bench.anonymous('/nobody-has-this/key')).status).toBe(404);
  });
});

describe('a bucket policy', () => {
  it('comes back with lists of one as that one and lists in another order each time, and can be deleted twice', async () => {
    const read = async () => JSON.parse((await bench.admin.send(new GetBucketPolicyCommand({ Bucket }))).Policy ?? '') as { readonly Statement: readonly { readonly Action: unknown; readonly Resource: unknown }[] };
    const Resource = [`arn:aws:s3:::${Bucket}/a`, `arn:aws:s3:::${Bucket}/b`];
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(statement({ Action: ['s3:GetObject'], Resource })) }));
    const [one, other] = [await read(), await read()];
    expect(one.Statement).toMatchObject([{ Action: 's3:GetObject', Resource: expect.arrayContaining(Resource) }]);
    expect(one.Statement[0]?.Resource).not.toEqual(other.Statement[0]?.Resource);
    await bench.admin.send(new DeleteBucketPolicyCommand({ Bucket }));
    await bench.admin.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(await outcomeOf(bench.admin.send(new GetBucketPolicyCommand({ Bucket })))).toBe('404 NoSuchBucketPolicy');
  });

  it.each([
    ['no JSON', () => 'nonsense', "Policies must be valid JSON and the first byte must be '{'"],
    ['an empty object', () => '{}', 'Missing required field Statement'],
    ['no principal', () => policyOf(statement({ Principal: undefined })), 'Missing required field Principal'],
    ['a principal with a wildcard in its ARN', () => policyOf(statement({ Principal: { AWS: 'arn:aws:iam::*:root' } })), 'Invalid principal in policy'],
    ['a principal of no known kind', () => policyOf(statement({ Principal: { Person: 'rosa' } })), 'Invalid principal in policy'],
    ['another bucket', () => policyOf(statement({ Resource: 'arn:aws:s3:::another/*' })), 'Policy has invalid resource'],
    ['a bucket whose name begins alike', () => policyOf(statement({ Resource: `arn:aws:s3:::${Bucket}-2/*` })), 'Policy has invalid resource'],
    ['an action of another service', () => policyOf(statement({ Action: 'ec2:RunInstances' })), 'Policy has invalid action'],
    ['an object action on the bucket', () => policyOf(statement({ Resource: `arn:aws:s3:::${Bucket}` })), 'Action does not apply to any resource(s) in statement'],
    ['a bucket action on objects', () => policyOf(statement({ Action: 's3:ListBucket' })), 'Action does not apply to any resource(s) in statement'],
  ])('is malformed with %s', async (_, make, message) => {
    const put = () => bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: make() }));
    expect(await outcomeOf(put())).toBe('400 MalformedPolicy');
    expect(await messageOf(put())).toBe(message);
  });

  it('has 20 KB at most', async () => {
    const sized = (size: number) => {
      const empty = policyOf(statement({ Sid: '' }));
      return policyOf(statement({ Sid: 'a'.repeat(size - empty.length) }));
    };
    expect(await outcomeOf(bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: sized(20_480) })))).toBe('ok');
    expect(await outcomeOf(bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: sized(20_481) })))).toBe('400 MalformedPolicy');
  });

  it('may not be public while the block says so, and tells whether it is', async () => {
    const put = (Policy: string) => bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    const open = policyOf(statement({ Principal: '*' }));
    expect(await outcomeOf(put(open))).toBe('403 AccessDenied');
    expect(await messageOf(put(open))).toContain('because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access');
    await put(policyOf(statement()));
    expect((await bench.admin.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus).toEqual({ IsPublic: false });
    await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await put(open);
    expect((await bench.admin.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus).toEqual({ IsPublic: true });
  });

  it('may not be public while the account’s own block says so', async () => {
    await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await bench.control.send(new control.PutPublicAccessBlockCommand({ AccountId: '111122223333', PublicAccessBlockConfiguration: { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: true, RestrictPublicBuckets: false } }));
    const put = bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(statement({ Principal: '*' })) }));
    expect(await outcomeOf(put)).toBe('403 AccessDenied');
    await bench.control.send(new control.DeletePublicAccessBlockCommand({ AccountId: '111122223333' }));
  });

  it('belongs to the owner’s account: others get 405 where they are allowed it', async () => {
    const foreignAdmin = { Effect: 'Allow', Principal: { AWS: '444455556666' }, Action: 's3:*', Resource: `arn:aws:s3:::${Bucket}` };
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(foreignAdmin) }));
    expect(await outcomeOf(bench.foreign.send(new GetBucketPolicyCommand({ Bucket })))).toBe('405 MethodNotAllowed');
    expect(await outcomeOf(bench.foreign.send(new GetBucketTaggingCommand({ Bucket })))).toBe('404 NoSuchTagSet');
  });

  it('never locks the account’s root out', async () => {
    const deny = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`] };
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(deny) }));
    expect(await outcomeOf(bench.admin.send(new DeleteBucketPolicyCommand({ Bucket })))).toBe('403 AccessDenied');
    const root = bench.as(bench.sandbox.root);
    expect(await outcomeOf(root.send(new GetBucketTaggingCommand({ Bucket })))).toBe('403 AccessDenied');
    expect(await outcomeOf(root.send(new DeleteBucketPolicyCommand({ Bucket })))).toBe('ok');
  });
});

describe('ACL and ownership', () => {
  it('refuses ACLs where the bucket owner owns everything, a public one first of all', async () => {
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'private' })))).toBe('400 AccessControlListNotSupported');
    expect(await outcomeOf(bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a', ACL: 'private' })))).toBe('400 AccessControlListNotSupported');
    expect(await outcomeOf(bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a', ACL: 'bucket-owner-full-control' })))).toBe('ok');
  });

  it('tells the grants that count: under IgnorePublicAcls no public ones, which come back with it', async () => {
    await bench.admin.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } }));
    await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await bench.admin.send(new PutBucketAclCommand({ Bucket, GrantRead: `uri="http://acs.amazonaws.com/groups/global/AllUsers", id="${canonicalUserId('444455556666')}"`, GrantFullControl: `id=${owner}` }));
    const permissions = async () => (await bench.admin.send(new GetBucketAclCommand({ Bucket }))).Grants?.map((grant) => `${grant.Permission} ${grant.Grantee?.URI?.split('/').at(-1) ?? grant.Grantee?.ID?.slice(0, 4)}`);
    const all = [`FULL_CONTROL ${owner.slice(0, 4)}`, 'READ AllUsers', `READ ${canonicalUserId('444455556666').slice(0, 4)}`];
    expect(await permissions()).toEqual(all);
    const block = { BlockPublicAcls: false, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
    await bench.admin.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: block }));
    expect(await permissions()).toEqual(all.filter((grant) => !grant.includes('AllUsers')));
    await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
    expect(await permissions()).toEqual(all);
    const enforced = bench.admin.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }));
    expect(await outcomeOf(enforced)).toBe('400 InvalidBucketAclWithObjectOwnership');
  });

  it('knows no other groups, ids or canned ACLs', async () => {
    await bench.admin.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] } }));
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, GrantRead: 'uri="http://example.com/everybody"' })))).toBe('400 InvalidArgument');
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, GrantRead: 'id="rosa"' })))).toBe('400 InvalidArgument');
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'private', GrantRead: `id=${owner}` })))).toBe('400 InvalidRequest');
  });
});

describe('settings that are stored whole', () => {
  it('gives lifecycle rules back, names those without a name and says the size default', async () => {
    const rules = [
      { ID: 'mine', Status: 'Enabled' as const, Filter: { Prefix: 'a/' }, Expiration: { Date: new Date('2027-01-01T00:00:00Z') } },
      { Status: 'Disabled' as const, Filter: { Prefix: '' }, NoncurrentVersionExpiration: { NoncurrentDays: 7 } },
    ];
    await bench.admin.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: rules }, TransitionDefaultMinimumObjectSize: 'varies_by_storage_class' }));
    const { Rules, TransitionDefaultMinimumObjectSize } = await bench.admin.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
    expect(Rules).toEqual([rules[0], { ...rules[1], ID: expect.stringMatching(/./) }]);
    expect(TransitionDefaultMinimumObjectSize).toBe('varies_by_storage_class');
    const put = (given: LifecycleRule[]) => outcomeOf(bench.admin.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: given } })));
    expect(await put([])).toBe('400 MalformedXML');
    expect(await put([{ Status: 'Enabled', Filter: { Prefix: '' } }])).toBe('400 InvalidRequest');
    await bench.admin.send(new DeleteBucketLifecycleCommand({ Bucket }));
    expect(await outcomeOf(bench.admin.send(new GetBucketLifecycleConfigurationCommand({ Bucket })))).toBe('404 NoSuchLifecycleConfiguration');
  });

  it('checks tags, and takes an empty set for none', async () => {
    const put = (...TagSet: readonly Tag[]) => bench.admin.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [...TagSet] } }));
    await put({ Key: 'stopbath:incident', Value: 'i-1' }, { Key: 'empty', Value: '' });
    const read = async () => (await bench.admin.send(new GetBucketTaggingCommand({ Bucket }))).TagSet ?? [];
    const [one, other] = [await read(), await read()];
    expect(one).toEqual(other.toReversed());
    expect(one).toEqual(expect.arrayContaining([{ Key: 'stopbath:incident', Value: 'i-1' }, { Key: 'empty', Value: '' }]));
    expect(await messageOf(put({ Key: 'a', Value: '1' }, { Key: 'a', Value: '2' }))).toBe('Cannot provide multiple Tags with the same key');
    expect(await messageOf(put({ Key: 'aws:a', Value: '1' }))).toBe('System tags cannot be added/updated by requester');
    expect(await messageOf(put({ Key: 'a,b', Value: '1' }))).toBe('The TagKey you have provided is invalid');
    expect(await outcomeOf(put(...Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' }))))).toBe('400 InvalidTag');
    await bench.admin.send(new DeleteBucketTaggingCommand({ Bucket }));
    await put();
    expect(await outcomeOf(bench.admin.send(new GetBucketTaggingCommand({ Bucket })))).toBe('404 NoSuchTagSet');
  });

  it('gives website, CORS, notifications and replication back as they were put', async () => {
    const website = { IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' } };
    const cors = [{ AllowedMethods: ['GET'], AllowedOrigins: ['https://photos.example'], MaxAgeSeconds: 60 }];
    const replication = { Role: 'arn:aws:iam::111122223333:role/copy', Rules: [{ ID: 'all', Priority: 1, Status: 'Enabled' as const, Filter: { Prefix: '' }, DeleteMarkerReplication: { Status: 'Disabled' as const }, Destination: { Bucket: 'arn:aws:s3:::elsewhere' } }] };
    await bench.admin.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: website }));
    await bench.admin.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: cors } }));
    await bench.admin.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }));
    expect(await outcomeOf(bench.admin.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: replication })))).toBe('400 InvalidRequest');
    await bench.admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    await bench.admin.send(new PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: replication }));
    expect(await bench.admin.send(new GetBucketWebsiteCommand({ Bucket }))).toMatchObject(website);
    expect((await bench.admin.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(cors);
    expect(await bench.admin.send(new GetBucketNotificationConfigurationCommand({ Bucket }))).toMatchObject({ EventBridgeConfiguration: {} });
    expect((await bench.admin.send(new GetBucketReplicationCommand({ Bucket }))).ReplicationConfiguration).toEqual(replication);
  });

  it('takes an Object Lock configuration only with versioning, which then stays on', async () => {
    const lock = { ObjectLockEnabled: 'Enabled' as const, Rule: { DefaultRetention: { Mode: 'COMPLIANCE' as const, Days: 1 } } };
    const put = () => bench.admin.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: lock }));
    expect(await outcomeOf(put())).toBe('409 InvalidBucketState');
    await bench.admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    await put();
    expect((await bench.admin.send(new GetObjectLockConfigurationCommand({ Bucket }))).ObjectLockConfiguration).toEqual(lock);
    expect(await outcomeOf(bench.admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } })))).toBe('409 InvalidBucketState');
  });
});
