import { randomUUID } from 'node:crypto';
import type { PutEventsCommandInput, PutEventsCommandOutput, PutEventsRequestEntry, PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { AwsError, type Call } from '../../service.ts';

/** An event as targets get it. @see https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export interface EventEnvelope {
  readonly version: string;
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601 UTC without a fraction. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

const ENTRIES_LIMIT = 10;
/** 1 MB for all entries together. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const SIZE_LIMIT = 1024 * 1024;

/**
 * What a caller puts on the bus: each entry is taken or refused on its own.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
export function putEvents(input: PutEventsCommandInput, call: Call, deliver: (event: EventEnvelope) => void): Omit<PutEventsCommandOutput, '$metadata'> {
  const entries = input.Entries ?? [];
  if (entries.length === 0 || entries.length > ENTRIES_LIMIT) {
    const bound = entries.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${ENTRIES_LIMIT}`;
    throw new AwsError('ValidationException', `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`);
  }
  if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > SIZE_LIMIT) {
    throw new AwsError('ValidationException', 'Total size of the entries in the request is over the limit.');
  }
  const results = entries.map((entry) => take(entry, call, deliver));
  return { FailedEntryCount: results.filter((result) => result.ErrorCode !== undefined).length, Entries: results };
}

function take(entry: PutEventsRequestEntry, call: Call, deliver: (event: EventEnvelope) => void): PutEventsResultEntry {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name]) return { ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.` };
  }
  if (entry.Source?.startsWith('aws.')) return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  const detail = readDetail(entry.Detail ?? '');
  if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const id = randomUUID();
  deliver({
    version: '0',
    id,
    'detail-type': entry.DetailType ?? '',
    source: entry.Source ?? '',
    account: 'account' in call.caller ? call.caller.account : call.world.account,
    time: new Date(entry.Time ?? call.time).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: call.world.region,
    resources: entry.Resources ?? [],
    detail,
  });
  return { EventId: id };
}

function readDetail(text: string): object | null {
  try {
    const detail: unknown = JSON.parse(text);
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? detail : null;
  } catch {
    return null;
  }
}

/** As AWS counts it. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
function sizeOf(entry: PutEventsRequestEntry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  return (entry.Time ? 14 : 0) + texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), 0);
}
