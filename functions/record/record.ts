import { releaseTarget } from '../../aws/claims.ts';
import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, ledgerOf, updateIncident, getIncident, viewIncident } from '../../aws/incidents.ts';
import type { Incident } from '../../core/incident.ts';
import { outcomeOf, readError } from '../../core/outcome.ts';
import type { RecordInput } from './handler.ts';

export async function recordOutcome(input: RecordInput, tools: Tools): Promise<{ readonly status: Incident['status']; readonly outcome: string; readonly evidence: string }> {
  const [incident, ledger] = await Promise.all([getIncident(tools, input.incident), ledgerOf(tools, input.incident)]);
  const error = input.error && readError(input.error.Error, input.error.Cause);
  const outcome = outcomeOf(
    { direction: input.direction, status: input.status, reason: input.reason, judgement: input.verdict ? { verdict: input.verdict, reason: input.reason ?? '' } : null, error },
    ledger.filter((entry) => entry.execution === input.execution),
  );
  const at = tools.now();
  await Promise.all([
    updateIncident(tools, incident.id, { ...outcome, ...timesOf(outcome.status, at) }),
    addEntry(tools, `${input.execution}/outcome`, {
      incident: incident.id,
      at,
      kind: error ? 'failure' : 'outcome',
      text: outcome.outcome,
      by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
      detail: { status: outcome.status, execution: input.execution },
    }),
  ]);
  if (outcome.status === 'restored' || outcome.status === 'not-exposed') await releaseTarget(tools, incident.target.arn, incident.id, at);
  const record = await viewIncident(tools, incident.id);
  const { key } = await putEvidence(tools, `incidents/${incident.id}/${input.execution}.json`, record);
  return { ...outcome, evidence: key };
}

function timesOf(status: Incident['status'], at: string): Partial<Incident> {
  if (status === 'contained') return { verifiedAt: at };
  return status === 'restored' ? { restoredAt: at } : {};
}
