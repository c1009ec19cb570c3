import { findingsOf } from '../../core/ticket/findings.ts';
import { randomUUID } from 'node:crypto';
import type { Tools } from '../../aws/function.ts';
import { addEntry, updateIncident, viewIncident } from '../../aws/incidents.ts';
import { askForTicket, holdTicket, letTicketGo, saveTicket, sayTicketState, type Held } from '../../aws/tickets.ts';
import type { Ticket } from '../../core/ticket/lifecycle.ts';
import { GIVE_UP, secondsToWait } from '../../core/ticket/patience.ts';
import { plain } from '../../core/text.ts';
import { stateOf } from '../../core/ticket/state.ts';
import { concerned, distrustSecret, openTracker } from './trackers.ts';
import { TrackerError } from './trackers/port.ts';
import { bringUpToDate } from './write.ts';

/** Which trackers the incident concerns. Each is asked, so that whoever is at one of them already goes on. */
export async function chooseTrackers({ incident }: { readonly incident: string }, tools: Tools): Promise<{ readonly trackers: readonly string[] }> {
  const view = await viewIncident(tools, incident);
  const trackers = concerned(tools, view);
  const at = tools.now();
  // From here on each tracker's ticket says itself how it stands.
  if (view.incident.ticketGap !== null) await updateIncident(tools, incident, { ticketGap: null });
  await Promise.all(trackers.map((tracker) => askForTicket(tools, { incident, tracker, kind: kindOf(tracker, tools), mark: randomUUID() }, at)));
  return { trackers };
}

/** What the workflow does next: nothing more, wait and come again, or give up and leave it to a person. */
export interface Written {
  readonly tracker: string;
  readonly next: 'done' | 'wait' | 'give-up';
  readonly seconds: number;
  readonly reason: string;
}

export interface WriteInput {
  readonly incident: string;
  readonly execution: string;
  readonly tracker: string;
  /** When the execution began: it goes on for hours, not for ever. */
  readonly since: string;
}

/** One try to bring the incident's ticket in one tracker up to date. A failure of the tracker is an answer, not an error. */
export async function writeTicket(input: WriteInput, tools: Tools): Promise<Written> {
  const { incident, execution, tracker } = input;
  const now = tools.now();
  const held = await holdTicket(tools, incident, tracker, execution, now, later(now, WRITING_SECONDS));
  if (held === null) return lookAgain(input, now);
  if (held.satisfied && (await letTicketGo(tools, held, execution))) return { tracker, next: 'done', seconds: 0, reason: 'another execution has done it' };
  const config = tools.settings.STOPBATH_TRACKERS[tracker];
  if (!config) return await giveUp(held, input, 'there is no tracker of this name any more: look at trackers in stopbath.config.json', tools);

  let latest = held.ticket;
  const keep = async (ticket: Ticket) => {
    latest = ticket;
    if (!(await saveTicket(tools, ticket, execution))) throw new Error(`${tracker}: somebody else has taken the ticket of ${incident} over`);
  };
  const note = async (key: string, text: string) => await addNote(`${tracker}/${key}`, text, input, tools);
  try {
    const view = await viewIncident(tools, incident);
    const ticket = await bringUpToDate(latest, { view, tracker: await openTracker(tracker, config, findingsOf(view), tools), tools, keep, note });
    await keep(ticket);
    if (ticket.state !== held.ticket.state) await note(`${execution}/${ticket.state}`, sentenceOf(ticket));
    await sayTicketState(tools, incident, tracker, stateOf(ticket));
    const finished = await letTicketGo(tools, { ticket, wanted: held.wanted }, execution);
    return { tracker, next: finished ? 'done' : 'wait', seconds: 1, reason: finished ? ticket.state : 'something has happened meanwhile' };
  } catch (error) {
    if (!(error instanceof TrackerError)) {
      // The suite's own failure: visible at once, and the workflow's to try again.
      const reason = plain(error instanceof Error ? `${error.name}: ${error.message}` : String(error), 1024);
      const ticket: Ticket = { ...latest, ...waiting(latest, now), reason, nextAt: null };
      await sayTicketState(tools, incident, tracker, stateOf(ticket));
      throw error;
    }
    distrustSecret(config);
    return await pending({ ...held, ticket: latest }, error, input, tools);
  }
}

