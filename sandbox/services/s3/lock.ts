import type { GetObjectRetentionCommandInput, GetObjectRetentionCommandOutput, PutObjectRetentionCommandInput } from '@aws-sdk/client-s3';
import { AwsError, operation, type Call, type Operation } from '../../service.ts';
import { isAllowed } from './access.ts';
import { objectNeed, onObject } from './actions.ts';
import { accessDenied, invalidRequest, malformedXml } from './errors.ts';
import { bucketOf, objectOf, replaceVersion, type Bucket, type ObjectVersion, type Retention, type S3State } from './state.ts';

const DAY = 86_400_000;

/** Retention of object versions. A legal hold is set as an object is put. */
export function lockOperations(state: S3State): Readonly<Record<string, Operation>> {
  return {
    GetObjectRetention: operation<GetObjectRetentionCommandInput, GetObjectRetentionCommandOutput>({
      needs: onObject(state, 's3:GetObjectRetention'),
      run: (input) => {
        const { retention } = objectOf(lockedBucket(state, input), input.Key ?? '', input.VersionId, 'GET');
        if (!retention) throw noLock();
        return { Retention: { Mode: retention.mode, RetainUntilDate: retention.until } };
      },
    }),
    PutObjectRetention: operation<PutObjectRetentionCommandInput, object>({
      needs: onObject(state, 's3:PutObjectRetention'),
      run: (input, call) => {
        const bucket = lockedBucket(state, input);
        const object = objectOf(bucket, input.Key ?? '', input.VersionId, 'PUT');
        const { Mode: mode, RetainUntilDate: until } = input.Retention ?? {};
        if ((mode === undefined) !== (until === undefined)) throw malformedXml();
        const retention = mode && until ? futureRetention(mode, until, call) : null;
        if (weakens(object.retention, retention, call) && !mayBypass(state, call, input, object.retention)) throw lockedError();
        replaceVersion(bucket, input.Key ?? '', { ...object, retention });
        return {};
      },
    }),
  };
}

export interface LockInput {
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

/**
 * The retention that a new version begins with: the request's own, or the bucket's default.
 *
 * @throws {AwsError} InvalidRequest where the bucket has no Object Lock or the request says half of it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
 */
export function retentionOfNew(bucket: Bucket, input: LockInput, call: Call): Retention | null {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if ((mode ?? until ?? hold) !== undefined && !bucket.objectLock) throw invalidRequest('Bucket is missing Object Lock Configuration');
  if ((mode === undefined) !== (until === undefined)) throw invalidRequest('x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied');
  if (mode && until) return futureRetention(mode, until, call);
  const { Mode: defaultMode, Days: days, Years: years } = bucket.objectLock?.Rule?.DefaultRetention ?? {};
  if (!defaultMode) return null;
  return { mode: defaultMode, until: new Date(call.time + ((days ?? 0) + (years ?? 0) * 365) * DAY) };
}

/**
 * @throws {AwsError} AccessDenied where retention or a legal hold protects the version
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 */
export function assertDeletable(state: S3State, call: Call, input: { readonly Bucket?: string | undefined; readonly Key?: string | undefined; readonly BypassGovernanceRetention?: boolean | undefined }, version: ObjectVersion): void {
  const retained = version.retention && version.retention.until.getTime() > call.time;
  if (version.legalHold || (retained && !mayBypass(state, call, input, version.retention))) throw lockedError();
}

function mayBypass(state: S3State, call: Call, input: { readonly Bucket?: string | undefined; readonly Key?: string | undefined; readonly BypassGovernanceRetention?: boolean | undefined }, retention: Retention | null): boolean {
  return retention?.mode === 'GOVERNANCE' && input.BypassGovernanceRetention === true && isAllowed(state, call, objectNeed(state, input, 's3:BypassGovernanceRetention'));
}

function weakens(present: Retention | null, next: Retention | null, call: Call): boolean {
  if (!present || present.until.getTime() <= call.time) return false;
  return !next || next.until < present.until || (present.mode === 'COMPLIANCE' && next.mode !== 'COMPLIANCE');
}

function futureRetention(mode: string, until: Date, call: Call): Retention {
  if (mode !== 'COMPLIANCE' && mode !== 'GOVERNANCE') throw malformedXml();
  if (until.getTime() <= call.time) throw new AwsError('InvalidArgument', 'The retain until date must be in the future!', 400, { ArgumentName: 'RetainUntilDate' });
  return { mode, until };
}

function lockedBucket(state: S3State, input: Parameters<typeof bucketOf>[1]): Bucket {
  const bucket = bucketOf(state, input);
  if (!bucket.objectLock) throw invalidRequest('Bucket is missing Object Lock Configuration');
  return bucket;
}

function lockedError(): AwsError {
  return accessDenied('Access Denied because object protected by object lock.');
}

function noLock(): AwsError {
  return new AwsError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', 404);
}
