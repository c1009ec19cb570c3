import type {
  DeleteBucketOwnershipControlsCommandInput,
  DeleteBucketPolicyCommandInput,
  DeletePublicAccessBlockCommandInput,
  GetBucketAclCommandInput,
  GetBucketAclCommandOutput,
  GetBucketOwnershipControlsCommandInput,
  GetBucketOwnershipControlsCommandOutput,
  GetBucketPolicyCommandInput,
  GetBucketPolicyCommandOutput,
  GetBucketPolicyStatusCommandInput,
  GetBucketPolicyStatusCommandOutput,
  GetPublicAccessBlockCommandInput,
  GetPublicAccessBlockCommandOutput,
  PutBucketAclCommandInput,
  PutBucketOwnershipControlsCommandInput,
  PutBucketPolicyCommandInput,
  PutPublicAccessBlockCommandInput,
} from '@aws-sdk/client-s3';
import type { Acl } from '../../../core/bucket.ts';
import { isPublicAcl, isPublicPolicy } from '../../../core/exposure.ts';
import { canonicalUserId } from '../../auth/accounts.ts';
import { AwsError, operation, type Call, type Need, type Operation } from '../../service.ts';
import { requestedAcl, toSdk, type AclInput } from './acl.ts';
import { aclKeys, bucketArn, onBucket } from './actions.ts';
import { blockOf, effectiveAcl, refusal } from './access.ts';
import { absent, malformedXml } from './errors.ts';
import { givenBack, idsIn, readBucketPolicy } from './policy.ts';
import { latest } from './propagation.ts';
import { accountOf, bucketOf, write, type Bucket, type BucketPolicy, type S3State } from './state.ts';

type Nothing = object;

/** Settings that decide who gets in. Reading them tells the last write; the data plane learns of it later. */
export function permissionOperations(state: S3State): Readonly<Record<string, Operation>> {
  let reads = 0;
  return {
    GetPublicAccessBlock: operation<GetPublicAccessBlockCommandInput, GetPublicAccessBlockCommandOutput>({
      needs: onBucket('s3:GetBucketPublicAccessBlock'),
      run: (input) => {
        const block = latest(bucketOf(state, input).block);
        if (!block) throw absent('NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found', input.Bucket);
        return { PublicAccessBlockConfiguration: block };
      },
    }),
    PutPublicAccessBlock: operation<PutPublicAccessBlockCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketPublicAccessBlock'),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const block = input.PublicAccessBlockConfiguration;
        if (!block) throw malformedXml();
        const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = block;
        bucket.block = write(state, bucket.block, { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets }, call);
        return {};
      },
    }),
    DeletePublicAccessBlock: operation<DeletePublicAccessBlockCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketPublicAccessBlock'),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        bucket.block = write(state, bucket.block, null, call);
        return {};
      },
    }),
    GetBucketPolicy: operation<GetBucketPolicyCommandInput, GetBucketPolicyCommandOutput>({
      needs: onBucket('s3:GetBucketPolicy'),
      run: (input, call) => ({ Policy: givenBack(policyOf(ownedBy(call, bucketOf(state, input))), ++reads, state.world.idOf) }),
    }),
    GetBucketPolicyStatus: operation<GetBucketPolicyStatusCommandInput, GetBucketPolicyStatusCommandOutput>({
      needs: onBucket('s3:GetBucketPolicyStatus'),
      run: (input) => ({ PolicyStatus: { IsPublic: isPublicPolicy(policyOf(bucketOf(state, input)).parsed) } }),
    }),
    PutBucketPolicy: operation<PutBucketPolicyCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketPolicy'),
      run: (input, call) => {
        const bucket = ownedBy(call, bucketOf(state, input));
        const policy = readBucketPolicy(input.Policy ?? '', bucket.name);
        if (blockOf(state, bucket).BlockPublicPolicy && isPublicPolicy(policy.parsed)) {
          throw refusal(call, bucket, { action: 's3:PutBucketPolicy', resource: bucketArn(bucket.name) }, 'because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.');
        }
        bucket.policy = write(state, bucket.policy, { ...policy, ids: idsIn(policy.parsed, state.world.idOf) }, call);
        return {};
      },
    }),
    DeleteBucketPolicy: operation<DeleteBucketPolicyCommandInput, Nothing>({
      needs: onBucket('s3:DeleteBucketPolicy'),
      run: (input, call) => {
        const bucket = ownedBy(call, bucketOf(state, input));
        bucket.policy = write(state, bucket.policy, null, call);
        return {};
      },
    }),
    GetBucketAcl: operation<GetBucketAclCommandInput, GetBucketAclCommandOutput>({
      needs: onBucket('s3:GetBucketAcl'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        return aclOutput(effectiveAcl(latest(bucket.acl), latest(bucket.ownership), blockOf(state, bucket), canonicalUserId(bucket.account)));
      },
    }),
    PutBucketAcl: operation<PutBucketAclCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketAcl', aclKeys),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const owner = canonicalUserId(bucket.account);
        const acl = newAcl(state, bucket, input, owner, call, { action: 's3:PutBucketAcl', resource: bucketArn(bucket.name) });
        bucket.acl = write(state, bucket.acl, acl, call);
        return {};
      },
    }),
    GetBucketOwnershipControls: operation<GetBucketOwnershipControlsCommandInput, GetBucketOwnershipControlsCommandOutput>({
      needs: onBucket('s3:GetBucketOwnershipControls'),
      run: (input) => {
        const ownership = latest(bucketOf(state, input).ownership);
        if (!ownership) throw absent('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found', input.Bucket);
        return { OwnershipControls: { Rules: [{ ObjectOwnership: ownership }] } };
      },
    }),
    PutBucketOwnershipControls: operation<PutBucketOwnershipControlsCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketOwnershipControls'),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const rules = input.OwnershipControls?.Rules ?? [];
        const ownership = rules[0]?.ObjectOwnership;
        if (rules.length !== 1 || (ownership !== 'BucketOwnerEnforced' && ownership !== 'BucketOwnerPreferred' && ownership !== 'ObjectWriter')) throw malformedXml();
        const owner = canonicalUserId(bucket.account);
        const granted = latest(bucket.acl).grants.some(({ grantee }) => !('id' in grantee) || grantee.id !== owner);
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
        if (ownership === 'BucketOwnerEnforced' && granted) {
          throw new AwsError('InvalidBucketAclWithObjectOwnership', "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting", 400);
        }
        bucket.ownership = write(state, bucket.ownership, ownership, call);
        return {};
      },
    }),
    DeleteBucketOwnershipControls: operation<DeleteBucketOwnershipControlsCommandInput, Nothing>({
      needs: onBucket('s3:PutBucketOwnershipControls'),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        bucket.ownership = write(state, bucket.ownership, null, call);
        return {};
      },
    }),
  };
}

