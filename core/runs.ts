import { digestOf } from './canonical.ts';
import type { Direction, Incident, Request } from './incident.ts';

/** Whoever opens a target again and again makes containments as often as they like: an incident lists so many, and all are on record themselves. */
const MOST_CONTAINMENTS = 50;

/** An incident's executions with one more: of the containments the last ones; of the restores, which people ask for, all. */
export function withRun({ id, executions }: Pick<Incident, 'id' | 'executions'>, name: string): readonly string[] {
  const all = [...executions, name];
  const containments = all.filter((one) => one.startsWith(prefixOf(id, 'contain')));
  const left = new Set(containments.slice(0, -MOST_CONTAINMENTS));
  return all.filter((one) => !left.has(one));
}

/** `<incident>-<direction>-<n>`: the name is what makes a repeated start the same execution. */
export function nextRun(incident: Pick<Incident, 'id' | 'executions'>, direction: Direction): string {
  return `${prefixOf(incident.id, direction)}${runsIn(incident, direction) + 1}`;
}

/**
 * The same for one that somebody asks for: `<incident>-<direction>-<n>-<word>`. What was asked for is in its name, so that it holds for the run that was added for
 * it and for no other: neither for one that an event or somebody else has started since, nor for the next one of that number.
 */
export function askedFor(incident: Pick<Incident, 'id' | 'executions'>, word: Omit<Request, 'incident' | 'execution'>): Request {
  return { ...word, incident: incident.id, execution: `${nextRun(incident, word.direction)}-${digestOf(word).slice(0, 12)}` };
}

/** How many there have been, also of an incident that lists only the last. */
export function runsOf(incident: Pick<Incident, 'id' | 'executions'>): number {
  return runsIn(incident, 'contain') + runsIn(incident, 'restore');
}

function runsIn({ id, executions }: Pick<Incident, 'id' | 'executions'>, direction: Direction): number {
  const prefix = prefixOf(id, direction);
  return Math.max(0, ...executions.flatMap((name) => (name.startsWith(prefix) ? [Number.parseInt(name.slice(prefix.length), 10)] : [])));
}

function prefixOf(id: string, direction: Direction): string {
  return `${id}-${direction}-`;
}
