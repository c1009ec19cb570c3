import { checkShareLink, SCOPE_KINDS, scopeKey, scopesOf, type LinkVerdict, type ScopeState, type ShareLink } from '../../core/share/link.ts';
import type { Tools } from '../function.ts';
import { readScopes, shareLinkOf, textOf } from '../share-links.ts';
import { getLinks } from './links.ts';
import { incidentsOf } from './marks.ts';
import { ShareTablesError } from './tables.ts';

export interface Judged {
  readonly linkId: string;
  readonly verdict: 'live' | Exclude<LinkVerdict, { readonly live: true }>['because'];
  readonly bucket: string;
  readonly objectKey: string;
  readonly issuedAt: string;
  /** Incidents that revoke it now, by its mark or by an epoch. */
  readonly revokedBy: readonly string[];
  /** It carries an epoch that its scope has not reached. */
  readonly forged: boolean;
}

type Place = Pick<ShareLink, 'albumId' | 'ownerId' | 'bucket'>;

/** Keys of one BatchGetItem. */
const BATCH = 100;

/**
 * Links as their service would judge them now, by strongly consistent reads. Ids that do not exist are left out.
 *
 * @param places - where an index says that the links are: their scopes are read beside them
 * @throws {ShareTablesError} where a link has no status under the configured name
 */
export async function judgedShareLinks(tools: Tools, ids: readonly string[], places: readonly Place[] = []): Promise<readonly Judged[]> {
  const shares = tools.settings.STOPBATH_SHARES;
  const { attributes, values, table } = shares.links;
  const [items, ahead] = await Promise.all([ids.length === 0 ? [] : getLinks(tools, ids), scopesAt(tools, places.flatMap(scopesOf))]);
  const nameless = items.find((item) => typeof item[attributes.status] !== 'string');
  if (nameless) throw new ShareTablesError(`link ${String(nameless[attributes.linkId])} of ${table} has no ${attributes.status}: set shares.links.attributes.status in stopbath.config.json to what the service calls it`);
  const links = items.map((item) => ({ ...shareLinkOf(item, shares), objectKey: textOf(item, attributes.objectKey) ?? '', issuedAt: textOf(item, attributes.issuedAt) ?? '', marks: incidentsOf(item, shares) }));
  // A scope may have been read before its link: one that seems to lag behind it is read again.
  const lags = (link: ShareLink, known: typeof ahead) => SCOPE_KINDS.map((kind) => [scopeKey(kind, link), link.epochs[kind] ?? 0] as const).filter(([key, epoch]) => epoch > (known.get(key)?.epoch ?? 0)).map(([key]) => key);
  const again = new Set(links.flatMap((link) => lags(link, ahead)));
  const scopes = new Map([...ahead, ...(await scopesAt(tools, links.flatMap(scopesOf).filter((key) => !ahead.has(key) || again.has(key))))]);
  const now = tools.now();
  return links.map((link) => {
    const verdict = checkShareLink(link, scopes, now, values.active);
    const ranges = SCOPE_KINDS.flatMap((kind) => scopes.get(scopeKey(kind, link))?.revoked.filter(({ through }) => (link.epochs[kind] ?? 0) <= through) ?? []);
    const { linkId, bucket, objectKey, issuedAt, marks } = link;
    return { linkId, verdict: verdict.live ? 'live' : verdict.because, bucket, objectKey, issuedAt, revokedBy: [...new Set([...marks, ...ranges.map(({ incident }) => incident)])], forged: lags(link, scopes).length > 0 };
  });
}

async function scopesAt(tools: Tools, keys: readonly string[]): Promise<ReadonlyMap<string, ScopeState | null>> {
  const once = [...new Set(keys)];
  const pages = await Promise.all(Array.from({ length: Math.ceil(once.length / BATCH) }, (_, page) => readScopes(tools.clients.dynamo, once.slice(page * BATCH, (page + 1) * BATCH), tools.settings.STOPBATH_SHARES)));
  return new Map(pages.flatMap((page) => [...page]));
}
