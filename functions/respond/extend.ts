import type { Tools } from '../../aws/function.ts';
import { startTicket } from '../../aws/executions.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident, moveLease } from '../../aws/incidents.ts';
import { LONGEST_LEASE_MS } from '../../core/lease.ts';

/** Lets a containment stand longer, never shorter, and makes whoever asks its owner: 200 `{ incident, lease }`. */
export async function extend(ask: { readonly incident: string; readonly until: string; readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const incident = await getIncident(tools, ask.incident);
  const at = tools.now();
  const until = new Date(ask.until).toISOString();
  if (!incident.lease || incident.status === 'restored') return httpAnswer(409, { error: `${incident.id} is ${incident.status}: nothing of it is contained, so that there is nothing to extend` });
  if (until <= at) return httpAnswer(400, { error: `until is ${until}: it must be in the future` });
  if (until < incident.lease.until) return httpAnswer(400, { error: `until is ${until}, and the containment stands until ${incident.lease.until}: it can stand longer; to end it sooner, stopbath restore ${incident.id}` });
  if (Date.parse(until) - Date.parse(at) > LONGEST_LEASE_MS) return httpAnswer(400, { error: `until is ${until}: a containment stands for 90 days at most before somebody looks at it again` });
  const lease = { owner: by, until, remindedAt: null };
  if (!(await moveLease(tools, incident.id, incident.lease, lease))) return httpAnswer(409, { error: `somebody else changed how long ${incident.id} stands a moment ago: look at it again, stopbath show ${incident.id}` });
  await addEntry(tools, `lease/extended/${at}`, { incident: incident.id, at, kind: 'request', text: `the containment stands until ${until}: ${ask.reason}`, by, detail: { act: 'extend', until } });
  await startTicket(tools, incident.id, `${incident.id}-extend-${Date.parse(at)}`);
  return httpAnswer(200, { incident: incident.id, lease });
}
