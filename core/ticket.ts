import type { IncidentView } from './incident.ts';
import { inert } from './text.ts';
import { sectionsOf } from './ticket/content.ts';
import { severityOf, type TicketDocument } from './ticket/document.ts';

/**
 * The ticket of an incident as it is now: what happened to what, who is affected, what was done and what was not, how to
 * approve and to restore, the timeline, before and after. Whole: `fit` shortens it to what a tracker takes.
 */
export function ticketOf(view: IncidentView): TicketDocument {
  const { incident } = view;
  return {
    incident: incident.id,
    title: `${incident.drill ? '[drill] ' : ''}${inert(incident.title)}`,
    severity: severityOf(incident.severity),
    sections: sectionsOf(view),
  };
}

/**
 * A title with the incident's id at its end, which stays whatever the title is cut to.
 *
 * @param limit - in bytes of UTF-8: Request Tracker counts these, and cuts off what is beyond without a word. Others count characters and take more.
 */
export function titleWithin({ title, incident }: Pick<TicketDocument, 'title' | 'incident'>, limit: number): string {
  const suffix = ` [${incident}]`;
  const room = limit - Buffer.byteLength(suffix);
  if (Buffer.byteLength(title) <= room) return `${title}${suffix}`;
  // Never half of a character.
  const { read } = new TextEncoder().encodeInto(title, new Uint8Array(room - Buffer.byteLength('…')));
  return `${title.slice(0, read)}…${suffix}`;
}
