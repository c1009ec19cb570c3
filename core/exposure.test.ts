import { describe, expect, it } from 'vitest';
import { exposuresOf, isPublicAcl, isPublicPolicy } from './exposure.ts';
import { ALL_USERS, AUTHENTICATED_USERS } from './exposure/acl.ts';
import type { AccessPoint, Grant, PublicAccessBlock } from './bucket.ts';
import { readPolicy } from './policy.ts';

const BUCKET = ['arn:aws:s3:::photos', 'arn:aws:s3:::photos/*'];
const open = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::photos/*' };
const policy = (...Statement: readonly object[]) => readPolicy({ Version: '2012-10-17', Statement });
const text = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const given = (Condition: object) => policy({ ...open, Condition });
const block = (on: Partial<PublicAccessBlock>): PublicAccessBlock => ({ BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false, ...on });
const group = (uri: string, permission: Grant['permission'] = 'READ') => ({ owner: 'me', grants: [{ permission, grantee: { uri } }] });

describe('what makes a policy public', () => {
  it.each<[string, object]>([
    ['everybody', { Principal: '*' }],
    ['everybody, written as AWS', { Principal: { AWS: '*' } }],
    ['everybody among others', { Principal: { AWS: ['111122223333', '*'] } }],
    ['whoever signs in at a web identity provider', { Principal: { Federated: 'graph.facebook.com' } }],
    ['everybody but some', { Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam::111122223333:root' } }],
  ])('%s', (_, change) => expect(isPublicPolicy(policy({ ...open, ...change }))).toBe(true));

  it.each<[string, object]>([
    ['an account', { AWS: '444455556666' }],
    ['a role', { AWS: 'arn:aws:iam::444455556666:role/reader' }],
    ['a service', { Service: 'cloudfront.amazonaws.com' }],
    ['a canonical user', { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' }],
    ["a provider of one's own account", { Federated: 'arn:aws:iam::111122223333:saml-provider/okta' }],
  ])('not %s', (_, Principal) => expect(isPublicPolicy(policy({ ...open, Principal }))).toBe(false));

  it('one public statement among private ones is enough', () => {
    expect(isPublicPolicy(policy({ ...open, Principal: { Service: 'cloudtrail.amazonaws.com' } }, { ...open, Principal: { AWS: '444455556666' } }, open))).toBe(true);
  });
});

describe('conditions that keep a statement for everybody from being public', () => {
  it.each<[string, object]>([
    ['aws:SourceArn', { ArnEquals: { 'aws:SourceArn': 'arn:aws:sns:us-east-1:111122223333:topic' } }],
    ['aws:SourceVpc', { StringEquals: { 'aws:SourceVpc': 'vpc-91237329' } }],
    ['aws:SourceVpce, in any case', { stringequals: { 'AWS:sourcevpce': ['vpce-1', 'vpce-2'] } }],
    ['aws:SourceOwner', { StringEquals: { 'aws:SourceOwner': '111122223333' } }],
    ['aws:SourceAccount', { StringEquals: { 'aws:SourceAccount': '111122223333' } }],
    ['aws:PrincipalOrgID', { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }],
    ['aws:PrincipalOrgPaths within one organisation', { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/r-ab12/*' } }],
    ['aws:PrincipalArn', { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/reader' } }],
    ['aws:PrincipalAccount', { StringEquals: { 'aws:PrincipalAccount': '111122223333' } }],
    ['aws:userid', { StringEquals: { 'aws:userid': 'AIDAIOSFODNN7EXAMPLE1' } }],
    ['aws:userid of any session of one role', { StringLike: { 'aws:userid': 'AROAIOSFODNN7EXAMPLE1:*' } }],
    ['the key of an encryption', { StringEquals: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:us-east-1:111122223333:key/1' } }],
    ['s3:DataAccessPointAccount', { StringEquals: { 's3:DataAccessPointAccount': '111122223333' } }],
    ['s3:DataAccessPointArn of any access point of one account', { StringLike: { 's3:DataAccessPointArn': 'arn:aws:s3:us-west-2:123456789012:accesspoint/*' } }],
    ['a range of /8', { IpAddress: { 'aws:SourceIp': '54.0.0.0/8' } }],
    ['one address', { IpAddress: { 'aws:SourceIp': '203.0.113.7' } }],
    ['private ranges', { IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'] } }],
    ['an IPv6 range of /32', { IpAddress: { 'aws:SourceIp': '2001:db8::/32' } }],
    ['one that limits beside one that does not', { StringEquals: { 'aws:SourceVpc': 'vpc-1' }, StringLike: { 'aws:Referer': '*' } }],
  ])('%s', (_, condition) => expect(isPublicPolicy(given(condition))).toBe(false));
});

describe('conditions that do not', () => {
  it.each<[string, object]>([
    ['a wildcard', { StringLike: { 'aws:SourceVpc': 'vpc-*' } }],
    ['a wildcard among fixed values', { StringLike: { 'aws:SourceVpc': ['vpc-1', 'vpc-?'] } }],
    ['a policy variable', { StringEquals: { 'aws:SourceVpc': '${aws:username}' } }],
    ['a key that is not on the list', { StringEquals: { 'aws:Referer': 'https://photos.example' } }],
    ['a key that is only about the connection', { Bool: { 'aws:SecureTransport': true } }],
    ['a negation', { StringNotEquals: { 'aws:SourceVpc': 'vpc-1' } }],
    ['IfExists, which holds without the key', { StringEqualsIfExists: { 'aws:SourceVpc': 'vpc-1' } }],
    ['ForAllValues, which holds without the key', { 'ForAllValues:StringEquals': { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }],
    ['Null', { Null: { 'aws:SourceVpc': 'false' } }],
    ['a range wider than /8', { IpAddress: { 'aws:SourceIp': '0.0.0.0/1' } }],
    ['a wide range beside a narrow one', { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '128.0.0.0/7'] } }],
    ['an IPv6 range wider than /32', { IpAddress: { 'aws:SourceIp': '2000::/3' } }],
    ['everything but a range', { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } }],
    ['an address as a text', { StringEquals: { 'aws:SourceIp': '203.0.113.0/24' } }],
    ['any user id', { StringLike: { 'aws:userid': '*:session' } }],
    ['any organisation', { StringLike: { 'aws:PrincipalOrgPaths': '*' } }],
    ['access points of any account', { StringLike: { 's3:DataAccessPointArn': 'arn:aws:s3:us-west-2:*:accesspoint/*' } }],
  ])('%s', (_, condition) => expect(isPublicPolicy(given(condition))).toBe(true));
});

describe('a Deny', () => {
  const deny = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: BUCKET };
  it.each<[string, object]>([
    ['that covers the Allow', deny],
    ['of everybody but a fixed role', { ...deny, Principal: undefined, NotPrincipal: { AWS: 'arn:aws:iam::111122223333:role/reader' } }],
    ['of all that does not come through a VPC endpoint', { ...deny, Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' } } }],
    ['of all but what has one of two fixed values', { ...deny, Condition: { StringNotEqualsIfExists: { 'aws:SourceVpce': 'vpce-1' }, ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/reader' } } }],
    ['of all addresses but some', { ...deny, Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } }],
    ['of all actions but others', { ...deny, Action: undefined, NotAction: ['s3:ListBucket'] }],
  ])('%s takes its publicness', (_, statement) => expect(isPublicPolicy(policy(open, statement))).toBe(false));

  it.each<[string, object]>([
    ['of another action', { ...deny, Action: 's3:PutObject' }],
    ['of a part of the objects', { ...deny, Resource: 'arn:aws:s3:::photos/private/*' }],
    ['of one account', { ...deny, Principal: { AWS: '444455556666' } }],
    ['without TLS only', { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    ['under a second condition that leaves more', { ...deny, Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1' }, StringLike: { 'aws:UserAgent': 'curl*' } } }],
    ['over any value, which holds nowhere without the key', { ...deny, Condition: { 'ForAnyValue:StringNotEquals': { 'aws:SourceVpce': 'vpce-1' } } }],
    ['that spares a wildcard', { ...deny, Condition: { StringNotLike: { 'aws:SourceVpce': 'vpce-*' } } }],
  ])('%s does not', (_, statement) => expect(isPublicPolicy(policy(open, statement))).toBe(true));

  it('is not asked at length: a policy too large for S3 counts as public', () => {
    const many = Array.from({ length: 300 }, (_, index) => `s3:Get${index}`);
    expect(isPublicPolicy(policy({ ...open, Action: many, Resource: many }, deny))).toBe(true);
  });
});

describe('an ACL', () => {
  it.each([ALL_USERS, AUTHENTICATED_USERS])('is public by any permission for %s', (uri) => expect(isPublicAcl(group(uri, 'READ_ACP'))).toBe(true));
  it('is not public by log delivery or another user', () => {
    expect(isPublicAcl(group('http://acs.amazonaws.com/groups/s3/LogDelivery', 'WRITE'))).toBe(false);
    expect(isPublicAcl({ owner: 'me', grants: [{ permission: 'FULL_CONTROL', grantee: { id: 'other' } }] })).toBe(false);
  });
});

describe('exposures', () => {
  const phrases = (state: Parameters<typeof exposuresOf>[0]) => exposuresOf(state).map(({ phrase }) => phrase);

  it('name every way in, most open first', () => {
    const state = { policy: text({ ...open, Sid: 'PublicRead', Action: ['s3:GetObject', 's3:ListBucket'] }, { ...open, Action: 's3:*' }), acl: group(AUTHENTICATED_USERS, 'WRITE') };
    expect(phrases(state)).toEqual([
      'anyone can read, list, write and delete objects and change permissions (policy statement #2)',
      'anyone can read and list objects (policy statement "PublicRead")',
      'anyone with an AWS account can write and delete objects (ACL)',
    ]);
  });

  it('make hostile names plain', () => {
    const [phrase] = phrases({ policy: text({ ...open, Sid: 'x\u001b[31m\nAll is well' }) });
    expect(phrase).toBe('anyone can read objects (policy statement "x [31m All is well")');
  });

  const levels = ['publicAccessBlock', 'accountPublicAccessBlock'] as const;
  it.each(levels)('end where %s restricts or ignores, and not where it only refuses new settings', (level) => {
    const state = { policy: text(open), acl: group(ALL_USERS) };
    expect(exposuresOf({ ...state, [level]: block({ RestrictPublicBuckets: true }) }).map(({ via }) => via)).toEqual(['acl']);
    expect(exposuresOf({ ...state, [level]: block({ IgnorePublicAcls: true }) }).map(({ via }) => via)).toEqual(['policy']);
    expect(exposuresOf({ ...state, [level]: block({ BlockPublicAcls: true, BlockPublicPolicy: true }) })).toHaveLength(2);
  });

  it('take both levels together', () => {
    const state = { policy: text(open), acl: group(ALL_USERS), publicAccessBlock: block({ RestrictPublicBuckets: true }), accountPublicAccessBlock: block({ IgnorePublicAcls: true }) };
    expect(exposuresOf(state)).toEqual([]);
  });

  it('know that ACLs count nothing where the bucket owner owns all', () => {
    expect(exposuresOf({ acl: group(ALL_USERS), ownership: 'BucketOwnerEnforced' })).toEqual([]);
    expect(exposuresOf({ acl: group(ALL_USERS), ownership: 'ObjectWriter' })).toHaveLength(1);
  });

  const point: AccessPoint = { name: 'albums', arn: 'arn:aws:s3:us-east-1:111122223333:accesspoint/albums', publicAccessBlock: null, policy: text(open) };
  it('see through access points', () => {
    expect(phrases({ accessPoints: [point] })).toEqual(['anyone can read objects (access point albums policy statement #1)']);
    expect(exposuresOf({ accessPoints: [{ ...point, publicAccessBlock: block({ RestrictPublicBuckets: true }) }] })).toEqual([]);
    expect(exposuresOf({ accessPoints: [point], publicAccessBlock: block({ RestrictPublicBuckets: true }) })).toEqual([]);
    expect(exposuresOf({ accessPoints: [{ ...point, networkOrigin: 'VPC' }] })).toEqual([]);
  });

  it('read s3:DataAccessPointArn in a bucket policy only', () => {
    const limited = text({ ...open, Condition: { StringLike: { 's3:DataAccessPointArn': 'arn:aws:s3:us-west-2:123456789012:accesspoint/*' } } });
    expect(exposuresOf({ policy: limited })).toEqual([]);
    expect(exposuresOf({ accessPoints: [{ ...point, policy: limited }] })).toHaveLength(1);
  });

  it('count a policy that cannot be read, rather than trust it', () => {
    expect(phrases({ policy: '{"Statement": 7}' })).toEqual([expect.stringContaining('the policy cannot be read')]);
  });

  it('are none where nothing is set', () => expect(exposuresOf({ policy: null, acl: null })).toEqual([]));
});
