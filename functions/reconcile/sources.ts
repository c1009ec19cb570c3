import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { GetFindingsCommand, ListDetectorsCommand, ListFindingsCommand } from '@aws-sdk/client-guardduty';
import { cloudtrailOf, guarddutyOf, type Clients } from '../../aws/clients.ts';

/** ms since the epoch. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Called before every page; throws where there is no time for it. */
  readonly inTime: () => void;
}

/** What one request takes. @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ListFindings.html */
const PAGE = 50;

/** Findings that were made or updated in a span, as GetFindings returns them; none where GuardDuty is not on. */
export async function* findingsBetween(clients: Clients, { from, to, inTime }: Span): AsyncGenerator<unknown> {
  const guardduty = guarddutyOf(clients);
  const { DetectorIds = [] } = await guardduty.send(new ListDetectorsCommand({}));
  for (const DetectorId of DetectorIds) {
    const FindingCriteria = { Criterion: { updatedAt: { GreaterThanOrEqual: from, LessThanOrEqual: to } } };
    let NextToken: string | undefined;
    do {
      inTime();
      const page = await guardduty.send(new ListFindingsCommand({ DetectorId, FindingCriteria, MaxResults: PAGE, ...(NextToken === undefined ? {} : { NextToken }) }));
      const FindingIds = page.FindingIds ?? [];
      if (FindingIds.length > 0) yield* (await guardduty.send(new GetFindingsCommand({ DetectorId, FindingIds }))).Findings ?? [];
      NextToken = page.NextToken === '' ? undefined : page.NextToken;
    } while (NextToken !== undefined);
  }
}

/**
 * CloudTrail's records of changes in a span that anybody wants. Two requests a second are served, an account and region: the SDK waits and tries
 * again.
 *
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export async function* recordsBetween(clients: Clients, { from, to, inTime }: Span, wanted: (record: unknown) => boolean): AsyncGenerator<unknown> {
  const asked = { StartTime: new Date(from), EndTime: new Date(to), LookupAttributes: [{ AttributeKey: 'ReadOnly', AttributeValue: 'false' } as const], MaxResults: PAGE };
  let NextToken: string | undefined;
  do {
    inTime();
    const page = await cloudtrailOf(clients).send(new LookupEventsCommand({ ...asked, ...(NextToken === undefined ? {} : { NextToken }) }));
    for (const { CloudTrailEvent } of page.Events ?? []) {
      const record: unknown = CloudTrailEvent === undefined ? null : JSON.parse(CloudTrailEvent);
      if (wanted(record)) yield record;
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
}
