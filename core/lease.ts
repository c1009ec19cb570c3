import type { Incident, LedgerEntry } from './incident.ts';
import { inForce, standing } from './outcome.ts';

/** Until when a containment is meant to stand, and whose it is. It ends by a person's word, never by itself. */
export interface Lease {
  /** The ARN of who answers for it; `nobody` until somebody extends it. */
  readonly owner: string;
  /** ISO 8601 UTC with ms. */
  readonly until: string;
  /** When the ticket was last reminded; `null` where it was not. */
  readonly remindedAt: string | null;
}

const HOUR_MS = 3_600_000;
/** How long before its end the owner is reminded, and how often again afterwards. */
const REMIND_MS = 24 * HOUR_MS;
/** Beyond this, nobody remembers why. */
export const LONGEST_LEASE_MS = 90 * 24 * HOUR_MS;

/** The lease of a containment that was just made; `null` where one runs already or nothing is contained. */
export function newLease(incident: Pick<Incident, 'lease' | 'requestedBy'>, ledger: readonly LedgerEntry[], now: string, hours: number): Lease | null {
  // What was only intended, as far as anybody knows, leaves nothing that could end.
  if (incident.lease || !inForce(ledger) || standing(ledger).every(({ result }) => result === 'intended')) return null;
  return { owner: incident.requestedBy === 'automatic' ? 'nobody' : incident.requestedBy, until: new Date(Date.parse(now) + hours * HOUR_MS).toISOString(), remindedAt: null };
}

/** What is to be done about a lease now: `remind` its owner, ask whether to restore (`due`), or nothing. */
export function leaseStep({ until, remindedAt }: Lease, now: string): 'remind' | 'due' | null {
  const at = Date.parse(now);
  if (at >= Date.parse(until)) return 'due';
  const last = remindedAt === null ? Number.NEGATIVE_INFINITY : Date.parse(remindedAt);
  return at >= Date.parse(until) - REMIND_MS && at - last >= REMIND_MS ? 'remind' : null;
}

/** A lease that was asked about and not ended: it is asked about again a day later. */
export function askedAgain(lease: Lease, now: string): Lease {
  return { ...lease, until: new Date(Date.parse(now) + REMIND_MS).toISOString(), remindedAt: now };
}
