import type { Json } from '../bucket.ts';
import type { Change, LedgerEntry, Plan } from '../incident.ts';
import { epochKindOf, scopePhrase, type ShareScope } from './scope.ts';

/** The setting of the sweep: all links of a scope, as one change with its cutoff. */
export const SWEEP = 'sweep';

/**
 * Until when a link counts as old: by the epoch that it carries, by when it was issued, or always (links that are named). `since` is when that epoch was ended:
 * a link that carries a newer one and says it was issued before is old too.
 */
export type Cutoff = { readonly kind: 'album' | 'owner' | 'bucket'; readonly through: number; readonly since: string } | { readonly issuedUntil: string } | null;

/**
 * How far the clock of an honest maker of links may be off, ms: AWS, where the link is written, refuses nearly every request whose clock is off by more.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-signing.html (within five minutes of the time stamp)
 */
export const MAKERS_CLOCK_MS = 5 * 60_000;

/** ISO 8601 UTC with ms. */
export function later(instant: string, ms: number): string {
  return new Date(Date.parse(instant) + ms).toISOString();
}

/**
 * The sweep of a containment: what each link becomes, and which links.
 *
 * @param through - the last epoch that is revoked; `null` where the scope has none
 */
export function sweepChange(scope: ShareScope, through: number | null): Omit<Change, 'seq'> {
  const until: Json = through === null ? (scope.kind === 'links' ? 'these links' : 'issued until this is applied') : { epoch: through };
  return { setting: SWEEP, title: `Mark ${scopePhrase(scope)} revoked`, before: { status: 'active' }, after: { status: 'revoked', links: scopeJson(scope), until } };
}

/** The last epoch that a plan's changes revoke; `null` where it raises none. */
export function throughOf(changes: readonly Pick<Change, 'setting' | 'before'>[]): number | null {
  const epoch = changes.find(({ setting }) => setting.startsWith('epoch:'))?.before;
  return typeof epoch === 'object' && epoch !== null && 'epoch' in epoch ? Number(epoch['epoch']) : null;
}

/** @param appliedAt - when the sweep was written to the ledger: what is issued from then on is new */
export function cutoffOf(scope: ShareScope, plan: Pick<Plan, 'changes'>, appliedAt: string): Cutoff {
  const through = throughOf(plan.changes);
  const kind = epochKindOf(scope);
  if (through !== null && kind !== null) return { kind, through, since: appliedAt };
  return scope.kind === 'links' ? null : { issuedUntil: appliedAt };
}

/** Where every sweep of an incident's containments was given back, nothing of it is left to do. */
export function sweepsToUndo(ledger: readonly LedgerEntry[]): readonly LedgerEntry[] {
  const sweeps = ledger.filter(({ setting }) => setting === SWEEP);
  const restored = sweeps.findLastIndex(({ direction, result }) => direction === 'restore' && result === 'done');
  return sweeps.slice(restored + 1).filter(({ direction }) => direction === 'contain');
}

function scopeJson(scope: ShareScope): Json {
  switch (scope.kind) {
    case 'owner':
      // The target names the owner; here a word is enough.
      return { of: 'the owner' };
    case 'links':
      return { linkIds: [...scope.linkIds] };
    case 'objects':
      return { bucket: scope.bucket, objectKeys: [...scope.objectKeys] };
    default: {
      const { kind: _, ...rest } = scope;
      return { ...rest };
    }
  }
}

/** What a restore opens again, in words: somebody else has to agree to it. */
export function reopensLinks(changes: readonly Pick<Change, 'setting'>[]): readonly string[] {
  const any = (...kinds: readonly string[]) => changes.some(({ setting }) => kinds.includes(setting.split(':')[0] ?? ''));
  return [...(any(SWEEP, 'epoch') ? ['the links that this incident revoked work again'] : []), ...(any('policy', 'signer') ? ['URLs of these pictures that were handed out before are answered again'] : [])];
}
