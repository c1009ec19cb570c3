import type {
  DeleteBucketCorsCommandInput,
  DeleteBucketLifecycleCommandInput,
  DeleteBucketReplicationCommandInput,
  DeleteBucketTaggingCommandInput,
  DeleteBucketWebsiteCommandInput,
  GetBucketCorsCommandInput,
  GetBucketCorsCommandOutput,
  GetBucketLifecycleConfigurationCommandInput,
  GetBucketLifecycleConfigurationCommandOutput,
  GetBucketNotificationConfigurationCommandInput,
  GetBucketNotificationConfigurationCommandOutput,
  GetBucketReplicationCommandInput,
  GetBucketReplicationCommandOutput,
  GetBucketTaggingCommandInput,
  GetBucketTaggingCommandOutput,
  GetBucketVersioningCommandInput,
  GetBucketVersioningCommandOutput,
  GetBucketWebsiteCommandInput,
  GetBucketWebsiteCommandOutput,
  GetObjectLockConfigurationCommandInput,
  GetObjectLockConfigurationCommandOutput,
  LifecycleRule,
  PutBucketCorsCommandInput,
  PutBucketLifecycleConfigurationCommandInput,
  PutBucketLifecycleConfigurationCommandOutput,
  PutBucketNotificationConfigurationCommandInput,
  PutBucketReplicationCommandInput,
  PutBucketTaggingCommandInput,
  PutBucketVersioningCommandInput,
  PutBucketWebsiteCommandInput,
  PutObjectLockConfigurationCommandInput,
} from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { AwsError, operation, type Operation } from '../../service.ts';
import { onBucket } from './actions.ts';
import { absent, invalidBucketState, malformedXml } from './errors.ts';
import { rotated } from './policy.ts';
import { bucketOf, type S3State } from './state.ts';
import { readTags } from './tags.ts';

type Nothing = object;

/**
 * Settings that do not decide who gets in. Each is stored whole and the last writer wins: S3 has no conditional
 * writes for them.
 */
