import { digestOf } from '../canonical.ts';
import type { Incident } from '../incident.ts';

/** Until then whoever opened it is at it, and is tried again where it failed. */
const ALONE_MS = 30 * 60_000;

/** Whether whoever opened an incident is gone: what they left half done is taken up. */
export function isLeftAlone({ decidedAt }: Pick<Incident, 'decidedAt'>, now: string): boolean {
  return Date.parse(now) - Date.parse(decidedAt) >= ALONE_MS;
}

/**
 * The name of today's look at the tickets of an open incident, in its hour of the day; `null` in every other. What people do in a
 * tracker is seen at the next writing, and where nothing is written for long, by this look: once a day each, at hours that differ, so
 * that a thousand open incidents do not run a tracker over. Where no ticket was ever asked for, that is made good, once.
 *
 * @param now - ISO 8601
 */
export function lookOf({ id, tickets, ticketGap, decidedAt }: Pick<Incident, 'id' | 'tickets' | 'ticketGap' | 'decidedAt'>, now: string): string | null {
  if (Object.keys(tickets ?? {}).length === 0 && ticketGap === null) return isLeftAlone({ decidedAt }, now) ? `${id}-unasked` : null;
  // What is pending is tried again anyway.
  const standing = Object.values(tickets ?? {}).some(({ state }) => state === 'open' || state === 'closed');
  const hour = Number.parseInt(digestOf(id).slice(0, 6), 16) % 24;
  return standing && new Date(now).getUTCHours() === hour ? `${id}-look-${now.slice(0, 10)}` : null;
}
