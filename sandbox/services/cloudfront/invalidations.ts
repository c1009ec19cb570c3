import type { Invalidation as Output, InvalidationBatch } from '@aws-sdk/client-cloudfront';
import { AwsError } from '../../service.ts';
import type { Cached, Distribution } from './distribution.ts';

export interface Invalidation {
  readonly id: string;
  readonly reference: string;
  /** Paths (`/albums/*`) and tags (`#album:1`), as they were given. */
  readonly items: readonly string[];
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly completedAt: number;
}

/**
 * "up to 3,000 files per distribution in progress at one time"; with a wildcard "up to 15 invalidation paths in
 * progress"; tags count like paths.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
 */
const LIMITS = { paths: 3_000, wildcards: 15 } as const;
/** Characters. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html */
const LONGEST_PATH = 4_000;
const LONGEST_TAG = 256;

/**
 * @throws {AwsError} InconsistentQuantities, InvalidArgument, TooManyInvalidationsInProgress, InvalidationBatchAlreadyExists
 * @see https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
 */
export function invalidate(distribution: Distribution, batch: InvalidationBatch | undefined, at: { readonly now: number; readonly takesMs: number; readonly random: () => number }): Invalidation {
  const items = batch?.Paths?.Items ?? [];
  const reference = batch?.CallerReference ?? '';
  if (batch?.Paths?.Quantity !== items.length) throw new AwsError('InconsistentQuantities', 'The value of Quantity and the size of Items do not match.');
  if (items.length === 0 || !items.every(isItem)) throw new AwsError('InvalidArgument', 'Your request contains one or more invalid invalidation paths.');
  const before = distribution.invalidations.find((invalidation) => invalidation.reference === reference);
  if (before) {
    if (before.items.join('\n') === items.join('\n')) return before;
    throw new AwsError('InvalidationBatchAlreadyExists', 'Your request contains a CallerReference that has been used for a previous invalidation batch, but the content differs.', 409);
  }
  const running = distribution.invalidations.filter((invalidation) => statusAt(invalidation, at.now) === 'InProgress').flatMap((invalidation) => invalidation.items);
  const wildcards = [...running, ...items].filter((item) => item.endsWith('*') && item.startsWith('/')).length;
  if (wildcards > LIMITS.wildcards || running.length + items.length - wildcards > LIMITS.paths) {
    throw new AwsError('TooManyInvalidationsInProgress', 'Processing your request will cause you to exceed the maximum number of in-progress invalidations.');
  }
  const id = `I${Array.from({ length: 13 }, () => Math.floor(at.random() * 36).toString(36)).join('').toUpperCase()}`;
  const made: Invalidation = { id, reference, items, createdAt: at.now, completedAt: at.now + at.takesMs };
  distribution.invalidations.push(made);
  return made;
}

export function statusAt({ completedAt }: Invalidation, now: number): 'InProgress' | 'Completed' {
  return now < completedAt ? 'InProgress' : 'Completed';
}

export function asOutput(invalidation: Invalidation, now: number): Output {
  const { id, reference, items, createdAt } = invalidation;
  return { Id: id, Status: statusAt(invalidation, now), CreateTime: new Date(createdAt), InvalidationBatch: { CallerReference: reference, Paths: { Quantity: items.length, Items: [...items] } } };
}

/** Whether an invalidation that has completed took it away: those made before an object was stored do not count. */
export function isEvicted(distribution: Distribution, path: string, cached: Cached, now: number): boolean {
  return distribution.invalidations.some(
    (invalidation) => invalidation.createdAt >= cached.storedAt && statusAt(invalidation, now) === 'Completed' && invalidation.items.some((item) => names(item, path, cached)),
  );
}

function names(item: string, path: string, cached: Cached): boolean {
  if (item.startsWith('#')) return cached.tags.has(item.slice(1).toLowerCase());
  const named = decoded(item);
  return named.endsWith('*') ? path.startsWith(named.slice(0, -1)) : named === path;
}

/** "You can use a wildcard only at the end of the path"; of a tag not at all. */
function isItem(item: string): boolean {
  if (item.startsWith('#')) return item.length - 1 <= LONGEST_TAG && /^[!-+\--~]+$/.test(item.slice(1)) && !item.includes('*');
  return item.startsWith('/') && item.length <= LONGEST_PATH && !item.slice(0, -1).includes('*') && /^[!-~]+$/.test(item);
}

export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
