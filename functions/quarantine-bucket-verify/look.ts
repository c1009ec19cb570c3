import { s3Of } from '../../aws/clients.ts';
import { readBucket } from '../../aws/bucket.ts';
import type { Tools } from '../../aws/function.ts';
import type { LookInput } from '../../aws/looking.ts';
import { addEntry, savePlan, viewIncident } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { withImpact } from '../../core/plan.ts';
import { askAnonymously, askFromInside, sampleKeys } from '../../aws/probe.ts';
import { exposuresOf } from '../../core/exposure.ts';
import type { Direction, IncidentView, Plan } from '../../core/incident.ts';
import { driftOf, judge, type Answer, type Judgement, type Look } from '../../core/quarantine/look.ts';
import { standing } from '../../core/outcome.ts';
import { leftIn } from '../../core/quarantine/left.ts';
import { LEVELS, levelOf, type Level } from '../../core/quarantine/levels.ts';

export async function lookAtQuarantine(input: LookInput, tools: Tools): Promise<Judgement & { readonly looks: number }> {
  const view = await viewIncident(tools, input.incident);
  const { target } = view.incident;
  const address = { bucket: target.name, account: target.account, region: target.region };
  const plan = view.plans.findLast((entry) => entry.direction === 'contain');
  const more = input.looks === 0 ? (input.impact ?? null) : null;
  if (plan && more) await savePlan(tools, withImpact(plan, more));
  const level = LEVELS.find((entry) => entry === plan?.level) ?? 'public';
  const { clients } = memberTools(tools, address.account, 'read', view.incident.id);
  const [state, keys] = await Promise.all([readBucket(clients, address, { mayMiss: () => true }), sampleKeys(s3Of(clients), address)]);
  const [anonymous, inside] = await Promise.all([askAnonymously(tools.clients, state, keys), askFromInside(tools, address, keys)]);
  const look: Look = { anonymous, inside, open: exposuresOf(state).length > 0, drifted: driftOf(input.direction === 'contain' ? standing(view.ledger) : view.ledger.slice(view.ledger.findLastIndex(({ direction }) => direction === 'contain') + 1), state) };

  const looks = input.looks + 1;
  const judgement = judge(look, { ...expectation(input.direction, level, view, tools), left: leftIn(state, level, tools.settings.STOPBATH_ORGANIZATION_ID) }, input.streak, looks);
  await addEntry(tools, `${input.execution}/look/${looks}`, {
    incident: view.incident.id,
    at: tools.now(),
    kind: 'look',
    text: `look ${looks}: anonymous ${anonymous}${more === null ? '' : ` (before: ${answerIn(more)})`}, another role of the account ${inside}${look.drifted.length > 0 ? `, changed since: ${look.drifted.join(', ')}` : ''}`,
    by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
    detail: { ...look, drifted: [...look.drifted], streak: judgement.streak, verdict: judgement.verdict },
  });
  return { ...judgement, looks };
}

function expectation(direction: Direction, level: Level, view: IncidentView, tools: Tools) {
  return {
    direction,
    level,
    asked: levelOf(view.incident.inputs),
    anonymousBefore: answerIn(view.plans.find((entry) => entry.direction === 'contain' && entry.impact['anonymousBefore'] !== undefined)?.impact ?? {}),
    needed: tools.settings.STOPBATH_VERIFY_LOOKS,
    allowed: tools.settings.STOPBATH_VERIFY_MAX_LOOKS,
  } as const;
}

function answerIn({ anonymousBefore }: Plan['impact']): Answer {
  const answers: readonly Answer[] = ['refused', 'served', 'unknown'];
  return answers.find((answer) => answer === anonymousBefore) ?? 'unknown';
}
