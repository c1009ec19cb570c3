import type {
  CreateBucketCommandInput,
  CreateBucketCommandOutput,
  DeleteBucketCommandInput,
  DeleteBucketCommandOutput,
  GetBucketLocationCommandInput,
  GetBucketLocationCommandOutput,
  HeadBucketCommandInput,
  HeadBucketCommandOutput,
  ListBucketsCommandInput,
  ListBucketsCommandOutput,
} from '@aws-sdk/client-s3';
import { isPublicAcl } from '../../../core/exposure.ts';
import type { PublicAccessBlock } from '../../../core/bucket.ts';
import { canonicalUserId } from '../../auth/accounts.ts';
import { AwsError, operation, type Call, type Operation } from '../../service.ts';
import { privateAcl, requestedAcl } from './acl.ts';
import { onBucket } from './actions.ts';
import { invalidArgument } from './errors.ts';
import { settled } from './propagation.ts';
import { accountOf, bucketOf, type Bucket, type Ownership, type S3State } from './state.ts';

/** @see https://aws.amazon.com/blogs/aws/heads-up-amazon-s3-security-changes-are-coming-in-april-of-2023/ */
const BLOCK_OF_NEW_BUCKETS: PublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
const OWNERSHIPS: readonly Ownership[] = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'];

/** Buckets themselves: made, found and removed. */
export function bucketOperations(state: S3State): Readonly<Record<string, Operation>> {
  return {
    CreateBucket: operation<CreateBucketCommandInput, CreateBucketCommandOutput>({
      needs: (input) => [
        ...onBucket('s3:CreateBucket')(input),
        ...(requestedAcl(input, '', '') ? onBucket('s3:PutBucketAcl')(input) : []),
        ...(input.ObjectLockEnabledForBucket ? [...onBucket('s3:PutBucketObjectLockConfiguration')(input), ...onBucket('s3:PutBucketVersioning')(input)] : []),
        ...(input.ObjectOwnership ? onBucket('s3:PutBucketOwnershipControls')(input) : []),
      ],
      run: (input, call) => {
        const bucket = newBucket(state, input, call);
        const existing = state.buckets.get(bucket.name);
        if (existing && existing.account !== bucket.account) {
          throw new AwsError('BucketAlreadyExists', 'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.', 409, { BucketName: bucket.name });
        }
        // In us-east-1 creating one's own bucket again is a 200 that resets its ACL.
        if (existing) existing.acl = bucket.acl;
        else state.buckets.set(bucket.name, bucket);
        return { Location: `/${bucket.name}` };
      },
    }),
    DeleteBucket: operation<DeleteBucketCommandInput, DeleteBucketCommandOutput>({
      needs: onBucket('s3:DeleteBucket'),
      run: (input) => {
        const bucket = bucketOf(state, input);
        if (bucket.objects.size > 0) {
          const message = `The bucket you tried to delete is not empty${bucket.versioning ? '. You must delete all versions in the bucket.' : ''}`;
          throw new AwsError('BucketNotEmpty', message, 409, { BucketName: bucket.name });
        }
        state.buckets.delete(bucket.name);
        return {};
      },
    }),
    HeadBucket: operation<HeadBucketCommandInput, HeadBucketCommandOutput>({
      needs: onBucket('s3:ListBucket'),
      run: (input) => ({ BucketRegion: bucketOf(state, input).region, BucketArn: `arn:aws:s3:::${input.Bucket}` }),
    }),
    GetBucketLocation: operation<GetBucketLocationCommandInput, GetBucketLocationCommandOutput>({
      needs: onBucket('s3:GetBucketLocation'),
      run: (input) => {
        const { region } = bucketOf(state, input);
        // us-east-1 is told by an empty element. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
        return region === 'us-east-1' ? {} : { LocationConstraint: region as NonNullable<GetBucketLocationCommandOutput['LocationConstraint']> };
      },
    }),
    ListBuckets: operation<ListBucketsCommandInput, ListBucketsCommandOutput>({
      needs: () => [{ action: 's3:ListAllMyBuckets', resource: '*' }],
      run: (input, call) => {
        const account = accountOf(call.caller) ?? '';
        const own = [...state.buckets.values()]
          .filter((bucket) => bucket.account === account && bucket.name.startsWith(input.Prefix ?? ''))
          .sort((one, other) => (one.name < other.name ? -1 : 1));
        return { Buckets: own.map((bucket) => ({ Name: bucket.name, CreationDate: bucket.createdAt, ...(input.MaxBuckets === undefined ? {} : { BucketRegion: bucket.region }) })), Owner: { ID: canonicalUserId(account) } };
      },
    }),
  };
}

function newBucket(state: S3State, input: CreateBucketCommandInput, call: Call): Bucket {
  const name = input.Bucket ?? '';
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..') || /^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, { BucketName: name });
  }
  const account = accountOf(call.caller) ?? state.world.account;
  const owner = canonicalUserId(account);
  const ownership = input.ObjectOwnership ?? 'BucketOwnerEnforced';
  if (!OWNERSHIPS.includes(ownership)) throw invalidArgument('x-amz-object-ownership', ownership, `Invalid x-amz-object-ownership header: ${String(ownership)}`);
  const acl = requestedAcl(input, owner, owner) ?? privateAcl(owner);
  if (ownership === 'BucketOwnerEnforced' && (input.ACL ?? 'private') !== 'private') {
    throw new AwsError('InvalidBucketAclWithObjectOwnership', "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting", 400, { BucketName: name });
  }
  // A new bucket has all four blocks on, so it cannot begin with a public ACL, whatever the account's own block says.
  if (isPublicAcl(acl)) {
    throw new AwsError('InvalidBucketAclWithBlockPublicAccessError', 'Bucket cannot have public ACLs set with BlockPublicAccess enabled', 400, { BucketName: name });
  }
  const locked = input.ObjectLockEnabledForBucket ?? false;
  return {
    name,
    account,
    region: input.CreateBucketConfiguration?.LocationConstraint ?? call.region,
    createdAt: new Date(call.time),
    block: settled(BLOCK_OF_NEW_BUCKETS),
    policy: settled(null),
    acl: settled(acl),
    ownership: settled(ownership),
    lifecycle: null,
    replication: null,
    website: null,
    cors: null,
    tags: input.CreateBucketConfiguration?.Tags?.map((tag) => ({ Key: tag.Key ?? '', Value: tag.Value ?? '' })) ?? null,
    versioning: locked ? 'Enabled' : null,
    objectLock: locked ? { ObjectLockEnabled: 'Enabled' } : null,
    notifications: {},
    objects: new Map(),
  };
}
