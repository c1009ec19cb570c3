import { describe, expect, it } from 'vitest';
import { ACCOUNT, BUCKET, BUCKET_ARN, FOREIGN, allowed, decided, envelope, onBucket, policyOf, publicStatement, record } from './builders.ts';
import { ALL_USERS } from '../../core/exposure/acl.ts';
import { readSuppression } from '../../core/suppression.ts';
import type { Verdict } from '../../core/decide.ts';

const ON = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
const OFF = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };
const foreignStatement = { ...publicStatement, Principal: { AWS: `arn:aws:iam::${FOREIGN}:root` } };
const makePublic = onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement) });
const adminPolicy = JSON.stringify(policyOf({ Effect: 'Allow', Action: '*', Resource: '*' }));
const trust = (Principal: object | string) => JSON.stringify(policyOf({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }));
const signIn = (identity: object, used: string, result = 'Success') =>
  record('signin', 'ConsoleLogin', null, { userIdentity: identity, eventType: 'AwsConsoleSignIn', responseElements: { ConsoleLogin: result }, additionalEventData: { MFAUsed: used } });
const root = { type: 'Root', arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };
const user = { type: 'IAMUser', arn: `arn:aws:iam::${ACCOUNT}:user/deployer`, accountId: ACCOUNT, userName: 'deployer' };
const origin = (more: object) => ({ distributionConfig: { origins: { quantity: 1, items: [{ domainName: `${BUCKET}.s3.us-east-1.amazonaws.com`, s3OriginConfig: { originAccessIdentity: '' }, ...more }] } }, id: 'E1' });
const lifecycle = (rule: object) => ({ LifecycleConfiguration: { Rule: { Status: 'Enabled', ...rule } } });
const replication = (Destination: object, Status = 'Enabled') => ({ ReplicationConfiguration: { Rule: { Status, Destination } } });

const ADDRESS = '198.51.100.7/32';
const CLOUDFRONT = { Service: 'cloudfront.amazonaws.com' };

type Case = readonly [what: string, event: Readonly<Record<string, unknown>>, decision: Verdict, inputs?: object];

