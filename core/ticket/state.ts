import type { TicketState } from '../incident.ts';
import type { Ticket } from './lifecycle.ts';

/** Of several tickets the one that needs a person most: pending, gone, open, closed; of equals the first by name. */
export function worstOf(tickets: Readonly<Record<string, TicketState>>): TicketState | null {
  const [worst] = Object.values(tickets).toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || Number(b.url !== null) - Number(a.url !== null) || a.tracker.localeCompare(b.tracker));
  return worst ?? null;
}

const ORDER: readonly TicketState['state'][] = ['pending', 'gone', 'open', 'closed'];

/** What the incident says of one of its tickets. */
export function stateOf({ tracker, id, url, state, since, reason, nextAt }: Ticket): TicketState {
  return { tracker, id, url, state, since, reason, nextAt };
}
