import type { Acl, Grant, PublicAccessBlock } from '../../../core/bucket.ts';
import { ALL_USERS, AUTHENTICATED_USERS, publicGrants } from '../../../core/exposure/acl.ts';
import { isPublicPolicy, strictest } from '../../../core/exposure.ts';
import { canonicalUserId } from '../../auth/accounts.ts';
import { accessDenied as deniedFor } from '../../auth/authorize.ts';
import { contextOf } from '../../auth/context.ts';
import { evaluate } from '../../auth/evaluate.ts';
import type { AwsError, Call, ConditionContext, Decision, Need } from '../../service.ts';
import { doorOf, type AccessPoint, type Door } from './access-points.ts';
import { privateAcl } from './acl.ts';
import { bucketArn, ownerKeys } from './actions.ts';
import { accessDenied } from './errors.ts';
import { isObjectAction } from './policy.ts';
import { effective, latest } from './propagation.ts';
import { accountBlockOf, accountOf, canonicalUserOf, versionOf, type Bucket, type BucketPolicy, type Ownership, type S3State } from './state.ts';

/**
 * Whether S3 lets a request through: identity policies, bucket policy, ACLs and Block Public Access together.
 *
 * @throws {AwsError} AccessDenied, 403; within the account with the reason, as S3 words it
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
 */
export function assertAllowed(state: S3State, call: Call, need: Need): void {
  const door = doorOfNeed(state, need);
  // Nobody has it: the operation says so, and says it to everybody.
  if (!door) return;
  const { bucket } = door;
  const verdict = judge(state, call, door, need);
  if (verdict.allowed) return;
  // "If the object you request doesn't exist, the error that Amazon S3 returns depends on whether you also have the
  // s3:ListBucket permission": https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
  if (!verdict.explicit && isObjectAction(need.action) && need.action.startsWith('s3:Get') && !objectOfNeed(bucket, need) && judge(state, call, door, listing(nameOfNeed(need))).allowed) return;
  throw refusal(call, bucket, need, verdict.why);
}

/** For what has no bucket yet, or none in particular: only the caller's own policies decide. */
export function assertAllowedByIdentity(call: Call, need: Need): void {
  const decision = call.world.identityDecision(call, need);
  if (decision === 'allow') return;
  if (call.caller.kind === 'anonymous') throw accessDenied();
  throw deniedFor(call, need, (decision === 'deny' ? DENIED_BY_IDENTITY : implicit('identity-based', need)).why);
}

export function isAllowed(state: S3State, call: Call, need: Need): boolean {
  const door = doorOfNeed(state, need);
  return door !== undefined && judge(state, call, door, need).allowed;
}

/**
 * That a key is missing learn those who may list; to others it is as refused as any other.
 *
 * @throws {AwsError} AccessDenied, which names `s3:ListBucket` as what is lacking
 */
export function assertMayLearn(state: S3State, call: Call, bucket: Bucket): void {
  assertAllowed(state, call, listing(bucket.name));
}

function listing(name: string): Need {
  return { action: 's3:ListBucket', resource: bucketArn(name) };
}

/** Callers of other accounts are told nothing: troubleshoot-403-errors.html, "generic Access Denied". */
export function refusal(call: Call, bucket: Bucket, need: Pick<Need, 'action' | 'resource'>, why: string): AwsError {
  return accountOf(call.caller) === bucket.account ? deniedFor(call, need, why) : accessDenied();
}

/** The blocks of account and bucket together, as last written. */
export function blockOf(state: S3State, bucket: Bucket): PublicAccessBlock {
  return strictest(latest(accountBlockOf(state, bucket.account)), latest(bucket.block));
}

/**
 * The grants that S3 honours, which is also what reading an ACL returns: "Calls to GET Bucket acl and GET Object acl
 * always return the effective permissions in place".
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-options
 */
export function effectiveAcl(acl: Acl, ownership: Ownership, block: PublicAccessBlock, bucketOwner: string): Acl {
  if (ownership === 'BucketOwnerEnforced') return privateAcl(bucketOwner);
  if (!block.IgnorePublicAcls) return acl;
  const ignored = new Set(publicGrants(acl));
  return { ...acl, grants: acl.grants.filter((grant) => !ignored.has(grant)) };
}

interface Verdict {
  readonly allowed: boolean;
  /** A deny that no grant outweighs. */
  readonly explicit: boolean;
  readonly why: string;
}

/** The settings that one request is judged by. */
interface View {
  readonly block: PublicAccessBlock;
  readonly policy: BucketPolicy | null;
  /** The access point's, where the request comes through one. */
  readonly pointPolicy: BucketPolicy | null;
  readonly acl: Acl;
  readonly ownership: Ownership;
}

