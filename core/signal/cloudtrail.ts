import type { Actor, Signal } from '../signal.ts';
import { type Envelope, NotAnEventError, at, describe, listOf, textOf } from './envelope.ts';
import { type Place, accountOf, accountTarget, bucketTarget, otherTarget, regionOf, timeOf, unique, UNKNOWN_PRINCIPAL } from './target.ts';
import type { Target } from '../incident.ts';
import { z } from 'zod';

type Own = Omit<Signal, 'receivedAt' | 'event' | 'raw' | 'replayed'>;

const RecordSchema = z.looseObject({ eventSource: z.string().min(1), eventName: z.string().min(1) });

/**
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
 * @throws {NotAnEventError} where eventSource or eventName is missing
 */
export function readRecord(envelope: Envelope, receivedAt: string): Own {
  const parsed = RecordSchema.safeParse(envelope.detail);
  if (!parsed.success) throw new NotAnEventError(`CloudTrail record: ${describe(parsed.error)}`);
  const record = parsed.data;
  const bucketEntry = listOf(record['resources']).find((resource) => at(resource, 'type') === 'AWS::S3::Bucket');
  const place: Place = {
    partition: partitionOf(record),
    account: accountOf(at(bucketEntry, 'accountId'), record['recipientAccountId'], at(record, 'userIdentity', 'accountId'), envelope.account),
    region: regionOf(record['awsRegion'], envelope.region),
  };
  return {
    id: textOf(record['eventID']) ?? envelope.id ?? '',
    source: 'cloudtrail',
    type: record.eventName,
    severity: 0,
    account: place.account,
    region: place.region,
    time: timeOf(record['eventTime'] ?? envelope.time, receivedAt),
    targets: targetsOf(record, record.eventSource.split('.', 1)[0] ?? '', textOf(at(bucketEntry, 'ARN')) ?? textOf(at(bucketEntry, 'arn')), place),
    actor: actorOf(record),
    sample: false,
    archived: false,
    count: 1,
  };
}

/** What a request names, by service; the account where it names nothing that is known. */
function targetsOf(record: object, service: string, bucketArn: string | null, place: Place): readonly Target[] {
  const request = at(record, 'requestParameters');
  const { partition, region, account } = place;
  const arn = (resource: string): string => `arn:${partition}:${service}:${service === 'iam' || service === 'cloudfront' ? '' : region}:${account}:${resource}`;
  const named = (kind: Target['kind'], prefix: string, ...keys: readonly string[]): Target | null => {
    const value = keys.map((key) => textOf(at(request, key))).find((entry) => entry !== null);
    if (!value) return null;
    return value.startsWith('arn:') ? otherTarget(kind, value, value.split(/[:/]/).at(-1) ?? value, place) : otherTarget(kind, arn(`${prefix}${value}`), value, place);
  };
  // Without a name in the request a key is the caller's own, and of root it has none: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html
  const keyOwner = (): Target | null => {
    const name = textOf(at(record, 'responseElements', 'accessKey', 'userName'));
    if (name) return otherTarget('principal', arn(`user/${name}`), name, place);
    return /^(?:Create|Update)AccessKey$/.test(textOf(at(record, 'eventName')) ?? '') && at(record, 'userIdentity', 'type') === 'IAMUser' ? callerOf(record, place) : null;
  };
  const found = ((): readonly (Target | null)[] => {
    switch (service) {
      case 's3':
      case 's3-control':
      case 's3control':
        return [bucketTarget(at(request, 'bucketName'), place) ?? bucketTarget(bucketArn?.split(':::').at(-1), place) ?? bucketTarget(bucketOfAccessPoint(request), place) ?? accessPointOf(request, place)];
      case 'cloudtrail':
        return [named('trail', 'trail/', 'name', 'trailName')];
      case 'iam':
        return [named('principal', 'user/', 'userName') ?? named('principal', 'role/', 'roleName') ?? named('principal', 'group/', 'groupName') ?? named('other', 'policy/', 'policyArn', 'policyName') ?? keyOwner()];
      case 'guardduty':
        return [named('other', 'detector/', 'detectorId')];
      case 'kms':
        return [named('other', 'key/', 'keyId')];
      case 'lambda':
        return [named('other', 'function:', 'functionName')];
      case 'cloudfront':
        return [named('other', 'distribution/', 'id', 'distributionId')];
      case 'dynamodb':
        return [named('other', 'table/', 'tableName')];
      case 'events':
        return [named('other', 'rule/', 'name', 'rule')];
      case 'states':
        return [named('other', 'stateMachine:', 'stateMachineArn', 'executionArn')];
      case 'ecr':
        return [named('other', 'repository/', 'repositoryName')];
      case 'signin':
      case 'sts':
        return [callerOf(record, place)];
      default:
        return [];
    }
  })();
  const targets = unique(found);
  return targets.length > 0 ? targets : [accountTarget(place)];
}

/** S3 Control calls name the bucket of an access point in the request's body. */
function bucketOfAccessPoint(request: unknown): unknown {
  return at(request, 'CreateAccessPointRequest', 'Bucket') ?? at(request, 'bucket') ?? at(request, 'Bucket');
}

function accessPointOf(request: unknown, place: Place): Target | null {
  const name = textOf(at(request, 'name')) ?? textOf(at(request, 'Name')) ?? textOf(at(multiRegionDetails(request), 'Name'));
  return name && /^[a-z0-9.-]{3,63}$/.test(name) ? otherTarget('other', `arn:${place.partition}:s3:${place.region}:${place.account}:accesspoint/${name}`, name, place) : null;
}

/**
 * What a request about a multi-Region access point is about; CloudTrail has the body with its root element or without.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutMultiRegionAccessPointPolicy.html (`Details.Name`, `Details.Policy`)
 */
export function multiRegionDetails(request: unknown): unknown {
  return at(request, 'Details') ?? at(request, 'PutMultiRegionAccessPointPolicyRequest', 'Details');
}

function callerOf(record: object, place: Place): Target | null {
  const arn = textOf(at(record, 'userIdentity', 'sessionContext', 'sessionIssuer', 'arn')) ?? textOf(at(record, 'userIdentity', 'arn'));
  return arn ? otherTarget('principal', arn, arn.split('/').at(-1) ?? arn, place) : null;
}

function actorOf(record: object): Actor | null {
  const identity = at(record, 'userIdentity');
  const principal = textOf(at(identity, 'arn')) ?? textOf(at(identity, 'userName')) ?? textOf(at(identity, 'invokedBy')) ?? textOf(at(identity, 'principalId'));
  const address = textOf(at(record, 'sourceIPAddress'));
  if (!principal && !address) return null;
  return {
    principal: principal ?? UNKNOWN_PRINCIPAL,
    type: textOf(at(identity, 'type')),
    account: textOf(at(identity, 'accountId')),
    accessKey: textOf(at(identity, 'accessKeyId')),
    address,
  };
}

function partitionOf(record: object): string {
  const region = textOf(at(record, 'awsRegion')) ?? '';
  return region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
