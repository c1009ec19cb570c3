import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { aheadInput } from './ahead.ts';
import { lambdaOf } from './clients.ts';
import { allOrThrow } from './concurrently.ts';
import { nameEvidence, putEvidence, putNamed, type Named } from './evidence.ts';
import { addEntry, savePlan } from './incidents.ts';
import type { Incident, Plan } from '../core/incident.ts';
import type { PlanResult } from '../core/next.ts';
import type { Tools } from './function.ts';
import { withImpact } from '../core/plan.ts';
import { previewBudgets } from './standing.ts';
import type { Budgets } from './standing.ts';

const draft = z.custom<Incident>((value) => typeof value === 'object' && value !== null && 'id' in value && 'target' in value && 'inputs' in value, 'must be an incident');

/**
 * What every playbook's plan function takes: from its workflow, or from `respond` for somebody who only wants to see. A
 * preview is planned like any other and written nowhere; `draft` is an incident that does not exist yet.
 */
export const planInput = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  target: aheadInput,
  preview: z.strictObject({ draft: draft.nullable(), newer: z.enum(['keep', 'overwrite']) }).optional(),
});
export type PlanInput = z.infer<typeof planInput>;

export interface Preview {
  readonly plan: Plan;
  /** What would come after it: the guard's and the mode's word. */
  readonly result: PlanResult;
  /** What is left of the budgets; none for a restore. */
  readonly budgets: Budgets;
}

export interface PlanMade {
  readonly input: PlanInput;
  readonly incident: Incident;
  readonly plan: Plan;
  readonly result: PlanResult;
  /** What was read of the target, whole: what a restore goes back to. Locked for a year. */
  readonly snapshot: object;
  /** Share links that it would revoke, for the budgets that a preview tells. */
  readonly links?: number;
  /** What stands in the incident's history beside how many changes there are: `at level public`. */
  readonly text: string;
  /** More of the impact, which is still being asked for while the plan is kept. Where nobody waits for it, whoever looks after the act puts it into the plan. */
  readonly more?: Promise<Plan['impact']>;
  /** Where its apply follows at once. */
  readonly reserve?: (() => Promise<void>) | null;
  /** The snapshot's name, where it was announced while all of this was read. */
  readonly named?: Named | null;
}

/**
 * The end of every plan function: the plan is stored, what was seen is evidence, and the history says so. A preview leaves no trace.
 */
export async function keepPlan(tools: Tools, made: PlanMade): Promise<PlanResult | Preview> {
  const { input, incident, plan, result, snapshot, text, links = 0, more, reserve = null } = made;
  const { execution } = input;
  const whole = async () => withImpact(plan, await more);
  if (input.preview) return { plan: await whole(), result, budgets: await previewBudgets(tools, incident, plan, links) };
  const { digest, plannedAt, changes } = plan;
  const evidence = { drill: incident.drill, body: { execution, ...snapshot, plan } };
  const [, impact = null] = await allOrThrow([
    reserve?.(),
    more,
    reserve ? savePlan(tools, plan) : whole().then((known) => savePlan(tools, known)),
    addEntry(tools, `${execution}/plan/${digest.slice(0, 16)}`, {
      incident: incident.id,
      at: plannedAt,
      kind: 'plan',
      text: `planned ${changes.length} ${changes.length === 1 ? 'change' : 'changes'} to ${input.direction}${text}`,
      by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
      detail: { digest, notes: [...plan.notes], next: result.next },
    }),
    made.named ? putNamed(tools, made.named, evidence, incident.target) : putEvidence(tools, { kind: 'snapshot', id: `${execution}/${digest.slice(0, 16)}`, incident: incident.id, at: plannedAt, ...evidence }, incident.target),
  ]);
  return reserve && impact ? { ...result, impact } : result;
}

/** For a plan that goes on by itself: its snapshot is announced beside what is read for it. A preview keeps none. */
export async function nameSnapshot(tools: Tools, { execution, incident, preview }: PlanInput): Promise<Named | null> {
  return preview ? null : await nameEvidence(tools, 'snapshot', execution, incident);
}

/** A plan function ended with an error of its own: its name and message say what is wrong with the target. */
export class PlanningError extends Error {
  override readonly name = 'PlanningError';
}

const answer = z.object({ plan: z.custom<Plan>((value) => typeof value === 'object' && value !== null && 'digest' in value), result: z.custom<PlanResult>((value) => typeof value === 'object' && value !== null && 'next' in value), budgets: z.custom<Budgets>(Array.isArray) });
const failure = z.object({ errorType: z.string(), errorMessage: z.string() });

/**
 * A plan, by the function that plans for the playbook and under its role, which can only read.
 *
 * @throws {PlanningError}
 */
export async function previewPlan(tools: Pick<Tools, 'settings' | 'clients'>, playbook: string, input: PlanInput & { readonly preview: NonNullable<PlanInput['preview']> }): Promise<Preview> {
  const FunctionName = `${tools.settings.STOPBATH_NAME}-${playbook}-plan`;
  const { Payload, FunctionError } = await lambdaOf(tools.clients).send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(input) }));
  const said: unknown = JSON.parse(Buffer.from(Payload ?? []).toString('utf8'));
  if (FunctionError === undefined) return answer.parse(said);
  const { errorType, errorMessage } = failure.parse(said);
  throw new PlanningError(`it cannot be planned: ${errorType}: ${errorMessage}`);
}
