import { approvalsOf, cast, tell } from '../../aws/approvals.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident } from '../../aws/incidents.ts';
import { peopleOf } from '../../aws/standing.ts';
import type { Approval, Refusal, Vote } from '../../core/approval.ts';

interface Ask {
  readonly incident: string;
  readonly digest: string;
  readonly reason: string | null;
}

/**
 * A responder's yes or no to what waits: 200 `{ incident, execution, state, have, needed }`. A refusal is 409 (403 where the
 * voter may not) with the reason, and is on record; a vote that was cast and not heard by the execution is told again.
 */
export async function decideApproval(word: Vote['word'], ask: Ask, by: string, tools: Tools): Promise<HttpAnswer> {
  const [incident, approvals] = await Promise.all([getIncident(tools, ask.incident), approvalsOf(tools, ask.incident)]);
  const asked = approvals.findLast(({ state }) => state === 'waiting') ?? approvals.at(-1);
  if (!asked) return httpAnswer(409, { error: `nothing of ${incident.id} waits for an approval` });

  const at = tools.now();
  const result = await cast(tools, asked, { word, by, at, digest: ask.digest, reason: ask.reason }, peopleOf(tools), incident.executions.at(-1) ?? asked.execution);
  const { approval } = result;
  if ('refused' in result) {
    await putOnRecord(approval, { by, at, act: 'refused', why: result.refused.why, text: `${word} by ${by} was refused: ${result.refused.text}` }, tools);
    if (approval.state === 'approved' || approval.state === 'rejected') await tell(tools, approval);
    return httpAnswer(STATUS[result.refused.why], { error: result.refused.text, why: result.refused.why });
  }
  const have = approval.votes.filter((cast) => cast.word === 'approve').length;
  const text = word === 'approve' ? `approved plan ${approval.digest.slice(0, 16)}${approval.needed > 1 ? ` (${have} of ${approval.needed})` : ''}${ask.reason === null ? '' : `: ${ask.reason}`}` : `rejected plan ${approval.digest.slice(0, 16)}: ${ask.reason ?? ''}`;
  await putOnRecord(approval, { by, at, act: word === 'approve' ? 'approved' : 'rejected', why: null, text }, tools);
  if (approval.state !== 'waiting') await tell(tools, approval);
  return httpAnswer(200, { incident: incident.id, execution: approval.execution, state: approval.state, have, needed: approval.needed });
}

const STATUS: Readonly<Record<Refusal['why'], number>> = { 'not-responder': 403, self: 403, 'same-person': 403, digest: 409, expired: 409, ended: 409, superseded: 409 };

interface Line {
  readonly by: string;
  readonly at: string;
  readonly act: 'approved' | 'rejected' | 'refused';
  readonly why: Refusal['why'] | null;
  readonly text: string;
}

/** A refusal that is repeated stays one line. */
async function putOnRecord({ incident, execution, digest, gates }: Approval, { by, at, act, why, text }: Line, tools: Tools): Promise<void> {
  const key = `${execution}/approval/${digest.slice(0, 16)}/${gates.join('+')}/${act}/${why ?? ''}/${by}`;
  await addEntry(tools, key, { incident, at, kind: 'approval', text, by, detail: { act, why, execution, digest } });
}
