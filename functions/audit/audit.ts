import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { listIncidents, NoSuchIncidentError, viewIncident } from '../../aws/incidents.ts';
import type { AuditRequest } from './handler.ts';

const PAGE = 50;

/**
 * `GET /incidents?which=open|closed&before=<cursor>` → `{ incidents, cursor }`, newest first;
 * `GET /incidents/<id>` → an `IncidentView`. Everything else is 404 or 405 with the reason.
 */
export async function answer(request: AuditRequest, tools: Tools): Promise<HttpAnswer> {
  if (request.requestContext.http.method !== 'GET') return httpAnswer(405, { error: `${request.requestContext.http.method} is not served: audit only reads` });
  const [, room, id] = request.rawPath.split('/').map(decodeURIComponent);
  if (room !== 'incidents') return httpAnswer(404, { error: `there is nothing at ${request.rawPath}; try /incidents` });
  if (id === undefined || id === '') {
    const { which = 'open', before } = request.queryStringParameters;
    if (which !== 'open' && which !== 'closed') return httpAnswer(400, { error: `which is ${JSON.stringify(which)}: use open or closed` });
    return httpAnswer(200, await listIncidents(tools, which, PAGE, before));
  }
  try {
    return httpAnswer(200, await viewIncident(tools, id));
  } catch (error) {
    if (error instanceof NoSuchIncidentError) return httpAnswer(404, { error: error.message });
    throw error;
  }
}
