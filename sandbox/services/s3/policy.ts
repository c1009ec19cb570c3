import { globMatches } from '../../../core/glob.ts';
import { parsePolicy, PolicyParseError, type Policy, type Statement } from '../../../core/policy.ts';
import type { World } from '../../service.ts';
import { malformedPolicy } from './errors.ts';
import type { BucketPolicy } from './state.ts';

/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html ("Bucket policies are limited to 20 KB in size") */
const LIMIT_BYTES = 20 * 1024;

/**
 * A bucket policy as S3 takes it.
 *
 * The texts about JSON and `Statement` are recorded from AWS (localstack/localstack, `test_s3_api.snapshot.json`);
 * those about principal, resource and action are in https://repost.aws/knowledge-center/s3-invalid-principal-in-policy
 * and its neighbours. S3's list of error codes has none of its own for a policy that is too large, so it is
 * `MalformedPolicy` here.
 *
 * @throws {AwsError} MalformedPolicy, 400
 */
export function readBucketPolicy(text: string, bucket: string): BucketPolicy {
  return readPolicy(text, (resource) => isOfBucket(resource, bucket));
}

/** The same of an access point: its own ARN, and `/object/` behind it. */
export function readAccessPointPolicy(text: string, arn: string): BucketPolicy {
  return readPolicy(text, (resource) => resource === '*' || resource === arn || resource.startsWith(`${arn}/object/`) || globMatches(resource, arn));
}

/**
 * A policy as S3 gives it back: lists of one are that one, the order of a list is another at every read, and who was deleted since stands there by id.
 *
 * @see https://github.com/hashicorp/terraform/issues/2432
 * @see https://github.com/ansible/ansible/issues/42532
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-bucket-user-policy-specifying-principal-intro.html ("will show a unique identifier")
 */
export function givenBack({ text, ids = {} }: BucketPolicy, nth: number, idOf: World['idOf']): string {
  const shown = (value: unknown) => (typeof value === 'string' && ids[value] !== undefined && idOf(value) !== ids[value] ? ids[value] : value);
  return JSON.stringify(
    JSON.parse(text, (key, value: unknown) => {
      const list = key === 'AWS' && typeof value === 'string' ? [value] : value;
      if (!Array.isArray(list) || !list.every((entry) => typeof entry === 'string')) return value;
      const entries = rotated(key === 'AWS' ? list.map(shown) : list, nth);
      return entries.length === 1 ? entries[0] : entries;
    }),
  );
}

/** The ids of the users and roles that a policy names, by their ARNs. */
export function idsIn({ statements }: Policy, idOf: World['idOf']): Readonly<Record<string, string>> {
  const named = statements.flatMap(({ principal, notPrincipal }) => [...(principal?.['AWS'] ?? []), ...(notPrincipal?.['AWS'] ?? [])]);
  return Object.fromEntries(named.flatMap((arn) => { const id = idOf(arn); return id === null ? [] : [[arn, id]]; }));
}

/** The same list, beginning at another place each time. */
export function rotated<T>(list: readonly T[], nth: number): T[] {
  const from = list.length === 0 ? 0 : nth % list.length;
  return [...list.slice(from), ...list.slice(0, from)];
}

function readPolicy(text: string, isOwn: (resource: string) => boolean): BucketPolicy {
  if (Buffer.byteLength(text) > LIMIT_BYTES) throw malformedPolicy('Policy exceeds the maximum allowed document size.');
  const document = readJson(text);
  if (!('Statement' in document)) throw malformedPolicy('Missing required field Statement');
  const parsed = parse(text);
  for (const statement of parsed.statements) validate(statement, isOwn);
  return { text, parsed };
}

function readJson(text: string): object {
  let document: unknown = null;
  try {
    if (text.startsWith('{')) document = JSON.parse(text);
  } catch {
    // Not JSON is the same to S3 as JSON that is not an object.
  }
  if (typeof document !== 'object' || document === null) throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
  return document;
}

function parse(text: string): Policy {
  try {
    return parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyParseError) throw malformedPolicy(error.message);
    throw error;
  }
}

