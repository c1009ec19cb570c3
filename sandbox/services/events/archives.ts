import * as sdk from '@aws-sdk/client-eventbridge';
import { type EventPattern, matchesPattern } from '../../../core/event-pattern.ts';
import { AwsError, operation, type Call, type Operations } from '../../service.ts';
import type { Bus, Buses, Place } from './buses.ts';
import type { EventEnvelope } from './put-events.ts';

/** What arrived at a bus and is kept, oldest first. */
export interface Archive {
  readonly arn: string;
  readonly pattern: EventPattern | null;
  readonly events: EventEnvelope[];
}

/** Keeps an event in every archive of its bus that asks for it; what is replayed is kept already. */
export function keep({ archives }: Bus, event: EventEnvelope): void {
  if (event['replay-name'] !== undefined) return;
  for (const { pattern, events } of archives.values()) if (pattern === null || matchesPattern(pattern, event)) events.push(event);
}

/**
 * Archives are made and replayed: to the bus that they are of, and to all of its rules or some.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html
 */
export function archiveOperations(buses: Buses, placeOf: (call: Call) => Place, parse: (pattern: string) => EventPattern, arrive: (bus: Bus, event: EventEnvelope, rules: readonly string[]) => void): Operations {
  const archiveArn = ({ account, region }: Place, name = '') => `arn:aws:events:${region}:${account}:archive/${name}`;
  return {
    CreateArchive: operation<sdk.CreateArchiveCommandInput, sdk.CreateArchiveCommandOutput>({
      needs: (input, call) => [{ action: 'events:CreateArchive', resource: archiveArn(placeOf(call), input.ArchiveName) }],
      run: ({ ArchiveName = '', EventSourceArn, EventPattern: pattern }, call) => {
        const { archives } = buses.get(placeOf(call), EventSourceArn);
        if (archives.has(ArchiveName)) throw new AwsError('ResourceAlreadyExistsException', `Archive ${ArchiveName} already exists.`);
        const ArchiveArn = archiveArn(placeOf(call), ArchiveName);
        archives.set(ArchiveName, { arn: ArchiveArn, pattern: pattern === undefined ? null : parse(pattern), events: [] });
        return { ArchiveArn, State: 'ENABLED', CreationTime: new Date(call.time) };
      },
    }),
    StartReplay: operation<sdk.StartReplayCommandInput, sdk.StartReplayCommandOutput>({
      needs: (input) => [{ action: 'events:StartReplay', resource: input.EventSourceArn ?? '' }],
      run: ({ ReplayName = '', EventSourceArn = '', EventStartTime, EventEndTime, Destination }, call) => {
        const bus = buses.get(placeOf(call), Destination?.Arn);
        const archive = [...bus.archives.values()].find(({ arn }) => arn === EventSourceArn);
        if (!archive) throw new AwsError('ValidationException', 'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.');
        const [from, to] = [Number(EventStartTime), Number(EventEndTime)];
        for (const event of archive.events.filter(({ time }) => Date.parse(time) >= from && Date.parse(time) < to)) arrive(bus, { ...event, 'replay-name': ReplayName }, Destination?.FilterArns ?? []);
        return { ReplayArn: archiveArn(placeOf(call), ReplayName).replace(':archive/', ':replay/'), State: 'STARTING', ReplayStartTime: new Date(call.time) };
      },
    }),
  };
}
