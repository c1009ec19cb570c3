import { STATUSES, type Entry, type IncidentView } from '../core/incident.ts';
import type { TimelineLine } from '../sandbox/scenario/result.ts';
import { hang, ink, line } from './terminal.ts';
import { statusWords, timeOfDay, type Tone } from './words.ts';

/** Wide enough for `stopbath-dev-…` without its prefix, and for most people. */
const WHO_WIDTH = 16;

/** Colours by tone; a neutral text stays as it is. */
export function toned(tone: Tone, text: string): string {
  return tone === 'bad' ? ink.red(text) : tone === 'good' ? ink.green(text) : text;
}

/**
 * Prints a timeline line by line, as it happens: the time since the first line, who, what.
 *
 * @returns a function from a line to its text
 */
export function timelineSince(): (entry: TimelineLine) => string {
  let start: number | undefined;
  return (entry) => {
    start ??= Date.parse(entry.at);
    const seconds = `+${((Date.parse(entry.at) - start) / 1000).toFixed(2)} s`;
    return row(seconds.padStart(10), entry);
  };
}

/** The same with the time of day, for what is long over. */
export function timelineText(entry: TimelineLine): string {
  return row(`  ${entry.at.slice(0, 10)} ${timeOfDay(entry.at)}`, entry);
}

function row(time: string, entry: TimelineLine): string {
  const who = line(entry.who).padEnd(WHO_WIDTH);
  return `${ink.dim(time)}  ${ink.bold(who)}  ${toned(entry.tone, hang(line(entry.text), time.length + who.length + 4))}`;
}

/** An incident's history as a timeline: what its record says, in order. */
export function timelineOf(view: IncidentView): readonly TimelineLine[] {
  const { incident } = view;
  const event: TimelineLine = { at: incident.eventTime, who: 'event', text: incident.title, tone: 'bad' };
  return [event, ...view.entries.map((entry) => ({ at: entry.at, who: actorName(entry.by), text: entry.text, tone: toneOf(entry) }))];
}

/** `arn:aws:sts::…:assumed-role/stopbath-responder/rosa` → `rosa`; `stopbath-dev-triage` → `triage`. */
export function actorName(by: string): string {
  const last = by.startsWith('arn:') ? (by.split('/').at(-1) ?? by) : by;
  return last.replace(/^stopbath-[a-z0-9]+-/, '');
}

function toneOf(entry: Entry): Tone {
  const detail = typeof entry.detail === 'object' && entry.detail !== null && !Array.isArray(entry.detail) ? entry.detail : {};
  if (entry.kind === 'failure') return 'bad';
  if (entry.kind === 'approval') return 'act' in detail && detail['act'] === 'approved' ? 'good' : 'act' in detail && detail['act'] === 'asked' ? 'neutral' : 'bad';
  if (entry.kind === 'outcome') return statusTone('status' in detail && typeof detail['status'] === 'string' ? detail['status'] : '');
  if (entry.kind === 'look') return 'verdict' in detail && detail['verdict'] === 'verified' ? 'good' : 'neutral';
  return 'neutral';
}

function statusTone(status: string): Tone {
  const known = STATUSES.find((entry) => entry === status);
  return known ? statusWords(known).tone : 'neutral';
}
