import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ACCOUNT, BUCKET, BUCKET_ARN, RECEIVED, bucketDetails, decided, envelope, finding, pascal, playbooks, resourceOf } from './builders.ts';
import type { Decision } from '../../core/decide.ts';

const CORPUS = `${import.meta.dirname}/../../../shared/corpora/guardduty/finding_types.json`;

/** What each kind of finding asks for; the first that fits. */
const EXPECTED: readonly (readonly [RegExp, Pick<Decision, 'decision' | 'playbook' | 'inputs'>])[] = [
  [/^Policy:S3\//, { decision: 'contain', playbook: 'quarantine-bucket', inputs: { level: 'public' } }],
  [/^(?:Exfiltration|AttackSequence):S3\//, { decision: 'contain', playbook: 'quarantine-bucket', inputs: { level: 'external' } }],
  [/^(?:Impact:S3\/|UnauthorizedAccess:S3\/|Discovery:S3\/(?:MaliciousIP|TorIP)Caller)/, { decision: 'approve', playbook: 'quarantine-bucket', inputs: { level: 'external' } }],
  [/^Object:S3\/MaliciousFile$/, { decision: 'contain', playbook: 'revoke-share-links', inputs: { bucket: BUCKET, key: 'albums/a/1.jpg', versionId: 'v1' } }],
  [/^/, { decision: 'observe', playbook: 'open-ticket', inputs: {} }],
];
const RECORDED = { decision: 'record', playbook: null, inputs: null } as const;
const QUIET = /^(?:Discovery|PenTest|Stealth):/;
const SEVERITY: Readonly<Record<string, number>> = { Low: 2, Medium: 5, High: 8, Critical: 9.5 };

/** What the table speaks of: a further playbook tests its own triggers. */
const NAMED = playbooks.filter(({ name }) => EXPECTED.some(([, { playbook }]) => playbook === name));

function expectedOf(type: string, severity: number): Pick<Decision, 'decision' | 'playbook' | 'inputs'> {
  const expected = EXPECTED.find(([kind]) => kind.test(type))?.[1];
  if (!expected) throw new Error(`nothing is expected of ${type}`);
  return expected.decision === 'observe' && QUIET.test(type) && severity < 4 ? RECORDED : expected;
}

/** Types of every purpose and resource, so that a fresh clone tests them too. */
const OWN_TYPES: readonly (readonly [string, string])[] = [
  ['AttackSequence:S3/CompromisedData', 'Critical'],
  ['AttackSequence:IAM/CompromisedCredentials', 'Critical'],
  ['Backdoor:EC2/C&CActivity.B!DNS', 'High'],
  ['CredentialAccess:IAMUser/AnomalousBehavior', 'Medium'],
  ['Discovery:S3/AnomalousBehavior', 'Low'],
  ['Discovery:S3/MaliciousIPCaller.Custom', 'High'],
  ['Discovery:S3/TorIPCaller', 'Medium'],
  ['Discovery:RDS/TorIPCaller', 'Medium'],
  ['Execution:S3/MaliciousFile!RecoveryPoint', 'Varies'],
  ['Exfiltration:IAMUser/AnomalousBehavior', 'High'],
  ['Exfiltration:S3/AnomalousBehavior', 'High'],
  ['Impact:EC2/WinRMBruteForce', 'Low'],
  ['Impact:S3/AnomalousBehavior.Write', 'Medium'],
  ['Object:S3/MaliciousFile', 'High'],
  ['PenTest:S3/KaliLinux', 'Medium'],
  ['Policy:IAMUser/RootCredentialUsage', 'Low'],
  ['Policy:S3/AccountBlockPublicAccessDisabled', 'Low'],
  ['Policy:S3/BucketAnonymousAccessGranted', 'High'],
  ['Policy:S3/BucketBlockPublicAccessDisabled', 'Low'],
  ['Policy:S3/BucketPublicAccessGranted', 'High'],
  ['Stealth:S3/ServerAccessLoggingDisabled', 'Low'],
  ['UnauthorizedAccess:S3/TorIPCaller', 'High'],
  ['Novelty:Quantum/NeverSeenBefore', 'Low'],
];

function typesOfTheCorpus(): readonly (readonly [string, string])[] {
  if (!existsSync(CORPUS)) {
    process.stderr.write('not run: the 199 finding types of ../shared/corpora/guardduty/finding_types.json (the folder is absent)\n');
    return [];
  }
  const rows: readonly { readonly type: string; readonly severity: string }[] = JSON.parse(readFileSync(CORPUS, 'utf8'));
  return rows.map(({ type, severity }) => [type, severity]);
}

const SHAPES: readonly (readonly [string, (type: string, severity: number) => unknown])[] = [
  ['in an envelope', (type, severity) => envelope(finding(type, severity, resourceOf(type)), 'GuardDuty Finding', 'aws.guardduty')],
  ['bare, camelCase', (type, severity) => finding(type, severity, resourceOf(type))],
  ['bare, PascalCase', (type, severity) => pascal(finding(type, severity, resourceOf(type)))],
  ['PascalCase in an envelope', (type, severity) => envelope(Object(pascal(finding(type, severity, resourceOf(type)))), 'GuardDuty Finding', 'aws.guardduty')],
];

const TYPES = [...new Map([...OWN_TYPES, ...typesOfTheCorpus()])];

describe.each(TYPES)('%s (%s)', (type, name) => {
  const severity = SEVERITY[name] ?? 5;
  const expected = expectedOf(type, severity);

  it.each(SHAPES)('%s', (_, event) => {
    const decision = decided(event(type, severity), { playbooks: NAMED });
    expect(decision).toMatchObject({ ...expected, source: 'guardduty', type, event: 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0', suppressedBy: null });
    expect(decision.severity).toBe(expected.decision === 'record' ? 0 : severity);
  });

  it.each([{ sample: true }, { type: 'default', value: '{"sample":true}' }])('a sample never acts: %o', (additionalInfo) => {
    const sample = finding(type, severity, resourceOf(type), { additionalInfo });
    expect(decided(sample, { playbooks: NAMED }).decision).toBe(expected.decision === 'record' ? 'record' : 'observe');
    expect(decided(sample, { drill: true, playbooks: NAMED }).decision).toBe(expected.decision);
  });

  it('archived by the suite itself is decided as any other: when it occurs again GuardDuty goes on with the same finding', () => {
    const again = finding(type, severity, resourceOf(type), { archived: true, count: 2 });
    expect(decided(again, { playbooks: NAMED, own: { prefix: 'stopbath-dev', archives: true } }).decision).toBe(expected.decision);
  });

  it('archived by a person is recorded', () => {
    expect(decided(finding(type, severity, resourceOf(type), { archived: true }))).toMatchObject(RECORDED);
    expect(decided(pascal(finding(type, severity, resourceOf(type), { archived: true })))).toMatchObject(RECORDED);
  });
});

describe('a finding', () => {
  it('with three buckets gives each its own response', () => {
    const decision = decided(finding('Policy:S3/BucketPublicAccessGranted', 8, { s3BucketDetails: [bucketDetails('photos-a', 'PUBLIC'), bucketDetails('photos-b', 'NOT_PUBLIC'), bucketDetails('photos-c')] }));
    expect(decision.targets).toEqual(['arn:aws:s3:::photos-a', 'arn:aws:s3:::photos-b', 'arn:aws:s3:::photos-c']);
    expect(decision.responses.map(({ verdict, playbook }) => [verdict, playbook])).toEqual([
      ['contain', 'quarantine-bucket'],
      ['observe', 'open-ticket'],
      ['contain', 'quarantine-bucket'],
    ]);
    expect(decision.decision).toBe('contain');
  });

  it('of an attack sequence names all buckets of the sequence', () => {
    const resources = [
      { resourceType: 'S3_BUCKET', uid: 'arn:aws:s3:::photos-a', name: 'photos-a', accountId: ACCOUNT, region: 'us-east-1' },
      { resourceType: 'ACCESS_KEY', uid: 'AKIAIOSFODNN7EXAMPLE', data: { accessKey: { userName: 'mallory', userType: 'IAMUser' } } },
      { resourceType: 'S3_BUCKET', uid: 'arn:aws:s3:::photos-b', accountId: ACCOUNT },
    ];
    const sequence = finding('AttackSequence:S3/CompromisedData', 9.5, {}, { detection: { sequence: { resources, signals: [], actors: [] } } });
    for (const shape of [sequence, pascal(sequence)]) {
      expect(decided(shape)).toMatchObject({ decision: 'contain', inputs: { level: 'external' }, targets: ['arn:aws:s3:::photos-a', 'arn:aws:s3:::photos-b'] });
    }
  });

  it('of compromised credentials contains whose they are, whatever they touched', () => {
    const resources = [
      { resourceType: 'S3_BUCKET', uid: 'arn:aws:s3:::photos-a', name: 'photos-a', accountId: ACCOUNT, region: 'us-east-1' },
      { resourceType: 'ACCESS_KEY', uid: 'AKIAIOSFODNN7EXAMPLE', accountId: ACCOUNT, data: { accessKey: { userName: 'mallory', userType: 'IAMUser' } } },
    ];
    const sequence = finding('AttackSequence:IAM/CompromisedCredentials', 9.5, { resourceType: 'AttackSequence', accessKeyDetails: undefined }, { detection: { sequence: { resources, signals: [], actors: [] } } });
    for (const shape of [sequence, pascal(sequence)]) {
      expect(decided(shape).responses.map(({ target, verdict, playbook }) => [target.arn, verdict, playbook])).toEqual([
        [`arn:aws:iam::${ACCOUNT}:user/mallory`, 'contain', 'contain-principal'],
        ['arn:aws:s3:::photos-a', 'observe', 'open-ticket'],
      ]);
    }
  });

  it('of a bucket that is not public any more only asks for a ticket', () => {
    const event = finding('Policy:S3/BucketAnonymousAccessGranted', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC')] });
    expect(decided(event, { stateOf: () => ({ policy: null, acl: null }) })).toMatchObject({ decision: 'observe', playbook: 'open-ticket' });
    expect(decided(event, { stateOf: () => ({ policy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' } }) }) }).decision).toBe('contain');
  });

  it('that exfiltration was seen contains, public or not', () => {
    expect(decided(finding('Exfiltration:S3/MaliciousIPCaller', 8, { s3BucketDetails: [bucketDetails(BUCKET, 'NOT_PUBLIC')] })).decision).toBe('contain');
  });

  it('that names no bucket cannot be contained', () => {
    expect(decided(finding('Exfiltration:S3/MaliciousIPCaller', 8))).toMatchObject({ decision: 'observe', playbook: 'open-ticket' });
    expect(decided(finding('Exfiltration:S3/MaliciousIPCaller', 8, { s3BucketDetails: [{ name: '../evil' }, { name: 7 }, null] })).decision).toBe('observe');
  });

  it('about credentials says the key, the principal and the caller', () => {
    expect(decided(finding('UnauthorizedAccess:IAMUser/MaliciousIPCaller', 5), { playbooks: NAMED }).reason).toBe(
      `GuardDuty reports it: UnauthorizedAccess:IAMUser/MaliciousIPCaller, severity 5 (mallory), by arn:aws:iam::${ACCOUNT}:user/mallory with key AKIAIOSFODNN7EXAMPLE from 198.51.100.7.`,
    );
  });

  it('that the account lost its block names the buckets that this opened, where they are known', () => {
    const event = finding('Policy:S3/AccountBlockPublicAccessDisabled', 2);
    const open = { policy: JSON.stringify({ Statement: { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: '*' } }) };
    const known = { bucketsOf: () => [{ name: 'photos-open' }, { name: 'photos-closed' }], stateOf: (bucket: string) => (bucket === 'photos-open' ? open : { policy: null, acl: null }) };
    expect(decided(event, known)).toMatchObject({ decision: 'contain', targets: expect.arrayContaining(['arn:aws:s3:::photos-open']) });
    expect(decided(event, known).responses.filter(({ verdict }) => verdict === 'contain').map(({ target }) => target.name)).toEqual(['photos-open']);
    expect(decided(event, { ...known, bucketsOf: () => [{ name: 'photos-closed' }] }).decision).toBe('observe');
  });

  it('that comes from a replay only observes', () => {
    const detail = finding('Exfiltration:S3/AnomalousBehavior', 8, resourceOf('Exfiltration:S3/AnomalousBehavior'));
    const replay = envelope(detail, 'GuardDuty Finding', 'aws.guardduty', { 'replay-name': 'r' });
    expect(decided(replay)).toMatchObject({ decision: 'observe', playbook: 'quarantine-bucket', reason: expect.stringContaining('it is a replay') });
  });

  it('without a severity is taken for medium, without an id it is rejected', () => {
    expect(decided({ ...finding('Recon:EC2/Portscan'), severity: 'high' })).toMatchObject({ decision: 'observe', severity: 5 });
    expect(decided({ ...finding('Recon:EC2/Portscan'), id: undefined })).toMatchObject({ decision: 'rejected', reason: 'Not an event: GuardDuty finding: id: expected string, received undefined.' });
  });

  it('that somebody else than AWS sent is no finding', () => {
    expect(decided(envelope(finding('Exfiltration:S3/AnomalousBehavior', 8, resourceOf('Exfiltration:S3/')), 'GuardDuty Finding', 'my.app'))).toMatchObject({ decision: 'ignore', source: 'unknown' });
  });
});

describe('a malware scan', () => {
  const scan = (scanResultStatus: string) =>
    envelope({ schemaVersion: '1.0', scanStatus: 'COMPLETED', s3ObjectDetails: { bucketName: BUCKET, objectKey: 'albums/a/1.jpg', versionId: 'v2' }, scanResultDetails: { scanResultStatus, threats: [{ name: 'EICAR-Test-File' }] } }, 'GuardDuty Malware Protection Object Scan Result', 'aws.guardduty');

  it('that found something revokes the links to the object, and quarantines no bucket', () => {
    const decision = decided(scan('THREATS_FOUND'));
    expect(decision).toMatchObject({ decision: 'contain', playbook: 'revoke-share-links', targets: [`${BUCKET_ARN}/albums/a/1.jpg`], inputs: { key: 'albums/a/1.jpg', versionId: 'v2' } });
    expect(decision.responses[0]?.installed).toBe(true);
    expect(decision.reason).toContain('EICAR-Test-File');
  });

  it.each(['NO_THREATS_FOUND', 'UNSUPPORTED', 'ACCESS_DENIED'])('that says %s is recorded', (status) => expect(decided(scan(status)).decision).toBe('record'));
});

it('decides at the time that it is given', () => expect(decided(finding('X:Y/Z')).signal?.receivedAt).toBe(RECEIVED));
