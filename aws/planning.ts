import { InvokeCommand } from '@aws-sdk/client-lambda';
import { z } from 'zod';
import { lambdaOf } from './clients.ts';
import type { Incident, Plan } from '../core/incident.ts';
import type { PlanResult } from '../core/next.ts';
import type { Tools } from './function.ts';
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
