import { digestOf } from './canonical.ts';
import { strength } from './decide.ts';
import type { Incident, Mode, Target } from './incident.ts';
import type { Json } from './bucket.ts';
import { plain } from './text.ts';

export interface Wish {
  readonly playbook: string;
  readonly target: Target;
  /** The target's ARN as locked records have it: an id that is made from a name confirms a guess of it. */
  readonly recordedAs: string;
  readonly inputs: { readonly [key: string]: Json };
  readonly mode: Mode;
  readonly reason: string;
  /** The ARN that AWS says. */
  readonly by: string;
  /** ISO 8601 UTC with ms. */
  readonly at: string;
}

/**
 * The incident that a start by hand opens. Its id follows from the target, the playbook, the incident before and the
 * day, so that planning twice gives the same plan, which names the incident in a tag.
 *
 * @param previous - the last incident on this target; `null` where there was none
 */
export function manualIncident({ playbook, target, recordedAs, inputs, mode, reason, by, at }: Wish, previous: string | null, cap: Mode): Incident {
  const day = at.slice(0, 10).replaceAll('-', '');
  return {
    id: `inc-${day}-${digestOf([recordedAs, playbook, previous, day]).slice(0, 10)}`,
    playbook,
    target,
    inputs,
    title: plain(`${target.kind} ${target.name}: ${reason}`, 256),
    severity: MANUAL_SEVERITY,
    status: 'open',
    recommendedMode: mode,
    mode: manualMode(mode, cap),
    drill: false,
    exposures: [],
    actors: [],
    related: [],
    actor: null,
    requestedBy: by,
    reason: plain(reason, 1024),
    eventTime: at,
    receivedAt: at,
    decidedAt: at,
    containedAt: null,
    verifiedAt: null,
    restoredAt: null,
    outcome: '',
    ticket: null, tickets: {},
    ticketGap: null,
    executions: [],
    schemaVersion: 1,
  };
}

/** GuardDuty's scale: somebody was called, so high; not critical, since nothing says so. */
const MANUAL_SEVERITY = 7;

/**
 * What a person asks for, as far as configuration lets one person go: where the suite itself may not contain, somebody
 * else has to approve what a person starts.
 */
export function manualMode(mode: Mode, cap: Mode): Mode {
  return mode === 'contain' && strength(cap) < strength('contain') ? 'approve' : mode;
}
