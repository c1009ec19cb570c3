import type { Actor, Signal } from '../signal.ts';
import { type Envelope, NotAnEventError, at, describe, isObject, listOf, textOf } from './envelope.ts';
import { type Place, accountOf, accountTarget, bucketTarget, objectTarget, otherTarget, regionOf, timeOf, unique, UNKNOWN_PRINCIPAL } from './target.ts';
import type { Target } from '../incident.ts';
import { z } from 'zod';

type Own = Omit<Signal, 'receivedAt' | 'event' | 'raw' | 'replayed'>;

const FindingSchema = z.looseObject({
  id: z.string().min(1),
  type: z.string().min(1),
  // A finding without a readable severity is treated as medium rather than lost.
  severity: z.coerce.number().min(0).max(10).catch(5),
});

/** More than any finding carries; what an invented one carries beyond is not walked. */
const MAX_RESOURCES = 500;
const MAX_OBJECTS = 50;

/**
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-summary.html
 * @throws {NotAnEventError} where id or type is missing
 */
export function readFinding(envelope: Envelope, receivedAt: string): Own {
  const parsed = FindingSchema.safeParse(envelope.detail);
  if (!parsed.success) throw new NotAnEventError(`GuardDuty finding: ${describe(parsed.error)}`);
  const finding = parsed.data;
  const place: Place = {
    partition: textOf(finding['partition']) ?? 'aws',
    account: accountOf(finding['accountId'], envelope.account),
    region: regionOf(finding['region'], envelope.region),
  };
  return {
    id: finding.id,
    source: 'guardduty',
    type: finding.type,
    severity: finding.severity,
    account: place.account,
    region: place.region,
    time: timeOf(at(finding, 'service', 'eventLastSeen') ?? finding['updatedAt'] ?? envelope.time, receivedAt),
    targets: targetsOf(finding, place),
    actor: actorOf(finding, place),
    sample: isSample(at(finding, 'service', 'additionalInfo')),
    archived: at(finding, 'service', 'archived') === true,
    count: countOf(at(finding, 'service', 'count')),
  };
}

/**
 * What Malware Protection for S3 says of one object.
 *
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/monitor-with-eventbridge-s3-malware-protection.html
 */
export function readScanResult(envelope: Envelope, receivedAt: string): Own {
  const place: Place = { partition: 'aws', account: accountOf(envelope.account), region: regionOf(envelope.region) };
  const object = at(envelope.detail, 's3ObjectDetails');
  const bucket = at(object, 'bucketName');
  return {
    id: envelope.id ?? '',
    source: 'guardduty',
    type: envelope['detail-type'],
    severity: at(envelope.detail, 'scanResultDetails', 'scanResultStatus') === 'THREATS_FOUND' ? 8 : 0,
    account: place.account,
    region: place.region,
    time: timeOf(envelope.time, receivedAt),
    targets: unique([objectTarget(bucket, at(object, 'objectKey'), place) ?? bucketTarget(bucket, place)]),
    actor: null,
    sample: false,
    archived: false,
    count: 1,
  };
}

/**
 * Buckets first, for malware in an object the object; what else is named only where there is none; the account where nothing is. A sequence that is
 * about credentials is about whose they are, whatever was done with them: that comes first there, and the buckets beside it.
 */
function targetsOf(finding: z.infer<typeof FindingSchema>, place: Place): readonly Target[] {
  const sequence = listOf(at(finding, 'service', 'detection', 'sequence', 'resources')).slice(0, MAX_RESOURCES);
  const details = listOf(at(finding, 'resource', 's3BucketDetails')).slice(0, MAX_RESOURCES);
  if (finding.type.startsWith('Object:S3/')) {
    const objects = unique(details.flatMap((bucket) => listOf(at(bucket, 's3ObjectDetails')).map((object) => objectTarget(at(bucket, 'name'), at(object, 'key'), place))));
    if (objects.length > 0) return objects.slice(0, MAX_OBJECTS);
  }
  const buckets = unique([...details.map((bucket) => bucketTarget(at(bucket, 'name'), place)), ...sequence.map((resource) => bucketOfSequence(resource, place))]);
  const isOfCredentials = finding.type.startsWith('AttackSequence:IAM/');
  if (buckets.length > 0 && !isOfCredentials) return buckets;
  // Who removed the account's block is the actor; what it opened is the account.
  if (finding.type.startsWith('Policy:S3/Account')) return [accountTarget(place)];
  const others = unique([principalOf(at(finding, 'resource', 'accessKeyDetails'), place), ...sequence.map((resource) => keyOfSequence(resource, place)), resourceOf(finding, place), ...buckets]);
  return others.length > 0 ? others : [accountTarget(place)];
}

/** A resource of an attack sequence: `{ resourceType: "S3_BUCKET", uid: "arn:aws:s3:::name", name, accountId }`. */
function bucketOfSequence(resource: unknown, place: Place): Target | null {
  if (at(resource, 'resourceType') !== 'S3_BUCKET') return null;
  const uid = textOf(at(resource, 'uid'));
  const own = placeOf(resource, place);
  return bucketTarget(at(resource, 'name'), own) ?? bucketTarget(uid?.split(':::').at(-1), own);
}

