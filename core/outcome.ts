import type { Judgement } from './quarantine/look.ts';
import type { Direction, Incident, IncidentStatus, LedgerEntry } from './incident.ts';

/** How an execution ended, as its workflow says it. */
export interface Ending {
  readonly direction: Direction;
  /** Set where the plan ended it: nothing to do, observed only, or held by the guard. */
  readonly status: Extract<IncidentStatus, 'observed' | 'held' | 'not-exposed'> | null;
  readonly judgement: Pick<Judgement, 'verdict' | 'reason'> | null;
  readonly error: { readonly name: string; readonly message: string } | null;
  readonly reason: string | null;
}

/** What of an incident changes when an execution ends. */
export type Outcome = Pick<Incident, 'status' | 'outcome'>;

/**
 * The status and the sentence that an execution leaves behind. An error after changes were made never reads like
 * nothing happened: it says how far they got.
 */
export function outcomeOf(ending: Ending, ledger: readonly LedgerEntry[]): Outcome {
  if (ending.error) {
    const acts = ledger.filter((entry) => entry.direction === ending.direction);
    const done = acts.filter((entry) => entry.result === 'done').length;
    const extent = acts.length === 0 ? 'nothing was changed' : `${done} of ${acts.length} changes were acknowledged`;
    const { name, message } = ending.error;
    return { status: name === 'HeldError' ? 'held' : 'failed', outcome: `${ending.direction} ended by ${name} (${extent}): ${message}` };
  }
  if (ending.status) return { status: ending.status, outcome: ending.reason ?? ending.status };
  const { verdict, reason } = ending.judgement ?? { verdict: 'unverified' as const, reason: 'nobody looked' };
  if (verdict === 'verified') {
    return ending.direction === 'contain' ? { status: 'contained', outcome: `verified: ${reason}` } : { status: 'restored', outcome: `restored and verified: ${reason}` };
  }
  return { status: 'unverified', outcome: `${ending.direction === 'contain' ? 'contained' : 'restored'}, but not proven: ${reason}` };
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

