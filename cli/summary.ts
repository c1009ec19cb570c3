import type { IncidentView, IncidentStatus } from '../core/incident.ts';
import type { Timings } from '../sandbox/scenario/result.ts';
import { duration, type Tone } from './words.ts';

export interface Summary {
  /** `Contained in 1.8 s, and proven` */
  readonly headline: string;
  readonly tone: Tone;
  /** What took how long, in words, in order of time. */
  readonly times: readonly (readonly [label: string, text: string])[];
}

/** Worst first: what the reader must not miss when several incidents ended differently. */
const URGENCY: readonly IncidentStatus[] = ['failed', 'unverified', 'expired', 'held', 'waiting', 'rejected', 'open', 'containing', 'restoring', 'observed', 'contained', 'restored', 'not-exposed'];

/** What happened, in one line and a few times: the first thing that a reader sees. */
export function summarize(incidents: readonly IncidentView[], timings: Timings | null): Summary {
  const worst = incidents.map(({ incident }) => incident).toSorted((a, b) => URGENCY.indexOf(a.status) - URGENCY.indexOf(b.status))[0];
  const known = timings ?? timingsOf(incidents);
  if (!worst) return { headline: 'No incident was opened', tone: 'neutral', times: [] };
  const { headline, tone } = headlineOf(worst.status, worst.verifiedAt !== null, known);
  return { headline: incidents.length > 1 ? `${incidents.length} incidents. ${headline}` : headline, tone, times: timesOf(known) };
}

function headlineOf(status: IncidentStatus, proven: boolean, timings: Timings): { readonly headline: string; readonly tone: Tone } {
  const contained = timings.eventToRefused ?? timings.eventToContained;
  const within = contained === null ? 'Contained' : `Contained in ${duration(contained)}`;
  const proof = proven ? 'and proven' : 'but not proven';
  switch (status) {
    case 'contained':
      return { headline: `${within}, ${proof}`, tone: proven ? 'good' : 'bad' };
    case 'restored':
      return { headline: `${within}, ${proof}; then restored`, tone: proven ? 'good' : 'bad' };
    case 'unverified':
      return { headline: 'Acted, but not proven', tone: 'bad' };
    case 'failed':
      return { headline: 'Failed: somebody has to look', tone: 'bad' };
    case 'held':
      return { headline: 'Held: nothing was changed', tone: 'bad' };
    case 'waiting':
      return { headline: 'Waits for an approval: nothing was changed', tone: 'bad' };
    case 'rejected':
      return { headline: 'Rejected: nothing was changed', tone: 'neutral' };
    case 'expired':
      return { headline: 'Nobody approved in time: nothing was changed', tone: 'bad' };
    case 'observed':
      return { headline: 'Recorded and ticketed; nothing was changed', tone: 'neutral' };
    case 'not-exposed':
      return { headline: 'Nothing was exposed; nothing was changed', tone: 'good' };
    case 'open':
      return { headline: 'Decided; not acted yet', tone: 'bad' };
    case 'containing':
      return { headline: 'Being contained', tone: 'bad' };
    case 'restoring':
      return { headline: 'Being restored', tone: 'neutral' };
  }
}

function timesOf(timings: Timings): Summary['times'] {
  const { eventToDecided, eventToContained, eventToRefused, eventToVerified, restoreToServed } = timings;
  const lead = eventToRefused !== null && eventToContained !== null ? eventToRefused - eventToContained : 0;
  const early = lead > 0 ? `, ${duration(lead)} before that was true outside` : '';
  const rows: (readonly [string, number | null, string])[] = [
    ['Decided', eventToDecided, 'after the event'],
    ['API said OK', eventToContained, `after the event${early}`],
    ['Access lost', eventToRefused, 'after the event: nobody outside was served again'],
    ['Proven', eventToVerified, 'after the event: refusals in a row, across a window'],
    ['Served again', restoreToServed, 'after a responder asked to restore'],
  ];
  return rows.flatMap(([label, ms, text]): (readonly [string, string])[] => (ms === null ? [] : [[label, `${duration(ms)} ${text}`]]));
}

/** Where nobody kept asking from outside, the incident's own times tell what they can. */
function timingsOf(incidents: readonly IncidentView[]): Timings {
  const incident = incidents[0]?.incident;
  const since = (iso: string | null | undefined) => (incident === undefined || iso === null || iso === undefined ? null : Date.parse(iso) - Date.parse(incident.eventTime));
  return {
    eventToDecided: since(incident?.decidedAt),
    eventToContained: since(incident?.containedAt),
    eventToRefused: null,
    eventToVerified: since(incident?.verifiedAt),
    restoreToServed: null,
    total: 0,
  };
}
