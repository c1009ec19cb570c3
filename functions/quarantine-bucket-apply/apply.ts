import { readBucket, writeSetting } from '../../aws/bucket.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, complete, getIncident, getPlan, intend, ledgerOf, updateIncident } from '../../aws/incidents.ts';
import { assertMayApply } from '../../aws/standing.ts';
import { remaining, StateMovedError } from '../../core/apply.ts';
import type { Change, Direction, LedgerEntry } from '../../core/incident.ts';
import { checkDigest } from '../../core/plan.ts';
import { reopenings, settingOf } from '../../core/quarantine/restore.ts';

/**
 * Writes the undo intent of every change, makes the changes one after the other, and writes what was acknowledged.
 * The workflow's input is not trusted: plan, mode, guard and approvals are read here.
 */
export async function applyQuarantine(
  input: { readonly incident: string; readonly direction: Direction; readonly execution: string; readonly digest: string },
  tools: Tools,
): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const [incident, stored] = await Promise.all([getIncident(tools, input.incident), getPlan(tools, input.incident, input.digest)]);
  if (!stored) throw new StateMovedError(`there is no plan ${input.digest} for ${input.incident}: plan again`);
  const plan = checkDigest(stored);
  if (plan.direction !== input.direction) throw new StateMovedError(`plan ${plan.digest} is to ${plan.direction}, not to ${input.direction}`);

  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const [state, written] = await Promise.all([readBucket(tools.clients, address), ledgerOf(tools, incident.id)]);
  await assertMayApply(tools, incident, plan, input.execution, { reopens: plan.direction === 'restore' ? reopenings(state, plan.changes) : [] }, state.tagging);
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

/** S3's refusals do not always name the setting; the record must. */
async function named(change: Change, write: Promise<void>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (error instanceof Error) error.message = `${change.setting}: ${error.message}`;
    throw error;
  }
}
