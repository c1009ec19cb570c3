import * as sdk from '@aws-sdk/client-guardduty';
import { AwsError, operation, type Call, type Service } from '../service.ts';

export interface GuardDuty extends Service {
  /** GuardDuty has a finding, as GetFindings returns it. Whether EventBridge delivers it is another matter. */
  report(finding: sdk.Finding): void;
}

/** The one detector of each account. */
const DETECTOR = '12abc34d567e8fa901bc2d34e56789f0';

/**
 * GuardDuty, as far as findings are archived, listed and read. Most come from events here, so that any id is one, in any detector.
 *
 * @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html
 */
export function createGuardDuty(): GuardDuty {
  const reported = new Map<string, sdk.Finding>();
  const archived = new Set<string>();
  const on = (action: string) => ({ DetectorId }: { readonly DetectorId: string | undefined }, { region, world, caller }: Call) => [{ action: `guardduty:${action}`, resource: `arn:aws:guardduty:${region}:${'account' in caller ? caller.account : world.account}:detector/${DetectorId ?? '*'}` }];
  const set = (wanted: boolean) => ({ DetectorId = '', FindingIds = [] }: sdk.ArchiveFindingsCommandInput) => {
    if (!/^[0-9a-f]{32}$/.test(DetectorId) || FindingIds.length === 0 || FindingIds.length > 50) throw new AwsError('BadRequestException', 'The request is rejected because an invalid or out-of-range value is specified as an input parameter.');
    for (const id of FindingIds) archived[wanted ? 'add' : 'delete'](id);
    return {};
  };
  return {
    name: 'guardduty',
    sdk,
    protocol: 'rest-json',
    report: (finding) => void reported.set(finding.Id ?? '', finding),
    operations: {
      ListDetectors: operation<sdk.ListDetectorsCommandInput, sdk.ListDetectorsCommandOutput>({ needs: () => [{ action: 'guardduty:ListDetectors', resource: '*' }], run: () => ({ DetectorIds: [DETECTOR] }) }),
      ListFindings: operation<sdk.ListFindingsCommandInput, sdk.ListFindingsCommandOutput>({
        needs: on('ListFindings'),
        run: ({ FindingCriteria }, { caller, region }) => {
          const { GreaterThanOrEqual: from = 0, LessThanOrEqual: to = Infinity } = FindingCriteria?.Criterion?.['updatedAt'] ?? {};
          const within = [...reported.values()].filter(({ AccountId, Region, UpdatedAt }) => 'account' in caller && AccountId === caller.account && Region === region && Date.parse(UpdatedAt ?? '') >= from && Date.parse(UpdatedAt ?? '') <= to);
          return { FindingIds: within.map(({ Id = '' }) => Id) };
        },
      }),
      GetDetector: operation<sdk.GetDetectorCommandInput, sdk.GetDetectorCommandOutput>({
        needs: on('GetDetector'),
        run: () => ({ ServiceRole: '', Status: 'ENABLED' }),
      }),
      ArchiveFindings: operation<sdk.ArchiveFindingsCommandInput, sdk.ArchiveFindingsCommandOutput>({ needs: on('ArchiveFindings'), run: set(true) }),
      UnarchiveFindings: operation<sdk.UnarchiveFindingsCommandInput, sdk.UnarchiveFindingsCommandOutput>({ needs: on('UnarchiveFindings'), run: set(false) }),
      GetFindings: operation<sdk.GetFindingsCommandInput, sdk.GetFindingsCommandOutput>({
        needs: on('GetFindings'),
        run: ({ FindingIds = [] }, { region, world }) => ({
          Findings: FindingIds.map((Id) => reported.get(Id) ?? ({ Id, AccountId: world.account, Arn: '', CreatedAt: '', UpdatedAt: '', Region: region, Resource: {}, SchemaVersion: '2.0', Severity: 0, Type: '', Service: { Archived: archived.has(Id) } })),
        }),
      }),
    },
  };
}