const EXPOSES: readonly Case[] = [
  ['a public policy', makePublic, 'contain', { level: 'public' }],
  ['a policy for another account', onBucket('PutBucketPolicy', { bucketPolicy: policyOf(foreignStatement) }), 'approve', { level: 'external' }],
  ["a policy for another account's role by condition", onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Condition: { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${FOREIGN}:role/reader` } } }) }), 'approve', { level: 'external' }],
  ['a public canned ACL', onBucket('PutBucketAcl', { 'x-amz-acl': ['public-read'] }), 'contain', { level: 'public' }],
  ['a public grant in a header', onBucket('PutBucketAcl', { accessControlList: { 'x-amz-grant-read': `uri="${ALL_USERS}"` } }), 'contain', { level: 'public' }],
  ['a public grant in a document', onBucket('PutBucketAcl', { AccessControlPolicy: { Owner: { ID: 'me' }, AccessControlList: { Grant: [{ Grantee: { URI: ALL_USERS }, Permission: 'READ' }] } } }), 'contain', { level: 'public' }],
  ['a grant to another account', onBucket('PutBucketAcl', { AccessControlPolicy: { Owner: { ID: 'me' }, AccessControlList: { Grant: { Grantee: { ID: 'other' }, Permission: 'READ' } } } }), 'approve', { level: 'external' }],
  ['a bucket made public at birth', onBucket('CreateBucket', { 'x-amz-acl': 'public-read' }), 'contain', { level: 'public' }],
  ['a public object ACL', onBucket('PutObjectAcl', { key: 'albums/a/1.jpg', 'x-amz-acl': 'public-read' }), 'contain', { level: 'public' }],
  ['an object uploaded as public', onBucket('PutObject', { key: 'albums/a/1.jpg', 'x-amz-acl': 'public-read' }), 'contain', { level: 'public' }],
  ['a block removed', onBucket('DeleteBucketPublicAccessBlock'), 'contain', { level: 'public' }],
  ['a block weakened', onBucket('PutBucketPublicAccessBlock', { PublicAccessBlockConfiguration: { ...ON, RestrictPublicBuckets: false } }), 'contain', { level: 'public' }],
  ["the account's block removed", record('s3', 'DeleteAccountPublicAccessBlock', { accountId: ACCOUNT }), 'contain', { level: 'public' }],
  ['a public access point policy', record('s3', 'PutAccessPointPolicy', { name: 'albums', accountId: ACCOUNT, PutAccessPointPolicyRequest: { Policy: JSON.stringify(policyOf(publicStatement)) } }), 'contain', { level: 'public' }],
  ['a public policy of a multi-Region access point', record('s3', 'PutMultiRegionAccessPointPolicy', { Details: { Name: 'all-albums', Policy: JSON.stringify(policyOf(publicStatement)) } }), 'contain', { level: 'public' }],
  ['the same, with the root element', record('s3', 'PutMultiRegionAccessPointPolicy', { PutMultiRegionAccessPointPolicyRequest: { Details: { Name: 'all-albums', Policy: JSON.stringify(policyOf(publicStatement)) } } }), 'contain', { level: 'public' }],
  ['replication to another account', onBucket('PutBucketReplication', replication({ Bucket: 'arn:aws:s3:::theirs', Account: FOREIGN })), 'approve', { level: 'full' }],
];

const BLINDS: readonly Case[] = [
  ['replication to nobody knows whom', onBucket('PutBucketReplication', replication({ Bucket: 'arn:aws:s3:::theirs' })), 'observe'],
  ['replication removed', onBucket('DeleteBucketReplication'), 'observe'],
  ['a block that refuses no new settings', onBucket('PutBucketPublicAccessBlock', { PublicAccessBlockConfiguration: { ...ON, BlockPublicPolicy: false } }), 'observe'],
  ['an access point without its block', record('s3', 'CreateAccessPoint', { name: 'albums', CreateAccessPointRequest: { Bucket: BUCKET, PublicAccessBlockConfiguration: OFF } }), 'observe'],
  ['ACLs enabled', onBucket('PutBucketOwnershipControls', { OwnershipControls: { Rule: { ObjectOwnership: 'ObjectWriter' } } }), 'observe'],
  ['ownership controls removed', onBucket('DeleteBucketOwnershipControls'), 'observe'],
  ['a website', onBucket('PutBucketWebsite', { WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' } } }), 'observe'],
  ['versioning suspended', onBucket('PutBucketVersioning', { VersioningConfiguration: { Status: 'Suspended' } }), 'observe'],
  ['MFA delete off', onBucket('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled', MfaDelete: 'Disabled' } }), 'observe'],
  ['expiry tomorrow', onBucket('PutBucketLifecycle', lifecycle({ Expiration: { Days: 1 } })), 'observe'],
  ['expiry of old versions', onBucket('PutBucketLifecycle', lifecycle({ NoncurrentVersionExpiration: { NoncurrentDays: '1' } })), 'observe'],
  ['expiry on a date', onBucket('PutBucketLifecycle', lifecycle({ Expiration: { Date: '2026-01-03T00:00:00.000Z' } })), 'observe'],
  ['access logging off', onBucket('PutBucketLogging', { BucketLoggingStatus: { xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' } }), 'observe'],
  ['a trail stopped', record('cloudtrail', 'StopLogging', { name: 'main' }), 'observe'],
  ['a trail deleted', record('cloudtrail', 'DeleteTrail', { name: 'main' }), 'observe'],
  ['a trail for one region only', record('cloudtrail', 'UpdateTrail', { name: 'main', isMultiRegionTrail: false }), 'observe'],
  ['a trail that writes elsewhere', record('cloudtrail', 'UpdateTrail', { name: 'main', s3BucketName: 'theirs' }), 'observe'],
  ['a trail of reads only', record('cloudtrail', 'PutEventSelectors', { trailName: 'main', eventSelectors: [{ readWriteType: 'ReadOnly', includeManagementEvents: true }] }), 'observe'],
  ['a trail of writes only', record('cloudtrail', 'PutEventSelectors', { trailName: 'main', advancedEventSelectors: [{ fieldSelectors: [{ field: 'eventCategory', equals: ['Management'] }, { field: 'readOnly', equals: ['false'] }] }] }), 'observe'],
  ['GuardDuty deleted', record('guardduty', 'DeleteDetector', { detectorId: 'd' }), 'observe'],
  ['GuardDuty off', record('guardduty', 'UpdateDetector', { detectorId: 'd', enable: false }), 'observe'],
  ['GuardDuty without S3', record('guardduty', 'UpdateDetector', { detectorId: 'd', features: [{ name: 'S3_DATA_EVENTS', status: 'DISABLED' }] }), 'observe'],
  ['members switched off', record('guardduty', 'StopMonitoringMembers', { detectorId: 'd', accountIds: [ACCOUNT] }), 'observe'],
  ['a suppression filter', record('guardduty', 'CreateFilter', { detectorId: 'd', name: 'quiet', action: 'ARCHIVE' }), 'observe'],
  ['a trusted address list', record('guardduty', 'CreateIPSet', { detectorId: 'd', activate: true }), 'observe'],
  ['flow logs deleted', record('ec2', 'DeleteFlowLogs'), 'observe'],
  ['a public key policy', record('kms', 'PutKeyPolicy', { keyId: 'k', policy: JSON.stringify(policyOf({ Effect: 'Allow', Principal: '*', Action: 'kms:Decrypt', Resource: '*' })) }), 'observe'],
  ['a key policy for another account', record('kms', 'PutKeyPolicy', { keyId: 'k', policy: JSON.stringify(policyOf({ Effect: 'Allow', Principal: { AWS: FOREIGN }, Action: 'kms:Decrypt', Resource: '*' })) }), 'observe'],
  ['a grant to another account', record('kms', 'CreateGrant', { keyId: 'k', granteePrincipal: `arn:aws:iam::${FOREIGN}:role/reader`, operations: ['Decrypt'] }), 'observe'],
  ['a function URL for anyone', record('lambda', 'CreateFunctionUrlConfig', { functionName: 'f', authType: 'NONE' }), 'observe'],
  ['a function that anyone may call', record('lambda', 'AddPermission20150331v2', { functionName: 'f', principal: '*', action: 'lambda:InvokeFunction' }), 'observe'],
  ['an origin without access control', record('cloudfront', 'UpdateDistribution', origin({})), 'observe'],
  ['origin access control deleted', record('cloudfront', 'DeleteOriginAccessControl', { id: 'E2' }), 'observe'],
  ["the suite's rule disabled", record('events', 'DisableRule', { name: 'stopbath-dev-triage-1' }), 'observe'],
  ["the suite's table deleted", record('dynamodb', 'DeleteTable', { tableName: 'stopbath-dev' }), 'observe'],
  ["the suite's function changed", record('lambda', 'UpdateFunctionCode20150331v2', { functionName: `arn:aws:lambda:us-east-1:${ACCOUNT}:function:stopbath-dev-triage` }), 'observe'],
  ["the suite's role changed", record('iam', 'PutRolePolicy', { roleName: 'stopbath-dev-triage', policyName: 'p', policyDocument: '{}' }), 'observe'],
  ["the suite's execution stopped", record('states', 'StopExecution', { executionArn: `arn:aws:states:us-east-1:${ACCOUNT}:execution:stopbath-dev-quarantine-bucket:inc-1` }), 'observe'],
  ["the suite's evidence", record('s3', 'PutBucketLifecycle', { bucketName: `stopbath-dev-evidence-${ACCOUNT}` }), 'observe'],
  ['root signs in', signIn(root, 'Yes'), 'observe'],
  ['a user signs in without MFA', signIn(user, 'No'), 'observe'],
  ['root changes something', record('iam', 'CreateAccessKey', null, { userIdentity: root }), 'observe'],
  ['an administrator attached', record('iam', 'AttachRolePolicy', { roleName: 'r', policyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' }), 'observe'],
  ['an administrator inline', record('iam', 'PutUserPolicy', { userName: 'u', policyDocument: adminPolicy }), 'observe'],
  ['a role for another account', record('iam', 'UpdateAssumeRolePolicy', { roleName: 'r', policyDocument: trust({ AWS: `arn:aws:iam::${FOREIGN}:root` }) }), 'observe'],
  ['a role for anyone', record('iam', 'CreateRole', { roleName: 'r', assumeRolePolicyDocument: trust('*') }), 'observe'],
  ['keys for somebody else', record('iam', 'CreateAccessKey', { userName: 'other' }), 'observe'],
  ['a password for somebody else', record('iam', 'CreateLoginProfile', { userName: 'other' }), 'observe'],
];

const NOTHING: readonly Case[] = [
  ['a failed call', { ...makePublic, errorCode: 'AccessDenied' }, 'ignore'],
  ['a dry run', record('lambda', 'UpdateFunctionCode20150331v2', { functionName: 'stopbath-dev-triage', dryRun: true }), 'ignore'],
  ['a refused dry run', record('ec2', 'DeleteFlowLogs', null, { errorCode: 'Client.DryRunOperation' }), 'ignore'],
  ["CloudFront for one's own distribution", allowed({ Principal: CLOUDFRONT, Condition: { StringEquals: { 'AWS:SourceArn': `arn:aws:cloudfront::${ACCOUNT}:distribution/E1` } } }), 'ignore'],
  ["CloudFront for one's own account", allowed({ Principal: CLOUDFRONT, Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT } } }), 'ignore'],
  ['access logs delivered into it', allowed({ Principal: { Service: 'logging.s3.amazonaws.com' }, Action: 's3:PutObject', Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:s3:::photos-source' } } }), 'ignore'],
  ['a trail delivered into it', allowed({ Principal: { Service: 'cloudtrail.amazonaws.com' }, Action: ['s3:GetBucketAcl', 's3:PutObject'] }), 'ignore'],
  ["access points of one's own account", allowed({ Condition: { StringEquals: { 's3:DataAccessPointAccount': ACCOUNT } } }), 'ignore'],
  ["roles of one's own account by condition", allowed({ Condition: { ArnLike: { 'aws:PrincipalArn': [`arn:aws:iam::${ACCOUNT}:role/reader`, `arn:aws:iam::${ACCOUNT}:role/other`] } } }), 'ignore'],
  ["one's own provider of identities", allowed({ Principal: { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/okta` } }), 'ignore'],
  ["everybody, but for a Deny that leaves one's own account", onBucket('PutBucketPolicy', { bucketPolicy: policyOf(publicStatement, { ...publicStatement, Effect: 'Deny', Action: 's3:*', Condition: { StringNotEquals: { 'aws:PrincipalAccount': ACCOUNT } } }) }), 'ignore'],
  ['a policy that only denies', onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Effect: 'Deny', Condition: { NotIpAddress: { 'aws:SourceIp': ADDRESS } } }) }), 'ignore'],
  ["a policy for one's own account", onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Principal: { AWS: ACCOUNT } }) }), 'ignore'],
  ['a policy removed', onBucket('DeleteBucketPolicy'), 'ignore'],
  ['a private ACL', onBucket('PutBucketAcl', { 'x-amz-acl': 'private' }), 'ignore'],
  ['an upload as usual', onBucket('PutObject', { key: 'a.jpg' }), 'ignore'],
  ['a block made strict', onBucket('PutBucketPublicAccessBlock', { PublicAccessBlockConfiguration: ON }), 'ignore'],
  ['an access point as usual', record('s3', 'CreateAccessPoint', { name: 'albums', CreateAccessPointRequest: { Bucket: BUCKET } }), 'ignore'],
  ['ACLs disabled', onBucket('PutBucketOwnershipControls', { OwnershipControls: { Rule: { ObjectOwnership: 'BucketOwnerEnforced' } } }), 'ignore'],
  ['versioning enabled', onBucket('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled' } }), 'ignore'],
  ['a slow lifecycle', onBucket('PutBucketLifecycle', lifecycle({ Expiration: { Days: 365 } })), 'ignore'],
  ['a lifecycle rule that is off', onBucket('PutBucketLifecycle', lifecycle({ Status: 'Disabled', Expiration: { Days: 1 } })), 'ignore'],
  ['access logging on', onBucket('PutBucketLogging', { BucketLoggingStatus: { LoggingEnabled: { TargetBucket: 'logs' } } }), 'ignore'],
  ["replication within the account", onBucket('PutBucketReplication', replication({ Bucket: 'arn:aws:s3:::ours', Account: ACCOUNT })), 'ignore'],
  ['a replication rule that is off', onBucket('PutBucketReplication', replication({ Bucket: 'arn:aws:s3:::theirs', Account: FOREIGN }, 'Disabled')), 'ignore'],
  ['a trail of everything', record('cloudtrail', 'PutEventSelectors', { trailName: 'main', eventSelectors: [{ readWriteType: 'All', includeManagementEvents: true }] }), 'ignore'],
  ['a trail widened', record('cloudtrail', 'UpdateTrail', { name: 'main', isMultiRegionTrail: true }), 'ignore'],
  ['GuardDuty on', record('guardduty', 'UpdateDetector', { detectorId: 'd', enable: true }), 'ignore'],
  ['a filter that archives nothing', record('guardduty', 'CreateFilter', { detectorId: 'd', action: 'NOOP' }), 'ignore'],
  ['a key policy limited to the account', record('kms', 'PutKeyPolicy', { keyId: 'k', policy: JSON.stringify(policyOf({ Effect: 'Allow', Principal: { AWS: '*' }, Action: 'kms:*', Resource: '*', Condition: { StringEquals: { 'kms:CallerAccount': ACCOUNT } } })) }), 'ignore'],
  ['a grant within the account', record('kms', 'CreateGrant', { keyId: 'k', granteePrincipal: `arn:aws:iam::${ACCOUNT}:role/r` }), 'ignore'],
  ['a function URL with IAM', record('lambda', 'CreateFunctionUrlConfig', { functionName: 'f', authType: 'AWS_IAM' }), 'ignore'],
  ['a permission for one account', record('lambda', 'AddPermission20150331v2', { functionName: 'f', principal: '*', sourceAccount: ACCOUNT }), 'ignore'],
  ['an origin with access control', record('cloudfront', 'UpdateDistribution', origin({ originAccessControlId: 'E2' })), 'ignore'],
  ['a rule of somebody else', record('events', 'DisableRule', { name: 'cleanup' }), 'ignore'],
  ['a name that only begins alike', record('dynamodb', 'DeleteTable', { tableName: 'stopbath-development' }), 'ignore'],
  ['root fails to sign in', signIn(root, 'No', 'Failure'), 'ignore'],
  ['a user signs in with MFA', signIn(user, 'Yes'), 'ignore'],
  ['root looks around', record('iam', 'ListUsers', null, { userIdentity: root, readOnly: true }), 'ignore'],
  ['a role with few rights', record('iam', 'AttachRolePolicy', { roleName: 'r', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }), 'ignore'],
  ['a policy that denies everything', record('iam', 'PutUserPolicy', { userName: 'u', policyDocument: JSON.stringify(policyOf({ Effect: 'Deny', Action: '*', Resource: '*' })) }), 'ignore'],
  ['a role for a service', record('iam', 'CreateRole', { roleName: 'r', assumeRolePolicyDocument: trust({ Service: 'lambda.amazonaws.com' }) }), 'ignore'],
  ["a key rotated by its owner", record('iam', 'CreateAccessKey', { userName: 'deployer' }), 'ignore'],
  ["one's own key without a name", record('iam', 'CreateAccessKey', null), 'ignore'],
  ['reading', onBucket('GetBucketPolicy'), 'ignore'],
];

