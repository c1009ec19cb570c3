import type { Direction } from '../incident.ts';
import type { Answer, Judgement } from '../quarantine/look.ts';

/** One look at what a revocation did, from every side it speaks about. */
export interface ShareLook {
  readonly direction: Direction;
  /** Requests from outside: what was asked for, what came, and what should. */
  readonly seen: readonly { readonly what: string; readonly answer: Answer; readonly expected: Answer }[];
  /** Settings that are not as the ledger says they were left, by name. */
  readonly drifted: readonly string[];
  /** What reading back found wrong, in words. */
  readonly wrong: readonly string[];
  /** Why looking from outside proves nothing; `null` where it does. */
  readonly blind: string | null;
}

/**
 * Judge a look: as for a quarantine, `verified` takes several good looks in a row across a window.
 *
 * @param before - good looks in a row so far
 * @param count - looks so far, this one included
 */
export function judgeShares(look: ShareLook, expected: { readonly needed: number; readonly allowed: number }, before: number, count: number): Judgement {
  const faults = [...look.seen.filter(({ answer, expected: wanted }) => answer !== wanted).map(({ what, answer, expected: wanted }) => `${what} was ${answer === 'unknown' ? 'not answered' : answer}, and should be ${wanted}`), ...look.wrong, ...look.drifted.map((setting) => `${setting} is not as it was left: somebody changed it`)];
  const last = count >= expected.allowed;
  if (faults.length > 0) return { streak: 0, verdict: last ? 'unverified' : 'pending', reason: faults.join('; ') };
  const streak = before + 1;
  const looks = `${streak} ${streak === 1 ? 'look' : 'looks'} in a row`;
  if (look.blind !== null) return { streak, verdict: streak >= expected.needed || last ? 'unverified' : 'pending', reason: `${look.blind}; read back, it is as it should be, ${looks}` };
  const refused = look.seen.filter(({ answer }) => answer === 'refused').length;
  const served = look.seen.filter(({ answer }) => answer === 'served').length;
  const asked = [...(refused > 0 ? [`${refused} refused`] : []), ...(served > 0 ? [`${served} served`] : [])].join(', ');
  return { streak, verdict: streak >= expected.needed ? 'verified' : last ? 'unverified' : 'pending', reason: `of ${look.seen.length} requests from outside ${asked}, as it should be, ${looks}` };
}
