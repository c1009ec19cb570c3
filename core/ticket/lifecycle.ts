import { PHASE, type Entry, type Incident, type IncidentView } from '../incident.ts';
import { digestOf } from '../canonical.ts';
import { runsOf } from '../runs.ts';
import { inert } from '../text.ts';
import { approving, restoring } from './content.ts';
import { severityOf, type TicketDocument, type TicketSeverity } from './document.ts';

/** An incident's ticket in one tracker, as the suite knows it. Times are ISO 8601 UTC with ms. */
export interface Ticket {
  readonly incident: string;
  /** The tracker's name in stopbath.config.json, and its kind. */
  readonly tracker: string;
  readonly kind: string;
  /** The tracker's own id; `null` while it could not be opened. */
  readonly id: string | null;
  readonly url: string | null;
  /** `pending`: what is to be said is not said yet · `gone`: somebody deleted or moved it. */
  readonly state: 'pending' | 'open' | 'closed' | 'gone';
  readonly since: string;
  /** Why it is pending. */
  readonly reason: string | null;
  /** How often in a row it failed, and when it is tried again; `null`: not by itself. */
  readonly failures: number;
  readonly nextAt: string | null;
  /** Creation was begun: without an id, whether there is a ticket is not known, and it is searched for before another is made. */
  readonly intendedAt: string | null;
  /** Milestones that the ticket tells, and the one whose comment was begun and not answered. */
  readonly said: readonly string[];
  readonly saying: string | null;
  /** What this suite last set: people's own choices differ from it. */
  readonly severity: TicketSeverity | null;
  readonly body: string | null;
  /** How the tracker's status was last known, and who closed it. */
  readonly status: 'open' | 'closed' | null;
  readonly closedBy: 'us' | 'them' | null;
  /** What the status was last brought in line with: the incident's last way to be closed, or to be open. */
  readonly settled: string | null;
  /** Made up once, so that the ticket can be told from one that somebody else wrote. */
  readonly mark: string;
}

export function newTicket(incident: string, tracker: string, kind: string, at: string, mark: string): Ticket {
  return { incident, tracker, kind, mark, id: null, url: null, state: 'pending', since: at, reason: null, failures: 0, nextAt: null, intendedAt: null, said: [], saying: null, severity: null, body: null, status: null, closedBy: null, settled: null };
}

/** The ticket as the tracker has it now; `null` in its place: it is gone. */
export interface Remote {
  readonly status: 'open' | 'closed';
  /** `null` where the tracker has none, or one that is nobody's of ours. */
  readonly severity: TicketSeverity | null;
  /** Digest of what it says, where that is what the suite rewrites. */
  readonly body: string | null;
}

/** Something that happened in an incident and that its ticket tells, once. */
export interface Milestone {
  /** The same for every try to tell it; letters, digits and `-`. */
  readonly key: string;
  readonly document: TicketDocument;
}

export type Step =
  | { readonly do: 'notice'; readonly what: 'closed by hand' | 'reopened by hand' | 'gone' }
  | { readonly do: 'rewrite' }
  | { readonly do: 'tell'; readonly milestone: Milestone }
  | { readonly do: 'severity'; readonly severity: TicketSeverity }
  | { readonly do: 'close' }
  | { readonly do: 'reopen' };

/**
 * What is to be done to bring a ticket that exists to what the incident is. What people did there stays: a severity that is
 * not the suite's, a text that was edited, a ticket that was closed or opened by hand. Closing and reopening follow the incident
 * once each time it ends or opens again, so that nobody's automation and the suite can go round in circles.
 *
 * @param remote - `undefined` where the tracker cannot be read (a webhook, a notification)
 */
