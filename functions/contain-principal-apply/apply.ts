import { readAhead } from '../../aws/ahead.ts';
import { acknowledge, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { handOnLinks, toHandOn } from '../../aws/principal/hand-on.ts';
import { neverTouched, readPrincipal, writePrincipal } from '../../aws/principal/state.ts';
import { assertMayApply } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import { HeldError } from '../../core/held.ts';
import type { Plan } from '../../core/incident.ts';
import { keysSince, settingFor } from '../../core/principal/contain.ts';
import { principalOf } from '../../core/principal/principal.ts';

/**
 * Writes the undo intent of every change, makes the changes one after the other, and hands on what the principal issued. Its workflow calls it once more
 * when the deny is seen to hold, for what was issued until then: all else is done by that time. The workflow's input is not trusted: plan, mode, guard and approvals are read here, and whether the principal may be touched at all.
 */
export async function applyContainment(input: ApplyInput, tools: Tools): Promise<{ readonly changes: number; readonly acknowledgedAt: string }> {
  const reading = plannedFor(tools, input);
  const [planned, state] = await Promise.all([reading, readAhead(input.target, reading.then(({ incident }) => incident), async ({ arn }) => await readPrincipal(tools, principalOf(arn), input.incident))]);
  const { incident, plan } = planned;
  const principal = principalOf(incident.target.arn);
  const never = neverTouched(tools, principal, state);
  if (never !== null) throw new HeldError(never);
  await assertMayApply(tools, planned, { reopens: plan.direction === 'restore' ? plan.changes.map(({ title }) => title) : [], stops: stopsIn(plan) });
  const left = plan.changes.flatMap((change) => remaining([change], () => settingFor(state, change)));
  const changes = plan.direction === 'contain' ? [...left, ...keysSince(plan, state, principal, planned.written)] : left;
  const intents = await intendAll(tools, planned, changes);
  const there = memberTools(tools, principal.account, 'contain-principals', incident.id);
  for (const intent of intents) {
    await named(intent, writePrincipal(there, principal, intent));
    await acknowledge(tools, intent);
  }
  const acknowledgedAt = tools.now();
  if (plan.direction === 'contain') {
    await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? acknowledgedAt });
    const issued = await toHandOn(tools, incident, state.arn);
    if (issued.more) await handOnLinks(tools, incident, state.arn, issued, planned.onRecord.request?.by ?? 'automatic');
  }
  return { changes: changes.length, acknowledgedAt };
}

/** What somebody approves is what the plan said would stop. */
function stopsIn({ impact, changes }: Plan): readonly string[] {
  const stops = impact['wouldFeelIt'];
  return changes.length > 0 && Array.isArray(stops) ? stops.map(String) : [];
}
