import { globMatches } from './glob.ts';
import type { Direction, Target } from './incident.ts';

/** The guard's own data, as it was read; `unreadable` where it could not be: then nothing may be changed. */
export type GuardState =
  | { readonly paused: null | { readonly by: string; readonly at: string; readonly reason: string } }
  | { readonly unreadable: string };

export interface GuardRules {
  /** Whether a responder released this incident: that lifts protection, never the kill switch. */
  readonly released: boolean;
  /** Name patterns of buckets that are never contained without a person: `*` matches any run of characters. */
  readonly protectedBuckets: readonly string[];
}

/**
 * Whether a target may be changed now. Fails closed: what cannot be read forbids. Restoring is always allowed, since
 * the way back must not depend on the switch that somebody threw in a hurry.
 *
 * @returns why not, in one sentence; `null` where it may
 */
export function guardSays(direction: Direction, target: Target, state: GuardState, rules: GuardRules): string | null {
  if (direction === 'restore') return null;
  if ('unreadable' in state) return `the guard's data cannot be read, so nothing is changed: ${state.unreadable}`;
  if (state.paused) return `containment is paused since ${state.paused.at} by ${state.paused.by}: ${state.paused.reason}`;
  if (rules.released) return null;
  const pattern = rules.protectedBuckets.find((entry) => globMatches(entry, target.name));
  return pattern === undefined ? null : `the bucket is protected (${pattern}): a responder decides`;
}
