import { readAhead } from '../../aws/ahead.ts';
import { s3Of } from '../../aws/clients.ts';
import { acknowledge, forgoReserved, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import { readBucket, writeSetting } from '../../aws/bucket.ts';
import { BusyError, isRefusal, PermissionError } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { assertMayApply, mayMiss, type Planned } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import type { BucketState } from '../../core/bucket.ts';
import type { Change, LedgerEntry } from '../../core/incident.ts';
import { reopenings, settingOf } from '../../core/quarantine/restore.ts';

/**
 * Writes the undo intent of every change, makes the changes one after the other, and writes what was acknowledged.
 * The workflow's input is not trusted: plan, mode, guard and approvals are read here.
 */
export async function applyQuarantine(input: ApplyInput, tools: Tools): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const reading = plannedFor(tools, input);
  const [planned, state] = await Promise.all([reading, readAhead(input.target, reading.then(({ incident }) => incident), async ({ name, account, region }) => await readBucket(memberTools(tools, account, 'contain', input.incident).clients, { bucket: name, account, region }, { mayMiss: mayMiss(tools) }))]);
  const { incident, plan } = planned;
  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const there = memberTools(tools, address.account, 'contain', incident.id);
  const changes = await changesNow(planned, state, tools).catch(async (error: unknown) => {
    await forgoReserved(tools, planned.written, (setting) => settingOf(state, setting));
    throw error;
  });
  const intents = await intendAll(tools, planned, changes);
  for (const intent of intents) {
    await named(intent, writeSetting(s3Of(there.clients), address, intent.setting, intent.after).catch((error: unknown) => { throw settling(error, intent, [...planned.written, ...intents], tools) ?? error; }));
    await acknowledge(tools, intent);
  }
  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
  return { changes: changes.length, acknowledgedAt };
}

/** What of the plan is to be done now, if any of it may be. */
async function changesNow(planned: Planned, state: BucketState, tools: Tools): Promise<readonly Change[]> {
  const { direction, changes, target } = planned.plan;
  await assertMayApply(tools, planned, { reopens: direction === 'restore' ? reopenings(state, changes) : [] }, state.tagging);
  const hidden = changes.find(({ setting }) => state.unread?.some((one) => one === setting));
  if (hidden) throw new PermissionError(`quarantine-bucket-apply: ${hidden.setting} of ${target.name} cannot be read any more, so that nobody knows what would be written over`);
  return remaining(changes, (setting) => settingOf(state, setting));
}

/**
 * For some seconds after `BlockPublicPolicy` was lifted S3 refuses public policies all the same, and says no more than that access is denied. AWS
 * support's advice is to wait.
 * @see https://github.com/env0/templates/pull/258
 */
const LIFT_SETTLES_MS = 30_000;

/** What of a refusal passes by itself; `null` where it does not. */
function settling(error: unknown, { setting, seq }: LedgerEntry, acts: readonly LedgerEntry[], { now }: Tools): BusyError | null {
  if (setting !== 'policy' || !isRefusal(error)) return null;
  const lift = acts.find((act) => act.setting === 'publicAccessBlock' && act.seq < seq);
  if (!lift || Date.parse(now()) - Date.parse(lift.doneAt ?? lift.intendedAt) >= LIFT_SETTLES_MS) return null;
  return new BusyError(`S3 refuses the policy, as it does for some seconds after the block was lifted for it: ${error instanceof Error ? error.message : ''}`, { cause: error });
}
