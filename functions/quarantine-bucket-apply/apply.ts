import { readAhead } from '../../aws/ahead.ts';
import { s3Of } from '../../aws/clients.ts';
import { acknowledge, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import { readBucket, writeSetting } from '../../aws/bucket.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { assertMayApply } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import { reopenings, settingOf } from '../../core/quarantine/restore.ts';

/**
 * Writes the undo intent of every change, makes the changes one after the other, and writes what was acknowledged.
 * The workflow's input is not trusted: plan, mode, guard and approvals are read here.
 */
export async function applyQuarantine(input: ApplyInput, tools: Tools): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const reading = plannedFor(tools, input);
  const [planned, state] = await Promise.all([reading, readAhead(input.target, reading.then(({ incident }) => incident), async ({ name, account, region }) => await readBucket(memberTools(tools, account, 'contain', input.incident).clients, { bucket: name, account, region }))]);
  const { incident, plan, written } = planned;
  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const there = memberTools(tools, address.account, 'contain', incident.id);
  await assertMayApply(tools, planned, { reopens: plan.direction === 'restore' ? reopenings(state, plan.changes) : [] }, state.tagging);
  const changes = remaining(plan.changes, (setting) => settingOf(state, setting));
  const [intents] = await Promise.all([
    intendAll(tools, input, changes, written),
    updateIncident(tools, incident.id, { status: plan.direction === 'contain' ? 'containing' : 'restoring' }),
  ]);
  for (const intent of intents) {
    await named(intent, writeSetting(s3Of(there.clients), address, intent.setting, intent.after));
    await acknowledge(tools, intent);
  }
  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
  return { changes: changes.length, acknowledgedAt };
}
