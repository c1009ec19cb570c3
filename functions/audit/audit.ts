import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { readDecisions } from '../../aws/decisions.ts';
import { readGuard } from '../../aws/guard.ts';
import { listIncidents, NoSuchIncidentError, viewIncident } from '../../aws/incidents.ts';
import { readSuppressions } from '../../aws/suppressions.ts';
import type { AuditRequest } from './handler.ts';

const PAGE = 50;

/**
 * `GET /incidents?which=open|closed&before=<cursor>` → `{ incidents, cursor }`, newest first;
 * `GET /incidents/<id>` → an `IncidentView`; `GET /guard` → the kill switch and the suppressions;
 * `GET /decisions/<yyyy-mm-dd>` → the day's decisions. Everything else is 404 or 405 with the reason.
 */
export async function answer(request: AuditRequest, tools: Tools): Promise<HttpAnswer> {
  if (request.requestContext.http.method !== 'GET') return httpAnswer(405, { error: `${request.requestContext.http.method} is not served: audit only reads` });
  const [, room, id] = request.rawPath.split('/').map(decoded);
  switch (room) {
    case 'incidents':
      return id ? await incident(id, tools) : await incidents(request.queryStringParameters, tools);
    case 'guard':
      return httpAnswer(200, { ...(await readGuard(tools)), suppressions: await readSuppressions(tools) });
    case 'decisions':
      return id && /^\d{4}-\d{2}-\d{2}$/.test(id) ? httpAnswer(200, { decisions: await readDecisions(tools, id) }) : httpAnswer(400, { error: 'name a day: /decisions/2026-01-31' });
    default:
      return httpAnswer(404, { error: `there is nothing at ${request.rawPath}; there are /incidents, /guard and /decisions` });
  }
}

async function incidents({ which = 'open', before }: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  if (which !== 'open' && which !== 'closed') return httpAnswer(400, { error: `which is ${JSON.stringify(which)}: use open or closed` });
  return httpAnswer(200, await listIncidents(tools, which, PAGE, before));
}

async function incident(id: string, tools: Tools): Promise<HttpAnswer> {
  try {
    return httpAnswer(200, await viewIncident(tools, id));
  } catch (error) {
    if (error instanceof NoSuchIncidentError) return httpAnswer(404, { error: error.message });
    throw error;
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