const ALLOWED: Verdict = { allowed: true, explicit: false, why: '' };
const DENIED_BY_RESOURCE: Verdict = { allowed: false, explicit: true, why: 'with an explicit deny in a resource-based policy' };
const DENIED_BY_IDENTITY: Verdict = { allowed: false, explicit: true, why: 'with an explicit deny in an identity-based policy' };

/** "the root user ... can always use this operation, even if the policy explicitly denies": API_PutBucketPolicy.html */
const ALWAYS_ROOTS: ReadonlySet<string> = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']);

function judge(state: S3State, call: Call, { bucket, point }: Door, plainNeed: Need): Verdict {
  const { caller } = call;
  const context = { ...ownerKeys(bucket), ...(point && pointKeys(point)), ...plainNeed.context };
  // A bucket's policy speaks of the bucket however a request reached it; the caller's own of the way it came.
  const need: Need = { ...plainNeed, resource: point ? bucketResource(bucket, plainNeed) : plainNeed.resource, context };
  const asked: Need = { ...need, resource: point ? pointResource(point, plainNeed) : need.resource };
  // No request comes from inside a VPC here.
  if (point?.vpc) return DENIED_BY_RESOURCE;
  const inside = accountOf(caller) === bucket.account;
  if (inside && caller.kind === 'root' && ALWAYS_ROOTS.has(need.action)) return ALLOWED;

  const view = viewOf(state, call, { bucket, point }, need);
  const identity = call.world.identityDecision(call, asked);
  if (identity === 'deny') return DENIED_BY_IDENTITY;
  const resource = byPolicy(view.policy, call, need, bucket);
  const atPoint = byPolicy(view.pointPolicy, call, asked, bucket);
  if (resource === 'deny' || atPoint === 'deny') return DENIED_BY_RESOURCE;
  // "Any denial resulting from the RestrictPublicBuckets setting is explicit."
  const isPublic = (view.policy && isPublicPolicy(view.policy.parsed)) || (view.pointPolicy && isPublicPolicy(view.pointPolicy.parsed, 'access-point'));
  if (view.block.RestrictPublicBuckets && !inside && caller.kind !== 'service' && isPublic) return DENIED_BY_RESOURCE;

  // "Permissions granted in an access point policy are effective only if the underlying bucket also allows the same access."
  const doorOpen = !point || atPoint === 'allow';
  const acl = doorOpen ? grantedByAcl(call, bucket, view, need) : 'none';
  // Allows of a bucket policy reach only objects of the bucket's owner; another's are its own to share, by ACL.
  const foreignObject = isForeignObject(bucket, view, need);
  const policy = doorOpen && resource === 'allow' && !foreignObject;
  switch (caller.kind) {
    case 'anonymous':
      return policy || acl !== 'none' ? ALLOWED : implicit('resource-based', need);
    case 'service':
      return policy ? ALLOWED : implicit('resource-based', need);
    default:
      if (inside) return (identity === 'allow' && (!foreignObject || acl !== 'none')) || policy || acl === 'public' ? ALLOWED : implicit('identity-based', need);
      // Another account's principal needs both: what its own account lets it do, and what this bucket gives it.
      return identity === 'allow' && (policy || acl !== 'none') ? ALLOWED : implicit('resource-based', need);
  }
}

function implicit(type: 'identity-based' | 'resource-based', need: Need): Verdict {
  return { allowed: false, explicit: false, why: `because no ${type} policy allows the ${need.action} action` };
}

function byPolicy(policy: BucketPolicy | null, call: Call, need: Need, bucket: Bucket): Decision {
  if (!policy) return 'none';
  return evaluate({ policies: [policy.parsed], principal: call.caller, owner: bucket.account, action: need.action, resource: need.resource, context: { ...contextOf(call), ...need.context } });
}

/**
 * Actions on objects and listings are judged by what has arrived at the data plane, all of one request by the same;
 * those on settings by the last write.
 */
function viewOf(state: S3State, call: Call, { bucket, point }: Door, need: Need): View {
  if (!isObjectAction(need.action) && !need.action.startsWith('s3:ListBucket')) {
    return { block: strictest(blockOf(state, bucket), point?.block), policy: latest(bucket.policy), pointPolicy: point && latest(point.policy), acl: latest(bucket.acl), ownership: latest(bucket.ownership) };
  }
  const views = viewsOfCalls.get(call) ?? new Map<Bucket | AccessPoint, View>();
  viewsOfCalls.set(call, views);
  const seen = views.get(point ?? bucket);
  if (seen) return seen;
  const { propagationMs, random } = state.world;
  const view: View = {
    block: strictest(effective(accountBlockOf(state, bucket.account), call.time, propagationMs, random), effective(bucket.block, call.time, propagationMs, random), point?.block),
    pointPolicy: point && effective(point.policy, call.time, propagationMs, random),
    policy: effective(bucket.policy, call.time, propagationMs, random),
    acl: effective(bucket.acl, call.time, propagationMs, random),
    ownership: effective(bucket.ownership, call.time, propagationMs, random),
  };
  views.set(point ?? bucket, view);
  return view;
}

