import * as sdk from '@aws-sdk/client-s3-control';
import type {
  CreateAccessPointCommandInput,
  CreateAccessPointCommandOutput,
  DeleteAccessPointCommandInput,
  DeleteAccessPointPolicyCommandInput,
  DeletePublicAccessBlockCommandInput,
  GetAccessPointCommandInput,
  GetAccessPointCommandOutput,
  GetAccessPointPolicyCommandInput,
  GetAccessPointPolicyCommandOutput,
  GetPublicAccessBlockCommandInput,
  GetPublicAccessBlockCommandOutput,
  ListAccessPointsCommandInput,
  ListAccessPointsCommandOutput,
  PublicAccessBlockConfiguration,
  PutAccessPointPolicyCommandInput,
  PutPublicAccessBlockCommandInput,
} from '@aws-sdk/client-s3-control';
import type { PublicAccessBlock } from '../../core/bucket.ts';
import { isPublicPolicy, strictest } from '../../core/exposure.ts';
import { accessDenied, authorizeByIdentity } from '../auth/authorize.ts';
import { AwsError, operation, type Call, type HttpRequest, type Need, type Operation, type Service } from '../service.ts';
import { aliasOf, type AccessPoint } from './s3/access-points.ts';
import { noSuchBucket } from './s3/errors.ts';
import { readAccessPointPolicy } from './s3/policy.ts';
import { latest, settled } from './s3/propagation.ts';
import { accountBlockOf, accountOf, write, type S3State } from './s3/state.ts';

const ALL_ON: PublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

/**
 * S3 Control: what of S3 belongs to an account and not to a bucket. It signs as `s3` and has the account in its host
 * name, `111122223333.s3-control.localhost`, and in a header.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html
 */
