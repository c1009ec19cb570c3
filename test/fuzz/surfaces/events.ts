import fc from 'fast-check';
import { bucketDetails, BUCKET, decided, envelope, finding, onBucket, pascal, policyOf, publicStatement, record } from '../../decide/builders.ts';
import { mangledOneOf } from '../mangle.ts';
import { SECRET, surface, Violation } from '../surface.ts';

const VERDICTS = new Set(['contain', 'approve', 'observe', 'record', 'ignore', 'rejected']);
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, old names in us-east-1 included */
const BUCKET_NAME = /^[A-Za-z0-9._-]{3,255}$/;

/** Whatever arrives, one of the verdicts comes out, in words that are plain; and what would be done can only be done to something that has a name. */
export function judge(event: unknown): void {
  const decision = decided(event, { stateOf: () => ({ publicAccessBlock: null }) });
  if (!VERDICTS.has(decision.decision)) throw new Violation(`decided ${decision.decision}`);
  if (!/^[^\p{Cc}]+\.$/u.test(decision.reason)) throw new Violation(`the reason is no plain sentence: ${JSON.stringify(decision.reason)}`);
  if (JSON.stringify({ reason: decision.reason, checks: decision.checks }).includes(SECRET)) throw new Violation('a secret is in the decision');
  if (decision.decision === 'rejected' && decision.responses.length > 0) throw new Violation('rejected, and yet it would act');
  for (const { target, verdict } of decision.responses) {
    if (verdict === 'ignore' || verdict === 'record') continue;
    if (target.kind === 'bucket' && !BUCKET_NAME.test(target.name)) throw new Violation(`would ${verdict} about a bucket ${JSON.stringify(target.name)}`);
    // A record outside of an envelope may name no account; EventBridge's envelope always does.
    if (!/^(\d{12})?$/.test(target.account)) throw new Violation(`would ${verdict} in an account ${JSON.stringify(target.account)}`);
  }
}

export const RECORDS: readonly unknown[] = [
  onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement) }),
  onBucket('PutBucketAcl', { AccessControlPolicy: { Owner: { ID: 'me' }, AccessControlList: { Grant: [{ Grantee: { URI: 'x' }, Permission: 'READ' }] } } }),
  onBucket('PutBucketPublicAccessBlock', { PublicAccessBlockConfiguration: { BlockPublicAcls: false } }),
  onBucket('PutBucketReplication', { ReplicationConfiguration: { Rule: [{ Status: 'Enabled', Destination: { Bucket: 'arn:aws:s3:::theirs' } }] } }),
  onBucket('PutBucketLifecycle', { LifecycleConfiguration: { Rule: { Status: 'Enabled', Expiration: { Days: 1 } } } }),
  onBucket('GetObject', { key: `albums/x?X-Amz-Signature=${SECRET}`, 'X-Amz-Signature': SECRET, 'x-amz-security-token': SECRET }),
  record('s3', 'PutAccessPointPolicy', { name: 'albums', policy: JSON.stringify(policyOf(publicStatement)) }),
  record('cloudtrail', 'PutEventSelectors', { trailName: 't', advancedEventSelectors: [{ fieldSelectors: [{ field: 'eventCategory', equals: ['Management'] }] }] }),
  record('guardduty', 'UpdateDetector', { dataSources: { s3Logs: { enable: false } } }),
  record('kms', 'PutKeyPolicy', { policy: JSON.stringify(policyOf(publicStatement)) }),
  record('iam', 'UpdateAssumeRolePolicy', { policyDocument: '%7B%7D' }),
  record('cloudfront', 'UpdateDistribution', { distributionConfig: { origins: { items: [{ domainName: `${BUCKET}.s3.amazonaws.com` }] } } }),
  { EventId: 'e', CloudTrailEvent: JSON.stringify(onBucket('DeleteBucketPolicy')) },
];

export const FINDINGS: readonly unknown[] = [
  finding('Policy:S3/BucketPublicAccessGranted', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC')] }),
  finding('Exfiltration:S3/AnomalousBehavior', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC')], accessKeyDetails: { accessKeyId: 'ASIAEXAMPLE', userName: 'photo-service', userType: 'AssumedRole' } }),
  finding('Object:S3/MaliciousFile', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC', { s3ObjectDetails: [{ key: 'a.jpg' }] })] }),
  finding('UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS', 8, { accessKeyDetails: { accessKeyId: 'ASIAEXAMPLE', userName: 'photo-signer', userType: 'Role', principalId: 'AROAEXAMPLE:s' } }),
  pascal(finding('AttackSequence:S3/CompromisedData', 9, {}, { detection: { sequence: { resources: [{ resourceType: 'S3_BUCKET', uid: 'arn:aws:s3:::a' }] } } })),
];

export const events = surface('events', 'EventBridge envelopes', () => ({
  cases: fc.oneof(
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 6 }) as fc.Arbitrary<unknown> },
    { weight: 6, arbitrary: mangledOneOf([...FINDINGS.slice(0, 3).map((detail) => envelope({ ...(detail as object) }, 'GuardDuty Finding', 'aws.guardduty')), ...RECORDS.slice(0, 6).map((detail) => envelope({ ...(detail as object) }))]) },
  ),
  holds: judge,
}));
export const findings = surface('findings', 'GuardDuty findings without an envelope', () => ({ cases: mangledOneOf(FINDINGS), holds: judge }));
export const records = surface('records', 'CloudTrail records', () => ({ cases: mangledOneOf(RECORDS), holds: judge }));
