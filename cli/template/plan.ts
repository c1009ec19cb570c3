import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { keepPlan, type PlanInput, type Preview } from '../../aws/planning.ts';
import { readStanding } from '../../aws/standing.ts';
import type { Json } from '../../core/bucket.ts';
import type { Change, Incident, LedgerEntry } from '../../core/incident.ts';
import { nextAfterPlan, type PlanResult } from '../../core/next.ts';
import { withDigest } from '../../core/plan.ts';
import { same } from '../../core/quarantine/levels.ts';
import { inOrder, readTags, TAG, tagsIn } from './tags.ts';

/** Reads the target and plans; changes nothing, and has no permission to. */
export async function planNewPlaybook(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  const incident = input.preview?.draft ?? (await getIncident(tools, input.incident));
  const [tags, ledger] = await Promise.all([readTags(tools, incident.target), ledgerOf(tools, incident.id)]);
  const standing = await readStanding(tools, incident, input.execution, tagsIn(tags));
  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target: incident.target,
    level: null,
    changes: input.direction === 'contain' ? containment(incident, tags) : restoration(ledger, tags),
    // What is kept or cannot be changed, and why.
    notes: [],
    // What it means for the service, in its own terms: who loses what, how many of them there are.
    impact: standing.protectedBy === null ? {} : { protectedBy: standing.protectedBy },
    plannedAt: tools.now(),
  });
  // `settled`: why there is nothing to do; `reopens`: what a restore opens; `forbids`: what is never touched; `stops`: what of the service would stop.
  const result = nextAfterPlan(plan, standing, { settled: null, reopens: [] });
  return await keepPlan(tools, { input, incident, plan, result, snapshot: { tags }, text: '' });
}

/** Every change with its full before and after, and with the plain request that takes it back on the day the suite is down. */
function containment({ id, target }: Incident, before: Json): readonly Change[] {
  const after = inOrder([...tagsIn(before).filter(({ Key }) => Key !== TAG), { Key: TAG, Value: id }]);
  const of = { Bucket: target.name, ExpectedBucketOwner: target.account };
  const undo = before === null ? { operation: 'DeleteBucketTagging', input: of } : { operation: 'PutBucketTagging', input: { ...of, Tagging: { TagSet: before } } };
  return same(before, after) ? [] : [{ seq: 1, setting: 'tagging', title: `Tag the bucket: ${TAG}=${id}`, before, after, undo: { service: 's3api', ...undo } }];
}

/** The ledger read backwards. What nobody changed since comes back as it was; otherwise only what this incident put there goes. */
function restoration(ledger: readonly LedgerEntry[], now: Json): readonly Change[] {
  const done = ledger.findLast(({ direction }) => direction === 'contain');
  if (!done) return [];
  const others = tagsIn(now).filter(({ Key }) => Key !== TAG);
  const after = same(now, done.after) ? done.before : others.length === 0 ? null : inOrder(others);
  return same(now, after) ? [] : [{ seq: 1, setting: 'tagging', title: 'Take the tag off again', before: now, after }];
}