export function settingOperations(state: S3State): Readonly<Record<string, Operation>> {
  let reads = 0;
  return {
    GetBucketLifecycleConfiguration: operation<GetBucketLifecycleConfigurationCommandInput, GetBucketLifecycleConfigurationCommandOutput>({
      needs: onBucket('s3:GetLifecycleConfiguration'),
      run: (input) => {
        const { lifecycle } = bucketOf(state, input);
        if (!lifecycle) throw absent('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', input.Bucket);
        return { Rules: [...lifecycle.rules], TransitionDefaultMinimumObjectSize: lifecycle.minimumSize };
      },
    }),
    PutBucketLifecycleConfiguration: operation<PutBucketLifecycleConfigurationCommandInput, PutBucketLifecycleConfigurationCommandOutput>({
      needs: onBucket('s3:PutLifecycleConfiguration'),
      run: (input) => {
        const rules = (input.LifecycleConfiguration?.Rules ?? []).map(readRule);
        if (rules.length === 0) throw malformedXml();
        // "This parameter ... if you don't specify, all_storage_classes_128K is used": API_PutBucketLifecycleConfiguration.html
        const minimumSize = input.TransitionDefaultMinimumObjectSize ?? 'all_storage_classes_128K';
        bucketOf(state, input).lifecycle = { rules, minimumSize };
        return { TransitionDefaultMinimumObjectSize: minimumSize };
      },
    }),
    DeleteBucketLifecycle: operation<DeleteBucketLifecycleCommandInput, Nothing>({
      needs: onBucket('s3:PutLifecycleConfiguration'),
      run: (input) => {
        bucketOf(state, input).lifecycle = null;
        return {};
      },
    }),
    GetBucketReplication: operation<GetBucketReplicationCommandInput, GetBucketReplicationCommandOutput>({
      needs: onBucket('s3:GetReplicationConfiguration'),
      run: (input) => {
        const { replication } = bucketOf(state, input);
        if (!replication) throw absent('ReplicationConfigurationNotFoundError', 'The replication configuration was not found', input.Bucket);
        return { ReplicationConfiguration: replication };
      },
    }),
    PutBucketReplication: operation<PutBucketReplicationCommandInput, Nothing>({
      needs: onBucket('s3:PutReplicationConfiguration'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        if (!input.ReplicationConfiguration?.Rules?.length) throw malformedXml();
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html (both buckets have versioning on)
        if (bucket.versioning !== 'Enabled') throw new AwsError('InvalidRequest', "Versioning must be 'Enabled' on the bucket to apply a replication configuration", 400);
        bucket.replication = input.ReplicationConfiguration;
        return {};
      },
    }),
    DeleteBucketReplication: operation<DeleteBucketReplicationCommandInput, Nothing>({
      needs: onBucket('s3:PutReplicationConfiguration'),
      run: (input) => {
        bucketOf(state, input).replication = null;
        return {};
      },
    }),
    GetBucketWebsite: operation<GetBucketWebsiteCommandInput, GetBucketWebsiteCommandOutput>({
      needs: onBucket('s3:GetBucketWebsite'),
      run: (input) => {
        const { website } = bucketOf(state, input);
        if (!website) throw absent('NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration', input.Bucket);
        return website;
      },
    }),
    PutBucketWebsite: operation<PutBucketWebsiteCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketWebsite'),
      run: (input) => {
        const website = input.WebsiteConfiguration;
        if (!website?.IndexDocument?.Suffix && !website?.RedirectAllRequestsTo) throw malformedXml();
        bucketOf(state, input).website = website;
        return {};
      },
    }),
    DeleteBucketWebsite: operation<DeleteBucketWebsiteCommandInput, Nothing>({
      needs: onBucket('s3:DeleteBucketWebsite'),
      run: (input) => {
        bucketOf(state, input).website = null;
        return {};
      },
    }),
    GetBucketCors: operation<GetBucketCorsCommandInput, GetBucketCorsCommandOutput>({
      needs: onBucket('s3:GetBucketCORS'),
      run: (input) => {
        const { cors } = bucketOf(state, input);
        if (!cors) throw absent('NoSuchCORSConfiguration', 'The CORS configuration does not exist', input.Bucket);
        return { CORSRules: [...cors] };
      },
    }),
    PutBucketCors: operation<PutBucketCorsCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketCORS'),
      run: (input) => {
        const rules = input.CORSConfiguration?.CORSRules ?? [];
        if (rules.length === 0 || !rules.every((rule) => rule.AllowedMethods?.length && rule.AllowedOrigins?.length)) throw malformedXml();
        bucketOf(state, input).cors = rules;
        return {};
      },
    }),
    DeleteBucketCors: operation<DeleteBucketCorsCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketCORS'),
      run: (input) => {
        bucketOf(state, input).cors = null;
        return {};
      },
    }),
    GetBucketTagging: operation<GetBucketTaggingCommandInput, GetBucketTaggingCommandOutput>({
      needs: onBucket('s3:GetBucketTagging'),
      run: (input) => {
        const { tags } = bucketOf(state, input);
        if (!tags) throw absent('NoSuchTagSet', 'The TagSet does not exist', input.Bucket);
        // A set: https://github.com/boto/boto3/issues/1171
        return { TagSet: rotated(tags, ++reads) };
      },
    }),
    PutBucketTagging: operation<PutBucketTaggingCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketTagging'),
      run: (input) => {
        const tags = readTags(input.Tagging?.TagSet, 50, 'System tags cannot be added/updated by requester');
        bucketOf(state, input).tags = tags.length === 0 ? null : tags;
        return {};
      },
    }),
    DeleteBucketTagging: operation<DeleteBucketTaggingCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketTagging'),
      run: (input) => {
        bucketOf(state, input).tags = null;
        return {};
      },
    }),
    GetBucketVersioning: operation<GetBucketVersioningCommandInput, GetBucketVersioningCommandOutput>({
      needs: onBucket('s3:GetBucketVersioning'),
      run: (input) => {
        const { versioning } = bucketOf(state, input);
        return versioning ? { Status: versioning } : {};
      },
    }),
    PutBucketVersioning: operation<PutBucketVersioningCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketVersioning'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const status = input.VersioningConfiguration?.Status;
        if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
        if (bucket.objectLock && status !== 'Enabled') {
          throw invalidBucketState('An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.');
        }
        bucket.versioning = status;
        return {};
      },
    }),
    GetObjectLockConfiguration: operation<GetObjectLockConfigurationCommandInput, GetObjectLockConfigurationCommandOutput>({
      needs: onBucket('s3:GetBucketObjectLockConfiguration'),
      run: (input) => {
        const { objectLock } = bucketOf(state, input);
        if (!objectLock) throw absent('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket', input.Bucket);
        return { ObjectLockConfiguration: objectLock };
      },
    }),
    PutObjectLockConfiguration: operation<PutObjectLockConfigurationCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketObjectLockConfiguration'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const lock = input.ObjectLockConfiguration;
        if (lock?.ObjectLockEnabled !== 'Enabled') throw malformedXml();
        const { Mode: mode, Days: days, Years: years } = lock.Rule?.DefaultRetention ?? {};
        if (lock.Rule && (!mode || (days === undefined) === (years === undefined))) throw malformedXml();
        if (bucket.versioning !== 'Enabled') throw invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
        bucket.objectLock = lock;
        return {};
      },
    }),
    GetBucketNotificationConfiguration: operation<GetBucketNotificationConfigurationCommandInput, GetBucketNotificationConfigurationCommandOutput>({
      needs: onBucket('s3:GetBucketNotification'),
      run: (input) => bucketOf(state, input).notifications,
    }),
    PutBucketNotificationConfiguration: operation<PutBucketNotificationConfigurationCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketNotification'),
      run: (input) => {
        bucketOf(state, input).notifications = input.NotificationConfiguration ?? {};
        return {};
      },
    }),
  };
}

/** S3 names a rule that has no id of its own, and tells the name when the configuration is read. */
function readRule(rule: LifecycleRule): LifecycleRule {
  if (rule.Status !== 'Enabled' && rule.Status !== 'Disabled') throw malformedXml();
  const acts = ['Expiration', 'Transitions', 'NoncurrentVersionExpiration', 'NoncurrentVersionTransitions', 'AbortIncompleteMultipartUpload'] as const;
  if (!acts.some((act) => rule[act] !== undefined)) throw new AwsError('InvalidRequest', 'At least one action needs to be specified in a rule.', 400);
  return { ...rule, ID: rule.ID ?? randomUUID() };
}
