import { randomUUID } from 'node:crypto';
import type { PutEventsCommandInput, PutEventsCommandOutput, PutEventsRequestEntry, PutEventsResultEntry } from '@aws-sdk/client-eventbridge';
import { AwsError, type Call, type Caller, type World } from '../../service.ts';

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
  /** Of an event that was replayed from an archive. */
  readonly 'replay-name'?: string;
}

/** Takes an event for a bus; `hopped`: another bus sent it, and it goes on to no third. */
export type Take = (event: EventEnvelope, bus: string | undefined, hopped: boolean) => void;

/** Events that a rule sends on, by the request that stands for it: no caller of the API can send what AWS's services said. */
const forwarded = new WeakMap<object, EventEnvelope>();

/** Sends an event to another bus, as it is, as the role of a rule. */
export async function forward(world: World, bus: string, event: EventEnvelope, caller: Caller): Promise<void> {
  const input: PutEventsCommandInput = { Entries: [{ EventBusName: bus }] };
  forwarded.set(input, event);
  await world.call('events', 'PutEvents', input, caller);
}

const ENTRIES_LIMIT = 10;
/** 1 MB for all entries together. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html */
const SIZE_LIMIT = 1024 * 1024;

/**
 * What a caller puts on the bus: each entry is taken or refused on its own.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
 */
export function putEvents(input: PutEventsCommandInput, call: Call, deliver: Take): Omit<PutEventsCommandOutput, '$metadata'> {
  const sent = forwarded.get(input);
  if (sent) {
    deliver(sent, input.Entries?.[0]?.EventBusName, true);
    return { FailedEntryCount: 0, Entries: [{ EventId: sent.id }] };
  }
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

function take(entry: PutEventsRequestEntry, call: Call, deliver: Take): PutEventsResultEntry {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (!entry[name]) return { ErrorCode: 'InvalidArgument', ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.` };
  }
  if (entry.Source?.startsWith('aws.')) return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  const detail = readDetail(entry.Detail ?? '');
  if (!detail) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const id = randomUUID();
  const event: EventEnvelope = {
    version: '0',
    id,
    'detail-type': entry.DetailType ?? '',
    source: entry.Source ?? '',
    account: 'account' in call.caller ? call.caller.account : call.world.account,
    time: new Date(entry.Time ?? call.time).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: call.region,
    resources: entry.Resources ?? [],
    detail,
  };
  deliver(event, entry.EventBusName, false);
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