const viewsOfCalls = new WeakMap<Call, Map<Bucket | AccessPoint, View>>();

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#acl-access-policy-permission-mapping */
const BUCKET_GRANTS: Readonly<Record<string, Grant['permission']>> = {
  's3:ListBucket': 'READ',
  's3:ListBucketVersions': 'READ',
  's3:ListBucketMultipartUploads': 'READ',
  's3:PutObject': 'WRITE',
  's3:GetBucketAcl': 'READ_ACP',
  's3:PutBucketAcl': 'WRITE_ACP',
};
const OBJECT_GRANTS: Readonly<Record<string, Grant['permission']>> = {
  's3:GetObject': 'READ',
  's3:GetObjectVersion': 'READ',
  's3:GetObjectAcl': 'READ_ACP',
  's3:GetObjectVersionAcl': 'READ_ACP',
  's3:PutObjectAcl': 'WRITE_ACP',
  's3:PutObjectVersionAcl': 'WRITE_ACP',
};

/** Whether an ACL grants it: to a group that holds everybody, or to the caller's account by name. */
function grantedByAcl(call: Call, bucket: Bucket, view: View, need: Need): 'public' | 'account' | 'none' {
  if (call.caller.kind === 'service') return 'none';
  const object = objectOfNeed(bucket, need);
  const bucketPermission = BUCKET_GRANTS[need.action];
  const permission = bucketPermission ?? OBJECT_GRANTS[need.action];
  const acl = bucketPermission ? view.acl : object?.acl;
  if (!permission || !acl) return 'none';
  // WRITE is for new keys: "WRITE permissions do not allow non-owners to overwrite or delete existing objects".
  if (need.action === 's3:PutObject' && object && object.owner !== canonicalUserOf(call.caller)) return 'none';
  const grants = effectiveAcl(acl, view.ownership, view.block, canonicalUserId(bucket.account)).grants.filter((grant) => grant.permission === permission || grant.permission === 'FULL_CONTROL');
  const signed = call.caller.kind !== 'anonymous';
  if (grants.some(({ grantee }) => 'uri' in grantee && (grantee.uri === ALL_USERS || (signed && grantee.uri === AUTHENTICATED_USERS)))) return 'public';
  return signed && grants.some(({ grantee }) => 'id' in grantee && grantee.id === canonicalUserOf(call.caller)) ? 'account' : 'none';
}

function isForeignObject(bucket: Bucket, view: View, need: Need): boolean {
  if (view.ownership === 'BucketOwnerEnforced' || !(need.action in OBJECT_GRANTS)) return false;
  const object = objectOfNeed(bucket, need);
  return object !== undefined && object.owner !== canonicalUserId(bucket.account);
}

function doorOfNeed(state: S3State, need: Need): Door | undefined {
  return doorOf(state, nameOfNeed(need));
}

function nameOfNeed(need: Need): string {
  return partsOf(need.resource).bucket;
}

function bucketResource({ name }: Bucket, need: Need): string {
  const { key } = partsOf(need.resource);
  return key === '' ? bucketArn(name) : `${bucketArn(name)}/${key}`;
}

function pointResource({ arn }: AccessPoint, need: Need): string {
  const { key } = partsOf(need.resource);
  return key === '' ? arn : `${arn}/object/${key}`;
}

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html#access-points-condition-keys */
function pointKeys({ arn, account, vpc }: AccessPoint): ConditionContext {
  return { 's3:dataaccesspointarn': arn, 's3:dataaccesspointaccount': account, 's3:accesspointnetworkorigin': vpc === null ? 'Internet' : 'VPC' };
}

function objectOfNeed(bucket: Bucket, need: Need) {
  const versionId = need.context?.['s3:versionid'];
  const version = versionOf(bucket, partsOf(need.resource).key, typeof versionId === 'string' ? versionId : undefined);
  return version && !version.marker ? version : undefined;
}

function partsOf(resource: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^arn:aws:s3:::([^/]*)\/?(.*)$/s.exec(resource) ?? [];
  return { bucket, key };
}
