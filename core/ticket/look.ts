import { digestOf } from '../canonical.ts';
import type { Incident } from '../incident.ts';

/**
 * The name of today's look at the tickets of an open incident, in its hour of the day; `null` in every other. What people do in a
 * tracker is seen at the next writing, and where nothing is written for long, by this look: once a day each, at hours that differ, so
 * that a thousand open incidents do not run a tracker over.
 *
 * @param now - ISO 8601
 */
export function lookOf({ id, tickets }: Pick<Incident, 'id' | 'tickets'>, now: string): string | null {
  // What is pending is tried again anyway.
  const standing = Object.values(tickets ?? {}).some(({ state }) => state === 'open' || state === 'closed');
  const hour = Number.parseInt(digestOf(id).slice(0, 6), 16) % 24;
  return standing && new Date(now).getUTCHours() === hour ? `${id}-look-${now.slice(0, 10)}` : null;
}
