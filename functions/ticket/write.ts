import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { digestOf } from '../../core/canonical.ts';
import { recordKey } from '../../core/evidence.ts';
import type { IncidentView } from '../../core/incident.ts';
import { documentJson, severityOf, type TicketDocument } from '../../core/ticket/document.ts';
import { fit } from '../../core/ticket/fit.ts';
import { milestonesOf, stanceOf, type Step, stepsFor, type Ticket } from '../../core/ticket/lifecycle.ts';
import { ticketOf, titleWithin } from '../../core/ticket.ts';
import { type Draft, type Opened, type Tracker, TrackerError } from './trackers/port.ts';

/** What writing a ticket needs beside the ticket. `keep` writes down how far it has come, after every act and before what cannot be asked twice. */
export interface Writing {
  readonly view: IncidentView;
  readonly tracker: Tracker;
  readonly tools: Tools;
  readonly keep: (ticket: Ticket) => Promise<void>;
  /** Puts a line into the incident's history. */
  readonly note: (key: string, text: string) => Promise<void>;
}

/**
 * Brings a ticket to what the incident is now. It may stop anywhere and be called again: what was done is kept, and what may
 * have been done is looked for before it is done again.
 *
 * @throws {TrackerError}
 */
export async function bringUpToDate(ticket: Ticket, writing: Writing): Promise<Ticket> {
  const draft = await draftOf(ticket, writing);
  const { ticket: open, fresh } = ticket.id === null ? await openTicket(ticket, draft, writing) : { ticket, fresh: false };
  const { tracker, view } = writing;
  const remote = tracker.read && open.id !== null && !fresh ? await tracker.read(open.id) : undefined;
  let now = open;
  for (const step of stepsFor(view, open, remote)) {
    // What was just opened says all that there is to say.
    if (!(fresh && step.do === 'rewrite')) now = await take(step, now, draft, writing);
  }
  if (now.state === 'gone') return now;
  const status = now.status ?? 'open';
  const reason = now.closedBy === 'them' && status === 'closed' ? 'closed by hand: left as it is' : null;
  return { ...now, settled: stanceOf(view.incident), state: status, since: now.state === status ? now.since : writing.tools.now(), reason, failures: 0, nextAt: null };
}

async function openTicket(ticket: Ticket, draft: Draft, { tracker, tools, view, keep }: Writing): Promise<{ readonly ticket: Ticket; readonly fresh: boolean }> {
  if (ticket.intendedAt !== null && tracker.find) {
    const earlier = await tracker.find(draft, new Date(Date.parse(ticket.intendedAt) - CLOCKS_APART_MS).toISOString());
    if (earlier) return { ticket: await opened(ticket, earlier, keep), fresh: false };
  }
  const intended: Ticket = { ...ticket, intendedAt: tools.now(), said: milestonesOf(view).map(({ key }) => key), severity: draft.severity };
  await keep(intended);
  try {
    return { ticket: await opened(intended, await tracker.create(draft), keep), fresh: true };
  } catch (error) {
    if (refused(error)) await keep({ ...ticket, intendedAt: null });
    throw error;
  }
}

async function opened(ticket: Ticket, { id, url, body }: Opened, keep: Writing['keep']): Promise<Ticket> {
  const made: Ticket = { ...ticket, id, url, body: body ?? ticket.body, status: 'open' };
  await keep(made);
  return made;
}

/** How far a tracker's clock may be behind ours. */
const CLOCKS_APART_MS = 600_000;

/** The tracker said no: nothing took effect. */
function refused(error: unknown): boolean {
  return error instanceof TrackerError && error.trouble !== 'unanswered';
}

async function take(step: Step, ticket: Ticket, draft: Draft, writing: Writing): Promise<Ticket> {
  const { tracker, tools, keep, note } = writing;
  const id = ticket.id ?? '';
  const done = async (change: Partial<Ticket>): Promise<Ticket> => {
    const next = { ...ticket, ...change };
    await keep(next);
    return next;
  };
  switch (step.do) {
    case 'notice': {
      await note(`${step.what}/${draft.stance}/${ticket.said.length}`, `ticket ${id} in ${ticket.tracker} was ${step.what === 'gone' ? 'deleted there, moved, or hidden from the suite' : `${step.what}: left so`}`);
      if (step.what === 'gone') return await done({ state: 'gone', since: tools.now(), reason: 'the tracker has it no more, or hides it: send it again to open another', nextAt: null, failures: 0 });
      return await done(step.what === 'closed by hand' ? { status: 'closed', closedBy: 'them' } : { status: 'open', closedBy: null });
    }
    case 'rewrite':
      return tracker.rewrite ? await done({ body: await tracker.rewrite(id, draft, ticket.body) }) : ticket;
    case 'tell':
      return await tell(step.milestone.key, step.milestone.document, ticket, writing);
    case 'severity':
      await tracker.setSeverity?.(id, step.severity);
      return await done({ severity: step.severity });
    case 'close':
      await tracker.close(id, draft);
      return await done({ status: 'closed', closedBy: 'us' });
    case 'reopen':
      await tracker.reopen(id, draft);
      return await done({ status: 'open', closedBy: null });
  }
}

async function tell(key: string, document: TicketDocument, ticket: Ticket, writing: Writing): Promise<Ticket> {
  const { tracker, keep } = writing;
  const id = ticket.id ?? '';
  const told: Ticket = { ...ticket, said: [...ticket.said, key], saying: null };
  if (tracker.comment && !(ticket.saying === key && (await tracker.said?.(id, key)))) {
    const saying: Ticket = { ...ticket, saying: key };
    await keep(saying);
    try {
      await tracker.comment(id, await shaped(document, writing), key);
    } catch (error) {
      if (refused(error)) await keep({ ...ticket, saying: null });
      throw error;
    }
  }
  await keep(told);
  return told;
}

async function draftOf(ticket: Ticket, writing: Writing): Promise<Draft> {
  const { view, tracker } = writing;
  const { incident } = view;
  const whole = ticketOf(view);
  return {
    incident: incident.id,
    title: titleWithin(whole, tracker.shape.title),
    document: await shaped(whole, writing),
    severity: severityOf(incident.severity),
    mark: ticket.mark,
    target: incident.target.arn,
    status: incident.status,
    stance: stanceOf(incident),
  };
}

/** As much of a document as the tracker takes; where that is not all, all of it goes to the evidence. */
async function shaped(whole: TicketDocument, { view, tracker: { shape }, tools }: Writing): Promise<TicketDocument> {
  const id = `${whole.incident}/${digestOf(documentJson(whole)).slice(0, 16)}`;
  const { document, cut } = fit(whole, shape.size, shape.limit, `s3://${tools.settings.STOPBATH_EVIDENCE_BUCKET}/${recordKey('ticket', id)}`);
  if (cut) await putEvidence(tools, { kind: 'ticket', id, incident: whole.incident, at: tools.now(), drill: view.incident.drill, body: documentJson(whole) }, view.incident.target);
  return document;
}
