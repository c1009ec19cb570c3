import { ArchiveFindingsCommand, GetDetectorCommand, GetFindingsCommand, ListDetectorsCommand, UnarchiveFindingsCommand, type GuardDutyClient } from '@aws-sdk/client-guardduty';
import type { Finding } from '../../../core/ticket/findings.ts';
import { fromAws } from './aws.ts';
import { type Tracker, TrackerError } from './port.ts';

/**
 * The findings that an incident came from: archived when it ends, back when it opens again. There is nothing to open and
 * nothing to say.
 *
 * @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_ArchiveFindings.html
 * @see https://docs.aws.amazon.com/guardduty/latest/APIReference/API_GetFindings.html
 */
export function guardduty(name: string, client: GuardDutyClient, findings: readonly Finding[]): Tracker {
  // AWS takes 50 at once, far more than an incident has.
  const detectors = [...Map.groupBy(findings, ({ detector }) => detector)].map(([DetectorId, group]) => ({ DetectorId, FindingIds: group.map(({ id }) => id).slice(0, 50) }));
  const each = async (Command: typeof ArchiveFindingsCommand | typeof UnarchiveFindingsCommand) => {
    for (const of of detectors) await fromAws(name, false, () => client.send(new Command(of)));
  };
  return {
    shape: { title: 256, limit: Number.POSITIVE_INFINITY, size: () => 0 },
    check: async () => {
      const { DetectorIds: [DetectorId] = [] } = await fromAws(name, false, () => client.send(new ListDetectorsCommand({})));
      if (DetectorId === undefined) throw new TrackerError('standing', `${name}: GuardDuty is not on in this region: it sends no findings, and there is nothing to archive`);
      const { Status } = await fromAws(name, false, () => client.send(new GetDetectorCommand({ DetectorId })));
      if (Status !== 'ENABLED') throw new TrackerError('standing', `${name}: GuardDuty's detector ${DetectorId} is ${Status ?? 'not there'}: it sends no findings`);
      return `GuardDuty is on: detector ${DetectorId}`;
    },
    // An earlier incident's end may have archived what has occurred again.
    create: async () => {
      await each(UnarchiveFindingsCommand);
      return { id: findings.map(({ id }) => id).join(' '), url: null };
    },
    read: async () => {
      const answers = await Promise.all(detectors.map(async (of) => await fromAws(name, false, () => client.send(new GetFindingsCommand(of)))));
      const there = answers.flatMap(({ Findings = [] }) => Findings);
      // GuardDuty keeps a finding for 90 days.
      if (there.length === 0) return null;
      return { status: there.every(({ Service }) => Service?.Archived) ? 'closed' : 'open', severity: null, body: null };
    },
    close: async () => await each(ArchiveFindingsCommand),
    reopen: async () => await each(UnarchiveFindingsCommand),
  };
}
