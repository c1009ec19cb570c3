import { describe, expect, it } from 'vitest';
import { ACCOUNT, BUCKET, FOREIGN, allowed, decided, onBucket, policyOf, publicStatement, record } from './builders.ts';

const ON = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
const ADDRESS = '198.51.100.7/32';
const CLOUDFRONT = { Service: 'cloudfront.amazonaws.com' };
const makePublic = onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement) });

/** What lets strangers in and is not public for AWS, so that Block Public Access leaves it: each with what the reason says. */
const SHARES: readonly (readonly [what: string, policyOrStatement: object, says: string])[] = [
  ['an address', { Condition: { IpAddress: { 'aws:SourceIp': ADDRESS } } }, `whoever has aws:SourceIp ${ADDRESS}`],
  ['a VPC endpoint', { Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-1a2b3c4d' } } }, 'whoever has aws:SourceVpce vpce-1a2b3c4d'],
  ['a VPC', { Condition: { StringEquals: { 'aws:SourceVpc': 'vpc-1a2b3c4d' } } }, 'vpc-1a2b3c4d'],
  ['an organisation', { Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } }, 'o-a1b2c3d4e5'],
  ['an account of an organisation', { Principal: { AWS: FOREIGN }, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } }, `account ${FOREIGN}`],
  ['units of an organisation', { Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/*' } } }, 'o-a1b2c3d4e5/*'],
  ['a user id', { Condition: { StringLike: { 'aws:userid': 'AROAIOSFODNN7EXAMPLE:*' } } }, 'AROAIOSFODNN7EXAMPLE:*'],
  ["another account's access points", { Condition: { StringEquals: { 's3:DataAccessPointAccount': FOREIGN } } }, FOREIGN],
  ["another account among one's own", { Condition: { StringEquals: { 'aws:PrincipalAccount': [ACCOUNT, FOREIGN] } } }, FOREIGN],
  ['a distribution behind a wildcard that reaches over the account', { Principal: CLOUDFRONT, Condition: { StringLike: { 'aws:SourceArn': `arn:aws:*:${ACCOUNT}:*` } } }, 'cloudfront.amazonaws.com for aws:SourceArn'],
  ['CloudFront for anybody', { Principal: CLOUDFRONT }, 'cloudfront.amazonaws.com for anybody who asks it to'],
  ["CloudFront for another account's distribution", { Principal: CLOUDFRONT, Condition: { StringEquals: { 'AWS:SourceArn': `arn:aws:cloudfront::${FOREIGN}:distribution/E1` } } }, `cloudfront.amazonaws.com for aws:SourceArn arn:aws:cloudfront::${FOREIGN}:distribution/E1`],
  ['CloudFront that uploads', { Principal: CLOUDFRONT, Action: 's3:PutObject' }, 'cloudfront.amazonaws.com'],
  ['a service of another organisation', { Principal: { Service: 'appstream.amazonaws.com' }, Condition: { StringEquals: { 'aws:SourceOrgID': 'o-a1b2c3d4e5' } } }, 'appstream.amazonaws.com for aws:SourceOrgID o-a1b2c3d4e5'],
  ['a canonical user', { Principal: { CanonicalUser: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be' } }, '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be'],
  ['an origin access identity', { Principal: { AWS: 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2' } }, 'Origin Access Identity E2'],
  ["another account's provider of identities", { Principal: { Federated: `arn:aws:iam::${FOREIGN}:saml-provider/okta` } }, 'saml-provider/okta'],
];

describe('what lets strangers in without being public', () => {
  it.each(SHARES)('%s', (_, statement, says) => {
    const decision = decided(allowed(statement));
    expect(decision).toMatchObject({ decision: 'approve', playbook: 'quarantine-bucket', inputs: { level: 'external' } });
    expect(decision.reason).toContain(says);
    const point = { name: 'albums', arn: '', publicAccessBlock: null, policy: JSON.stringify(policyOf({ ...publicStatement, ...statement })) };
    expect(decided(record('s3', 'PutAccessPointPolicy', { name: 'albums' }), { bucketOfAccessPoint: () => BUCKET, stateOf: () => ({ accessPoints: [point] }) })).toMatchObject({ decision: 'approve', inputs: { level: 'external' } });
  });

  it('and a Deny that spares an address', () => {
    const deny = { ...publicStatement, Effect: 'Deny', Action: 's3:*', Condition: { NotIpAddress: { 'aws:SourceIp': ADDRESS } } };
    expect(decided(onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement, deny) })).decision).toBe('approve');
  });

  it.each([
    [{ Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } } }, { organizationId: 'o-a1b2c3d4e5' }],
    [{ Principal: { AWS: FOREIGN }, Condition: { 'ForAnyValue:StringLike': { 'aws:PrincipalOrgPaths': 'o-a1b2c3d4e5/r-1/*' } } }, { organizationId: 'o-a1b2c3d4e5' }],
    [{ Principal: CLOUDFRONT, Condition: { StringEquals: { 'aws:SourceOrgID': 'o-a1b2c3d4e5' } } }, { organizationId: 'o-a1b2c3d4e5' }],
    [{ Condition: { IpAddress: { 'aws:SourceIp': ['198.51.100.7', '198.51.100.16/28'] } } }, { trustedSources: ['198.51.100.0/24'] }],
    [{ Condition: { StringEquals: { 'aws:SourceVpce': 'vpce-1a2b3c4d' } } }, { trustedSources: ['vpce-1a2b3c4d'] }],
    [{ Principal: { AWS: 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2' } }, { trustedSources: ['arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2'] }],
    [{ Principal: CLOUDFRONT, Condition: { ArnLike: { 'AWS:SourceArn': `arn:aws:cloudfront::${FOREIGN}:distribution/E1` } } }, { trustedAccounts: [FOREIGN] }],
  ])('but not what the house calls its own: %j with %j', (statement, knowledge) => {
    expect(decided(allowed(statement), knowledge).decision).toBe('ignore');
    expect(decided(allowed(statement), { organizationId: 'o-zzzzzzzzzz', trustedSources: ['198.51.100.8/29', 'vpce-1'] }).decision).toBe('approve');
  });

  it('a block that restricts a public policy shuts out accounts, not services', () => {
    const state = (statement: object) => ({ publicAccessBlock: ON, policy: JSON.stringify(policyOf(publicStatement, { ...publicStatement, ...statement })) });
    expect(decided(makePublic, { stateOf: () => state({ Principal: { AWS: FOREIGN } }) }).decision).toBe('ignore');
    expect(decided(makePublic, { stateOf: () => state({ Principal: CLOUDFRONT }) })).toMatchObject({ decision: 'approve', inputs: { level: 'external' } });
  });

  it("the bucket's owner by canonical id is nobody else", () => {
    const policy = JSON.stringify(policyOf({ ...publicStatement, Principal: { CanonicalUser: 'me' } }));
    expect(decided(makePublic, { stateOf: () => ({ policy, acl: { owner: 'me', grants: [] } }) }).decision).toBe('ignore');
    expect(decided(makePublic, { stateOf: () => ({ policy, acl: { owner: 'you', grants: [] } }) }).decision).toBe('approve');
  });

  it('nor are keys and roles for services', () => {
    expect(decided(record('kms', 'PutKeyPolicy', { keyId: 'k', policy: JSON.stringify(policyOf({ Effect: 'Allow', Principal: CLOUDFRONT, Action: 'kms:Decrypt', Resource: '*' })) })).decision).toBe('ignore');
    expect(decided(record('iam', 'CreateRole', { roleName: 'r', assumeRolePolicyDocument: JSON.stringify(policyOf({ Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Condition: { IpAddress: { 'aws:SourceIp': ADDRESS } } })) })).decision).toBe('observe');
  });
});
