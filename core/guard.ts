import { globMatches } from './glob.ts';
import type { Direction, Target } from './incident.ts';

/** The guard's own data, as it was read; `unreadable` where it could not be: then nothing may be changed. */
export type GuardState =
  | { readonly paused: null | { readonly by: string; readonly at: string; readonly reason: string } }
  | { readonly unreadable: string };

/**
 * Whether anything may be contained at all now. Fails closed: what cannot be read forbids, and no approval lifts it.
 * Restoring is always allowed, since the way back must not depend on the switch that somebody threw in a hurry.
 *
 * @returns why not, in one sentence; `null` where it may
 */
export function guardSays(direction: Direction, state: GuardState): string | null {
  if (direction === 'restore') return null;
  if ('unreadable' in state) return `the guard's data cannot be read, so nothing is changed: ${state.unreadable}`;
  return state.paused ? `containment is paused since ${state.paused.at} by ${state.paused.by}: ${state.paused.reason}` : null;
}

/**
 * Whether a target is changed only with an approval of two persons.
 *
 * @param protectedBuckets - name patterns: `*` matches any run of characters
 * @returns the pattern that says so
 */
export function protectedBy(target: Target, protectedBuckets: readonly string[]): string | null {
  return protectedBuckets.find((entry) => globMatches(entry, target.name)) ?? null;
}