/** Whoever is at it sees that it was asked for again. Where they died over it, this one goes on. */
function lookAgain({ tracker, since }: WriteInput, now: string): Written {
  const elapsed = (Date.parse(now) - Date.parse(since)) / 1000;
  const reason = 'another execution is at it';
  return elapsed >= GIVE_UP ? { tracker, next: 'done', seconds: 0, reason } : { tracker, next: 'wait', seconds: Math.ceil(WRITING_SECONDS + elapsed / 2), reason };
}

/** How long one try may take at the most, with the function's own time-out: after that others may take the ticket. */
const WRITING_SECONDS = 180;
/** What a wait may take longer than asked for. */
const SLACK_SECONDS = 600;

async function pending(held: Held, error: TrackerError, input: WriteInput, tools: Tools): Promise<Written> {
  const now = tools.now();
  const failures = held.ticket.failures + 1;
  const elapsed = (Date.parse(now) - Date.parse(input.since)) / 1000;
  const seconds = secondsToWait({ trouble: error.trouble, failures, retryAfter: error.retryAfter, elapsed }, Math.random);
  if (seconds === null) return await giveUp(held, input, error.message, tools);
  const nextAt = later(now, seconds);
  const ticket: Ticket = { ...held.ticket, ...waiting(held.ticket, now), reason: error.message, failures, nextAt };
  await saveTicket(tools, ticket, input.execution, later(nextAt, SLACK_SECONDS));
  await sayTicketState(tools, input.incident, input.tracker, stateOf(ticket));
  if (failures === 1) await addNote(`${input.tracker}/${input.execution}/pending`, `ticket in ${input.tracker} is pending: ${error.message}`, input, tools);
  return { tracker: input.tracker, next: 'wait', seconds, reason: error.message };
}

/** Visible, and nobody's any more: a person sends it again. */
async function giveUp(held: Held, input: WriteInput, reason: string, tools: Tools): Promise<Written> {
  const now = tools.now();
  const ticket: Ticket = { ...held.ticket, ...waiting(held.ticket, now), reason, nextAt: null };
  await saveTicket(tools, ticket, input.execution);
  await sayTicketState(tools, input.incident, input.tracker, stateOf(ticket));
  await addNote(`${input.tracker}/${input.execution}/gave-up`, `ticket in ${input.tracker} was given up: ${reason}`, input, tools);
  await letTicketGo(tools, held, input.execution);
  return { tracker: input.tracker, next: 'give-up', seconds: 0, reason };
}

function waiting({ state, since }: Ticket, now: string): Pick<Ticket, 'state' | 'since'> {
  return { state: 'pending', since: state === 'pending' ? since : now };
}

function sentenceOf({ kind, tracker, id, state, reason }: Ticket): string {
  if (kind === 'guardduty') return state === 'closed' ? `GuardDuty finding ${id ?? ''} is archived` : `GuardDuty finding ${id ?? ''} is kept open`;
  return `ticket ${id ?? ''} in ${tracker} is ${state}${reason === null ? '' : ` (${reason})`}`;
}

async function addNote(key: string, text: string, { incident, tracker }: WriteInput, tools: Tools): Promise<void> {
  await addEntry(tools, `ticket/${key}`, { incident, at: tools.now(), kind: 'ticket', text, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { tracker } });
}

function kindOf(tracker: string, { settings }: Tools): string {
  return settings.STOPBATH_TRACKERS[tracker]?.kind ?? '';
}

function later(iso: string, seconds: number): string {
  return new Date(Date.parse(iso) + seconds * 1000).toISOString();
}
