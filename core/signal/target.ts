import type { Target } from '../incident.ts';

/** Names that S3 gives or once gave: old buckets of us-east-1 have capitals, underscores and up to 255 characters; three are the fewest. */
const BUCKET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{2,254}$/;

export interface Place {
  readonly partition: string;
  readonly account: string;
  readonly region: string;
}

/** The first of them that is an account: 12 digits. `''` where none is: then nothing can be done there. */
export function accountOf(...candidates: readonly unknown[]): string {
  return firstLike(/^\d{12}$/, candidates);
}

/** The first of them that can be a region's name: it becomes a part of host names. `''` where none can. */
export function regionOf(...candidates: readonly unknown[]): string {
  return firstLike(/^[a-z0-9-]{1,32}$/, candidates);
}

function firstLike(shape: RegExp, candidates: readonly unknown[]): string {
  return candidates.find((value): value is string => typeof value === 'string' && shape.test(value)) ?? '';
}

/** @returns `null` where that cannot be a bucket's name */
export function bucketTarget(name: unknown, { partition, account, region }: Place): Target | null {
  if (typeof name !== 'string' || !BUCKET_NAME.test(name)) return null;
  return { kind: 'bucket', arn: `arn:${partition}:s3:::${name}`, name, account, region };
}

/** The object's ARN carries its key as it is; keys are up to 1,024 bytes of UTF-8, which half a surrogate pair is not. */
export function objectTarget(bucket: unknown, key: unknown, place: Place): Target | null {
  const target = bucketTarget(bucket, place);
  if (!target || typeof key !== 'string' || key === '' || !key.isWellFormed() || Buffer.byteLength(key) > 1024) return null;
  return { ...target, kind: 'object', arn: `${target.arn}/${key}`, name: `${target.name}/${key}` };
}

export function accountTarget({ partition, account, region }: Place): Target {
  return { kind: 'account', arn: `arn:${partition}:iam::${account}:root`, name: account, account, region };
}

export function otherTarget(kind: Target['kind'], arn: string, name: string, { account, region }: Place): Target {
  return { kind, arn: kind === 'principal' ? withoutPath(arn) : arn, name, account, region };
}

/**
 * The ARN by which a user or a role is a target, so that whoever names it with its path and whoever names it without mean one: its name
 * alone is unique in an account. What IAM itself compares (`aws:PrincipalArn` of a role) has the path.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names ("must be unique within an account")
 */
export function withoutPath(arn: string): string {
  return arn.replace(/^(arn:[\w-]{1,32}:iam::\d{12}:(?:user|role)\/).*\//s, '$1');
}

/** What stands for a principal where the event names none. */
export const UNKNOWN_PRINCIPAL = 'somebody unknown';

/** Without repeats, in order. */
export function unique(targets: readonly (Target | null)[]): readonly Target[] {
  return [...new Map(targets.filter((target) => target !== null).map((target) => [target.arn, target])).values()];
}

/** ISO 8601 UTC with milliseconds; `fallback` where the text is no time. */
export function timeOf(text: unknown, fallback: string): string {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? fallback : new Date(ms).toISOString();
}
