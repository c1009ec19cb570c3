import { SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { iamOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, viewIncident } from '../../aws/incidents.ts';
import type { LookInput } from '../../aws/looking.ts';
import { memberTools } from '../../aws/member.ts';
import { readPrincipal } from '../../aws/principal/state.ts';
import { DENY, policyName } from '../../core/principal/contain.ts';
import { driftedSince, judgePrincipal, type PrincipalLook } from '../../core/principal/look.ts';
import { principalOf } from '../../core/principal/principal.ts';
import type { Judgement } from '../../core/quarantine/look.ts';
import { isDenialOfOthers } from '../../core/share/sessions.ts';

/** One look: IAM itself decides what the old credentials may, and the state is read back. */
export async function lookAtPrincipal(input: LookInput, tools: Tools): Promise<Judgement & { readonly looks: number }> {
  const { incident, ledger } = await viewIncident(tools, input.incident);
  const principal = principalOf(incident.target.arn);
  const there = memberTools(tools, principal.account, 'read', incident.id);
  const state = await readPrincipal(tools, principal, incident.id);
  const drifted = driftedSince(ledger, input.direction, state);
  const denied = ledger.findLast(({ setting, direction, result }) => setting === DENY && direction === 'contain' && result === 'done');
  const look: PrincipalLook = { tried: await tryOld(there, state.arn, policyName(incident.id), denied?.intendedAt ?? incident.containedAt ?? tools.now()), drifted };
  const looks = input.looks + 1;
  const { STOPBATH_VERIFY_LOOKS: needed, STOPBATH_VERIFY_MAX_LOOKS: allowed } = tools.settings;
  const judgement = judgePrincipal(look, input.direction, { needed, allowed }, input.streak, looks);
  await addEntry(tools, `${input.execution}/look/${looks}`, {
    incident: incident.id,
    at: tools.now(),
    kind: 'look',
    text: `look ${looks}: ${look.tried.map(({ what, answer, by }) => `${what} ${answer}${by === undefined ? '' : ` by ${by}`}`).join(', ')}${drifted.length > 0 ? `; changed since: ${drifted.join(', ')}` : ''}`,
    by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
    detail: { tried: look.tried.map((one) => ({ ...one })), drifted, streak: judgement.streak, verdict: judgement.verdict },
  });
  return { ...judgement, looks };
}

/** What whoever has stolen credentials asks for first. */
const WANTED = ['s3:GetObject', 'iam:CreateAccessKey', 'sts:AssumeRole'];

/**
 * Nobody but the thief has the old credentials, so IAM is asked what it would answer them: the last session that was issued before the
 * containment's latest deny was written, by all policies that it has now.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html (MatchedStatements: where it is denied, what denies; an inline policy by its name)
 */
async function tryOld(tools: Tools, PolicySourceArn: string, own: string, issued: string): Promise<PrincipalLook['tried']> {
  const { EvaluationResults = [] } = await iamOf(tools.clients).send(
    new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: WANTED, ContextEntries: [{ ContextKeyName: 'aws:TokenIssueTime', ContextKeyType: 'date', ContextKeyValues: [issued] }] }),
  );
  return WANTED.map((action) => {
    const { EvalDecision: decision, MatchedStatements = [] } = EvaluationResults.find(({ EvalActionName }) => EvalActionName === action) ?? {};
    const policies = MatchedStatements.flatMap(({ SourcePolicyId }) => (SourcePolicyId === undefined ? [] : [inlineName(SourcePolicyId)]));
    const by = decision !== 'explicitDeny' || policies.includes(own) ? undefined : policies.find((name) => isDenialOfOthers(name, own));
    return { what: `${action} by an old session`, answer: decision === undefined ? 'unknown' : decision === 'explicitDeny' ? 'denied' : 'open', ...(by === undefined ? {} : { by }) };
  });
}

/** IAM calls an inline policy by its name, or by whose it is before that: `role_<role>_<policy>`. The suite's own have no underscore in their names. */
function inlineName(id: string): string {
  return /^(?:role|user)_/.test(id) ? id.slice(id.lastIndexOf('_') + 1) : id;
}
