/**
 * The part of a share link that decides whether it works. Times are ISO 8601 UTC with milliseconds.
 */
export interface ShareLink {
  readonly linkId: string;
  readonly albumId: string;
  readonly ownerId: string;
  readonly bucket: string;
  readonly status: string;
  readonly expiresAt: string | null;
  /** When its owner ended it; `null` where nobody did. Said beside `status`, so that a restore sees it. */
  readonly endedAt: string | null;
  /** The epoch of each scope when the link was made; a link from before epochs has none, which counts as 0. */
  readonly epochs: { readonly [kind in ScopeKind]?: number };
}

export type ScopeKind = 'album' | 'owner' | 'bucket';
export const SCOPE_KINDS = ['album', 'owner', 'bucket'] as const satisfies readonly ScopeKind[];

/** What the epochs table says of an album, an owner or a bucket. */
export interface ScopeState {
  /** The epoch that new links get. */
  readonly epoch: number;
  /** Links of this scope with an epoch up to `through` are dead, for as long as the range stands. One a revocation. */
  readonly revoked: readonly { readonly through: number; readonly incident: string }[];
}

/** A scope that was never revoked has no item: that is this. */
export const UNTOUCHED: ScopeState = { epoch: 0, revoked: [] };

export type LinkVerdict = { readonly live: true } | { readonly live: false; readonly because: 'revoked' | 'ended' | 'expired' };

/**
 * Whether a share link works now. A share service asks this at every request, before it looks at the link's secret.
 *
 * A revocation adds a range to a scope and never moves a number back, so that its restore (which takes the range out
 * again) revives exactly what it killed: a link that two ranges cover needs both gone, and a new link is never covered.
 * An epoch that its scope has not reached is no honest maker's: the scopes are read after the link, and their numbers never fall.
 *
 * @param scopes - the state of all scopes of the link, by `scopeKey`, from one strongly consistent read; `null` for one
 *   that has no item. A scope that is missing here was not read: then nobody knows, and the link does not work.
 * @param now - ISO 8601 UTC with milliseconds
 * @param active - the value of `status` of a link that works
 */
export function checkShareLink(link: ShareLink, scopes: ReadonlyMap<string, ScopeState | null>, now: string, active = 'active'): LinkVerdict {
  if (link.endedAt !== null) return { live: false, because: 'ended' };
  if (link.status !== active) return { live: false, because: 'revoked' };
  for (const kind of SCOPE_KINDS) {
    const scope = scopes.get(scopeKey(kind, link));
    if (scope === undefined) return { live: false, because: 'revoked' };
    const epoch = link.epochs[kind] ?? 0;
    const { epoch: reached, revoked } = scope ?? UNTOUCHED;
    if (!(epoch <= reached) || revoked.some(({ through }) => epoch <= through)) return { live: false, because: 'revoked' };
  }
  if (link.expiresAt !== null && !(Date.parse(now) < Date.parse(link.expiresAt))) return { live: false, because: 'expired' };
  return { live: true };
}

/** The key of a scope in the epochs table: `album#summer-2026`. */
export function scopeKey(kind: ScopeKind, link: Pick<ShareLink, 'albumId' | 'ownerId' | 'bucket'>): string {
  return `${kind}#${kind === 'bucket' ? link.bucket : kind === 'album' ? link.albumId : link.ownerId}`;
}

/** The keys of all scopes of a link: what to read before `checkShareLink`. */
export function scopesOf(link: Pick<ShareLink, 'albumId' | 'ownerId' | 'bucket'>): readonly string[] {
  return SCOPE_KINDS.map((kind) => scopeKey(kind, link));
}
