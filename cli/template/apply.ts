import { acknowledge, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { assertMayApply } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import { readTags, tagsIn, writeTags } from './tags.ts';

/**
 * Does exactly the plan with this digest: its undo first, then the act, then what was acknowledged. The workflow's input is not
 * trusted: plan, mode, guard and approvals are read here. Applying twice gives the same end as once.
 */
export async function applyNewPlaybook(input: ApplyInput, tools: Tools): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const planned = await plannedFor(tools, input);
  const { incident, plan } = planned;
  const tags = await readTags(tools, incident.target);
  await assertMayApply(tools, planned, { reopens: [] }, tagsIn(tags));
  const changes = remaining(plan.changes, () => tags);
  const intents = await intendAll(tools, planned, changes);
  for (const intent of intents) {
    await named(intent, writeTags(tools, incident.target, intent.after));
    await acknowledge(tools, intent);
  }
  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
  return { changes: changes.length, acknowledgedAt };
}
