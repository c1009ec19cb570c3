import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, getIncident, NoSuchIncidentError } from '../../aws/incidents.ts';
import { PlanningError } from '../../aws/planning.ts';
import { PlaybookInputError } from '../../core/inputs.ts';
import { isResponder } from '../../core/approval.ts';
import { decideApproval } from './approve.ts';
import { plain } from '../../core/text.ts';
import type { RespondRequest } from './handler.ts';
import { erase } from './erase.ts';
import { extend } from './extend.ts';
import { release, restore } from './incident.ts';
import { NoSuchPlaybookError, plan, planRestore } from './plan.ts';
import { redriveEvents } from './redrive.ts';
import { start } from './start.ts';
import { suppress, unsuppress, unsuppressBody } from './suppress.ts';
import { redrive, sendAgain } from './ticket.ts';
import { pause, resume } from './switch.ts';

const reason = z.string().trim().min(1, 'say why, for the record').max(1024);
const ofIncident = z.strictObject({ incident: z.string().min(1).max(64), reason });
const digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be the digest of the plan, 64 characters');
const ofApproval = z.strictObject({ incident: z.string().min(1).max(64), digest, reason: reason.nullable().default(null) });
const ofRejection = z.strictObject({ incident: z.string().min(1).max(64), digest, reason });
const newer = z.enum(['keep', 'overwrite']).default('keep');
const exact = digest.nullable().default(null);
const ofRestore = z.strictObject({ ...ofIncident.shape, newer, digest: exact });
const ofPlaybook = z.strictObject({ playbook: z.string().min(1).max(64), inputs: z.record(z.string(), z.unknown()), mode: z.enum(['observe', 'approve', 'contain']).default('approve') });
const ofPlan = z.union([ofPlaybook, z.strictObject({ incident: z.string().min(1).max(64), newer })]);
const ofStart = z.strictObject({ ...ofPlaybook.shape, reason, digest: exact });
const ofExtension = z.strictObject({ ...ofIncident.shape, until: z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time with its offset: 2026-01-31T00:00:00Z' }) });
const ofSuite = z.strictObject({ reason });
const ofOwner = z.strictObject({ ownerId: z.string().min(1, 'say which owner').max(2048), reason });

/** What a responder may ask: a path, what its body must be, and what does it. `by` is the ARN that AWS says. */
const ROUTES: Readonly<Record<string, (body: unknown, by: string, tools: Tools) => Promise<HttpAnswer>>> = {
  '/plan': async (body, by, tools) => {
    const ask = ofPlan.parse(body);
    return 'playbook' in ask ? await plan(ask, by, tools) : await planRestore(ask, tools);
  },
  '/start': async (body, by, tools) => await start(ofStart.parse(body), by, tools),
  '/restore': async (body, by, tools) => await restore(ofRestore.parse(body), by, tools),
  '/release': async (body, by, tools) => await release(ofIncident.parse(body), by, tools),
  '/approve': async (body, by, tools) => await decideApproval('approve', ofApproval.parse(body), by, tools),
  '/reject': async (body, by, tools) => await decideApproval('reject', ofRejection.parse(body), by, tools),
  '/extend': async (body, by, tools) => await extend(ofExtension.parse(body), by, tools),
  '/erase-owner': async (body, by, tools) => await erase(ofOwner.parse(body), by, tools),
  '/ticket': async (body, by, tools) => await sendAgain(ofIncident.parse(body), by, tools),
  '/redrive-tickets': async (body, by, tools) => await redrive(ofSuite.parse(body), by, tools),
  '/redrive-events': async (body, by, tools) => await redriveEvents(ofSuite.parse(body), by, tools),
  '/pause': async (body, by, tools) => await pause(ofSuite.parse(body), by, tools),
  '/suppress': suppress,
  '/unsuppress': async (body, by, tools) => await unsuppress(unsuppressBody.parse(body), by, tools),
  '/resume': async (body, by, tools) => await resume(ofSuite.parse(body), by, tools),
};

/** `POST <path> { … , reason }` → 2xx with what was begun; refusals are 4xx `{ error }` with the reason. */
export async function respond(request: RespondRequest, tools: Tools): Promise<HttpAnswer> {
  if (request.requestContext.http.method !== 'POST') return httpAnswer(405, { error: 'use POST' });
  const route = Object.hasOwn(ROUTES, request.rawPath) ? ROUTES[request.rawPath] : undefined;
  if (!route) return httpAnswer(404, { error: `there is nothing at ${request.rawPath}; there are ${Object.keys(ROUTES).join(', ')}` });
  const by = request.requestContext.authorizer.iam.userArn;
  // IAM lets nobody else call; a role that was taken off the list between two deployments is refused here.
  if (!isResponder(by, tools.settings.STOPBATH_RESPONDER_ROLES)) return httpAnswer(403, { error: `${by} is no responder: responderRoles in stopbath.config.json lists them` });
  try {
    return await route(bodyOf(request), by, tools);
  } catch (error) {
    if (error instanceof z.ZodError) return await malformed(request, by, z.prettifyError(error), tools);
    if (error instanceof PlaybookInputError) return httpAnswer(400, { error: error.message });
    if (error instanceof NoSuchPlaybookError) return httpAnswer(404, { error: error.message });
    if (error instanceof PlanningError) return httpAnswer(409, { error: error.message });
    if (error instanceof NoSuchIncidentError) return httpAnswer(404, { error: error.message });
    throw error;
  }
}

/** A request about an incident that says what nobody may say (who asks, for one) stands on that incident's record. */
async function malformed(request: RespondRequest, by: string, why: string, tools: Tools): Promise<HttpAnswer> {
  const named = z.object({ incident: z.string().min(1).max(64) }).safeParse(bodyOf(request));
  const known = named.success ? await getIncident(tools, named.data.incident).catch(() => null) : null;
  if (known) {
    const text = `a request to ${request.rawPath} by ${by} was refused: ${plain(why, 256)}`;
    const kind = request.rawPath === '/approve' || request.rawPath === '/reject' ? 'approval' : 'request';
    await addEntry(tools, `malformed${request.rawPath}/${by}`, { incident: known.id, at: tools.now(), kind, text, by, detail: { act: 'refused', why: 'request' } });
  }
  return httpAnswer(400, { error: why });
}

function bodyOf(request: RespondRequest): unknown {
  const text = request.isBase64Encoded ? Buffer.from(request.body, 'base64').toString('utf8') : request.body;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
