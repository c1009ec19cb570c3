import type { ConditionContext, Need } from '../../service.ts';
import { doorOf } from './access-points.ts';
import { versionOf, type Bucket, type S3State } from './state.ts';

/**
 * What operations need of their caller: which action, on which resource, with which `s3:` condition keys.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html (operation to action)
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (resources and keys)
 */
export type NeedsOf<Input> = (input: Input) => readonly Need[];

export interface ObjectInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

/** One action on the bucket. */
export function onBucket(action: string, contextOf?: (input: object) => Readonly<Record<string, unknown>>): NeedsOf<{ readonly Bucket?: string | undefined }> {
  return (input) => [{ action, resource: bucketArn(input.Bucket ?? ''), context: keys(contextOf?.(input) ?? {}) }];
}

/**
 * One action on an object; of a named version the `…Version` action instead, where S3 has one:
 * `s3:GetObject` and `s3:GetObjectVersion`.
 */
export function onObject<Input extends ObjectInput>(
  state: S3State,
  action: string,
  versionAction: string = action,
  contextOf?: (input: Input) => Readonly<Record<string, unknown>>,
): NeedsOf<Input> {
  return (input) => [objectNeed(state, input, input.VersionId === undefined ? action : versionAction, contextOf?.(input))];
}

export function objectNeed(state: S3State, input: ObjectInput, action: string, context: Readonly<Record<string, unknown>> = {}): Need {
  const bucket = doorOf(state, input.Bucket ?? '')?.bucket;
  const version = bucket && versionOf(bucket, input.Key ?? '', input.VersionId);
  const tags = version && !version.marker ? version.tags : [];
  return {
    action,
    resource: `${bucketArn(input.Bucket ?? '')}/${input.Key ?? ''}`,
    context: keys({ 's3:versionid': input.VersionId, ...Object.fromEntries(tags.map((tag) => [`s3:existingobjecttag/${tag.Key.toLowerCase()}`, tag.Value])), ...context }),
  };
}

/** Condition keys of a listing. */
export function listingKeys(input: object): Readonly<Record<string, unknown>> {
  const { Prefix, Delimiter, MaxKeys } = input as { readonly Prefix?: string; readonly Delimiter?: string; readonly MaxKeys?: number };
  return { 's3:prefix': Prefix, 's3:delimiter': Delimiter, 's3:max-keys': MaxKeys };
}

/** Condition keys of the ACL that a request asks for. */
export function aclKeys(input: object): Readonly<Record<string, unknown>> {
  const asked = input as Readonly<Record<string, unknown>>;
  return {
    's3:x-amz-acl': asked['ACL'],
    's3:x-amz-grant-full-control': asked['GrantFullControl'],
    's3:x-amz-grant-read': asked['GrantRead'],
    's3:x-amz-grant-read-acp': asked['GrantReadACP'],
    's3:x-amz-grant-write': asked['GrantWrite'],
    's3:x-amz-grant-write-acp': asked['GrantWriteACP'],
  };
}

/** Condition keys that every request to a bucket has. */
export function ownerKeys(bucket: Bucket): ConditionContext {
  return { 'aws:resourceaccount': bucket.account, 's3:resourceaccount': bucket.account };
}

/** A key that the request does not set is absent, which is not the same as empty. */
function keys(values: Readonly<Record<string, unknown>>): ConditionContext {
  const present = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(present.map(([key, value]) => [key, Array.isArray(value) ? value.map(String) : value instanceof Date ? value.toISOString() : String(value)]));
}
