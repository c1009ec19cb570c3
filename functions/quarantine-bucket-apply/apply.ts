import { readBucket, writeSetting } from '../../aws/bucket.ts';
import { takeBudgets } from '../../aws/budget.ts';
import type { Tools } from '../../aws/function.ts';
import { readGuard } from '../../aws/guard.ts';
import { addEntry, complete, getIncident, getPlan, getRelease, intend, ledgerOf, updateIncident } from '../../aws/incidents.ts';
import { remaining, StateMovedError } from '../../core/apply.ts';
import { guardSays } from '../../core/guard.ts';
import type { Change, Direction, Incident, LedgerEntry } from '../../core/incident.ts';
import { checkDigest } from '../../core/plan.ts';
import { settingOf } from '../../core/quarantine/restore.ts';

/** The guard, or the mode, forbids what the workflow asked for. */
export class HeldError extends Error {
  override readonly name = 'HeldError';
}

/**
 * Writes the undo intent of every change, makes the changes one after the other, and writes what was acknowledged.
 * The workflow's input is not trusted: plan, mode and guard are read here.
 */
export async function applyQuarantine(
  input: { readonly incident: string; readonly direction: Direction; readonly execution: string; readonly digest: string },
  tools: Tools,
): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const [incident, stored, guard, release] = await Promise.all([
    getIncident(tools, input.incident),
    getPlan(tools, input.incident, input.digest),
    readGuard(tools),
    getRelease(tools, input.incident),
  ]);
  const released = release !== null;
  if (!stored) throw new StateMovedError(`there is no plan ${input.digest} for ${input.incident}: plan again`);
  const plan = checkDigest(stored);
  if (plan.direction !== input.direction) throw new StateMovedError(`plan ${plan.digest} is to ${plan.direction}, not to ${input.direction}`);
  const held = guardSays(plan.direction, incident.target, guard, { protectedBuckets: tools.settings.STOPBATH_PROTECTED_BUCKETS, released });
  if (held !== null) throw new HeldError(held);
  if (plan.direction === 'contain' && incident.mode !== 'contain' && !released) throw new HeldError(`the incident's mode is ${incident.mode}: nothing may be changed`);

  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const [state, written, spent] = await Promise.all([
    readBucket(tools.clients.s3, address),
    ledgerOf(tools, incident.id),
    plan.direction === 'contain' && !released ? spend(incident, tools) : null,
  ]);
  if (spent !== null) throw new HeldError(spent);
  const changes = remaining(plan.changes, (setting) => settingOf(state, setting));
  const intendedAt = tools.now();
  // An earlier try acted and its answer was lost: the state shows the act, so its result is written now.
  const lost = written.filter((entry) => entry.digest === plan.digest && entry.execution === input.execution && entry.result === 'intended' && !changes.some(({ seq }) => seq === entry.seq));
  const intents = changes.map((change): LedgerEntry => ({ ...change, incident: incident.id, direction: plan.direction, execution: input.execution, digest: plan.digest, intendedAt, doneAt: null, result: 'intended' }));
  await Promise.all([
    ...intents.map((intent) => intend(tools, intent)),
    ...lost.map((entry) => complete(tools, { ...entry, doneAt: intendedAt, result: 'done' })),
    updateIncident(tools, incident.id, { status: plan.direction === 'contain' ? 'containing' : 'restoring' }),
  ]);
  for (const intent of intents) await make(intent);

  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
  return { changes: changes.length, acknowledgedAt };

  async function make(intent: LedgerEntry): Promise<void> {
    await named(intent, writeSetting(tools.clients.s3, address, intent.setting, intent.after));
    const doneAt = tools.now();
    await Promise.all([
      complete(tools, { ...intent, doneAt, result: 'done' }),
      addEntry(tools, `${input.execution}/change/${plan.digest.slice(0, 16)}/${intent.seq}`, {
        incident: incident.id,
        at: doneAt,
        kind: 'change',
        text: intent.title,
        by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
        detail: { setting: intent.setting, seq: intent.seq },
      }),
    ]);
  }
}

/** One containment from the budgets of the last hour; why not, where there is none left. */
async function spend(incident: Incident, tools: Tools): Promise<string | null> {
  const { STOPBATH_BUDGET_ACCOUNT: account, STOPBATH_BUDGET_ALL: all, STOPBATH_BUDGET_RESERVED: reserved } = tools.settings;
  const wanted = { incident: incident.id, account: incident.target.account, severity: incident.severity, at: tools.now() };
  return await takeBudgets(tools, wanted, { account: { limit: account, reserved }, all: { limit: all, reserved } });
}

/** S3's refusals do not always name the setting; the record must. */
async function named(change: Change, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (error instanceof Error) error.message = `${change.setting}: ${error.message}`;
    throw error;
  }
}