const GROUPS: readonly (readonly [string, readonly Case[]])[] = [
  ['what exposes', EXPOSES],
  ['what blinds or weakens', BLINDS],
  ['what starts nothing', NOTHING],
];

describe.each(GROUPS)('%s', (_, cases) => {
  it.each(cases.map(([what, ...rest]) => ({ what, rest })))('$what', ({ rest: [event, decision, inputs] }) => {
    const expected = { decision, playbook: inputs ? 'quarantine-bucket' : decision === 'observe' ? 'open-ticket' : null, inputs: inputs ?? (decision === 'observe' ? {} : null) };
    expect(decided(event)).toMatchObject(expected);
    const [service = ''] = String(event['eventSource']).split('.');
    const type = service === 'signin' ? 'AWS Console Signin via CloudTrail' : 'AWS API Call via CloudTrail';
    expect(decided(envelope(event, type, `aws.${service}`))).toMatchObject(expected);
  });
});

describe('an access key', () => {
  const made = { accessKey: { accessKeyId: 'AKIAIOSFODNN7EXAMPL2', status: 'Active', createDate: 'Jan 1, 2026, 12:00:00 AM' } };
  it.each([
    ['made without a name', record('iam', 'CreateAccessKey', null, { responseElements: { accessKey: { ...made.accessKey, userName: 'deployer' } } }), 'user/deployer'],
    ['made without a name, of which the answer is not told', record('iam', 'CreateAccessKey', null), 'user/deployer'],
    ['switched on without a name', record('iam', 'UpdateAccessKey', { accessKeyId: 'AKIAIOSFODNN7EXAMPL2', status: 'Active' }), 'user/deployer'],
    ['made by root for itself', record('iam', 'CreateAccessKey', null, { userIdentity: root, responseElements: made }), 'root'],
  ])('%s belongs to its owner', (_, event, owner) => expect(decided(event).targets).toEqual([`arn:aws:iam::${ACCOUNT}:${owner}`]));

  it('that a user makes for itself undoes its containment', () => {
    expect(decided(envelope(record('iam', 'CreateAccessKey', null), undefined, 'aws.iam')).responses[0]?.again).toMatchObject({ playbook: 'contain-principal' });
  });
});