export function stepsFor(view: IncidentView, ticket: Ticket, remote: Remote | null | undefined): readonly Step[] {
  if (remote === null) return ticket.state === 'gone' ? [] : [{ do: 'notice', what: 'gone' }];
  const { incident } = view;
  const closedByHand = remote?.status === 'closed' && ticket.status === 'open';
  const openedByHand = remote?.status === 'open' && ticket.status === 'closed';
  const status = remote?.status ?? ticket.status;
  const closedBy = closedByHand ? 'them' : openedByHand ? null : ticket.closedBy;
  const severity = severityOf(incident.severity);
  const wanted = PHASE[incident.status] === 'over' ? 'closed' : 'open';
  const due = ticket.settled !== stanceOf(incident);
  return [
    ...(closedByHand ? [{ do: 'notice', what: 'closed by hand' } as const] : []),
    ...(openedByHand ? [{ do: 'notice', what: 'reopened by hand' } as const] : []),
    ...(due && wanted === 'open' && status === 'closed' && closedBy === 'us' ? [{ do: 'reopen' } as const] : []),
    { do: 'rewrite' },
    ...milestonesOf(view).filter(({ key }) => !ticket.said.includes(key)).map((milestone) => ({ do: 'tell', milestone }) as const),
    ...(ticket.severity !== severity && (remote === undefined || remote.severity === ticket.severity) ? [{ do: 'severity', severity } as const] : []),
    ...(due && wanted === 'closed' && status === 'open' ? [{ do: 'close' } as const] : []),
  ];
}

/** Changes each time the incident ends, and each time it opens again. */
export function stanceOf(incident: Incident): string {
  return `${PHASE[incident.status] === 'over' ? 'closed' : 'open'}-after-${runsOf(incident)}`;
}

/** Oldest first. */
export function milestonesOf(view: IncidentView): readonly Milestone[] {
  return view.entries.flatMap((entry) => {
    const heading = headingOf(entry);
    return heading === null ? [] : [{ key: `m-${digestOf([entry.kind, entry.at, entry.text]).slice(0, 12)}`, document: documentOf(heading, entry, view) }];
  });
}

const OUTCOMES: Readonly<Record<string, string>> = {
  contained: 'Contained, and proven from outside',
  unverified: 'Acted, and not proven: look at it',
  failed: 'Failed: look at it',
  held: 'Held: nothing was changed, it waits for somebody',
  observed: 'Recorded: nothing was changed',
  rejected: 'Rejected: nothing was changed',
  expired: 'Nobody approved in time: nothing was changed',
  'not-exposed': 'Nothing to contain',
  restored: 'Restored, and proven from outside',
};

/** An answer that was refused changes nothing: the record has it. */
const APPROVALS: Readonly<Record<string, string>> = { asked: 'An approval is needed', approved: 'Approved', rejected: 'Rejected', expired: 'Nobody approved in time' };

/** Which lines of an incident's history somebody who follows the ticket is told; `null`: not this one. */
function headingOf({ kind, detail }: Entry): string | null {
  const status = field(detail, 'status');
  if (kind === 'outcome' || kind === 'failure') return OUTCOMES[status] ?? 'Ended';
  if (kind === 'request') return 'Asked for by a responder';
  if (kind === 'decision') return field(detail, 'act') === 'again' ? 'Reported again' : null;
  return kind === 'approval' ? (APPROVALS[field(detail, 'act')] ?? null) : null;
}

function field(detail: Entry['detail'], name: string): string {
  const value = typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? (detail as Readonly<Record<string, unknown>>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function documentOf(heading: string, entry: Entry, view: IncidentView): TicketDocument {
  const { incident } = view;
  const by = entry.by.startsWith('arn:') ? [{ kind: 'text', text: inert(`By ${entry.by}`, 2000) } as const] : [];
  return {
    incident: incident.id,
    title: `${heading}: ${inert(incident.title)}`,
    severity: severityOf(incident.severity),
    sections: [{ heading, keep: 100, blocks: [{ kind: 'text', text: inert(`${entry.at}: ${entry.text}`, 4000) }, ...by] }, ...approving(view), ...restoring(view)],
  };
}
