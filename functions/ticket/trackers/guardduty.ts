import { ArchiveFindingsCommand, UnarchiveFindingsCommand, type GuardDutyClient } from '@aws-sdk/client-guardduty';
import type { Finding } from '../../../core/ticket/findings.ts';
import { fromAws } from './aws.ts';
import type { Tracker } from './port.ts';

/**
 * The findings that an incident came from: archived when it ends, back when it opens again. There is nothing to open and
 * nothing to say.
 *
 * @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html
 */
export function guardduty(name: string, client: GuardDutyClient, findings: readonly Finding[]): Tracker {
  const each = async (Command: typeof ArchiveFindingsCommand | typeof UnarchiveFindingsCommand) => {
    const detectors = Map.groupBy(findings, ({ detector }) => detector);
    for (const [DetectorId, group] of detectors) {
      // AWS takes 50 at once, far more than an incident has.
      await fromAws(name, false, () => client.send(new Command({ DetectorId, FindingIds: group.map(({ id }) => id).slice(0, 50) })));
    }
  };
  return {
    shape: { title: 256, limit: Number.POSITIVE_INFINITY, size: () => 0 },
    create: () => Promise.resolve({ id: findings.map(({ id }) => id).join(' '), url: null }),
    close: async () => await each(ArchiveFindingsCommand),
    reopen: async () => await each(UnarchiveFindingsCommand),
  };
}
