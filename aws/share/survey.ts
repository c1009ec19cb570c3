import { judgedShareLinks } from './judged.ts';
import type { Tools } from '../function.ts';
import { lanesOf, type Lane, type ShareScope } from '../../core/share/scope.ts';
import { probesOf, type Survey } from '../../core/share/survey.ts';
import { shareLinkOf, textOf } from '../share-links.ts';
import type { Reach } from './kind.ts';
import { countLinks, getLinks, readLinks, type LinkKey } from './links.ts';

/** Keys read from each end of a scope, all lanes together. */
const READ = 500;
/** Links looked at one by one: one batch read. */
const SAMPLE = 100;

/** Counts a scope's links and reads a bounded number of them: the oldest and the newest. Changes nothing. */
export async function surveyLinks(tools: Tools, scope: ShareScope): Promise<Survey> {
  const lanes = lanesOf(scope);
  const [counts, { read, sampled }, containing] = await Promise.all([Promise.all(lanes.map((lane) => countLinks(tools, lane))), sampleLinks(tools, scope), containingLinks(tools, scope)]);
  return {
    count: scope.kind === 'links' ? read.length : counts.reduce((sum, { count }) => sum + count, 0),
    counted: counts.every(({ complete }) => complete),
    read,
    sampled,
    containing,
  };
}

/** The ends of a scope, and some of its links as they are now. */
export async function sampleLinks(tools: Tools, scope: ShareScope): Promise<Pick<Survey, 'read' | 'sampled'>> {
  const read = scope.kind === 'links' ? await namedLinks(tools, scope.linkIds) : await ends(tools, lanesOf(scope));
  return { read, sampled: await judgedShareLinks(tools, probesOf(read, SAMPLE).map(({ linkId }) => linkId)) };
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

async function namedLinks(tools: Tools, ids: readonly string[]): Promise<readonly LinkKey[]> {
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