describe('what blinds', () => {
  it('is critical', () => {
    for (const event of [record('cloudtrail', 'StopLogging', { name: 'main' }), record('guardduty', 'DeleteDetector', { detectorId: 'd' }), record('dynamodb', 'DeleteTable', { tableName: 'stopbath-dev' })]) {
      expect(decided(event).severity).toBeGreaterThanOrEqual(9);
    }
  });
});

describe('what is known of a bucket decides', () => {
  const closed = { publicAccessBlock: ON };
  it('a public policy under a block that restricts starts nothing, and says why', () => {
    expect(decided(makePublic, { stateOf: () => closed })).toMatchObject({
      decision: 'ignore',
      reason: `It opens nothing: ${BUCKET} is kept closed by Block Public Access: without it, anyone can read objects (policy statement "PublicRead").`,
    });
    expect(decided(makePublic, { stateOf: () => ({ accountPublicAccessBlock: ON }) }).decision).toBe('ignore');
  });

  it('over what the event says: what was closed since is closed', () => expect(decided(makePublic, { stateOf: () => ({ policy: null }) }).decision).toBe('ignore'));

  it.each([
    ['DeleteBucketPublicAccessBlock', {}],
    ['PutBucketOwnershipControls', { OwnershipControls: { Rule: { ObjectOwnership: 'ObjectWriter' } } }],
    ['PutBucketWebsite', { WebsiteConfiguration: { IndexDocument: { Suffix: 'i' } } }],
    ['DeleteBucketPolicy', {}],
  ])('%s contains a bucket that is public, and only that', (eventName, parameters) => {
    const event = onBucket(eventName, parameters);
    expect(decided(event, { stateOf: () => ({ policy: null, acl: { owner: 'me', grants: [{ permission: 'READ', grantee: { uri: ALL_USERS } }] } }) })).toMatchObject({ decision: 'contain', inputs: { level: 'public' } });
    expect(decided(event, { stateOf: () => ({ policy: null, acl: { owner: 'me', grants: [] } }) }).decision).not.toBe('contain');
  });

  it("the account's block removed contains the buckets that it opened", () => {
    const event = record('s3', 'DeleteAccountPublicAccessBlock', { accountId: ACCOUNT });
    const stateOf = (bucket: string) => ({ policy: bucket === 'photos-a' ? JSON.stringify(policyOf(publicStatement)) : null, acl: null });
    const decision = decided(event, { stateOf, bucketsOf: () => [{ name: 'photos-a' }, { name: 'photos-b' }] });
    expect(decision.responses.filter(({ verdict }) => verdict === 'contain').map(({ target, installed }) => [target.name, installed])).toEqual([['photos-a', true]]);
    expect(decided(event).responses[0]).toMatchObject({ verdict: 'contain', installed: false, target: { kind: 'account' } });
  });

  it('an access point leads to its bucket, where that is known', () => {
    const event = record('s3', 'PutAccessPointPolicy', { name: 'albums', policy: JSON.stringify(policyOf(publicStatement)) });
    const accessPoints = [{ name: 'albums', arn: '', publicAccessBlock: null, policy: JSON.stringify(policyOf(publicStatement)) }];
    expect(decided(event, { bucketOfAccessPoint: () => BUCKET, stateOf: () => ({ accessPoints }) })).toMatchObject({ decision: 'contain', targets: [BUCKET_ARN] });
  });

  it('accounts that are trusted are not outside', () => {
    expect(decided(onBucket('PutBucketPolicy', { bucketPolicy: policyOf(foreignStatement) }), { trustedAccounts: [FOREIGN] }).decision).toBe('ignore');
  });

  it('only keys of pictures matter where they are known', () => {
    const gone = record('kms', 'ScheduleKeyDeletion', { keyId: 'k1' });
    expect(decided(gone).decision).toBe('ignore');
    expect(decided(gone, { photoKeys: [`arn:aws:kms:us-east-1:${ACCOUNT}:key/k1`] }).decision).toBe('observe');
    expect(decided(record('kms', 'CreateGrant', { keyId: 'k2', granteePrincipal: FOREIGN }), { photoKeys: ['k1'] }).decision).toBe('ignore');
  });
});

