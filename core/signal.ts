import type { Target } from './incident.ts';
import { type Envelope, type JsonObject, NotAnEventError, envelopeOf, isCloudTrail, isFinding, isObject, isScanResult } from './signal/envelope.ts';
import { readFinding, readScanResult } from './signal/guardduty.ts';
import { plain } from './text.ts';
import { readRecord } from './signal/cloudtrail.ts';
import { timeOf, UNKNOWN_PRINCIPAL } from './signal/target.ts';

/**
 * One shape for everything that arrives. All texts are the event's own and hostile. Times are ISO 8601 UTC with ms.
 */
export interface Signal {
  /** The finding's or the CloudTrail event's id: the same for every delivery of it. */
  readonly id: string;
  readonly source: 'guardduty' | 'cloudtrail' | 'unknown';
  /** `Policy:S3/BucketAnonymousAccessGranted`, `PutBucketPolicy`; the detail-type where the source is unknown. */
  readonly type: string;
  /** GuardDuty's scale, 1.0 to 10; 0 where the event has no severity of its own. */
  readonly severity: number;
  /** The account of the resource, 12 digits; empty where the event does not say. */
  readonly account: string;
  readonly region: string;
  /** When it happened, or was last seen. */
  readonly time: string;
  readonly receivedAt: string;
  /** What it is about, without repeats. */
  readonly targets: readonly Target[];
  readonly actor: Actor | null;
  readonly sample: boolean;
  /** Came from an archive (`replay-name`). */
  readonly replayed: boolean;
  readonly archived: boolean;
  /** How often it was seen: a repeat of a finding keeps the id and raises the count. */
  readonly count: number;
  /** In an envelope, camelCase: what triggers' patterns match. */
  readonly event: Envelope;
  /** As it arrived. */
  readonly raw: JsonObject;
}

/** Who did it, as far as the event says. */
export interface Actor {
  /** The ARN of the user or role session, or the name that the event gives. */
  readonly principal: string;
  readonly type: string | null;
  readonly account: string | null;
  readonly accessKey: string | null;
  /** IP address, or the name of the AWS service that called. */
  readonly address: string | null;
}

/** What could not be read, and why. A decision too: it is kept and counted, never dropped. */
export interface Rejection {
  readonly rejected: string;
  readonly id: string | null;
  readonly receivedAt: string;
}

export function isRejection(read: Signal | Rejection): read is Rejection {
  return 'rejected' in read;
}

/**
 * Read an event of any known shape. Never throws, whatever it is given.
 *
 * @param event - parsed JSON: an EventBridge envelope, a CloudTrail record, a GuardDuty finding in either casing
 * @param receivedAt - ISO 8601; stands in where the event has no time of its own
 */
export function readSignal(event: unknown, receivedAt: string): Signal | Rejection {
  try {
    const envelope = envelopeOf(event);
    const raw = isObject(event) ? event : {};
    const common = { receivedAt, event: envelope, raw, replayed: 'replay-name' in envelope };
    if (isFinding(envelope)) return { ...common, ...readFinding(envelope, receivedAt) };
    if (isScanResult(envelope)) return { ...common, ...readScanResult(envelope, receivedAt) };
    if (isCloudTrail(envelope)) return { ...common, ...readRecord(envelope, receivedAt) };
    return { ...common, ...unknownSignal(envelope, receivedAt) };
  } catch (error) {
    if (error instanceof NotAnEventError) return { rejected: error.message, id: idOf(event), receivedAt };
    throw error;
  }
}

/** Who did it, in words: `arn:aws:iam::1:user/mallory with key AKIA… from 198.51.100.7`. */
export function actorText(actor: Actor): string {
  const { principal, accessKey, address } = actor;
  return `${plain(principal)}${accessKey ? ` with key ${plain(accessKey, 40)}` : ''}${address ? ` from ${plain(address, 64)}` : ''}`;
}

/**
 * Whether two signals name the same actor. A user's long-term key is a part of who it is; a role's session and the
 * address that a known principal comes from change all the time.
 */
export function actorId({ principal, accessKey, address }: Actor): string {
  if (principal === UNKNOWN_PRINCIPAL) return plain(address ?? principal, 64);
  return `${plain(principal, 256)}${accessKey?.startsWith('AKIA') ? ` with key ${plain(accessKey, 40)}` : ''}`;
}

type Own = Omit<Signal, 'receivedAt' | 'event' | 'raw' | 'replayed'>;

function unknownSignal(envelope: Envelope, receivedAt: string): Own {
  return {
    id: envelope.id ?? '',
    source: 'unknown',
    type: envelope['detail-type'],
    severity: 0,
    account: envelope.account ?? '',
    region: envelope.region ?? '',
    time: timeOf(envelope.time, receivedAt),
    targets: [],
    actor: null,
    sample: false,
    archived: false,
    count: 1,
  };
}

function idOf(event: unknown): string | null {
  if (!isObject(event)) return null;
  for (const key of ['id', 'Id', 'eventID', 'EventId']) {
    const value = event[key];
    if (typeof value === 'string' && value !== '') return plain(value);
  }
  return null;
}