/**
 * The ACL that a request sets, after Block Public Access and the bucket's ownership have had their say, in this order.
 *
 * @throws {AwsError} AccessDenied where it is public and may not be, AccessControlListNotSupported where ACLs are off
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export function newAcl(state: S3State, bucket: Bucket, input: AclInput, owner: string, call: Call, need: Pick<Need, 'action' | 'resource'>): Acl {
  const acl = requestedAcl(input, owner, canonicalUserId(bucket.account));
  if (!acl) throw new AwsError('MissingSecurityHeader', 'Your request was missing a required header', 400, { MissingHeaderName: 'x-amz-acl' });
  if (isPublicAcl(acl) && blockOf(state, bucket).BlockPublicAcls) {
    throw refusal(call, bucket, need, 'because public ACLs are prevented by the BlockPublicAcls setting in S3 Block Public Access.');
  }
  if (latest(bucket.ownership) === 'BucketOwnerEnforced') throw new AwsError('AccessControlListNotSupported', 'The bucket does not allow ACLs', 400);
  return acl;
}

export function aclOutput(acl: Acl): Pick<GetBucketAclCommandOutput, 'Owner' | 'Grants'> {
  return { Owner: { ID: acl.owner ?? '' }, Grants: acl.grants.map(toSdk) };
}

function policyOf(bucket: Bucket): BucketPolicy {
  const policy = latest(bucket.policy);
  if (!policy) throw absent('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket.name);
  return policy;
}

/**
 * "If you have the correct permissions, but you're not using an identity that belongs to the bucket owner's account,
 * Amazon S3 returns a 405 Method Not Allowed error": https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 */
function ownedBy(call: Call, bucket: Bucket): Bucket {
  if (call.caller.kind !== 'service' && accountOf(call.caller) !== bucket.account) throw new AwsError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405);
  return bucket;
}
