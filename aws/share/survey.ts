import { judgedShareLinks, type Judged } from './judged.ts';
import type { Tools } from '../function.ts';
import { later, MAKERS_CLOCK_MS } from '../../core/share/revocation.ts';
import { lanesOf, type Lane, type ShareScope } from '../../core/share/scope.ts';
import { probesOf, type Survey } from '../../core/share/survey.ts';
import { shareLinkOf, textOf } from '../share-links.ts';
import type { Reach } from './kind.ts';
import { countLinks, getLinks, readLinks, searchLinks, type LinkKey } from './links.ts';

/** Keys read from each end of a scope, all lanes together: what DynamoDB puts into one page of 1 MB. */
const READ = 4000;
/** Links looked at one by one: one batch read. */
const SAMPLE = 100;

/**
 * Counts a scope's links and reads a bounded number of them: the oldest and the newest. Changes nothing.
 *
 * @param options.pages - of the count, of 1 MB each: beyond them it says "at least"
 */
export async function surveyLinks(tools: Tools, scope: ShareScope, options: { readonly pages?: number } = {}): Promise<Survey> {
  const reading = endsOf(tools, scope);
  const [found, sampled] = await Promise.all([findLinks(tools, scope, options, reading), reading.then((read) => judgeSome(tools, read))]);
  return { ...found, sampled };
}

/** The same without having looked at any link: what tells where they lead to, for whoever has to read there. */
export async function findLinks(tools: Tools, scope: ShareScope, { pages }: { readonly pages?: number }, reading = endsOf(tools, scope)): Promise<Omit<Survey, 'sampled'>> {
  const [counts, read, containing] = await Promise.all([Promise.all(lanesOf(scope).map((lane) => countLinks(tools, lane, { pages }))), reading, containingLinks(tools, scope)]);
  return {
    count: scope.kind === 'links' ? read.length : counts.reduce((sum, { count }) => sum + count, 0),
    counted: counts.every(({ complete }) => complete),
    read,
    containing,
  };
}

/** Some of a scope's links as they are now. */
export async function sampleLinks(tools: Tools, scope: ShareScope): Promise<readonly Judged[]> {
  return await judgeSome(tools, await endsOf(tools, scope));
}

/** Some of these links as they are now, spread over all of them. */
export async function judgeSome(tools: Tools, read: Survey['read']): Promise<readonly Judged[]> {
  const probes = probesOf(read, SAMPLE);
  return await judgedShareLinks(tools, probes.map(({ linkId }) => linkId), probes);
}

async function endsOf(tools: Tools, scope: ShareScope): Promise<readonly LinkKey[]> {
  return scope.kind === 'links' ? await namedLinks(tools, scope.linkIds) : await ends(tools, lanesOf(scope));
}

/** Links that were made since an instant are looked for among so many pages where an index is not ordered by time. */
const SEARCHED = 25;
/** The newest ones that are enough. */
const NEWEST = 10;

/**
 * Ids of links of a scope that were made after an instant (ISO 8601), the newest first; none that say they will be made. Where links are found by what they lead to,
 * some 100,000 of a lane are looked through; named links are never new.
 */
export async function linksMadeSince(tools: Tools, scope: ShareScope, since: string): Promise<readonly string[]> {
  const until = later(tools.now(), MAKERS_CLOCK_MS);
  const found = await Promise.all(
    lanesOf(scope).map(async (lane) => (lane.index === 'bucket' ? await searchLinks(tools, lane, since, until, { pages: SEARCHED, enough: NEWEST }) : (await readLinks(tools, { ...lane, range: { since } }, { part: { lane: 0, from: null, to: until }, limit: NEWEST, newestFirst: true })).links)),
  );
  const made = found.flat().filter(({ issuedAt }) => issuedAt > since);
  return made.toSorted((a, b) => b.issuedAt.localeCompare(a.issuedAt)).slice(0, NEWEST).map(({ linkId }) => linkId);
}

/** Where the links that were read lead to, by bucket. */
export function reachOf(scope: ShareScope, read: readonly Pick<Survey['read'][number], 'bucket' | 'objectKey'>[]): readonly Reach[] {
  if (scope.kind === 'bucket') return [{ bucket: scope.bucket, prefixes: [''], keys: [] }];
  if (scope.kind === 'prefix') return [{ bucket: scope.bucket, prefixes: [scope.prefix], keys: [] }];
  if (scope.kind === 'objects') return [{ bucket: scope.bucket, prefixes: [], keys: scope.objectKeys }];
  const byBucket = Map.groupBy(read, ({ bucket }) => bucket);
  return [...byBucket].map(([bucket, links]) => {
    const leads = [...new Set(links.map(({ objectKey }) => objectKey))].toSorted();
    const prefixes = leads.filter((key) => key.endsWith('/'));
    return { bucket, prefixes, keys: leads.filter((key) => !key.endsWith('/') && !prefixes.some((prefix) => key.startsWith(prefix))) };
  });
}

async function ends(tools: Tools, lanes: readonly Lane[]): Promise<readonly LinkKey[]> {
  const limit = Math.max(1, Math.floor(READ / Math.max(1, lanes.length)));
  const pages = await Promise.all(lanes.flatMap((lane) => [readLinks(tools, lane, { limit }), readLinks(tools, lane, { limit, newestFirst: true })]));
  return [...new Map(pages.flatMap(({ links }) => links).map((link) => [link.linkId, link])).values()].toSorted((a, b) => a.range.localeCompare(b.range) || a.linkId.localeCompare(b.linkId));
}

/** Links by id, strongly consistent: at most 100. */
export async function namedLinks(tools: Tools, ids: readonly string[]): Promise<readonly LinkKey[]> {
  const items = await getLinks(tools, ids);
  const { attributes } = tools.settings.STOPBATH_SHARES.links;
  return items.map((item) => {
    const { linkId, albumId, ownerId, bucket } = shareLinkOf(item, tools.settings.STOPBATH_SHARES);
    const issuedAt = textOf(item, attributes.issuedAt) ?? '';
    return { linkId, albumId, ownerId, bucket, issuedAt, range: issuedAt, objectKey: textOf(item, attributes.objectKey) ?? '' };
  });
}

/** Links to the albums above an object: `albums/` and `albums/summer/` for `albums/summer/1.jpg`. */
async function containingLinks(tools: Tools, scope: ShareScope): Promise<number> {
  if (scope.kind !== 'objects') return 0;
  const above = new Set(scope.objectKeys.flatMap((key) => [...key.matchAll(/\//g)].map(({ index }) => key.slice(0, index + 1))));
  const counts = await Promise.all([...above].slice(0, 50).map((only) => countLinks(tools, { index: 'bucket', hash: scope.bucket, range: { only } })));
  return counts.reduce((sum, { count }) => sum + count, 0);
}
