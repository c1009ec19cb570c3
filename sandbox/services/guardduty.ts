import * as sdk from '@aws-sdk/client-guardduty';
import { AwsError, operation, type Call, type Service } from '../service.ts';

/**
 * GuardDuty, as far as findings are archived and read. Findings come from events here, so that any id is one, in any detector.
 *
 * @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html
 */
export function createGuardDuty(): Service {
  const archived = new Set<string>();
  const on = (action: string) => ({ DetectorId }: { readonly DetectorId: string | undefined }, { region, world }: Call) => [{ action: `guardduty:${action}`, resource: `arn:aws:guardduty:${region}:${world.account}:detector/${DetectorId ?? '*'}` }];
  const set = (wanted: boolean) => ({ DetectorId = '', FindingIds = [] }: sdk.ArchiveFindingsCommandInput) => {
    if (!/^[0-9a-f]{32}$/.test(DetectorId) || FindingIds.length === 0 || FindingIds.length > 50) throw new AwsError('BadRequestException', 'The request is rejected because an invalid or out-of-range value is specified as an input parameter.');
    for (const id of FindingIds) archived[wanted ? 'add' : 'delete'](id);
    return {};
  };
  return {
    name: 'guardduty',
    sdk,
    protocol: 'rest-json',
    operations: {
      ArchiveFindings: operation<sdk.ArchiveFindingsCommandInput, sdk.ArchiveFindingsCommandOutput>({ needs: on('ArchiveFindings'), run: set(true) }),
      UnarchiveFindings: operation<sdk.UnarchiveFindingsCommandInput, sdk.UnarchiveFindingsCommandOutput>({ needs: on('UnarchiveFindings'), run: set(false) }),
      GetFindings: operation<sdk.GetFindingsCommandInput, sdk.GetFindingsCommandOutput>({
        needs: on('GetFindings'),
        run: ({ FindingIds = [] }, { region, world }) => ({
          Findings: FindingIds.map((Id) => ({ Id, AccountId: world.account, Arn: '', CreatedAt: '', UpdatedAt: '', Region: region, Resource: {}, SchemaVersion: '2.0', Severity: 0, Type: '', Service: { Archived: archived.has(Id) } })),
        }),
      }),
    },
  };
}
