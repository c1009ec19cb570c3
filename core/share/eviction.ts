import { listed, plain } from '../text.ts';

/** What of a cache is to go: paths of a distribution, or tags. */
export interface Eviction {
  /** Items of an invalidation: `/albums/summer/*`, `#album:summer`. */
  readonly items: readonly string[];
  readonly notes: readonly string[];
}

/**
 * "up to 3,000 files per distribution in progress at one time", and with the wildcard "up to 15 invalidation paths".
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
 */
export const PATHS = 3_000;
export const WILDCARDS = 15;
/** Characters of all paths together: a plan is an item of 400 KB. */
const LONGEST = 100_000;
/** Paths a month that cost nothing, and dollars for each one beyond. @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html (1,000 a month of an account, a tag counts as a path), https://aws.amazon.com/cloudfront/pricing/ ($0.005) */
const FREE = 1_000;
const PRICE = 0.005;

/**
 * The fewest things to invalidate so that no copy of an object stays in a distribution's caches. Keys become paths, prefixes
 * wildcards; over CloudFront's limits folders stand for what is in them, and the notes say what else that evicts. Evicting
 * too much costs requests to the origin, and breaks nothing.
 *
 * @param places - all that one distribution serves of it, by each origin: `originPath` is the folder that is its root, `''` or `/public`
 */
export function evictionByPath(places: readonly { readonly prefixes: readonly string[]; readonly keys: readonly string[]; readonly originPath?: string }[]): Eviction {
  const served = places.map(({ prefixes, keys, originPath = '' }) => {
    const folder = originPath.replaceAll(/^\/+|\/+$/g, '');
    const root = folder === '' ? '' : `${folder}/`;
    const of = (key: string) => (key.startsWith(root) ? [key.slice(root.length)] : []);
    // A prefix above the root covers all of it.
    return { prefixes: prefixes.flatMap((prefix) => (root.startsWith(prefix) ? [''] : of(prefix).map(beforeStar))), keys: keys.flatMap(of) };
  });
  const wanted = new Set(served.flatMap(({ prefixes }) => prefixes));
  const keys = [...new Set(served.flatMap((place) => place.keys))].filter((key) => ![...wanted].some((prefix) => key.startsWith(prefix)));
  // A path holds no wildcard but its last character: what has a star in it is reached by what stands before.
  for (const key of keys.filter((entry) => entry.includes('*'))) wanted.add(beforeStar(key));
  const exact = keys.filter((key) => !key.includes('*'));
  const isMany = exact.length > PATHS || exact.join('').length > LONGEST;
  const wildcards = fewer(isMany ? new Set([...wanted, ...exact.map(folderOf)]) : wanted);
  const paths = isMany ? [] : exact.filter((key) => !wildcards.some((prefix) => key.startsWith(prefix)));
  const beside = wildcards.filter((prefix) => !wanted.has(prefix));
  const items = [...wildcards.map((prefix) => `/${encoded(prefix)}*`), ...paths.map((key) => `/${encoded(key)}`)];
  const why = isMany ? `${exact.length} paths are more than one invalidation may hold` : `${wanted.size} wildcards are more than the ${WILDCARDS} that may be in progress`;
  return {
    items,
    notes: [
      ...(beside.length === 0 ? [] : [`${why}: ${beside.length === 1 && beside[0] === '' ? 'the whole cache is' : `everything under ${named(beside)} is`} evicted, and is fetched from the origin again.`]),
      ...costNotes(items.length),
    ],
  };
}

/**
 * The same by a cache tag, which reaches every copy of an album's pictures wherever they lie.
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html
 */
export function evictionByTag(tag: string): Eviction {
  return { items: [`#${tag}`], notes: [] };
}

/** Whether CloudFront takes it: visible ASCII without commas, at most 256 characters, no wildcard. */
export function isCacheTag(tag: string): boolean {
  return tag.length <= 256 && /^[!-+\--~]+$/.test(tag) && !tag.includes('*');
}

/** Folders take the place of what lies in them, deepest first, until there are few enough. */
function fewer(prefixes: ReadonlySet<string>): readonly string[] {
  let kept = outermost(prefixes);
  while (kept.length > WILDCARDS) {
    const depth = Math.max(...kept.map(depthOf));
    kept = outermost(new Set(kept.map((prefix) => (depthOf(prefix) === depth ? folderOf(prefix.replace(/\/$/, '')) : prefix))));
  }
  return kept;
}

function outermost(prefixes: ReadonlySet<string>): readonly string[] {
  const sorted = [...prefixes].toSorted();
  const kept: string[] = [];
  // Sorted, what covers an entry stands before it.
  for (const prefix of sorted) if (kept.length === 0 || !prefix.startsWith(kept.at(-1) ?? '\0')) kept.push(prefix);
  return kept;
}

function beforeStar(key: string): string {
  return key.split('*')[0] ?? '';
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

function depthOf(prefix: string): number {
  return prefix.split('/').length;
}

function encoded(key: string): string {
  return key.split('/').map(encodeURIComponent).join('/');
}

/** Encoded, since a key is anybody's text; the first of many. */
function named(prefixes: readonly string[]): string {
  const shown = prefixes.slice(0, SHOWN).map((prefix) => plain(`/${encoded(prefix)}`));
  return prefixes.length <= SHOWN ? listed(shown) : `${shown.join(', ')} and ${prefixes.length - SHOWN} more folders`;
}
const SHOWN = 5;

function costNotes(items: number): readonly string[] {
  return items <= FREE ? [] : [`${items} paths: the ${items - FREE} beyond ${FREE} a month cost $${((items - FREE) * PRICE).toFixed(2)}, or more where others were invalidated this month.`];
}
