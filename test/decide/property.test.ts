/** Whatever arrives, a decision comes out, soon. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mangledOneOf } from '../fuzz/mangle.ts';
import { FINDINGS, RECORDS } from '../fuzz/surfaces/events.ts';
import { ACCOUNT, BUCKET, bucketDetails, decided, envelope, finding, onBucket, pascal, policyOf, publicStatement, record } from './builders.ts';

const LIMIT_MS = 50;
const VERDICTS = new Set(['contain', 'approve', 'observe', 'record', 'ignore', 'rejected']);

/** Time that this thread has had of a processor, ms: whatever else the machine is doing does not count. */
function busy(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Decides and judges the result; a slow run is tried again, since what was never run before is compiled first. */
function holdsFor(event: unknown): void {
  const before = JSON.stringify(event).length;
  let best = Infinity;
  for (let attempt = 0; attempt < 3 && best > LIMIT_MS; attempt++) {
    const start = busy();
    const decision = decided(event, { stateOf: () => ({ publicAccessBlock: null }) });
    best = Math.min(best, busy() - start);
    expect(VERDICTS).toContain(decision.decision);
    expect(decision.reason).toMatch(/^[^\p{Cc}]+\.$/u);
  }
  expect(best, `an event of ${before} characters`).toBeLessThan(LIMIT_MS);
}

describe('decide', () => {
  it('takes any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), holdsFor), { numRuns: 2000 });
  });

  it('takes real events with anything in any place', () => {
    fc.assert(fc.property(mangledOneOf([...RECORDS, ...FINDINGS]), holdsFor), { numRuns: 3000 });
  });

  /** Each grows one thing to the size that an attacker can afford: EventBridge takes 1 MB, CloudTrail 256 KB. */
  const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
  const deep = (levels: number): unknown => JSON.parse(`${'{"a":['.repeat(levels)}1${']}'.repeat(levels)}`);
  const statements = many(1500, (index) => ({ ...publicStatement, Sid: `s${index}`, Action: ['s3:Get*'] }));
  const large: readonly (readonly [string, unknown])[] = [
    ['nesting', deep(50_000)],
    ['a finding full of nesting', pascal({ ...finding('Policy:S3/BucketPublicAccessGranted'), Service: 1 }) && { Type: 'X:Y/Z', Id: 'i', Service: deep(20_000) }],
    ['a policy full of nesting', onBucket('PutBucketPolicy', { bucketPolicy: deep(50_000) })],
    ['many statements', onBucket('PutBucketPolicy', { bucketPolicy: policyOf(...statements) })],
    ['many statements and denials', onBucket('PutBucketPolicy', { bucketPolicy: policyOf(...statements.slice(0, 700), ...many(700, () => ({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*' }))) })],
    ['many actions and resources', onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Action: many(5000, (index) => `s3:Get${index}`), Resource: many(5000, (index) => `arn:${index}`) }, { Effect: 'Deny', Principal: '*', Action: many(5000, (index) => `s3:Get${index}*`), Resource: '*' }) })],
    ['one action full of wildcards', onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Action: `s3:${'*a'.repeat(120_000)}` }) })],
    ['denials full of wildcards', onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Resource: 'a'.repeat(120_000) }, { Effect: 'Deny', Principal: '*', Action: '*', Resource: `${'*a'.repeat(60_000)}b` }) })],
    ['many conditions', onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Condition: { StringLike: Object.fromEntries(many(10_000, (index) => [`k${index}`, '*'])) } }) })],
    ['many grants', onBucket('PutBucketAcl', { AccessControlPolicy: { AccessControlList: { Grant: many(5000, (index) => ({ Grantee: { ID: `i${index}` }, Permission: 'READ' })) } } })],
    ['a long header', onBucket('PutBucketAcl', { 'x-amz-grant-read': 'id=a,'.repeat(50_000) })],
    ['many buckets', finding('Policy:S3/BucketPublicAccessGranted', 8, { s3BucketDetails: many(3000, (index) => bucketDetails(`photos-${index}`, 'PUBLIC')) })],
    ['many objects', finding('Object:S3/MaliciousFile', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC', { s3ObjectDetails: many(5000, (index) => ({ key: `k${index}` })) })] })],
    ['many lifecycle rules', onBucket('PutBucketLifecycle', { LifecycleConfiguration: { Rule: many(10_000, () => ({ Status: 'Enabled', Expiration: { Days: 1 } })) } })],
    ['many destinations', onBucket('PutBucketReplication', { ReplicationConfiguration: { Rule: many(3000, (index) => ({ Destination: { Bucket: `arn:aws:s3:::b${index}`, Account: '444455556666' } })) } })],
    ['many trusted accounts', record('iam', 'CreateRole', { assumeRolePolicyDocument: JSON.stringify(policyOf({ Effect: 'Allow', Principal: { AWS: many(10_000, (index) => String(100000000000 + index)) }, Action: 'sts:AssumeRole' })) })],
    ['a long name', record('dynamodb', 'DeleteTable', { tableName: `stopbath-dev${':'.repeat(250_000)}` })],
    ['many names', record('lambda', 'UpdateFunctionCode', { functionName: 'xstopbath-', layers: many(20_000, (index) => `stopbath-dex-${index}`) })],
    ['a long type', { ...finding('X:Y/Z'), type: `Policy:S3/${'\u202e'.repeat(200_000)}` }],
    ['a long origin', record('cloudfront', 'UpdateDistribution', { distributionConfig: { origins: { items: many(2000, () => ({ domainName: `${'a.'.repeat(50)}s3.amazonaws.com` })) } } })],
    ['a long sample remark', finding('X:Y/Z', 5, {}, { additionalInfo: { value: `{"a":${'['.repeat(90_000)}` } })],
  ];
  it.each(large)('is not held up by %s', (_, event) => {
    const before = busy();
    let best = Infinity;
    for (let attempt = 0; attempt < 3 && best > LIMIT_MS; attempt++) {
      const start = busy();
      expect(VERDICTS).toContain(decided(event, { stateOf: () => ({ publicAccessBlock: null }) }).decision);
      best = busy() - start;
    }
    expect(best, `${Math.round(busy() - before)} ms in all`).toBeLessThan(LIMIT_MS);
  });

  it('takes a finding of another account as that account says', () => {
    expect(decided(envelope(finding('Recon:EC2/Portscan'), 'GuardDuty Finding', 'aws.guardduty', { account: '999999999999' })).signal?.account).toBe(ACCOUNT);
  });
});
