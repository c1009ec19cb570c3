import fc from 'fast-check';
import type { Acl } from '../../../core/bucket.ts';
import { exposuresOf } from '../../../core/exposure.ts';
import { settledPolicy } from '../../../core/policy.ts';
import { withUrlDenial, withoutUrlDenial } from '../../../core/share/url-denial.ts';
import { ConfigError, readConfig } from '../../../deploy/config.ts';
import { policyText } from '../../../sandbox/auth/directory.ts';
import { AwsError } from '../../../sandbox/service.ts';
import { BUCKET, BUCKET_ARN, onBucket, policyOf, publicStatement } from '../../decide/builders.ts';
import { mangledOneOf } from '../mangle.ts';
import { surface, Violation } from '../surface.ts';
import { judge } from './events.ts';

const POLICIES: readonly unknown[] = [
  policyOf(publicStatement),
  policyOf(publicStatement, { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [BUCKET_ARN, `${BUCKET_ARN}/*`], Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-exampleorgid' } } }),
  policyOf({ Sid: 'Lab', Effect: 'Allow', Principal: { AWS: ['arn:aws:iam::444455556666:root'], Service: 'cloudfront.amazonaws.com' }, NotAction: ['s3:Delete*'], NotResource: 'arn:aws:s3:::x', Condition: { IpAddress: { 'aws:SourceIp': ['203.0.113.0/24', '2001:db8::/32'] }, Bool: { 'aws:SecureTransport': 'true' }, DateLessThan: { 'aws:CurrentTime': '2026-01-01T00:00:00Z' } } }),
];
const EVERYONE = { Sid: 'E', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${BUCKET_ARN}/*` };

/** A policy that somebody sets: what it opens is never overlooked, in the event and in the bucket, and the suite's own statements go in and come out again. */
export const policies = surface('policies', 'bucket policies', () => ({
  cases: mangledOneOf(POLICIES),
  holds: (policy) => {
    judge(onBucket('PutBucketPolicy', { bucketPolicy: policy }));
    const text = JSON.stringify(policy);
    exposuresOf({ policy: text });
    if (!isPolicy(text)) return;
    const { Statement } = policy as { readonly Statement: unknown };
    const opened = JSON.stringify({ ...(policy as object), Statement: [...[Statement].flat().filter((entry) => (entry as { readonly Effect?: unknown }).Effect !== 'Deny'), EVERYONE] });
    if (isPolicy(opened) && exposuresOf({ policy: opened }).length === 0) throw new Violation('a policy that lets everyone read is called closed');
    const denied = withUrlDenial(text, { incident: 'inc-1', bucket: BUCKET, prefixes: ['albums/'], keys: [], tag: null, spared: [], distributions: [], identities: [] });
    if (denied.policy === null) return;
    if (!isPolicy(denied.policy)) throw new Violation('with a denial it is a policy no more');
    const back = withoutUrlDenial(denied.policy, 'inc-1');
    // In the one form in which S3 may give both back.
    if (statementsOf(back) !== statementsOf(text)) throw new Violation('a denial that was put in does not come out');
  },
}));

function isPolicy(text: string): boolean {
  try {
    policyText(text);
    return true;
  } catch (error) {
    if (error instanceof AwsError) return false;
    throw error;
  }
}

function statementsOf(text: string | null): string {
  return JSON.stringify([(JSON.parse(settledPolicy(text ?? '{}')) as { readonly Statement?: unknown }).Statement ?? []].flat());
}

const GROUPS = ['http://acs.amazonaws.com/groups/global/AllUsers', 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers', 'http://acs.amazonaws.com/groups/s3/LogDelivery'] as const;
const grants = fc.array(
  fc.record({ permission: fc.constantFrom('FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'), grantee: fc.oneof(fc.record({ uri: fc.constantFrom<string>(...GROUPS) }), fc.record({ id: fc.string() })) }),
  { maxLength: 6 },
);
const ACL_EVENTS: readonly unknown[] = [
  onBucket('PutBucketAcl', { AccessControlPolicy: { Owner: { ID: 'me' }, AccessControlList: { Grant: [{ Grantee: { 'xsi:type': 'Group', URI: GROUPS[0] }, Permission: 'READ' }, { Grantee: { ID: 'x' }, Permission: 'WRITE' }] } } }),
  onBucket('PutBucketAcl', { 'x-amz-acl': ['public-read'] }),
  onBucket('PutBucketAcl', { 'x-amz-grant-read': `uri="${GROUPS[0]}", id="abc", emailAddress="a@example.com"` }),
  onBucket('CreateBucket', { 'x-amz-acl': 'public-read-write', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } }),
];

export const acls = surface('acls', 'access control lists', () => ({
  cases: fc.tuple(grants, mangledOneOf(ACL_EVENTS)),
  holds: ([given, event]) => {
    judge(event);
    const acl = { owner: 'me', grants: given } as Acl;
    const open = given.some(({ grantee }) => 'uri' in grantee && grantee.uri !== GROUPS[2]);
    if (exposuresOf({ acl }).length > 0 !== open) throw new Violation(open ? 'a grant to everyone was overlooked' : 'a closed ACL is called open');
  },
}));

const CONFIG = {
  modeCap: 'contain',
  responderRoles: ['arn:aws:iam::111122223333:role/responder'],
  auditorRoles: ['arn:aws:iam::111122223333:role/auditor'],
  protectedBuckets: ['family-*'],
  protectedTags: ['stopbath:protected=true'],
  budgets: { account: 20, all: 50, links: 200_000, linksAll: 500_000, reserved: 5 },
  organizationId: 'o-exampleorgid',
  leaseHours: 72,
  verifyLooks: 3,
  verifyMaxLooks: 24,
  trackers: { desk: { kind: 'webhook', url: 'https://desk.example/hooks', secret: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:desk-abcdef' }, ops: { kind: 'opscenter' } },
  shares: {},
};

/** A file that somebody edited: it is read whole, or refused with the name of the field. */
export const config = surface('config', 'stopbath.config.json', () => ({
  cases: mangledOneOf([CONFIG, { modeCap: 'observe' }]),
  holds: (document) => {
    try {
      readConfig(document);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      if (!error.message.startsWith('stopbath.config.json: ')) throw new Violation(`does not say which file: ${error.message}`);
    }
  },
}));
