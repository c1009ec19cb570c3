import type { Direction } from '../incident.ts';
import type { Judgement } from '../quarantine/look.ts';

/** One look: what IAM says to requests that the old credentials would send, and what is not as it was left. */
export interface PrincipalLook {
  /** Each with the answer: `denied` by a deny that names it, `open` otherwise; `unknown` where IAM did not say. */
  readonly tried: readonly { readonly what: string; readonly answer: 'denied' | 'open' | 'unknown' }[];
  /** Settings, by name. */
  readonly drifted: readonly string[];
}

/** @param before - good looks in a row so far; `count` - looks so far, this one included */
export function judgePrincipal(look: PrincipalLook, direction: Direction, limits: { readonly needed: number; readonly allowed: number }, before: number, count: number): Judgement {
  const wanted = direction === 'contain' ? 'denied' : 'open';
  const wrong = look.tried.filter(({ answer }) => answer !== wanted).map(({ what, answer }) => `${what}: ${answer === 'unknown' ? 'no answer' : answer}`);
  const faults = [...wrong, ...(look.drifted.length > 0 ? [`${look.drifted.join(', ')} is not as it was left: somebody changed it`] : [])];
  const verdict = (streak: number): Judgement['verdict'] => (streak >= limits.needed ? 'verified' : count >= limits.allowed ? 'unverified' : 'pending');
  if (faults.length > 0) return { streak: 0, verdict: count >= limits.allowed ? 'unverified' : 'pending', reason: faults.join('; ') };
  const streak = before + 1;
  return { streak, verdict: verdict(streak), reason: `${direction === 'contain' ? 'what the old credentials ask for is denied' : 'nothing of this incident denies any more'}, ${streak} ${streak === 1 ? 'look' : 'looks'} in a row` };
}
