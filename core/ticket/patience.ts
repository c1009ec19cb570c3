/** How a tracker failed: for a while, for something that a person must put right, or without saying whether it took effect. */
export type Trouble = 'passing' | 'standing' | 'unanswered';

/** When a ticket that could not be written is tried again. */
export interface Patience {
  readonly trouble: Trouble;
  /** How often in a row it failed, this time included. */
  readonly failures: number;
  /** What the tracker itself asked for (`Retry-After`), in seconds; `null` where it said nothing. */
  readonly retryAfter: number | null;
  /** How long this try has gone on, in seconds. */
  readonly elapsed: number;
}

/** After this many seconds a ticket is given up: its message goes to the dead-letter queue, and a person sends it again. */
export const GIVE_UP = 12 * 3600;

/**
 * Seconds to wait, or `null` to give up. Never less than the tracker asked for. Above that anything up to a limit that doubles
 * (full jitter), so that a thousand tickets which were refused together do not come back together. What a person must put right (a
 * password, a project's name) is asked for less often; what was not answered waits until a search finds it.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function secondsToWait({ trouble, failures, retryAfter, elapsed }: Patience, random: () => number): number | null {
  if (elapsed >= GIVE_UP) return null;
  const [first, most] = WAITS[trouble];
  const ceiling = Math.min(most, first * 2 ** Math.min(failures, 16));
  const wait = Math.ceil(Math.max(retryAfter ?? 0, LEAST[trouble]) + random() * ceiling);
  return Math.min(wait, GIVE_UP);
}

/** The first limit and the last, in seconds. */
const WAITS: Readonly<Record<Trouble, readonly [number, number]>> = { passing: [15, 3600], standing: [900, 14_400], unanswered: [30, 3600] };
/** Jira's search and GitHub's lists show a new issue within seconds, not at once. */
const LEAST: Readonly<Record<Trouble, number>> = { passing: 1, standing: 60, unanswered: 30 };
