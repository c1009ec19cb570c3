import { describe, expect, it } from 'vitest';
import { readPolicy } from '../../core/policy.ts';
import type { Caller, ConditionContext, Decision } from '../service.ts';
import { canonicalUserId } from './accounts.ts';
import { evaluate } from './evaluate.ts';

const HOME = '111122223333';
const user: Caller = { kind: 'user', account: HOME, principalArn: `arn:aws:iam::${HOME}:user/rosa`, arn: `arn:aws:iam::${HOME}:user/rosa`, userId: 'AIDA1' };
const role: Caller = {
  kind: 'role',
  account: HOME,
  principalArn: `arn:aws:iam::${HOME}:role/photo-service`,
  arn: `arn:aws:sts::${HOME}:assumed-role/photo-service/web-1`,
  userId: 'AROA1:web-1',
};
const root: Caller = { kind: 'root', account: HOME, principalArn: `arn:aws:iam::${HOME}:root`, arn: `arn:aws:iam::${HOME}:root`, userId: HOME };
const stranger: Caller = { ...user, account: '444455556666', principalArn: 'arn:aws:iam::444455556666:user/mallory', arn: 'arn:aws:iam::444455556666:user/mallory' };
const anonymous: Caller = { kind: 'anonymous' };
const cdn: Caller = { kind: 'service', service: 'cloudfront.amazonaws.com' };

interface Asked {
  readonly principal?: Caller;
  readonly owner?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly context?: ConditionContext;
}

/** What statements, allowing `s3:GetObject` on everything unless they say otherwise, decide. */
function decide(statements: readonly object[], asked: Asked = {}, version = '2012-10-17'): Decision {
  const Statement = statements.map((statement) => ({
    Effect: 'Allow',
    ...('Action' in statement || 'NotAction' in statement ? {} : { Action: 's3:GetObject' }),
    ...('Resource' in statement || 'NotResource' in statement ? {} : { Resource: '*' }),
    ...statement,
  }));
  const policies = [readPolicy({ Version: version, Statement })];
  return evaluate({ policies, action: 's3:GetObject', resource: 'arn:aws:s3:::family/a/1.jpg', context: {}, ...asked });
}

describe('decisions', () => {
  it('is neither without a statement that applies, allow with one, and deny with one denial among allows', () => {
    expect(decide([])).toBe('none');
    expect(decide([{}])).toBe('allow');
    expect(decide([{}, { Effect: 'Deny', Action: 's3:*' }, {}])).toBe('deny');
    expect(decide([{}, { Effect: 'Deny', Action: 's3:PutObject' }])).toBe('allow');
  });

  it('reads several policies as one', () => {
    const allow = readPolicy({ Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });
    const deny = readPolicy({ Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }] });
    expect(evaluate({ policies: [allow, deny], action: 'a:B', resource: 'x', context: {} })).toBe('deny');
  });
});

