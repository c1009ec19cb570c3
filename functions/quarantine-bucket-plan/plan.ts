import { readAhead } from '../../aws/ahead.ts';
import { s3Of } from '../../aws/clients.ts';
import { readBucket, type BucketAddress } from '../../aws/bucket.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { exemptIn, memberTools } from '../../aws/member.ts';
import { keepPlan, nameSnapshot, type PlanInput, type PlanMade, type Preview } from '../../aws/planning.ts';
import { askAnonymously, sampleKeys } from '../../aws/probe.ts';
import { reservedFor, takesFor } from '../../aws/reserve.ts';
import { mayMiss, readOnRecord, standingOf } from '../../aws/standing.ts';
import { surveyBucket } from '../../aws/survey.ts';
import type { BucketState } from '../../core/bucket.ts';
import { exposuresOf } from '../../core/exposure.ts';
import type { Direction, Drift, LedgerEntry, Plan } from '../../core/incident.ts';
import { nextAfterPlan, type PlanResult } from '../../core/next.ts';
import { standing } from '../../core/outcome.ts';
import { withDigest } from '../../core/plan.ts';
import { costOf, impactOf } from '../../core/quarantine/impact.ts';
import { BLOCK_ALL, levelOf, quarantine, same, type Level, type PlannedChanges } from '../../core/quarantine/levels.ts';
import type { Answer } from '../../core/quarantine/look.ts';
import { reopenings, restoration } from '../../core/quarantine/restore.ts';

export async function planQuarantine(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  const reading = input.preview?.draft ? Promise.resolve(input.preview.draft) : getIncident(tools, input.incident);
  const [incident, seen, ledger, onRecord, takes, named] = await Promise.all([
    reading,
    readAhead(input.target, reading, async ({ name, account, region }) => await lookAt(memberTools(tools, account, 'read', input.incident), { bucket: name, account, region }, input.direction)),
    ledgerOf(tools, input.incident),
    readOnRecord(tools, input.incident, input.execution),
    takesFor(tools, input.direction),
    nameSnapshot(tools, input),
  ]);
  const { state } = seen;
  // Who decides by the numbers gets all of them.
  const isUrgent = input.direction === 'contain' && incident.mode === 'contain' && !input.preview;
  const { name: bucket, account, region } = incident.target;
  const more = moreOf(seen.anonymous, isUrgent ? seen.survey : surveyBucket(memberTools(tools, account, 'read', incident.id), { bucket, account, region }));
  // Where planning fails first, that is what is told.
  more.catch(() => undefined);
  const exempt = exemptIn(tools, incident.target.account);
  const known = standingOf(tools, incident, input.execution, onRecord, state.tagging);
  const contained = standing(ledger);
  const level = levelOf(incident.inputs);
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
      exposures: exposuresOf(state).map((exposure) => exposure.phrase),
      ...(input.direction === 'contain' ? impactOf(state, planned.level, { organizationId: tools.settings.STOPBATH_ORGANIZATION_ID, exempt }) : {}),
      ...(known.protectedBy === null ? {} : { protectedBy: known.protectedBy }),
      ...costOf(planned.changes.length, tools.settings.STOPBATH_VERIFY_LOOKS),
    },
    ...(planned.drift && planned.drift.length > 0 ? { drift: planned.drift } : {}),
    plannedAt: tools.now(),
  });
  const evidence = incident.target.name === tools.settings.STOPBATH_EVIDENCE_BUCKET;
  const own = { forbids: evidence ? "it is the suite's own evidence bucket, which the suite never changes: what is open there is closed by hand" : null, settled: settled(level, state, contained), reopens: plan.direction === 'restore' ? reopenings(state, plan.changes) : [] };
  const result = nextAfterPlan(plan, known, own);
  return await keepPlan(tools, { input, incident, plan, result, snapshot: { state }, text: ` at level ${planned.level}`, more, named, reserve: reservedFor(tools, { incident, plan, result, execution: input.execution, takes, approvals: onRecord.approvals, undo: plan.changes }) });
}

/** Closed by somebody else before anything was done here. */
function settled(asked: Level, state: BucketState, contained: readonly LedgerEntry[]): string | null {
  const closed = contained.length === 0 && asked === 'public' && same(state.publicAccessBlock, BLOCK_ALL);
  return closed ? 'public access is blocked already: there is nothing to contain' : null;
}

/** Where nobody waits for the numbers but pictures for their end, no more links are counted than these pages hold: some 8,000. */
const PAGES_AT_ONCE = 2;

interface Seen {
  readonly state: BucketState;
  /** What somebody outside gets through the bucket's own door and its access points'. */
  readonly anonymous: Promise<Answer>;
  /** What is behind it, as far as it can be counted in moments. */
  readonly survey: Promise<Plan['impact']>;
}

/** The settings, and meanwhile and after them what nothing that is done depends on. */
async function lookAt(tools: Tools, address: BucketAddress, direction: Direction): Promise<Seen> {
  const reading = readBucket(tools.clients, address, direction === 'contain' ? { mayMiss: mayMiss(tools) } : {});
  const asking = async (): Promise<Answer> => {
    const [state, keys] = await Promise.all([reading, sampleKeys(s3Of(tools.clients), address)]);
    return await askAnonymously(tools.clients, state, keys);
  };
  const seen = { anonymous: asking(), survey: surveyBucket(tools, address, { pages: PAGES_AT_ONCE }) };
  // Whoever has no use for it does not wait for it; where it is used, its failure is the plan's.
  for (const later of Object.values(seen)) later.catch(() => undefined);
  return { state: await reading, ...seen };
}

async function moreOf(anonymous: Promise<Answer>, survey: Promise<Plan['impact']>): NonNullable<PlanMade['more']> {
  const [anonymousBefore, behind] = await Promise.all([anonymous, survey]);
  return { anonymousBefore, ...behind };
}

