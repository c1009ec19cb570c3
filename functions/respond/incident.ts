import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident, ledgerOf, saveRelease, updateIncident } from '../../aws/incidents.ts';
import { nextExecution, startExecution } from '../../aws/executions.ts';

interface Ask {
  readonly incident: string;
  readonly reason: string;
}

/** Starts the way back: 202 `{ incident, execution }`; 409 where there is nothing to restore or something is under way. */
export async function restore(ask: Ask, by: string, tools: Tools): Promise<HttpAnswer> {
  const [incident, ledger] = await Promise.all([getIncident(tools, ask.incident), ledgerOf(tools, ask.incident)]);
  const { id, status } = incident;
  if (status === 'containing' || status === 'restoring') return httpAnswer(409, { error: `${id} is ${status}: wait for it, then restore` });
  if (status === 'restored') return httpAnswer(409, { error: `${id} is restored since ${incident.restoredAt}` });
  if (ledger.length === 0) return httpAnswer(409, { error: `${id} changed nothing: there is nothing to restore` });

  const execution = nextExecution(incident, 'restore');
  if (!(await startExecution(tools, incident, 'restore', execution))) return httpAnswer(409, { error: `${execution} was started already` });
  await Promise.all([
    updateIncident(tools, id, { requestedBy: by }),
    addEntry(tools, `${execution}/request`, { incident: id, at: tools.now(), kind: 'request', text: `restore asked for: ${ask.reason}`, by, detail: { execution } }),
  ]);
  return httpAnswer(202, { incident: id, execution });
}

/** Lets an incident that was held, or only observed, be contained: 202 `{ incident, execution }`. Pausing stays in force. */
export async function release(ask: Ask, by: string, tools: Tools): Promise<HttpAnswer> {
  const incident = await getIncident(tools, ask.incident);
  const { id, status } = incident;
  if (status !== 'held' && status !== 'observed' && status !== 'failed') return httpAnswer(409, { error: `${id} is ${status}: only what is held, observed or failed can be released` });
  if (incident.playbook === 'open-ticket') return httpAnswer(409, { error: `${id} has a ticket only: its playbook contains nothing` });

  const at = tools.now();
  const execution = nextExecution(incident, 'contain');
  await saveRelease(tools, id, { by, at, reason: ask.reason });
  if (!(await startExecution(tools, incident, 'contain', execution))) return httpAnswer(409, { error: `${execution} was started already` });
  await Promise.all([
    updateIncident(tools, id, { requestedBy: by }),
    addEntry(tools, `${execution}/request`, { incident: id, at, kind: 'request', text: `released for containment: ${ask.reason}`, by, detail: { execution } }),
  ]);
  return httpAnswer(202, { incident: id, execution });
}
