import { z } from 'zod';

/** An event as EventBridge delivers it: what the triggers' patterns are written for. */
export interface Envelope {
  readonly id: string | null;
  readonly source: string;
  readonly 'detail-type': string;
  readonly account: string | null;
  readonly region: string | null;
  readonly time: string | null;
  readonly detail: JsonObject;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** Why something is not an event: the field, its value, what is expected. */
export class NotAnEventError extends Error {
  override readonly name = 'NotAnEventError';
}

const text = z.string().min(1);
const optionalText = text.nullish().catch(null);

const EnvelopeSchema = z.looseObject({
  id: optionalText,
  source: text,
  'detail-type': text,
  account: optionalText,
  region: optionalText,
  time: optionalText,
  detail: z.looseObject({}),
});

const SCAN_RESULT = 'GuardDuty Malware Protection Object Scan Result';

/**
 * Put any shape in which findings and CloudTrail records come into an envelope, with the camelCase that EventBridge
 * uses: envelopes, bare records, what the SDK's GetFindings returns (PascalCase), what LookupEvents returns.
 *
 * @throws {NotAnEventError} where it is none of these
 */
export function envelopeOf(event: unknown): Envelope {
  if (!isObject(event)) throw new NotAnEventError(`an event is a JSON object, this is ${nameOfType(event)}`);
  if ('detail-type' in event || ('detail' in event && 'source' in event)) return readEnvelope(event);
  if (typeof event['eventSource'] === 'string' && typeof event['eventName'] === 'string') return ofRecord(event);
  if (typeof event['CloudTrailEvent'] === 'string') return ofLookup(event['CloudTrailEvent']);
  if (looksLikeFinding(event)) return ofFinding(event);
  throw new NotAnEventError('neither an EventBridge envelope (detail-type, source, detail), nor a CloudTrail record (eventSource, eventName), nor a GuardDuty finding (type, resource, service)');
}

function readEnvelope(event: JsonObject): Envelope {
  const parsed = EnvelopeSchema.safeParse(event);
  if (!parsed.success) throw new NotAnEventError(`envelope: ${describe(parsed.error)}`);
  const { id = null, source, 'detail-type': type, account = null, region = null, time = null, detail } = parsed.data;
  const replay = typeof event['replay-name'] === 'string' ? { 'replay-name': event['replay-name'] } : {};
  // Only AWS can put events whose source begins with `aws.`; the casing of a finding in one is not decided by that.
  const inner = source === 'aws.guardduty' && 'Type' in detail ? camel(detail) : detail;
  return { id, source, 'detail-type': type, account, region, time, detail: isObject(inner) ? inner : detail, ...replay };
}

function ofRecord(record: JsonObject): Envelope {
  const source = String(record['eventSource']);
  const signIn = source === 'signin.amazonaws.com' && record['eventType'] !== 'AwsApiCall';
  const service = record['eventType'] === 'AwsServiceEvent';
  return {
    id: textOf(record['eventID']),
    source: `aws.${source.split('.', 1)[0] ?? ''}`,
    'detail-type': signIn ? 'AWS Console Sign In via CloudTrail' : service ? 'AWS Service Event via CloudTrail' : 'AWS API Call via CloudTrail',
    account: textOf(record['recipientAccountId']),
    region: textOf(record['awsRegion']),
    time: textOf(record['eventTime']),
    detail: record,
  };
}

function ofLookup(event: string): Envelope {
  let record: unknown;
  try {
    record = JSON.parse(event);
  } catch (cause) {
    throw new NotAnEventError('CloudTrailEvent is not JSON', { cause });
  }
  if (!isObject(record) || 'CloudTrailEvent' in record) throw new NotAnEventError('CloudTrailEvent is not a CloudTrail record');
  return envelopeOf(record);
}

function looksLikeFinding(event: JsonObject): boolean {
  const type = event['type'] ?? event['Type'];
  return typeof type === 'string' && ['resource', 'service', 'schemaVersion', 'detectorId', 'Resource', 'Service', 'SchemaVersion'].some((key) => key in event);
}

function ofFinding(finding: JsonObject): Envelope {
  const camelCased = 'Type' in finding ? camel(finding) : finding;
  const detail = isObject(camelCased) ? camelCased : finding;
  return {
    id: null,
    source: 'aws.guardduty',
    'detail-type': 'GuardDuty Finding',
    account: textOf(detail['accountId']),
    region: textOf(detail['region']),
    time: textOf(detail['updatedAt']),
    detail,
  };
}

/** Deeper than any finding goes; what is below is cut off, so that nesting cannot exhaust the stack. */
const MAX_DEPTH = 24;

/** The SDK's PascalCase back to the API's camelCase. Keys of maps such as `AWS::S3::Bucket` stay. */
function camel(value: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return null;
  if (Array.isArray(value)) return value.map((entry) => camel(entry, depth + 1));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [camelKey(key), camel(entry, depth + 1)]));
}

function camelKey(key: string): string {
  return /^[A-Z](?:[a-z0-9]|$)/.test(key) ? key.charAt(0).toLowerCase() + key.slice(1) : key;
}

export function isFinding(envelope: Envelope): boolean {
  return envelope.source === 'aws.guardduty' && envelope['detail-type'] === 'GuardDuty Finding';
}

/** The malware scan's own event, most often `NO_THREATS_FOUND`. */
export function isScanResult(envelope: Envelope): boolean {
  return envelope.source === 'aws.guardduty' && envelope['detail-type'] === SCAN_RESULT;
}

/** Older text says `Signin` for `Sign In`. Sources that are not AWS's own cannot report what AWS did. */
export function isCloudTrail(envelope: Envelope): boolean {
  return envelope.source.startsWith('aws.') && envelope['detail-type'].endsWith(' via CloudTrail');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value where it is a text with something in it. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Follows keys through objects; `undefined` where the way ends. Own keys only: an event may name any other. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value;
  for (const key of path) {
    if (!isObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** A list, whether it came as one or as its single element. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null || value === '') return [];
  return Array.isArray(value) ? value : [value];
}

/** One line: `detail.type: expected string, received undefined`. */
export function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.map(String).join('.') || 'the event'}: ${issue.message.replace(/^Invalid input: /, '')}` : 'not valid';
}

function nameOfType(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
