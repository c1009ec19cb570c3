import type { IncidentView } from '../../core/incident.ts';
import { lostAccessAt, type Probe } from './outsider.ts';
import type { Timings } from './result.ts';

/** How long everything took, measured from when the first event was sent. All in ms of sandbox time. */
export function timingsOf(from: { readonly sentAt: number | null; readonly incident: IncidentView | undefined; readonly probes: readonly Probe[]; readonly total: number }): Timings {
  const { sentAt, incident: view, probes, total } = from;
  if (sentAt === null || !view) return { eventToDecided: null, eventToContained: null, eventToRefused: null, eventToVerified: null, restoreToServed: null, total };
  const { incident, entries } = view;
  const since = (time: string | number | null, origin: number): number | null => (time === null ? null : (typeof time === 'number' ? time : Date.parse(time)) - origin);
  const request = entries.find((entry) => entry.kind === 'request' && entry.text.startsWith('restore'));
  const restoredFrom = request ? Date.parse(request.at) : null;
  const served = restoredFrom === null ? undefined : probes.find((probe) => probe.at >= restoredFrom && probe.status < 400);
  return {
    eventToDecided: since(incident.decidedAt, sentAt),
    eventToContained: since(incident.containedAt, sentAt),
    eventToRefused: since(lostAccessAt(probes, sentAt, restoredFrom ?? Number.POSITIVE_INFINITY), sentAt),
    eventToVerified: since(incident.verifiedAt, sentAt),
    restoreToServed: restoredFrom === null || served === undefined ? null : served.at - restoredFrom,
    total,
  };
}