export function createS3Control(state: S3State): Service {
  const operations: Readonly<Record<string, Operation>> = { ...blockOperations(state), ...pointOperations(state) };
  return {
    name: 's3-control',
    sdk,
    protocol: 'rest-xml',
    operations,
    claims: isS3Control,
    authorize: (name, input, call) => {
      const needs: readonly Need[] = operations[name]?.needs?.(input, call) ?? [];
      const [first] = needs;
      if (call.caller.kind === 'anonymous') throw new AwsError('AccessDenied', 'Access Denied', 403);
      authorizeByIdentity(call, needs);
      // Nobody asks about another account than the one that signs.
      if (first && accountIn(input) !== accountOf(call.caller)) throw accessDenied(call, first, `because no resource-based policy allows the ${first.action} action`);
    },
  };
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html (host and header) */
function isS3Control({ host, path, headers }: HttpRequest): boolean {
  return path.startsWith('/v20180820/') && (headers['x-amz-account-id'] !== undefined || /^\d{12}\.s3-control\./.test(host));
}

function blockOperations(state: S3State): Readonly<Record<string, Operation>> {
  const set = (account: string, block: PublicAccessBlock | null, call: Call) => {
    state.accountBlocks.set(account, write(state, accountBlockOf(state, account), block, call));
    return {};
  };
  return {
    GetPublicAccessBlock: operation<GetPublicAccessBlockCommandInput, GetPublicAccessBlockCommandOutput>({
      needs: anywhere('s3:GetAccountPublicAccessBlock'),
      run: (input) => {
        const block = latest(accountBlockOf(state, accountIn(input)));
        if (!block) throw new AwsError('NoSuchPublicAccessBlockConfiguration', 'The public access block configuration was not found', 404, { AccountId: accountIn(input) });
        return { PublicAccessBlockConfiguration: block };
      },
    }),
    PutPublicAccessBlock: operation<PutPublicAccessBlockCommandInput, object>({
      needs: anywhere('s3:PutAccountPublicAccessBlock'),
      run: (input, call) => set(accountIn(input), blockOf(input.PublicAccessBlockConfiguration, false), call),
    }),
    DeletePublicAccessBlock: operation<DeletePublicAccessBlockCommandInput, object>({
      needs: anywhere('s3:PutAccountPublicAccessBlock'),
      run: (input, call) => set(accountIn(input), null, call),
    }),
  };
}

function pointOperations(state: S3State): Readonly<Record<string, Operation>> {
  const find = (input: { readonly AccountId?: string | undefined; readonly Name: string | undefined }): AccessPoint => {
    const point = state.accessPoints.get(keyOf(input));
    if (!point) throw new AwsError('NoSuchAccessPoint', 'The specified accesspoint does not exist', 404, { AccessPointName: input.Name ?? '' });
    return point;
  };
  return {
    CreateAccessPoint: operation<CreateAccessPointCommandInput, CreateAccessPointCommandOutput>({
      needs: onPoint('s3:CreateAccessPoint'),
      run: (input, call) => {
        const bucket = state.buckets.get(input.Bucket ?? '');
        if (!bucket) throw noSuchBucket(input.Bucket ?? '');
        const name = input.Name ?? '';
        // https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html
        if (!/^[a-z0-9][a-z0-9-]{1,48}[a-z0-9]$/.test(name) || name.endsWith('-s3alias')) throw new AwsError('InvalidRequest', 'The specified access point name is not valid', 400);
        if (state.accessPoints.has(keyOf(input))) throw new AwsError('AccessPointAlreadyOwnedByYou', 'Your previous request to create the named accesspoint succeeded and you already own it.', 409);
        const account = accountIn(input);
        const point: AccessPoint = {
          name,
          arn: `arn:aws:s3:${call.region}:${account}:accesspoint/${name}`,
          alias: aliasOf(name, account),
          account,
          bucket: bucket.name,
          createdAt: new Date(call.time),
          // "All block public access settings are enabled by default for access points": access-points-bpa-settings.html
          block: input.PublicAccessBlockConfiguration ? blockOf(input.PublicAccessBlockConfiguration, true) : ALL_ON,
          vpc: input.VpcConfiguration?.VpcId ?? null,
          policy: settled(null),
        };
        state.accessPoints.set(keyOf(input), point);
        return { AccessPointArn: point.arn, Alias: point.alias };
      },
    }),
    DeleteAccessPoint: operation<DeleteAccessPointCommandInput, object>({
      needs: onPoint('s3:DeleteAccessPoint'),
      run: (input) => {
        find(input);
        state.accessPoints.delete(keyOf(input));
        return {};
      },
    }),
    GetAccessPoint: operation<GetAccessPointCommandInput, GetAccessPointCommandOutput>({
      needs: onPoint('s3:GetAccessPoint'),
      run: (input) => {
        const { name, bucket, vpc, block, createdAt, alias, arn, account } = find(input);
        return { Name: name, Bucket: bucket, ...originOf(vpc), PublicAccessBlockConfiguration: block, CreationDate: createdAt, Alias: alias, AccessPointArn: arn, BucketAccountId: account };
      },
    }),
    ListAccessPoints: operation<ListAccessPointsCommandInput, ListAccessPointsCommandOutput>({
      needs: anywhere('s3:ListAccessPoints'),
      run: (input) => {
        const all = [...state.accessPoints.values()]
          .filter((point) => point.account === accountIn(input) && (input.Bucket === undefined || point.bucket === input.Bucket))
          .toSorted((one, other) => (one.name < other.name ? -1 : 1));
        const from = input.NextToken === undefined ? 0 : Number(input.NextToken);
        const to = from + Math.min(input.MaxResults ?? 1000, 1000);
        const page = all.slice(from, to).map(({ name, bucket, vpc, arn, alias, account }) => ({ Name: name, Bucket: bucket, ...originOf(vpc), AccessPointArn: arn, Alias: alias, BucketAccountId: account }));
        return { AccessPointList: page, ...(to < all.length ? { NextToken: String(to) } : {}) };
      },
    }),
    GetAccessPointPolicy: operation<GetAccessPointPolicyCommandInput, GetAccessPointPolicyCommandOutput>({
      needs: onPoint('s3:GetAccessPointPolicy'),
      run: (input) => {
        const policy = latest(find(input).policy);
        if (!policy) throw new AwsError('NoSuchAccessPointPolicy', 'The specified accesspoint policy does not exist', 404, { AccessPointName: input.Name ?? '' });
        return { Policy: policy.text };
      },
    }),
    PutAccessPointPolicy: operation<PutAccessPointPolicyCommandInput, object>({
      needs: onPoint('s3:PutAccessPointPolicy'),
      run: (input, call) => {
        const point = find(input);
        const policy = readAccessPointPolicy(input.Policy ?? '', point.arn);
        // The bucket's own BlockPublicPolicy says nothing of policies of access points: access-control-block-public-access.html
        if (strictest(latest(accountBlockOf(state, point.account)), point.block).BlockPublicPolicy && isPublicPolicy(policy.parsed, 'access-point')) {
          throw accessDenied(call, { action: 's3:PutAccessPointPolicy', resource: point.arn }, 'because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.');
        }
        point.policy = write(state, point.policy, policy, call);
        return {};
      },
    }),
    DeleteAccessPointPolicy: operation<DeleteAccessPointPolicyCommandInput, object>({
      needs: onPoint('s3:DeleteAccessPointPolicy'),
      run: (input, call) => {
        const point = find(input);
        point.policy = write(state, point.policy, null, call);
        return {};
      },
    }),
  };
}

function originOf(vpc: string | null): { readonly NetworkOrigin: 'Internet' | 'VPC'; readonly VpcConfiguration?: { readonly VpcId: string } } {
  return vpc === null ? { NetworkOrigin: 'Internet' } : { NetworkOrigin: 'VPC', VpcConfiguration: { VpcId: vpc } };
}

/** S3 takes what a request leaves out for false; of an access point for true. */
function blockOf(block: PublicAccessBlockConfiguration | undefined, unsaid: boolean): PublicAccessBlock {
  if (!block) throw new AwsError('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema', 400);
  const { BlockPublicAcls = unsaid, IgnorePublicAcls = unsaid, BlockPublicPolicy = unsaid, RestrictPublicBuckets = unsaid } = block;
  return { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets };
}

function accountIn(input: unknown): string {
  return typeof input === 'object' && input !== null && 'AccountId' in input ? String(input.AccountId) : '';
}

function keyOf(input: { readonly AccountId?: string | undefined; readonly Name: string | undefined }): string {
  return `${accountIn(input)}/${input.Name ?? ''}`;
}

/** Actions that AWS has no resource for. */
function anywhere(action: string): () => readonly Need[] {
  return () => [{ action, resource: '*' }];
}

function onPoint(action: string): (input: { readonly AccountId?: string | undefined; readonly Name: string | undefined }, call: Call) => readonly Need[] {
  return (input, { region }) => [{ action, resource: `arn:aws:s3:${region}:${accountIn(input)}:accesspoint/${input.Name ?? ''}` }];
}
