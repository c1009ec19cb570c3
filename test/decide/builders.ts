import { decide, type DecideOptions, type Decision } from '../../core/decide.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';

export const ACCOUNT = '111122223333';
export const FOREIGN = '444455556666';
export const BUCKET = 'photos-family-albums';
export const BUCKET_ARN = `arn:aws:s3:::${BUCKET}`;
export const RECEIVED = '2026-01-01T00:01:00.000Z';

export const playbooks = await loadPlaybooks(`${import.meta.dirname}/../..`);

/** Decides with the shipped playbooks. */
export function decided(event: unknown, options: Partial<DecideOptions> = {}): Decision {
  return decide(event, { playbooks, receivedAt: RECEIVED, own: { prefix: 'stopbath-dev' }, ...options });
}

type Fields = Readonly<Record<string, unknown>>;

/** A bare CloudTrail record of a call by a user: `record('s3', 'PutBucketPolicy', { bucketName })`. */
export function record(service: string, eventName: string, requestParameters: unknown = null, more: Fields = {}): Fields {
  return {
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', principalId: 'AIDAIOSFODNN7EXAMPLE1', arn: `arn:aws:iam::${ACCOUNT}:user/deployer`, accountId: ACCOUNT, accessKeyId: 'AKIAIOSFODNN7EXAMPLE', userName: 'deployer' },
    eventTime: '2026-01-01T00:00:00Z',
    eventSource: `${service}.amazonaws.com`,
    eventName,
    awsRegion: 'us-east-1',
    sourceIPAddress: '203.0.113.9',
    requestParameters,
    responseElements: null,
    eventID: '0f0e0d0c-0b0a-4000-8000-000000000001',
    readOnly: false,
    eventType: 'AwsApiCall',
    recipientAccountId: ACCOUNT,
    ...more,
  };
}

/** A call on the bucket: CloudTrail has the bucket's name among the parameters. */
export function onBucket(eventName: string, parameters: Fields = {}, more: Fields = {}): Fields {
  return record('s3', eventName, { bucketName: BUCKET, Host: `${BUCKET}.s3.amazonaws.com`, ...parameters }, more);
}

export function envelope(detail: Fields, detailType = 'AWS API Call via CloudTrail', source = 'aws.s3', more: Fields = {}): Fields {
  return { version: '0', id: '0f0e0d0c-0b0a-4000-8000-0000000000ee', 'detail-type': detailType, source, account: ACCOUNT, time: '2026-01-01T00:00:05Z', region: 'us-east-1', resources: [], detail, ...more };
}

export const publicStatement = { Sid: 'PublicRead', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${BUCKET_ARN}/*` };

export function policyOf(...Statement: readonly Fields[]): Fields {
  return { Version: '2012-10-17', Statement };
}

/** A bucket's policy that is the public one, but for what is given. */
export function allowed(statement: object): Fields {
  return onBucket('PutBucketPolicy', { bucketPolicy: policyOf({ ...publicStatement, ...statement }) });
}

export function bucketDetails(name: string, status?: 'PUBLIC' | 'NOT_PUBLIC', more: Fields = {}): Fields {
  return { arn: `arn:aws:s3:::${name}`, name, type: 'Destination', ...(status && { publicAccess: { effectivePermission: status } }), ...more };
}

/** A bare finding in camelCase, as GuardDuty shapes it for its type. */
export function finding(type: string, severity = 8, resource: Fields = {}, service: Fields = {}): Fields {
  return {
    schemaVersion: '2.0',
    accountId: ACCOUNT,
    region: 'us-east-1',
    partition: 'aws',
    id: 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0',
    arn: `arn:aws:guardduty:us-east-1:${ACCOUNT}:detector/d/finding/f0f0`,
    type,
    resource: { resourceType: 'AccessKey', accessKeyDetails: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', principalId: 'AIDAIOSFODNN7EXAMPLE1', userType: 'IAMUser', userName: 'mallory' }, ...resource },
    service: { serviceName: 'guardduty', detectorId: 'd', archived: false, count: 1, eventFirstSeen: '2026-01-01T00:00:00.000Z', eventLastSeen: '2026-01-01T00:00:00.000Z', action: { actionType: 'AWS_API_CALL', awsApiCallAction: { api: 'GetObject', remoteIpDetails: { ipAddressV4: '198.51.100.7' } } }, ...service },
    severity,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    title: type,
    description: type,
  };
}

/** What GuardDuty names in a finding of this type: an object, buckets, or the key alone. */
export function resourceOf(type: string): Fields {
  if (type === 'Object:S3/MaliciousFile') return { resourceType: 'S3Object', s3BucketDetails: [bucketDetails(BUCKET, 'NOT_PUBLIC', { s3ObjectDetails: [{ key: 'albums/a/1.jpg', versionId: 'v1' }] })] };
  return type.includes(':S3/') ? { s3BucketDetails: [bucketDetails(BUCKET, 'PUBLIC')] } : {};
}

/** The SDK's PascalCase of a finding. */
export function pascal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pascal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(entry)]));
}
