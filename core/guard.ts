import type { Tag } from './bucket.ts';
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

/** What is configured to be changed only with an approval of two persons. */
export interface Protection {
  /** Name patterns: `*` matches any run of characters. */
  readonly buckets: readonly string[];
  /** `key=value`; `*` in the value matches any run of characters. */
  readonly tags: readonly string[];
}

/**
 * Whether a target is changed only with an approval of two persons.
 *
 * @param tags - the target's own; whoever could not read a bucket's does not come to ask
 * @returns the pattern or the tag that says so
 */
export function protectedBy(target: Target, protection: Protection, tags: readonly Tag[] | null): string | null {
  const pattern = protection.buckets.find((entry) => globMatches(entry, target.name));
  if (pattern !== undefined) return pattern;
  const tag = protection.tags.find((entry) => isTagged(tags ?? [], entry));
  return tag === undefined ? null : `tag ${tag}`;
}

function isTagged(tags: readonly Tag[], entry: string): boolean {
  const [key = '', ...value] = entry.split('=');
  // A key never holds `=` where it is configured; a value may.
  return tags.some((tag) => tag.Key === key && globMatches(value.join('='), tag.Value));
}
