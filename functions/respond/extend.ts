import type { Tools } from '../../aws/function.ts';
import { startTicket } from '../../aws/executions.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident, updateIncident } from '../../aws/incidents.ts';
import { LONGEST_LEASE_MS } from '../../core/lease.ts';

/** Lets a containment stand longer, and makes whoever asks its owner: 200 `{ incident, lease }`. */
export async function extend(ask: { readonly incident: string; readonly until: string; readonly reason: string }, by: string, tools: Tools): Promise<HttpAnswer> {
  const incident = await getIncident(tools, ask.incident);
  const at = tools.now();
  const until = new Date(ask.until).toISOString();
  if (!incident.lease || incident.status === 'restored') return httpAnswer(409, { error: `${incident.id} is ${incident.status}: nothing of it is contained, so that there is nothing to extend` });
  if (until <= at) return httpAnswer(400, { error: `until is ${until}: it must be in the future` });
  if (Date.parse(until) - Date.parse(at) > LONGEST_LEASE_MS) return httpAnswer(400, { error: `until is ${until}: a containment stands for 90 days at most before somebody looks at it again` });
  const lease = { owner: by, until, remindedAt: null };
  await Promise.all([
    updateIncident(tools, incident.id, { lease }),
    addEntry(tools, `lease/extended/${at}`, { incident: incident.id, at, kind: 'request', text: `the containment stands until ${until}: ${ask.reason}`, by, detail: { act: 'extend', until } }),
  ]);
  await startTicket(tools, incident.id, `${incident.id}-extend-${Date.parse(at)}`);
  return httpAnswer(200, { incident: incident.id, lease });
}
