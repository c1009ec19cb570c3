import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, addExecution, getIncident, ledgerOf, NoSuchIncidentError, updateIncident } from '../../aws/incidents.ts';
import { stateMachineArn } from '../../aws/names.ts';
import type { RespondRequest } from './handler.ts';

const restoreBody = z.strictObject({ incident: z.string().min(1), reason: z.string().trim().min(1, 'say why, for the record') });

/** `POST /restore { incident, reason }` → 202 `{ incident, execution }`; refusals are 4xx with the reason. */
export async function respond(request: RespondRequest, tools: Tools): Promise<HttpAnswer> {
  if (request.requestContext.http.method !== 'POST') return httpAnswer(405, { error: 'use POST' });
  if (request.rawPath !== '/restore') return httpAnswer(404, { error: `there is nothing at ${request.rawPath}; try /restore` });
  const read = restoreBody.safeParse(bodyOf(request));
  if (!read.success) return httpAnswer(400, { error: z.prettifyError(read.error) });
  try {
    return await restore(read.data, request.requestContext.authorizer.iam.userArn, tools);
  } catch (error) {
    if (error instanceof NoSuchIncidentError) return httpAnswer(404, { error: error.message });
    throw error;
  }
}

async function restore({ incident: id, reason }: z.infer<typeof restoreBody>, by: string, tools: Tools): Promise<HttpAnswer> {
  const [incident, ledger] = await Promise.all([getIncident(tools, id), ledgerOf(tools, id)]);
  if (incident.status === 'containing' || incident.status === 'restoring') return httpAnswer(409, { error: `${id} is ${incident.status}: wait for it, then restore` });
  if (incident.status === 'restored') return httpAnswer(409, { error: `${id} is restored since ${incident.restoredAt}` });
  if (ledger.length === 0) return httpAnswer(409, { error: `${id} changed nothing: there is nothing to restore` });

  const execution = `${id}-restore-${incident.executions.filter((name) => name.startsWith(`${id}-restore-`)).length + 1}`;
  await addExecution(tools, id, execution);
  try {
    await tools.clients.sfn.send(
      new StartExecutionCommand({
        stateMachineArn: stateMachineArn(tools.settings, incident.playbook),
        name: execution,
        input: JSON.stringify({ incident: id, direction: 'restore' }),
      }),
    );
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return httpAnswer(409, { error: `${execution} was started already` });
    throw error;
  }
  await Promise.all([
    updateIncident(tools, id, { requestedBy: by }),
    addEntry(tools, `${execution}/request`, { incident: id, at: tools.now(), kind: 'request', text: `restore asked for: ${reason}`, by, detail: { execution } }),
  ]);
  return httpAnswer(202, { incident: id, execution });
}

function bodyOf(request: RespondRequest): unknown {
  const text = request.isBase64Encoded ? Buffer.from(request.body, 'base64').toString('utf8') : request.body;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
