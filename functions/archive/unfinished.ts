import type { DescribeExecutionCommandOutput } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import { addEntry, getIncident, NoSuchIncidentError, settle } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { isUnderWay } from '../../core/incident.ts';
import { outcomeOf } from '../../core/outcome.ts';

/** What a playbook's execution is started with. */
const started = z.looseObject({ incident: z.string(), direction: z.enum(['contain', 'restore']) });

/**
 * An execution that was aborted, timed out or failed outside its own states has recorded no outcome: its incident would be under way for
 * ever. What is known of it is put there instead, so that a responder can start, restore or release.
 */
export async function endUnfinished(execution: DescribeExecutionCommandOutput, tools: Tools): Promise<void> {
  const { status, name = '', input, error, cause } = execution;
  if (status === 'SUCCEEDED' || status === 'RUNNING') return;
  const read = started.safeParse(jsonOf(input));
  if (!read.success) return;
  const { incident: id, direction } = read.data;
  const incident = await getIncident(tools, id).catch((failure: unknown) => {
    if (failure instanceof NoSuchIncidentError) return null;
    throw failure;
  });
  if (incident === null || incident.executions.at(-1) !== name || !isUnderWay(incident)) return;
  const why = { name: error ?? `States.${status ?? 'Unknown'}`, message: cause ?? `the execution ${name} ended as ${status ?? 'unknown'} without an outcome` };
  const outcome = outcomeOf({ direction, execution: name, status: null, judgement: null, error: why, reason: null }, incident, await ledgerOf(tools, id));
  // A function that the execution called may go on after its end, `record` too: what it says meanwhile stands.
  if (!(await settle(tools, incident, outcome))) return await endUnfinished(execution, tools);
  await addEntry(tools, `${name}/ended`, { incident: id, at: tools.now(), kind: 'failure', text: outcome.outcome, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { status: outcome.status, execution: name } });
}

function jsonOf(text = ''): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
