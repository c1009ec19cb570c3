/** Whatever arrives, a decision comes out, soon. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

const SEEDS: readonly unknown[] = [
  onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement) }),
  onBucket('PutBucketAcl', { AccessControlPolicy: { Owner: { ID: 'me' }, AccessControlList: { Grant: [{ Grantee: { URI: 'x' }, Permission: 'READ' }] } } }),
  onBucket('PutBucketPublicAccessBlock', { PublicAccessBlockConfiguration: { BlockPublicAcls: false } }),
  onBucket('PutBucketReplication', { ReplicationConfiguration: { Rule: [{ Status: 'Enabled', Destination: { Bucket: 'arn:aws:s3:::theirs' } }] } }),
  onBucket('PutBucketLifecycle', { LifecycleConfiguration: { Rule: { Status: 'Enabled', Expiration: { Days: 1 } } } }),
  record('s3', 'PutAccessPointPolicy', { name: 'albums', policy: JSON.stringify(policyOf(publicStatement)) }),
  record('cloudtrail', 'PutEventSelectors', { trailName: 't', advancedEventSelectors: [{ fieldSelectors: [{ field: 'eventCategory', equals: ['Management'] }] }] }),
  record('guardduty', 'UpdateDetector', { dataSources: { s3Logs: { enable: false } } }),
  record('kms', 'PutKeyPolicy', { policy: JSON.stringify(policyOf(publicStatement)) }),
  record('iam', 'UpdateAssumeRolePolicy', { policyDocument: '%7B%7D' }),
  record('cloudfront', 'UpdateDistribution', { distributionConfig: { origins: { items: [{ domainName: `${BUCKET}.s3.amazonaws.com` }] } } }),
  envelope(finding('Policy:S3/BucketPublicAccessGranted', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC')] }), 'GuardDuty Finding', 'aws.guardduty'),
  pascal(finding('AttackSequence:S3/CompromisedData', 9, {}, { detection: { sequence: { resources: [{ resourceType: 'S3_BUCKET', uid: 'arn:aws:s3:::a' }] } } })),
  { EventId: 'e', CloudTrailEvent: JSON.stringify(onBucket('DeleteBucketPolicy')) },
];

/** Values that have broken parsers: names of prototypes, text that is nearly a number, a date, a policy or an address. */
const nasty = fc.oneof(
  fc.constantFrom<unknown>('__proto__', 'constructor', 'toString', '%', '%7B', '{"Statement":{}}', '9'.repeat(400), '1e400', '2026-13-45', '0.0.0.0/99', 'arn:', ':::', '\ud800', '*'.repeat(300), '', null, -0, [], {}, [[]]),
  fc.jsonValue(),
);
const keys = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', 'length', 'hasOwnProperty', 'detail', 'Statement', 'policy', 'resource', 'service'), fc.string());

/** Puts other values at some places of a value, and other keys. */
function mangled(value: unknown, depth = 0): fc.Arbitrary<unknown> {
  const self = fc.constant(value);
  if (depth > 8 || typeof value !== 'object' || value === null) return fc.oneof({ weight: 5, arbitrary: self }, { weight: 1, arbitrary: nasty });
  const inner: fc.Arbitrary<unknown> = Array.isArray(value)
    ? fc.tuple(...value.map((entry) => mangled(entry, depth + 1)))
    : fc.tuple(fc.record(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mangled(entry, depth + 1)])), { requiredKeys: [] }), fc.dictionary(keys, nasty, { maxKeys: 1 })).map(([kept, added]) => ({ ...kept, ...added }));
  return fc.oneof({ weight: 8, arbitrary: inner }, { weight: 1, arbitrary: nasty });
}

describe('decide', () => {
  it('takes any JSON value', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), holdsFor), { numRuns: 2000 });
  });

  it('takes real events with anything in any place', () => {
    fc.assert(fc.property(fc.constantFrom(...SEEDS).chain((seed) => mangled(seed)), holdsFor), { numRuns: 3000 });
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