describe("the suite's own acts", () => {
  const by = (role: string, account = ACCOUNT) => ({
    userIdentity: { type: 'AssumedRole', arn: `arn:aws:sts::${account}:assumed-role/${role}/session`, accountId: account, sessionContext: { sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/${role}`, accountId: account } } },
  });
  it('are those of its own roles, where these are known: a name that begins alike is nobody', () => {
    const roles = ['arn:aws:iam::111122223333:role/stopbath-dev-quarantine-bucket-apply'];
    const by1 = (role: string) => decided({ ...makePublic, ...by(role) }, { own: { prefix: 'stopbath-dev', roles } }).decision;
    expect([by1('stopbath-dev-quarantine-bucket-apply'), by1('stopbath-dev-x')]).toEqual(['ignore', 'contain']);
  });

  it('start nothing', () => expect(decided({ ...makePublic, ...by('stopbath-dev-quarantine-bucket-apply') })).toMatchObject({ decision: 'ignore', reason: "The suite's own act." }));
  it('are told from those of a role that is called alike', () => {
    expect(decided({ ...makePublic, ...by('stopbath-device') }).decision).toBe('contain');
    expect(decided({ ...makePublic, ...by('my-stopbath-dev-apply') }).decision).toBe('contain');
    expect(decided({ ...makePublic, ...by('stopbath-dev-quarantine-bucket-apply', FOREIGN) }).decision).toBe('contain');
  });
  it('excuse no role of the suite that was stolen', () => expect(decided({ ...record('cloudtrail', 'StopLogging', { name: 'main' }), ...by('stopbath-dev-triage') }).decision).toBe('observe'));
});

describe('a suppression', () => {
  const accepted = (pattern: object, expires = '2026-06-01T00:00:00Z') => [readSuppression({ id: 'press-kit', pattern, owner: 'rosa', reason: 'public on purpose', expires })];
  it('turns what it covers into a record that names it', () => {
    expect(decided(makePublic, { suppressions: accepted({ target: { name: [BUCKET] } }) })).toMatchObject({
      decision: 'record',
      playbook: null,
      suppressedBy: 'press-kit',
      reason: expect.stringContaining('accepted by rosa until 2026-06-01T00:00:00Z: public on purpose'),
    });
  });
  it('covers nothing after it expired, and nothing else', () => {
    expect(decided(makePublic, { suppressions: accepted({ target: { name: [BUCKET] } }, '2025-12-31T00:00:00Z') }).decision).toBe('contain');
    expect(decided(makePublic, { suppressions: accepted({ target: { name: ['another'] } }) }).decision).toBe('contain');
    expect(decided(makePublic, { suppressions: accepted({ type: ['PutBucketPolicy'], actor: { principal: [{ suffix: 'user/somebody' }] } }) }).decision).toBe('contain');
  });
  it('must say what it covers, and until when', () => {
    expect(() => accepted({ source: ['cloudtrail'] })).toThrow('must name a type or a target');
    expect(() => accepted({ type: ['X'] }, 'some day')).toThrow('must be an ISO 8601 time');
  });
});

describe('what is not an event', () => {
  it.each([null, 7, 'text', [], {}, { detail: {} }, { 'detail-type': 'X' }, { eventName: 'X' }, { CloudTrailEvent: 'no json' }, { CloudTrailEvent: '{"CloudTrailEvent":"{}"}' }])('%o is rejected with what is wrong', (event) => {
    const decision = decided(event);
    expect(decision).toMatchObject({ decision: 'rejected', playbook: null, targets: [] });
    expect(decision.reason).toMatch(/^Not an event: .{10,}\.$/);
  });
  it('what LookupEvents returns is read', () => expect(decided({ EventId: 'e', CloudTrailEvent: JSON.stringify(makePublic) }).decision).toBe('contain'));
  it('other events of EventBridge are ignored', () => expect(decided(envelope({}, 'Scheduled Event', 'aws.events'))).toMatchObject({ decision: 'ignore', source: 'unknown', type: 'Scheduled Event' }));
});

it('reasons are one line, whatever an event puts into them', () => {
  const evil = onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, Sid: 'a\nb\u202e\u001b]0;x' }) }, { sourceIPAddress: '1\r\n2' });
  expect(decided(evil).reason).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
