import type { Json } from '../bucket.ts';
import type { KnownState } from '../exposure.ts';
import type { LedgerEntry } from '../incident.ts';
import { inForce, standing } from '../outcome.ts';
import { BLOCK_ALL, same, withoutExpiry } from './levels.ts';
import { ownDenies } from './restore.ts';

/**
 * What of a quarantine is no longer there, tags aside, which stop nobody: the block, a deny that the ledger says was written, the lifecycle rules that
 * were switched off. Empty where the bucket is as closed as it was left, where a restore was begun since, or where not all is known.
 *
 * @param ledger - of the whole incident, in order
 */
export function undone(state: KnownState | undefined, ledger: readonly LedgerEntry[]): readonly string[] {
  if (!state || !inForce(ledger)) return [];
  // What nobody has acknowledged yet, nobody can have undone.
  const stands = standing(ledger).filter(({ result }) => result === 'done');
  if (stands.length === 0) return [];
  const { publicAccessBlock, policy, lifecycle } = state;
  if (publicAccessBlock === undefined || policy === undefined || lifecycle === undefined) return [];
  const left = new Map<string, Json>(stands.map(({ setting, after }) => [setting, after]));
  const present = ownDenies(policy);
  const gone = ownDenies(left.get('policy') ?? null).filter((deny) => !present.some((entry) => same(entry, deny)));
  return [
    ...(same(publicAccessBlock, BLOCK_ALL) ? [] : ['publicAccessBlock']),
    ...(gone.length === 0 ? [] : ['policy']),
    ...(!left.has('lifecycle') || same(lifecycle, withoutExpiry(lifecycle)) ? [] : ['lifecycle']),
  ];
}
