import { approvalsOf, expire } from '../../aws/approvals.ts';
import { releaseTarget } from '../../aws/claims.ts';
import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, getRequest, getIncident, settle, viewIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { measure } from '../../aws/metrics.ts';
import { giveBack, waitingSignals } from '../../aws/waiting-signals.ts';
import { PHASE, type Incident, type LedgerEntry } from '../../core/incident.ts';
import { lastSeen } from '../../core/late.ts';
import { newLease } from '../../core/lease.ts';
import { outcomeOf, readError } from '../../core/outcome.ts';
import type { RecordInput } from './handler.ts';

export async function recordOutcome(input: RecordInput, tools: Tools): Promise<{ readonly status: Incident['status']; readonly outcome: string; readonly evidence: string }> {
  const [incident, ledger, approvals] = await Promise.all([getIncident(tools, input.incident), ledgerOf(tools, input.incident), approvalsOf(tools, input.incident)]);
  const error = input.error && readError(input.error.Error, input.error.Cause);
  const outcome = outcomeOf(
    { ...input, judgement: input.verdict ? { verdict: input.verdict, reason: input.reason ?? '' } : null, error },
    incident,
    ledger,
  );
  const at = tools.now();
  // A later run has taken this one's place: what became of this one is on record, and the incident is that one's.
  const overtaken = (incident.executions.at(-1) ?? input.execution) !== input.execution;
  const lease = outcome.status === 'restored' ? { lease: null } : leaseOf(incident, ledger, at, tools);
  // A run that changed nothing leaves nothing behind: neither the level that somebody was refused, nor a weaker mode.
  const idle = !ledger.some(({ execution }) => execution === input.execution) && ((input.status && input.status !== 'not-exposed') || input.error);
  const was = idle && !overtaken ? (incident.was ?? (await getRequest(tools, incident.id, input.execution))?.was) : undefined;
  const change = { ...outcome, ...timesOf(outcome.status, at), ...lease, ...was, ...(incident.was ? { was: null } : {}) };
  // It has gone on since it was read, and nothing is written yet: what is there now is judged.
  if (!overtaken && !(await settle(tools, incident, change))) return await recordOutcome(input, tools);
  const open = input.status === 'expired' ? approvals.filter(({ execution, state }) => execution === input.execution && state !== 'rejected') : [];
  await Promise.all([
    ...open.map((approval) => expire(tools, approval, at)),
    addEntry(tools, `${input.execution}/outcome`, {
      incident: incident.id,
      at,
      kind: input.status === 'expired' ? 'approval' : error ? 'failure' : 'outcome',
      text: overtaken ? `${input.execution} ended, after ${incident.executions.at(-1) ?? ''} had taken its place: ${outcome.outcome}` : outcome.outcome,
      by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
      detail: { status: outcome.status, execution: input.execution, ...(input.status === 'expired' ? { act: 'expired' } : {}) },
    }),
  ]);
  const body = await viewIncident(tools, incident.id);
  if (!overtaken && PHASE[outcome.status] === 'over') await releaseTarget(tools, incident.target.arn, incident.id, lastSeen(input, body.ledger, body.plans, at));
  const { key } = await putEvidence(tools, { kind: 'outcome', id: input.execution, incident: incident.id, at, drill: incident.drill, body }, incident.target);
  measure(
    tools,
    {
      Outcomes: 1,
      UnverifiedOutcomes: outcome.status === 'unverified' ? 1 : 0,
      FailedOutcomes: outcome.status === 'failed' ? 1 : 0,
      ...(outcome.status === 'contained' ? { SecondsToVerified: (Date.parse(at) - Date.parse(incident.receivedAt)) / 1000 } : {}),
    },
    { playbook: incident.playbook },
  );
  if (!overtaken) await decideWaiting(incident.id, tools);
  return { ...outcome, evidence: key };
}

/** Signals that came while this ran. What was done stays done whatever becomes of them: the reconciler finds those that are left. */
async function decideWaiting(incident: string, tools: Tools): Promise<void> {
  try {
    await giveBack(tools, await waitingSignals(tools, incident));
  } catch (error) {
    tools.log.error('signals still wait to be decided again', { error: error instanceof Error ? error.message : String(error) });
  }
}

function leaseOf(incident: Incident, ledger: readonly LedgerEntry[], at: string, tools: Tools): Partial<Incident> {
  const lease = newLease(incident, ledger, at, tools.settings.STOPBATH_LEASE_HOURS);
  return lease ? { lease } : {};
}

function timesOf(status: Incident['status'], at: string): Partial<Incident> {
  if (status === 'contained') return { verifiedAt: at };
  return status === 'restored' ? { restoredAt: at } : {};
}
