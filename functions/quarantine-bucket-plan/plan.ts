import { readBucket, type BucketAddress } from '../../aws/bucket.ts';
import { putEvidence } from '../../aws/evidence.ts';
import type { Tools } from '../../aws/function.ts';
import { readGuard } from '../../aws/guard.ts';
import { addEntry, getIncident, getRelease, ledgerOf, savePlan } from '../../aws/incidents.ts';
import { askAnonymously, sampleKeys } from '../../aws/probe.ts';
import type { BucketState } from '../../core/bucket.ts';
import { exposuresOf } from '../../core/exposure.ts';
import { guardSays } from '../../core/guard.ts';
import type { Direction, Incident, LedgerEntry, Plan } from '../../core/incident.ts';
import { withDigest } from '../../core/plan.ts';
import { BLOCK_ALL, LEVELS, quarantine, same, type Level } from '../../core/quarantine/levels.ts';
import { restoration } from '../../core/quarantine/restore.ts';

export interface PlanResult {
  readonly digest: string;
  readonly changes: number;
  /** Where the workflow goes: do it, look at what was done before, or only put it on record. */
  readonly next: 'apply' | 'verify' | 'record';
  /** Why nothing is done, where `next` is `record`. */
  readonly status: 'observed' | 'held' | 'not-exposed' | null;
  readonly reason: string;
}

export async function planQuarantine(
  input: { readonly incident: string; readonly direction: Direction; readonly execution: string },
  tools: Tools,
): Promise<PlanResult> {
  const incident = await getIncident(tools, input.incident);
  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const [state, ledger, guard, release, anonymous] = await Promise.all([
    readBucket(tools.clients.s3, address),
    ledgerOf(tools, incident.id),
    readGuard(tools),
    getRelease(tools, incident.id),
    outside(tools, address),
  ]);
  const contained = ledger.filter((entry) => entry.direction === 'contain');
  const level = levelOf(incident);
  const planned =
    input.direction === 'contain'
      ? quarantine(state, { incident: incident.id, level, exempt: tools.settings.STOPBATH_EXEMPT_ROLES, organizationId: tools.settings.STOPBATH_ORGANIZATION_ID })
      : { level, ...restoration(contained, state) };

  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target: incident.target,
    level: planned.level,
    changes: planned.changes,
    notes: planned.notes,
    impact: { anonymousBefore: anonymous, exposures: exposuresOf(state).map((exposure) => exposure.phrase) },
    plannedAt: tools.now(),
  });
  const held = guardSays(input.direction, incident.target, guard, { protectedBuckets: tools.settings.STOPBATH_PROTECTED_BUCKETS, released: release !== null });
  const result = next(plan, state, contained, release === null ? incident : { ...incident, mode: 'contain' }, held);
  await Promise.all([
    savePlan(tools, plan),
    putEvidence(tools, `incidents/${incident.id}/${input.execution}-before.json`, { incident: incident.id, execution: input.execution, at: plan.plannedAt, state, plan }),
    addEntry(tools, `${input.execution}/plan/${plan.digest.slice(0, 16)}`, {
      incident: incident.id,
      at: plan.plannedAt,
      kind: 'plan',
      text: `planned ${plan.changes.length} ${plan.changes.length === 1 ? 'change' : 'changes'} to ${input.direction} at level ${planned.level}; an anonymous request is ${anonymous}`,
      by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
      detail: { digest: plan.digest, notes: [...plan.notes], next: result.next },
    }),
  ]);
  return result;
}

function next(plan: Plan, state: BucketState, contained: readonly LedgerEntry[], incident: Incident, held: string | null): PlanResult {
  const { digest } = plan;
  const changes = plan.changes.length;
  const onRecord = (status: PlanResult['status'], reason: string): PlanResult => ({ digest, changes, next: 'record', status, reason });
  if (plan.direction === 'restore') return { digest, changes, next: changes > 0 ? 'apply' : 'verify', status: null, reason: 'restore' };
  if (held !== null) return onRecord('held', held);
  if (contained.length === 0 && plan.level === 'public' && same(state.publicAccessBlock, BLOCK_ALL)) {
    return onRecord('not-exposed', 'public access is blocked already: there is nothing to contain');
  }
  if (incident.mode !== 'contain') {
    return onRecord('observed', `mode is ${incident.mode} (recommended: ${incident.recommendedMode}): planned ${changes} changes, made none`);
  }
  return { digest, changes, next: changes > 0 ? 'apply' : 'verify', status: null, reason: 'contain' };
}

async function outside(tools: Tools, address: BucketAddress) {
  return await askAnonymously(tools.clients, address, await sampleKeys(tools.clients.s3, address));
}

function levelOf(incident: Incident): Level {
  return LEVELS.find((level) => level === incident.inputs['level']) ?? 'public';
}
