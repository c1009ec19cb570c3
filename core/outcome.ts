import type { Judgement } from './quarantine/look.ts';
import type { Direction, Incident, IncidentStatus, LedgerEntry } from './incident.ts';

/** How an execution ends that does nothing. */
export const IDLE_ENDINGS = ['observed', 'held', 'not-exposed', 'rejected', 'expired'] as const satisfies readonly IncidentStatus[];

/** How an execution ended, as its workflow says it. */
export interface Ending {
  readonly direction: Direction;
  readonly execution: string;
  /** Set where it ended before anything was done: nothing to do, observed only, held by the guard, or not approved. */
  readonly status: (typeof IDLE_ENDINGS)[number] | null;
  readonly judgement: Pick<Judgement, 'verdict' | 'reason'> | null;
  readonly error: { readonly name: string; readonly message: string } | null;
  readonly reason: string | null;
}

/** What of an incident changes when an execution ends. */
export type Outcome = Pick<Incident, 'status' | 'outcome'>;

/**
 * The status and the sentence that an execution leaves behind. An error after changes were made never reads like
 * nothing happened: it says how far they got. And what did nothing never reads as if an earlier containment were gone.
 *
 * @param ledger - of the whole incident
 */
export function outcomeOf(ending: Ending, incident: Pick<Incident, 'status' | 'verifiedAt'>, ledger: readonly LedgerEntry[]): Outcome {
  if (ending.error) {
    const acts = ledger.filter((entry) => entry.direction === ending.direction && entry.execution === ending.execution);
    const done = acts.filter((entry) => entry.result === 'done').length;
    const extent = acts.length === 0 ? 'nothing was changed' : `${done} of ${acts.length} changes were acknowledged`;
    const { name, message } = ending.error;
    return { status: name === 'HeldError' ? 'held' : 'failed', outcome: `${ending.direction} ended by ${name} (${extent}): ${message}` };
  }
  if (ending.status) return undone(ending, ending.status, incident, ledger);
  const { verdict, reason } = ending.judgement ?? { verdict: 'unverified' as const, reason: 'nobody looked' };
  if (verdict === 'verified') {
    return ending.direction === 'contain' ? { status: 'contained', outcome: `verified: ${reason}` } : { status: 'restored', outcome: `restored and verified: ${reason}` };
  }
  return { status: 'unverified', outcome: `${ending.direction === 'contain' ? 'contained' : 'restored'}, but not proven: ${reason}` };
}

function undone({ direction, reason }: Ending, status: NonNullable<Ending['status']>, incident: Pick<Incident, 'status' | 'verifiedAt'>, ledger: readonly LedgerEntry[]): Outcome {
  const outcome = reason ?? status;
  if (status === 'not-exposed' || !inForce(ledger)) return { status, outcome };
  const proven = incident.verifiedAt !== null && incident.status !== 'restoring';
  // Somebody undid it, and what would have made it anew was not done: it is open, as far as anybody knows.
  if (direction === 'contain' && !proven) return { status, outcome: `${outcome}; of what was contained before, nobody knows what is left` };
  const what = direction === 'restore' ? 'the containment stays' : 'what was contained before stays';
  // Proven once and begun to be undone since: what is left of it nobody has looked at.
  return { status: proven ? 'contained' : 'unverified', outcome: `${outcome}; ${what}` };
}

/**
 * The entries of the containments that stand: what a restore took back in full, and a later containment found as its own "before", is
 * history. A restore that got only half of the way leaves all of it.
 *
 * @param ledger - of the whole incident, in order
 */
export function standing(ledger: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return containedSince(ledger, ledger.findLastIndex(({ direction }) => direction === 'contain'));
}

/** The same, once the last restore has got all of the way: then none is left. */
export function notTakenBack(ledger: readonly LedgerEntry[]): readonly LedgerEntry[] {
  return containedSince(ledger, ledger.length);
}

/** The entries of containments after the last restore before a place in the ledger that got all of the way. */
function containedSince(ledger: readonly LedgerEntry[], before: number): readonly LedgerEntry[] {
  const whole = (execution: string) => ledger.every((entry) => entry.execution !== execution || entry.result === 'done');
  const since = ledger.findLastIndex(({ direction, execution }, index) => index < before && direction === 'restore' && whole(execution));
  return ledger.slice(since + 1).filter(({ direction }) => direction === 'contain');
}

/** Whether changes that contain were made after the last restore began. */
export function inForce(ledger: readonly LedgerEntry[]): boolean {
  return ledger.at(-1)?.direction === 'contain';
}

/** Lambda's errors reach a workflow as a name and, in `Cause`, JSON with the message; other errors as plain text. */
export function readError(error: string, cause: string): { readonly name: string; readonly message: string } {
  try {
    const parsed: unknown = JSON.parse(cause);
    if (typeof parsed === 'object' && parsed !== null && 'errorMessage' in parsed) return { name: error, message: String(parsed.errorMessage) };
  } catch {
    // Not Lambda's JSON: the text itself is the message.
  }
  return { name: error, message: cause };
}