describe('actions and resources', () => {
  it.each([
    [{ Action: 's3:Get*' }, 'allow'],
    [{ Action: 'S3:getobject' }, 'allow'],
    [{ Action: 's3:GetObjec?' }, 'allow'],
    [{ Action: 's3:GetObject?' }, 'none'],
    [{ Action: 's3:GetObjectAcl' }, 'none'],
    [{ Action: ['s3:PutObject', '*'] }, 'allow'],
    [{ NotAction: 's3:Put*' }, 'allow'],
    [{ NotAction: ['s3:Put*', 's3:G*t'] }, 'none'],
    [{ Resource: 'arn:aws:s3:::family/*' }, 'allow'],
    [{ Resource: 'arn:aws:s3:::family' }, 'none'],
    [{ Resource: 'arn:aws:s3:::FAMILY/*' }, 'none'],
    [{ Resource: 'arn:aws:s3:::*.jpg' }, 'allow'],
    [{ NotResource: 'arn:aws:s3:::family/b/*' }, 'allow'],
    [{ NotResource: ['arn:aws:s3:::family/a/*'] }, 'none'],
  ])('%j is %s', (statement, decision) => {
    expect(decide([statement])).toBe(decision);
  });

  it('takes no longer for a pattern made to be slow', () => {
    const started = performance.now();
    expect(decide([{ Resource: `${'*a'.repeat(200)}b` }], { resource: 'a'.repeat(2000) })).toBe('none');
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('principals', () => {
  it.each<[string, object, Caller, Decision]>([
    ['everyone is everyone', { Principal: '*' }, anonymous, 'allow'],
    ['everyone is AWS services too', { Principal: { AWS: '*' } }, cdn, 'allow'],
    ['a user by ARN', { Principal: { AWS: user.arn } }, user, 'allow'],
    ['no other user', { Principal: { AWS: user.arn } }, stranger, 'none'],
    ['a role by its ARN is its sessions', { Principal: { AWS: role.principalArn } }, role, 'allow'],
    ['a session by its own ARN', { Principal: { AWS: role.arn } }, role, 'allow'],
    ['no wildcard in an ARN', { Principal: { AWS: `arn:aws:iam::${HOME}:role/*` } }, role, 'none'],
    ['an account by number', { Principal: { AWS: '444455556666' } }, stranger, 'allow'],
    ['an account by its root', { Principal: { AWS: `arn:aws:iam::${HOME}:root` } }, root, 'allow'],
    ['an account by its canonical user', { Principal: { CanonicalUser: canonicalUserId('444455556666') } }, stranger, 'allow'],
    ['a service by name', { Principal: { Service: 'cloudfront.amazonaws.com' } }, cdn, 'allow'],
    ['no account is anonymous', { Principal: { AWS: HOME } }, anonymous, 'none'],
    ['no service is a role', { Principal: { Service: '*' } }, role, 'none'],
    ['all but a user', { NotPrincipal: { AWS: [user.arn, `arn:aws:iam::${HOME}:root`] } }, stranger, 'allow'],
    ['all but a user, who is excepted with his account', { NotPrincipal: { AWS: [user.arn, HOME] } }, user, 'none'],
    ['a session excepted by its role alone is not excepted', { NotPrincipal: { AWS: [role.principalArn, HOME] } }, role, 'allow'],
    ['a session excepted with role and account', { NotPrincipal: { AWS: [role.arn, role.principalArn, HOME] } }, role, 'none'],
  ])('%s', (_, statement, principal, decision) => {
    expect(decide([statement], { principal })).toBe(decision);
  });

  it('leaves the decision to the identity policies of an account that it names in itself, but denies it as a whole', () => {
    const account = { AWS: `arn:aws:iam::${HOME}:root` };
    expect(decide([{ Principal: account }], { principal: user, owner: HOME })).toBe('none');
    expect(decide([{ Principal: account }], { principal: root, owner: HOME })).toBe('allow');
    expect(decide([{ Principal: { AWS: '444455556666' } }], { principal: stranger, owner: HOME })).toBe('allow');
    expect(decide([{ Effect: 'Deny', Principal: account }], { principal: user, owner: HOME })).toBe('deny');
  });

  it('matches no statement without a principal where a resource asks', () => {
    expect(decide([{}], { principal: user })).toBe('none');
  });
});

describe('conditions', () => {
  const context: ConditionContext = {
    'aws:principalarn': role.principalArn,
    'aws:username': 'rosa',
    'aws:sourceip': '192.0.2.17',
    'aws:currenttime': '2026-03-01T12:00:00.000Z',
    'aws:epochtime': '1772366400',
    'aws:securetransport': 'true',
    's3:max-keys': '10',
    'aws:tagkeys': ['album', 'owner'],
    'aws:wild': '*',
  };
  const holds = (Condition: object, version?: string) => decide([{ Condition }], { context }, version) === 'allow';

  it.each<[object, boolean]>([
    [{ StringEquals: { 'aws:username': 'rosa' } }, true],
    [{ StringEquals: { 'AWS:UserName': ['ravi', 'rosa'] } }, true],
    [{ StringEquals: { 'aws:username': 'Rosa' } }, false],
    [{ StringEqualsIgnoreCase: { 'aws:username': 'ROSA' } }, true],
    [{ StringNotEquals: { 'aws:username': ['ravi', 'rosa'] } }, false],
    [{ StringNotEquals: { 'aws:username': ['ravi'] } }, true],
    [{ StringLike: { 'aws:username': 'r?s*' } }, true],
    [{ StringNotLike: { 'aws:username': 'r*' } }, false],
    [{ NumericLessThan: { 's3:max-keys': '11' } }, true],
    [{ NumericLessThanEquals: { 's3:max-keys': 10 } }, true],
    [{ NumericGreaterThan: { 's3:max-keys': '9.5' } }, true],
    [{ NumericEquals: { 's3:max-keys': '10.0' } }, true],
    [{ NumericEquals: { 'aws:username': 'rosa' } }, false],
    [{ DateGreaterThan: { 'aws:currenttime': '2026-03-01T11:59:59Z' } }, true],
    [{ DateLessThan: { 'aws:currenttime': '2026-03-01T11:59:59Z' } }, false],
    [{ DateLessThan: { 'aws:epochtime': '2026-03-02' } }, true],
    [{ DateEquals: { 'aws:currenttime': 1_772_366_400 } }, true],
    [{ Bool: { 'aws:securetransport': true } }, true],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, false],
    [{ IpAddress: { 'aws:sourceip': '192.0.2.0/24' } }, true],
    [{ IpAddress: { 'aws:sourceip': ['10.0.0.0/8', '192.0.2.17'] } }, true],
    [{ IpAddress: { 'aws:sourceip': '2001:db8::/32' } }, false],
    [{ IpAddress: { 'aws:sourceip': 'anywhere' } }, false],
    [{ NotIpAddress: { 'aws:sourceip': '192.0.2.0/24' } }, false],
    [{ ArnLike: { 'aws:principalarn': 'arn:aws:iam::*:role/photo-*' } }, true],
    [{ ArnEquals: { 'aws:principalarn': 'arn:aws:iam::*:role/photo-*' } }, true],
    [{ ArnLike: { 'aws:principalarn': 'arn:aws:*:role/photo-service' } }, false],
    [{ ArnNotLike: { 'aws:principalarn': 'arn:aws:iam::*:role/photo-*' } }, false],
    [{ StringLike: { 'aws:principalarn': 'arn:aws:*:role/photo-service' } }, true],
    [{ Null: { 'aws:username': 'false' } }, true],
    [{ Null: { 'aws:referer': 'true' } }, true],
    [{ Null: { 'aws:referer': false } }, false],
    [{ StringEquals: { 'aws:referer': 'x' } }, false],
    [{ StringNotEquals: { 'aws:referer': 'x' } }, true],
    [{ StringEqualsIfExists: { 'aws:referer': 'x' } }, true],
    [{ StringEqualsIfExists: { 'aws:username': 'x' } }, false],
    [{ BoolIfExists: { 'aws:multifactorauthpresent': 'true' } }, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:tagkeys': ['owner', 'x'] } }, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:tagkeys': 'x' } }, false],
    [{ 'ForAnyValue:StringEquals': { 'aws:absent': 'x' } }, false],
    [{ 'ForAllValues:StringEquals': { 'aws:tagkeys': ['owner', 'album', 'x'] } }, true],
    [{ 'ForAllValues:StringEquals': { 'aws:tagkeys': ['owner'] } }, false],
    [{ 'ForAllValues:StringEquals': { 'aws:absent': 'x' } }, true],
    [{ 'ForAllValues:StringNotEquals': { 'aws:tagkeys': 'owner' } }, false],
    [{ StringEquals: { 'aws:username': 'rosa', 's3:max-keys': '11' } }, false],
    [{ StringEquals: { 'aws:username': 'rosa' }, Bool: { 'aws:securetransport': 'false' } }, false],
    [{ StringMatches: { 'aws:username': 'rosa' } }, false],
    [{ StringEquals: { constructor: 'x' } }, false],
  ])('%j: %s', (condition, expected) => {
    expect(holds(condition)).toBe(expected);
  });

  it('fills in variables, in values and resources, and takes what they hold literally', () => {
    expect(holds({ StringEquals: { 'aws:username': '${aws:username}' } })).toBe(true);
    expect(holds({ StringLike: { 'aws:principalarn': '*${aws:wild}*' } })).toBe(false);
    expect(holds({ StringEquals: { 'aws:username': "${aws:absent, 'rosa'}" } })).toBe(true);
    expect(holds({ StringNotEquals: { 'aws:username': '${aws:absent}' } })).toBe(false);
    expect(holds({ StringEquals: { 'aws:wild': '${*}' } })).toBe(true);
    expect(holds({ StringLike: { 'aws:username': '${*}' } })).toBe(false);
    const home = [{ Resource: 'arn:aws:s3:::family/${aws:username}/*' }];
    expect(decide(home, { context, resource: 'arn:aws:s3:::family/rosa/1.jpg' })).toBe('allow');
    expect(decide(home, { context, resource: 'arn:aws:s3:::family/ravi/1.jpg' })).toBe('none');
    expect(decide(home, { resource: 'arn:aws:s3:::family//1.jpg' })).toBe('none');
  });

  it('has no variables in the old policy version', () => {
    expect(holds({ StringEquals: { 'aws:username': '${aws:username}' } }, '2008-10-17')).toBe(false);
  });
});
