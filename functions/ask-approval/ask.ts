import { readApproval, saveApproval, saveToken, tell } from '../../aws/approvals.ts';
import { startTicket } from '../../aws/executions.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, getIncident, getPlan, getRequest, updateIncident } from '../../aws/incidents.ts';
import { measure } from '../../aws/metrics.ts';
import type { Approval } from '../../core/approval.ts';
import { protectedBy } from '../../core/guard.ts';
import type { Incident, Request } from '../../core/incident.ts';
import { approversOf, LEASE } from '../../core/next.ts';
import { checkDigest } from '../../core/plan.ts';
import { StateMovedError } from '../../core/apply.ts';
import type { AskInput } from './handler.ts';

/**
 * Puts the request on record, bound to the plan's digest, and asks for the ticket to say so. What the workflow passes only
 * says what is asked; what is needed to go on is judged again by `apply`.
 */
export async function askApproval(input: AskInput, tools: Tools): Promise<{ readonly expiresAt: string; readonly needed: number }> {
  const [incident, plan, request] = await Promise.all([getIncident(tools, input.incident), getPlan(tools, input.incident, input.digest), getRequest(tools, input.incident, input.execution)]);
  if (!plan) throw new StateMovedError(`there is no plan ${input.digest} for ${input.incident}: plan again`);
  checkDigest(plan);
  const at = tools.now();
  const approval: Approval = {
    incident: incident.id,
    execution: input.execution,
    direction: plan.direction,
    digest: plan.digest,
    requestedBy: askerOf(incident, input.execution, request),
    gates: input.gates,
    why: input.reason,
    // What the plan found on the target itself, such as its tags, it says in its impact.
    needed: approversOf({ protectedBy: typeof plan.impact['protectedBy'] === 'string' ? plan.impact['protectedBy'] : protectedBy(incident.target, { buckets: tools.settings.STOPBATH_PROTECTED_BUCKETS, tags: [] }, null), askedBy: request?.by ?? null }, input.gates.includes('reopens')),
    requestedAt: at,
    expiresAt: new Date(Date.parse(at) + tools.settings.STOPBATH_APPROVAL_EXPIRY * 1000).toISOString(),
    state: 'waiting',
    votes: [],
    endedAt: null,
  };
  if (input.gates.includes('budget')) measure(tools, { BudgetReached: 1 }, { playbook: incident.playbook });
  // The token first: whoever votes from here on finds the execution that waits now.
  await saveToken(tools, approval, input.token);
  await saveApproval(tools, approval);
  const stored = (await readApproval(tools, approval)) ?? approval;
  // An earlier try may have asked and told nobody; or the answer came before this try's token was there.
  if (stored.state === 'waiting') await announce(stored, tools);
  else await tell(tools, stored);
  return { expiresAt: stored.expiresAt, needed: stored.needed };
}

/**
 * A lease is nobody's wish: its owner may approve, and where that opens something takes a second person as everybody does. The first run of an incident
 * that was handed on nobody asked for by itself: whoever asked for what handed it on has.
 */
function askerOf({ id, requestedBy }: Incident, execution: string, request: Request | null): string {
  if (request !== null) return request.by === LEASE ? 'automatic' : request.by;
  return execution === `${id}-contain-1` ? requestedBy : 'automatic';
}

async function announce(approval: Approval, tools: Tools): Promise<void> {
  const { incident, execution, direction, digest, needed, why, expiresAt, requestedAt } = approval;
  const text = `${direction === 'contain' ? 'containment' : 'restore'} waits for ${needed === 1 ? 'an approval' : `${needed} approvals`} until ${expiresAt}: ${why}`;
  await Promise.all([
    updateIncident(tools, incident, { outcome: text, ...(direction === 'contain' ? { status: 'waiting' } : {}) }),
    addEntry(tools, `${execution}/approval/${digest.slice(0, 16)}/asked/${requestedAt}`, { incident, at: requestedAt, kind: 'approval', text, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { act: 'asked', execution, digest, needed, gates: [...approval.gates], expiresAt } }),
  ]);
  await startTicket(tools, incident, `${execution}-ask-${digest.slice(0, 8)}-${approval.gates.length}${approval.gates[0] ?? ''}`);
}
