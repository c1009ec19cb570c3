import type { IncidentView } from './incident.ts';
import { clipped, inert } from './text.ts';
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

/** A title with the incident's id at its end, which stays whatever the title is cut to. */
export function titleWithin({ title, incident }: Pick<TicketDocument, 'title' | 'incident'>, limit: number): string {
  const suffix = ` [${incident}]`;
  const room = limit - suffix.length;
  return `${title.length <= room ? title : `${clipped(title, room - 1)}…`}${suffix}`;
}
