import { APPROVERS, liftedGates, type Approval, type Gate, type People } from './approval.ts';
import { guardSays, type GuardState } from './guard.ts';
import type { Direction, Incident, Plan } from './incident.ts';

/** What is known beside a plan when it is decided whether it may be applied. All of it is read, nothing is a workflow's input. */
export interface Standing {
  readonly incident: Pick<Incident, 'mode' | 'recommendedMode'>;
  readonly guard: GuardState;
  /** The pattern that protects the target; `null` where none does. */
  readonly protectedBy: string | null;
  /** All that there are of the incident. */
  readonly approvals: readonly Approval[];
  readonly people: People;
  readonly execution: string;
  /** The digest that was asked for by name; `null` where any plan will do. */
  readonly pinnedDigest: string | null;
  /** Who asked for the execution; `null` where an event did. */
  readonly askedBy: string | null;
  /** What a restore does with what was changed since, as whoever asked for it said. */
  readonly newer: 'keep' | 'overwrite';
}

/** What a playbook says of its own plan. */
export interface OwnWord {
  /** Why there is nothing to contain; `null` where there is. */
  readonly settled: string | null;
  /** What a restore opens that a containment would close again, in words. */
  readonly reopens: readonly string[];
  /** Why the playbook never touches this target, whoever approves; `null` where it may. */
  readonly forbids?: string | null;
  /** What of the service would stop, in words: somebody has to approve that. */
  readonly stops?: readonly string[];
  /** There is something to do beside the changes. */
  readonly more?: boolean;
}

export interface PlanResult {
  readonly digest: string;
  readonly changes: number;
  /** Where the workflow goes: do it, ask somebody first, look at what was done before, or only put it on record. */
  readonly next: 'apply' | 'approve' | 'verify' | 'record';
  /** Why nothing is done, where `next` is `record`. */
  readonly status: 'observed' | 'held' | 'not-exposed' | null;
  readonly reason: string;
  /** What an approval has to lift, where `next` is `approve`. */
  readonly gates: readonly Gate[];
  /** What of the impact was known only when the plan was kept already: whoever looks after the act puts it into the plan. */
  readonly impact?: Plan['impact'];
}

/** What comes after a plan: the one decision about mode, guard and approval, for every playbook and both directions. */
export function nextAfterPlan(plan: Pick<Plan, 'digest' | 'direction' | 'changes'>, standing: Standing, own: OwnWord): PlanResult {
  const { direction, digest } = plan;
  const { incident, pinnedDigest } = standing;
  const changes = plan.changes.length;
  const to = (next: PlanResult['next'], reason: string, status: PlanResult['status'] = null, gates: readonly Gate[] = []): PlanResult => ({ digest, changes, next, status, reason, gates });
  const held = guardSays(direction, standing.guard);
  if (held !== null) return to('record', held, 'held');
  if (pinnedDigest !== null && pinnedDigest !== digest) return to('record', `plan ${pinnedDigest} was asked for, and the state has moved: now it is ${digest}, so nothing was changed`, 'held');
  if (direction === 'contain') {
    if (own.forbids) return to('record', own.forbids, 'held');
    if (own.settled !== null) return to('record', own.settled, 'not-exposed');
    if (incident.mode === 'observe') return to('record', `mode is observe (recommended: ${incident.recommendedMode}): planned ${changes} changes, made none`, 'observed');
  }
  if (changes === 0 && own.more !== true) return to('verify', direction);
  const missing = missingGates(plan, standing, own);
  return missing.length === 0 ? to('apply', direction) : to('approve', missing.map(({ why }) => why).join('; '), null, missing.map(({ gate }) => gate));
}

/** What of a playbook's word makes somebody approve. */
export type Gated = Pick<OwnWord, 'reopens' | 'stops'>;

/** The gates that no approval has lifted for this plan in this execution, each with its reason. */
export function missingGates(plan: Pick<Plan, 'digest' | 'direction'>, standing: Standing, own: Gated): readonly { readonly gate: Gate; readonly why: string }[] {
  const lifted = liftedGates(standing.approvals, { execution: standing.execution, digest: plan.digest }, approversOf(standing, own.reopens.length > 0), standing.people);
  return gatesOf(plan.direction, standing, own).filter(({ gate }) => !lifted.has(gate));
}

/**
 * How many persons must approve, beside the one who asked. Where the end of a lease would open something nobody has asked: it takes one
 * more, so that nobody opens alone what they could not by asking for it, its owner least of all.
 */
export function approversOf({ protectedBy, askedBy }: Pick<Standing, 'protectedBy' | 'askedBy'>, reopens: boolean): number {
  return (protectedBy === null ? APPROVERS.usual : APPROVERS.protected) + (askedBy === LEASE && reopens ? 1 : 0);
}

/** Who asks where a lease has ended. */
export const LEASE = 'lease';

function gatesOf(direction: Direction, { incident, protectedBy, askedBy }: Standing, { reopens, stops = [] }: Gated): readonly { readonly gate: Gate; readonly why: string }[] {
  if (direction === 'restore') {
    return [
      ...(askedBy === LEASE ? [{ gate: 'lease' as const, why: 'the time of the containment is over' }] : []),
      ...(reopens.length === 0 ? [] : [{ gate: 'reopens' as const, why: `the restore opens what would be contained again: ${reopens.join('; ')}` }]),
    ];
  }
  return [
    ...(incident.mode === 'approve' ? [{ gate: 'mode' as const, why: `mode is approve (recommended: ${incident.recommendedMode})` }] : []),
    ...(stops.length === 0 ? [] : [{ gate: 'outage' as const, why: `the service would feel it: ${stops.join('; ')}` }]),
    ...(protectedBy === null ? [] : [{ gate: 'protected' as const, why: `the target is protected (${protectedBy})` }]),
  ];
}
