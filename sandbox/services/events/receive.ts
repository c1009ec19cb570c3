import { z } from 'zod';
import type { HttpRequest, HttpResponse } from '../../service.ts';
import type { Place } from './buses.ts';
import type { EventEnvelope } from './put-events.ts';

/** The envelope, strict only where EventBridge itself always is: what lies in `detail` is for the rules to judge. */
const Envelope = z.looseObject({
  version: z.string(),
  id: z.string().min(1),
  'detail-type': z.string(),
  source: z.string(),
  account: z.string(),
  time: z.string(),
  region: z.string(),
  resources: z.array(z.string()),
  detail: z.unknown(),
});

/**
 * `POST /_sandbox/events`: events of AWS services, delivered exactly as given. Not an AWS API (there, only services
 * can send `aws.*` sources), so it asks for no signature; loopback, its name and a JSON content type keep web pages out.
 * `?account=…&region=…` says at whose own bus they arrive; the home account's in the home region unless told.
 */
export function receive(request: HttpRequest, home: Place, deliver: (event: EventEnvelope, at: Place) => void): HttpResponse {
  if (request.method !== 'POST') return answer(405, { message: `method is ${request.method}: use POST` });
  if (!['127.0.0.1', 'localhost'].includes(request.host)) return answer(403, { message: `host is ${request.host}: use 127.0.0.1` });
  if (!request.headers['content-type']?.startsWith('application/json')) {
    return answer(415, { message: `content-type is ${request.headers['content-type'] ?? 'absent'}: use application/json` });
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.from(request.body).toString('utf8'));
  } catch (cause) {
    return answer(400, { message: `the body is not JSON: ${cause instanceof Error ? cause.message : String(cause)}` });
  }
  const events = z.array(Envelope).safeParse(Array.isArray(body) ? body : [body]);
  if (!events.success) return answer(400, { message: `not an EventBridge envelope: ${z.prettifyError(events.error)}` });
  const at = { account: request.query.get('account') ?? home.account, region: request.query.get('region') ?? home.region };
  for (const event of events.data) deliver(event, at);
  return answer(200, { delivered: events.data.length });
}

function answer(status: number, body: object): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(body)}\n` };
}
