import { z } from 'zod';
import { aheadInput } from './ahead.ts';
import { StateMovedError } from '../core/apply.ts';
import type { Json } from '../core/bucket.ts';
import type { Change, LedgerEntry, Plan } from '../core/incident.ts';
import { checkDigest } from '../core/plan.ts';
import { readTakes } from './budget.ts';
import type { Tools } from './function.ts';
import { TransientError } from './errors.ts';
import { addEntry, getIncident, getPlan, hasTurn, takeTurn } from './incidents.ts';
import { complete, intend, writtenFor } from './ledger.ts';
import { readOnRecord, type Planned } from './standing.ts';

/** What every `apply` gets from its workflow. None of it is trusted beyond naming things that are read. */
export const applyInput = z.strictObject({
  incident: z.string().min(1),
  direction: z.enum(['contain', 'restore']),
  execution: z.string().min(1),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  target: aheadInput,
});
export type ApplyInput = Readonly<z.infer<typeof applyInput>>;

/**
 * The stored plan with this digest, what its execution wrote to the ledger so far, and all that is on record about it, read side by side.
 *
 * @throws {StateMovedError} where there is none for this direction
 * @throws {DigestMismatchError} where it was altered
 */
export async function plannedFor(tools: Tools, input: ApplyInput): Promise<Planned> {
  const readAt = Date.parse(tools.now());
  const [incident, stored, written, onRecord, takes] = await Promise.all([
    getIncident(tools, input.incident),
    getPlan(tools, input.incident, input.digest),
    writtenFor(tools, input),
    readOnRecord(tools, input.incident, input.execution),
    input.direction === 'contain' ? readTakes(tools) : null,
  ]);
  if (!stored) throw new StateMovedError(`there is no plan ${input.digest} for ${input.incident}: plan again`);
  const plan = checkDigest(stored);
  if (plan.direction !== input.direction) throw new StateMovedError(`plan ${plan.digest} is to ${plan.direction}, not to ${input.direction}`);
  return { incident, plan, execution: input.execution, written, onRecord, readAt, takes };
}

/**
 * Writes the undo of every change that is still to do, before any of them is made. An earlier try may have acted and lost
 * the answer: what the state shows as done is completed. The first word is that this run writes (`containing`, `restoring`), on
 * the condition that the incident is still what was judged: what was started meanwhile goes first, and nothing is started beside this.
 *
 * @returns an intent a change, as it was first written
 * @throws {TransientError} where the incident has gone on since: it is judged again
 */
export async function intendAll(tools: Tools, { incident, plan, execution, written, readAt }: Pick<Planned, 'incident' | 'plan' | 'execution' | 'written' | 'readAt'>, changes: readonly Change[]): Promise<readonly LedgerEntry[]> {
  const isOurs = hasTurn(incident, plan.direction, execution) && Date.parse(tools.now()) - readAt < TURN_HOLDS_MS;
  if (!isOurs && !(await takeTurn(tools, incident, plan.direction, execution))) throw new TransientError(`${incident.id} has gone on while ${execution} was judged: judged again`);
  const intendedAt = tools.now();
  const earlier = (change: Change) => written.find(({ seq }) => seq === change.seq);
  const fresh = changes.filter((change) => !earlier(change)).map((change) => intentOf(plan, execution, change, intendedAt));
  const lost = written.filter((entry) => entry.result === 'intended' && !changes.some(({ seq }) => seq === entry.seq));
  await Promise.all([...fresh.map((intent) => intend(tools, intent)), ...lost.map((entry) => complete(tools, { ...entry, doneAt: intendedAt, result: 'done' }))]);
  return changes.flatMap((change) => earlier(change) ?? fresh.find(({ seq }) => seq === change.seq) ?? []);
}

/** Where what is judged took longer to be read, the run may have been aborted and another one started: it is asked once more. */
const TURN_HOLDS_MS = 1000;

export function intentOf({ incident, direction, digest }: Plan, execution: string, change: Change, intendedAt: string): LedgerEntry {
  return { ...change, incident, direction, execution, digest, intendedAt, doneAt: null, result: 'intended' };
}

/**
 * Writes that a change was acknowledged, with a line of the incident's history: its title unless told.
 *
 * @param bulk - of a change of many things: what became of them
 */
export async function acknowledge(tools: Tools, intent: LedgerEntry, bulk: { readonly text: string; readonly met: Json } | null = null): Promise<void> {
  const doneAt = tools.now();
  await Promise.all([
    complete(tools, { ...intent, doneAt, result: 'done', ...(bulk ? { met: bulk.met } : {}) }),
    addEntry(tools, `${intent.execution}/change/${intent.digest.slice(0, 16)}/${intent.seq}`, {
      incident: intent.incident,
      at: doneAt,
      kind: 'change',
      text: bulk?.text ?? intent.title,
      by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
      detail: { setting: intent.setting, seq: intent.seq },
    }),
  ]);
}

/** AWS's refusals do not always name the setting; the record must. */
export async function named(change: Pick<Change, 'setting'>, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (error instanceof Error) error.message = `${change.setting}: ${error.message}`;
    throw error;
  }
}
