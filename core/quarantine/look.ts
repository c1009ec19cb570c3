import type { BucketState } from '../bucket.ts';
import type { Direction, LedgerEntry } from '../incident.ts';
import { isAs, settingOf } from './restore.ts';
import { listed } from '../text.ts';
import { LEVELS, type Level } from './levels.ts';

/** What one request from outside, or one read of the state, found. */
export type Answer = 'refused' | 'served' | 'unknown';

/** One look at a bucket from every side that the level speaks about. */
export interface Look {
  /** Nobody's request: object reads, a listing, each as an attacker would. */
  readonly anonymous: Answer;
  /** A signed read by a role of the account that no level exempts. */
  readonly inside: Answer;
  /** Whether the settings, as they are now, let the public in: its owner may have closed a bucket that was contained. */
  readonly open: boolean;
  /** Settings that are not as the ledger says they were left, by name. */
  readonly drifted: readonly string[];
}

export interface Judgement {
  /** Looks in a row that were as expected, this one included. */
  readonly streak: number;
  readonly verdict: 'verified' | 'pending' | 'unverified';
  /** One sentence: what was seen, and what was expected. */
  readonly reason: string;
}

export interface Expectation {
  readonly direction: Direction;
  /** What the plan reached. */
  readonly level: Level;
  /** What was asked for: a containment that reached less is never `verified`. */
  readonly asked: Level;
  /** Whom outside the bucket's policy still lets in at the level, one clause each. */
  readonly left: readonly string[];
  /** What anonymous requests got before the containment; a restore is measured by it. */
  readonly anonymousBefore: Answer;
  /** Good looks in a row that make it `verified`. */
  readonly needed: number;
  /** Looks after which it is `unverified`. */
  readonly allowed: number;
}

/**
 * Judge a look. `verified` takes refusals in a row across a window: AWS settings propagate over seconds, and for
 * a while old and new answers mix, so that one refusal proves nothing.
 *
 * @param before - good looks in a row so far
 * @param count - looks so far, this one included
 */
export function judge(look: Look, expected: Expectation, before: number, count: number): Judgement {
  const wrong = faults(look, expected);
  if (look.drifted.length > 0 && wrong.length === 0) {
    return { streak: 0, verdict: count >= expected.allowed ? 'unverified' : 'pending', reason: `${look.drifted.join(', ')} is not as it was left: somebody changed it` };
  }
  if (wrong.length > 0) {
    return { streak: 0, verdict: count >= expected.allowed ? 'unverified' : 'pending', reason: wrong.join('; ') };
  }
  const streak = before + 1;
  const { direction, level, asked, left } = expected;
  const contains = direction === 'contain';
  const isShort = contains && LEVELS.indexOf(level) < LEVELS.indexOf(asked);
  const seen = `${contains ? 'outside requests are refused' : repaired(look, expected) ? 'outside requests are refused: its owner has closed it since' : 'outside requests are answered as before'}, ${streak} ${streak === 1 ? 'look' : 'looks'} in a row`;
  const stays = contains && left.length > 0 ? `; level ${level} leaves in ${listed(left.slice(0, 5))}${left.length > 5 ? ` and ${left.length - 5} more` : ''}` : '';
  return {
    streak,
    verdict: streak >= expected.needed && !isShort ? 'verified' : streak >= expected.needed || count >= expected.allowed ? 'unverified' : 'pending',
    reason: `${isShort ? `level ${asked} was not reached (the bucket policy has no room for its deny), level ${level} was: ` : ''}${seen}${stays}`,
  };
}

function faults(look: Look, expected: Expectation): readonly string[] {
  const wrong: string[] = [];
  if (expected.direction === 'contain') {
    if (look.anonymous !== 'refused') wrong.push(look.anonymous === 'served' ? 'an anonymous request was still answered' : 'no answer to an anonymous request');
    if (expected.level === 'full' && look.inside !== 'refused') wrong.push(look.inside === 'served' ? 'a request signed by another role of the account was still answered' : 'no answer to a signed request');
  } else if (expected.anonymousBefore !== 'unknown' && look.anonymous !== expected.anonymousBefore && !repaired(look, expected)) {
    wrong.push(`an anonymous request was ${look.anonymous}; before the containment it was ${expected.anonymousBefore}`);
  }
  return wrong;
}

/** What was open before the containment is closed by its own settings now: no restore is to open it again. */
function repaired({ anonymous, open }: Look, { anonymousBefore }: Expectation): boolean {
  return anonymousBefore === 'served' && anonymous === 'refused' && !open;
}

/** The settings whose present value is not what the last entry of the ledger left; what other incidents deny in the policy is no difference. */
export function driftOf(ledger: readonly LedgerEntry[], now: BucketState): readonly string[] {
  const last = new Map(ledger.map((entry) => [entry.setting, entry]));
  return [...last.values()].filter((entry) => !isAs(entry, settingOf(now, entry.setting), entry.after)).map(({ setting }) => setting);
}
