import type { Direction, LedgerEntry } from '../incident.ts';
import { same } from '../quarantine/levels.ts';
import type { Judgement } from '../quarantine/look.ts';
import { keysOn, settingFor } from './contain.ts';
import type { PrincipalState } from './principal.ts';

/** One look: what IAM says to requests that the old credentials would send, and what is not as it was left. */
export interface PrincipalLook {
  /** Each with the answer: `denied` by a deny that names it, `open` otherwise; `unknown` where IAM did not say. `by`: the policy of another incident, where that is what denies. */
  readonly tried: readonly { readonly what: string; readonly answer: 'denied' | 'open' | 'unknown'; readonly by?: string }[];
  /** Settings, by name. */
  readonly drifted: readonly string[];
}

/** What is not as a direction left it: settings of the ledger, and after a containment any access key that works, whoever made it when. */
export function driftedSince(ledger: readonly LedgerEntry[], direction: Direction, state: PrincipalState): readonly string[] {
  const left = new Map(ledger.filter((entry) => entry.direction === direction && entry.result === 'done').map((entry) => [entry.setting, entry]));
  const moved = [...left.values()].filter((entry) => !same(settingFor(state, entry), entry.after)).map(({ setting }) => setting);
  return [...new Set([...moved, ...(direction === 'contain' ? keysOn(state) : [])])];
}

/** @param before - good looks in a row so far; `count` - looks so far, this one included */
export function judgePrincipal(look: PrincipalLook, direction: Direction, limits: { readonly needed: number; readonly allowed: number }, before: number, count: number): Judgement {
  const wanted = direction === 'contain' ? 'denied' : 'open';
  // Another incident's denial stands for its own reasons: it is not this one's that was not lifted.
  const others = direction === 'contain' ? [] : [...new Set(look.tried.flatMap(({ by }) => by ?? []))];
  const wrong = look.tried.filter(({ answer, by }) => answer !== wanted && (direction === 'contain' || by === undefined)).map(({ what, answer }) => `${what}: ${answer === 'unknown' ? 'no answer' : answer}`);
  const faults = [...wrong, ...(look.drifted.length > 0 ? [`${look.drifted.join(', ')} is not as it was left: somebody changed it`] : [])];
  const verdict = (streak: number): Judgement['verdict'] => (streak >= limits.needed ? 'verified' : count >= limits.allowed ? 'unverified' : 'pending');
  if (faults.length > 0) return { streak: 0, verdict: count >= limits.allowed ? 'unverified' : 'pending', reason: faults.join('; ') };
  const streak = before + 1;
  return { streak, verdict: verdict(streak), reason: `${direction === 'contain' ? 'what the old credentials ask for is denied' : `nothing of this incident denies any more${others.length === 0 ? '' : `, and another one does (${others.join(', ')})`}`}, ${streak} ${streak === 1 ? 'look' : 'looks'} in a row` };
}
