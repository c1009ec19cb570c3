import type { IncidentView } from '../../core/incident.ts';
import type { Account } from '../account.ts';
import type { Deployment } from '../deploy.ts';
import type { Photos } from '../photos/seed.ts';
import type { Credentials } from '../service.ts';
import type { Followers } from './follow.ts';
import type { Outsider } from './outsider.ts';
import type { TimelineLine } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { SuiteReader } from './suite.ts';

/** What steps play on. */
export interface Stage {
  readonly scenario: Scenario;
  /** Whether waits are skipped. */
  readonly skips: boolean;
  readonly account: Account;
  readonly photos: Photos;
  readonly deployment: Deployment;
  readonly suite: SuiteReader;
  readonly outsider: Outsider;
  /** Who fetch share links all through; `null` where the account has no share service. */
  readonly followers: Followers | null;
  readonly say: (who: string, text: string, tone: TimelineLine['tone']) => void;
  /** Brings the timeline up to what is on record, and says what that is. */
  readonly watch: () => Promise<readonly IncidentView[]>;
  /** Ids under which each event that was sent may be on record. */
  readonly sent: (readonly string[])[];
  /** Credentials that somebody else has now, by the name that the scenario gives them. */
  readonly stolen: Map<string, Credentials>;
  readonly firstSentAt: () => number | null;
  /** The role of a function or a playbook, by its folder. */
  readonly roleOf: (folder: string) => string;
  /** Says from when on the bucket stood open to everyone; `openSince` tells it, 0 where nobody attacked. */
  readonly opened: (at: number) => void;
  readonly openSince: () => number;
  readonly noteSent: (ids: readonly string[]) => void;
}

/** A step that did not go as written: the scenario ends here, and says so. */
export class StepError extends Error {
  override readonly name = 'StepError';
}

export function createStage(parts: Pick<Stage, 'scenario' | 'skips' | 'account' | 'photos' | 'deployment' | 'suite' | 'outsider' | 'followers' | 'say' | 'watch'>): Stage {
  const sent: (readonly string[])[] = [];
  let first: number | null = null;
  let open = 0;
  return {
    ...parts,
    sent,
    stolen: new Map(),
    firstSentAt: () => first,
    roleOf: (folder) => `${parts.deployment.name}-${folder}`,
    opened: (at) => {
      open = at;
    },
    openSince: () => open,
    noteSent: (ids) => {
      first ??= parts.account.clock.now();
      sent.push(ids);
    },
  };
}
