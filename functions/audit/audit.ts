import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { readGuard } from '../../aws/guard.ts';
import { listIncidents, NoSuchIncidentError, viewIncident } from '../../aws/incidents.ts';
import { readErasures } from '../../aws/owners.ts';
import { readSuppressions } from '../../aws/suppressions.ts';
import { readCursor, writeCursor } from '../../core/cursor.ts';
import { plain } from '../../core/text.ts';
import { evidence } from './evidence.ts';
import type { AuditRequest } from './handler.ts';
import { decisions, history, refusing, seals, views } from './history.ts';

const PAGE = 50;

/**
 * `GET /incidents?which=open|closed&before=<cursor>` → `{ incidents, cursor }`, newest first; `GET /incidents/<id>` → an
 * `IncidentView`; `GET /history…` → incidents of all states, filtered; `GET /views?ids=` → everything about some; `GET /decisions/<yyyy-mm-dd>` → a day's decisions;
 * `GET /seals` → the seals that there are; `GET /evidence/…` → the evidence bucket itself; `GET /guard` → the kill switch and the suppressions. Everything else is 404 or 405 with the reason. Who read what, and
 * what was refused, is in the function's log: this function can write nothing else.
 */
export async function answer(request: AuditRequest, tools: Tools): Promise<HttpAnswer> {
  const answered = await route(request, tools);
  const { http, authorizer } = request.requestContext;
  const asked = { by: plain(authorizer.iam.userArn, 2048), method: http.method, path: plain(request.rawPath, 512), query: plain(JSON.stringify(request.queryStringParameters), 1024) };
  if (answered.statusCode < 400) tools.log.info('read', { ...asked, status: answered.statusCode });
  else tools.log.warn('refused', { ...asked, status: answered.statusCode, body: plain(answered.body, 512) });
  return answered;
}

async function route(request: AuditRequest, tools: Tools): Promise<HttpAnswer> {
  if (request.requestContext.http.method !== 'GET') return httpAnswer(405, { error: `${request.requestContext.http.method} is not served: audit only reads` });
  const [, room, id] = request.rawPath.split('/').map(decoded);
  switch (room) {
    case 'incidents':
      return id ? await incident(id, tools) : await incidents(request.queryStringParameters, tools);
    case 'history':
      return await history(id, request.queryStringParameters, tools);
    case 'views':
      return await views(request.queryStringParameters, tools);
    case 'decisions':
      return await decisions(id, request.queryStringParameters, tools);
    case 'seals':
      return await seals(request.queryStringParameters, tools);
    case 'guard':
      return httpAnswer(200, { ...(await readGuard(tools)), suppressions: await readSuppressions(tools), erased: await readErasures(tools) });
    case 'evidence':
      return await evidence(id, request.queryStringParameters, tools);
    default:
      return httpAnswer(404, { error: `there is nothing at ${request.rawPath}; there are /incidents, /history, /views, /decisions, /seals, /evidence and /guard` });
  }
}

async function incidents({ which = 'open', before }: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  if (which !== 'open' && which !== 'closed') return httpAnswer(400, { error: `which is ${JSON.stringify(which)}: use open or closed` });
  return await refusing(async () => {
    const page = await listIncidents(tools, which, PAGE, before === undefined ? undefined : readCursor(before, which));
    return httpAnswer(200, { incidents: page.incidents, cursor: page.cursor === null ? null : writeCursor(page.cursor, which) });
  });
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