function keyOfSequence(resource: unknown, place: Place): Target | null {
  return at(resource, 'resourceType') === 'ACCESS_KEY' ? principalOf(at(resource, 'data', 'accessKey'), placeOf(resource, place)) : null;
}

function placeOf(resource: unknown, place: Place): Place {
  return { ...place, account: accountOf(at(resource, 'accountId'), place.account), region: regionOf(at(resource, 'region'), place.region) };
}

/** By GuardDuty's type of user, which is CloudTrail's: whose name it gives. */
const KINDS: Readonly<Record<string, 'user' | 'role'>> = { IAMUser: 'user', AssumedRole: 'role', Role: 'role' };

/**
 * Whose the credentials are. Of every other type the name is not a user's: who calls GetFederationToken chooses it, an identity provider gives it, or it
 * belongs to another account. What stops such a session is its maker's containment, and no finding says who that is.
 *
 * @returns `null` where nobody is named whom this account knows
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-summary.html (User type: CloudTrail's userIdentity element)
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html
 */
function principalOf(key: unknown, place: Place): Target | null {
  const user = textOf(at(key, 'userName'));
  const type = textOf(at(key, 'userType')) ?? '';
  if (type === 'Root') return otherTarget('principal', accountTarget(place).arn, 'root', place);
  if (!user) return null;
  const { partition, account } = place;
  if (type === 'FederatedUser') return otherTarget('other', `arn:${partition}:sts::${account}:federated-user/${user}`, user, place);
  const kind = Object.hasOwn(KINDS, type) ? KINDS[type] : undefined;
  return kind === undefined ? null : otherTarget('principal', `arn:${partition}:iam::${account}:${kind}/${user}`, user, place);
}

function resourceOf(finding: object, place: Place): Target | null {
  const { partition, region, account } = place;
  const resource = at(finding, 'resource');
  const instance = textOf(at(resource, 'instanceDetails', 'instanceId'));
  if (instance) return otherTarget('other', `arn:${partition}:ec2:${region}:${account}:instance/${instance}`, instance, place);
  for (const [details, arn, name] of [
    ['eksClusterDetails', 'arn', 'name'],
    ['ecsClusterDetails', 'arn', 'name'],
    ['lambdaDetails', 'functionArn', 'functionName'],
    ['rdsDbInstanceDetails', 'dbInstanceArn', 'dbInstanceIdentifier'],
    ['ec2ImageDetails', 'imageArn', 'imageArn'],
    ['ebsSnapshotDetails', 'snapshotArn', 'snapshotArn'],
    ['recoveryPointDetails', 'recoveryPointArn', 'recoveryPointArn'],
  ] as const) {
    const value = textOf(at(resource, details, arn));
    if (value) return otherTarget('other', value, textOf(at(resource, details, name)) ?? value, place);
  }
  return null;
}

function actorOf(finding: object, place: Place): Actor | null {
  const key = at(finding, 'resource', 'accessKeyDetails');
  const sequenceActor = listOf(at(finding, 'service', 'detection', 'sequence', 'actors'))[0];
  const action = at(finding, 'service', 'action');
  const call = at(action, 'awsApiCallAction') ?? at(action, 'kubernetesApiCallAction') ?? at(action, 'networkConnectionAction') ?? at(action, 'rdsLoginAttemptAction');
  const address = textOf(at(call, 'remoteIpDetails', 'ipAddressV4')) ?? textOf(at(call, 'remoteIpDetails', 'ipAddressV6'));
  const principal = principalOf(key, place)?.arn ?? textOf(at(key, 'principalId')) ?? textOf(at(sequenceActor, 'user', 'name'));
  const caller = address ?? textOf(at(call, 'domainDetails', 'domain'));
  if (!principal && !caller) return null;
  return {
    principal: principal ?? UNKNOWN_PRINCIPAL,
    type: textOf(at(key, 'userType')) ?? textOf(at(sequenceActor, 'user', 'type')),
    account: textOf(at(call, 'remoteAccountDetails', 'accountId')) ?? (principal ? place.account : null),
    accessKey: textOf(at(key, 'accessKeyId')),
    address: caller,
  };
}

/** `{ sample: true }`, or since 2022 `{ type: "default", value: "{\"sample\":true}" }`. */
function isSample(info: unknown): boolean {
  if (at(info, 'sample') === true) return true;
  const value = textOf(at(info, 'value'));
  if (!value || value.length > 100_000) return false;
  try {
    const parsed: unknown = JSON.parse(value);
    return isObject(parsed) && parsed['sample'] === true;
  } catch {
    // Not JSON: some other remark of GuardDuty's.
    return false;
  }
}

function countOf(count: unknown): number {
  return typeof count === 'number' && Number.isSafeInteger(count) && count > 0 ? count : 1;
}
