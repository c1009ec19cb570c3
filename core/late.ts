import { levelRank, modeOf, type Opening } from './correlate.ts';
import { exposuresOf } from './exposure.ts';
import { TICKET_ONLY, type Incident, type LedgerEntry, type Plan } from './incident.ts';

/**
 * What a signal means that is older than what the close of its target's last incident speaks of: an incident of its own (`open`), where
 * the close says nothing of what it asks for; the closed one once more, for a person to look at (`reopen`); a line on its ticket
 * (`tell`); or a line on record alone (`attach`).
 */
export function lateness(closed: Pick<Incident, 'status' | 'playbook' | 'inputs'>, opening: Opening): 'open' | 'reopen' | 'tell' | 'attach' {
  const { response, signal, cap, drill, state } = opening;
  if (response.verdict === 'record' || ((signal.sample || signal.replayed) && !drill)) return 'attach';
  const acts = response.installed && response.playbook !== null && response.playbook !== TICKET_ONLY && modeOf(response, cap) !== 'observe';
  const asksForMore = closed.playbook !== response.playbook || levelRank(response, response.inputs) > levelRank(response, closed.inputs);
  // "Not exposed" speaks of one playbook at one level. What a person gave back stays given back.
  if (closed.status === 'not-exposed' && acts && (asksForMore || (state !== undefined && exposuresOf(state).length > 0))) return 'open';
  // What GuardDuty saw being done is done, however well the door is closed since.
  return signal.source === 'guardduty' && response.recommended !== null && response.recommended !== 'observe' ? 'reopen' : 'tell';
}

/**
 * When a target was last seen as the end of an execution says it is: before a restore opened anything, and when a plan found nothing
 * open. What happens after that may be news, also where it is put on record later.
 *
 * @returns `at` where neither is known
 */
export function lastSeen({ execution, direction }: Pick<LedgerEntry, 'execution' | 'direction'>, ledger: readonly LedgerEntry[], plans: readonly Plan[], at: string): string {
  const begun = ledger.filter((entry) => entry.execution === execution).map(({ intendedAt }) => intendedAt).toSorted((one, other) => one.localeCompare(other))[0];
  return begun ?? plans.findLast((plan) => plan.direction === direction)?.plannedAt ?? at;
}
