import { s3Of } from '../../aws/clients.ts';
import { readBucket, type BucketAddress } from '../../aws/bucket.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident, ledgerOf } from '../../aws/incidents.ts';
import { exemptIn, memberTools } from '../../aws/member.ts';
import { keepPlan, type PlanInput, type Preview } from '../../aws/planning.ts';
import { askAnonymously, sampleKeys } from '../../aws/probe.ts';
import { readStanding } from '../../aws/standing.ts';
import { surveyBucket } from '../../aws/survey.ts';
import type { BucketState } from '../../core/bucket.ts';
import { exposuresOf } from '../../core/exposure.ts';
import type { Drift, Incident, LedgerEntry, Plan } from '../../core/incident.ts';
import { nextAfterPlan, type PlanResult } from '../../core/next.ts';
import { standing } from '../../core/outcome.ts';
import { withDigest } from '../../core/plan.ts';
import { costOf, impactOf } from '../../core/quarantine/impact.ts';
import { BLOCK_ALL, LEVELS, quarantine, same, type Level, type PlannedChanges } from '../../core/quarantine/levels.ts';
import type { Answer } from '../../core/quarantine/look.ts';
import { reopenings, restoration } from '../../core/quarantine/restore.ts';

export async function planQuarantine(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  const incident = input.preview?.draft ?? (await getIncident(tools, input.incident));
  const address = { bucket: incident.target.name, account: incident.target.account, region: incident.target.region };
  const there = memberTools(tools, address.account, 'read', incident.id);
  const exempt = exemptIn(tools, address.account);
  const [[state, anonymous], ledger, impact] = await Promise.all([readFromBothSides(there, address), ledgerOf(tools, incident.id), surveyBucket(there, address)]);
  const known = await readStanding(tools, incident, input.execution, state.tagging);
  const contained = standing(ledger);
  const level = levelOf(incident);
  const planned: PlannedChanges & { readonly drift?: readonly Drift[] } =
    input.direction === 'contain'
      ? quarantine(state, { incident: incident.id, level, exempt, organizationId: tools.settings.STOPBATH_ORGANIZATION_ID })
      : { level, ...restoration(contained, state, input.preview?.newer ?? known.newer) };

  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target: incident.target,
    level: planned.level,
    changes: planned.changes,
    notes: planned.notes,
    impact: {
      anonymousBefore: anonymous,
      exposures: exposuresOf(state).map((exposure) => exposure.phrase),
      ...(input.direction === 'contain' ? impactOf(state, planned.level, { organizationId: tools.settings.STOPBATH_ORGANIZATION_ID, exempt }) : {}),
      ...impact,
      ...(known.protectedBy === null ? {} : { protectedBy: known.protectedBy }),
      ...costOf(planned.changes.length, tools.settings.STOPBATH_VERIFY_LOOKS),
    },
    ...(planned.drift && planned.drift.length > 0 ? { drift: planned.drift } : {}),
    plannedAt: tools.now(),
  });
  const evidence = incident.target.name === tools.settings.STOPBATH_EVIDENCE_BUCKET;
  const own = { forbids: evidence ? "it is the suite's own evidence bucket, which the suite never changes: what is open there is closed by hand" : null, settled: settled(plan, state, contained), reopens: plan.direction === 'restore' ? reopenings(state, plan.changes) : [] };
  const result = nextAfterPlan(plan, known, own);
  return await keepPlan(tools, { input, incident, plan, result, snapshot: { state }, text: ` at level ${planned.level}; an anonymous request is ${anonymous}` });
}

/** Closed by somebody else before anything was done here. */
function settled(plan: Plan, state: BucketState, contained: readonly LedgerEntry[]): string | null {
  const closed = contained.length === 0 && plan.level === 'public' && same(state.publicAccessBlock, BLOCK_ALL);
  return closed ? 'public access is blocked already: there is nothing to contain' : null;
}

/** The settings, and what somebody outside gets through the bucket's own door and its access points'. */
async function readFromBothSides(tools: Tools, address: BucketAddress): Promise<readonly [BucketState, Answer]> {
  const [state, keys] = await Promise.all([readBucket(tools.clients, address), sampleKeys(s3Of(tools.clients), address)]);
  return [state, await askAnonymously(tools.clients, state, keys)];
}

function levelOf(incident: Incident): Level {
  return LEVELS.find((level) => level === incident.inputs['level']) ?? 'public';
}
