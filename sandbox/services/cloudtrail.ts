import * as sdk from '@aws-sdk/client-cloudtrail';
import { operation, type Service } from '../service.ts';

export interface CloudTrail extends Service {
  /** CloudTrail has a record. Whether EventBridge delivers it is another matter. */
  report(record: object): void;
}

/** CloudTrail's list of the last 90 days' events: what was reported to it, newest first, of the account and region that ask. */
export function createCloudTrail(): CloudTrail {
  const records: object[] = [];
  const textOf = (record: object, name: string): string => String(Reflect.get(record, name) ?? '');
  return {
    name: 'cloudtrail',
    sdk,
    protocol: 'json-1.1',
    report: (record) => void records.push(record),
    operations: {
      LookupEvents: operation<sdk.LookupEventsCommandInput, sdk.LookupEventsCommandOutput>({
        needs: () => [{ action: 'cloudtrail:LookupEvents', resource: '*' }],
        run: ({ StartTime, EndTime, LookupAttributes = [] }, { caller, region }) => {
          const readOnly = LookupAttributes.find(({ AttributeKey }) => AttributeKey === 'ReadOnly')?.AttributeValue;
          const found = records.filter((record) => {
            const time = Date.parse(textOf(record, 'eventTime'));
            return (
              'account' in caller && textOf(record, 'recipientAccountId') === caller.account && textOf(record, 'awsRegion') === region &&
              time >= (StartTime?.getTime() ?? 0) && time <= (EndTime?.getTime() ?? Infinity) &&
              (readOnly === undefined || textOf(record, 'readOnly') === readOnly)
            );
          });
          return { Events: found.toReversed().map((record) => ({ EventId: textOf(record, 'eventID'), EventName: textOf(record, 'eventName'), CloudTrailEvent: JSON.stringify(record) })) };
        },
      }),
    },
  };
}