function validate({ principal, notPrincipal, actions, notActions, resources, notResources }: Statement, isOwn: (resource: string) => boolean): void {
  if (!principal && !notPrincipal) throw malformedPolicy('Missing required field Principal');
  for (const [type, values] of Object.entries(principal ?? notPrincipal ?? {})) {
    if (!values.every((value) => isPrincipal(type, value))) throw malformedPolicy('Invalid principal in policy');
  }
  for (const action of actions ?? notActions ?? []) {
    if (action !== '*' && !/^s3:[\w*?]+$/i.test(action)) throw malformedPolicy('Policy has invalid action');
  }
  const named = resources ?? notResources;
  if (!named) throw malformedPolicy('Missing required field Resource');
  if (!named.every(isOwn)) throw malformedPolicy('Policy has invalid resource');
  if (actions && resources && !actions.every((action) => resources.some((resource) => applies(action, resource)))) {
    throw malformedPolicy('Action does not apply to any resource(s) in statement');
  }
}

/** An account, an ARN without wildcards, CloudFront's origin access identity; an id stands for somebody who was deleted. */
const PRINCIPALS: readonly RegExp[] = [
  /^\d{12}$/,
  /^arn:aws:(iam|sts)::\d{12}:(root|(user|role|assumed-role|federated-user)\/[\w+=,.@/-]+)$/,
  /^arn:aws:iam::cloudfront:user\/CloudFront Origin Access Identity \w+$/,
];

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
function isPrincipal(type: string, value: string): boolean {
  switch (type) {
    case 'AWS':
      return value === '*' || PRINCIPALS.some((pattern) => pattern.test(value));
    case 'Service':
      return /^[a-z0-9.-]+\.amazonaws\.com$/.test(value);
    case 'CanonicalUser':
      return /^[0-9a-f]{64}$/.test(value);
    case 'Federated':
      return value.length > 0;
    default:
      return false;
  }
}

function isOfBucket(resource: string, bucket: string): boolean {
  const arn = `arn:aws:s3:::${bucket}`;
  return resource === '*' || resource === arn || resource.startsWith(`${arn}/`) || globMatches(resource, arn) || globMatches(resource, `${arn}/key`);
}

/**
 * Actions on objects; those of a bucket's settings and listings are the rest.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 */
const OBJECT_ACTIONS: readonly string[] = [
  's3:AbortMultipartUpload', 's3:BypassGovernanceRetention', 's3:DeleteObject', 's3:DeleteObjectTagging', 's3:DeleteObjectVersion', 's3:DeleteObjectVersionTagging',
  's3:GetObject', 's3:GetObjectAcl', 's3:GetObjectAttributes', 's3:GetObjectLegalHold', 's3:GetObjectRetention', 's3:GetObjectTagging', 's3:GetObjectTorrent',
  's3:GetObjectVersion', 's3:GetObjectVersionAcl', 's3:GetObjectVersionAttributes', 's3:GetObjectVersionForReplication', 's3:GetObjectVersionTagging',
  's3:GetObjectVersionTorrent', 's3:ListMultipartUploadParts', 's3:ObjectOwnerOverrideToBucketOwner', 's3:PutObject', 's3:PutObjectAcl', 's3:PutObjectLegalHold',
  's3:PutObjectRetention', 's3:PutObjectTagging', 's3:PutObjectVersionAcl', 's3:PutObjectVersionTagging', 's3:ReplicateDelete', 's3:ReplicateObject',
  's3:ReplicateTags', 's3:RestoreObject',
].map((action) => action.toLowerCase());

export function isObjectAction(action: string): boolean {
  return OBJECT_ACTIONS.includes(action.toLowerCase());
}

function applies(action: string, resource: string): boolean {
  const pattern = action.toLowerCase();
  const onObjects = OBJECT_ACTIONS.some((name) => globMatches(pattern, name));
  // Lenient with patterns: s3:Get* is for settings of buckets too.
  const onBuckets = !onObjects || /[*?]/.test(pattern);
  const namesObjects = resource.includes('/') || resource.endsWith('*');
  const namesBuckets = !resource.includes('/');
  return (onObjects && namesObjects) || (onBuckets && namesBuckets);
}
