import type { Tools } from '../../aws/function.ts';
import { settled } from '../../aws/ahead.ts';
import { viewIncident } from '../../aws/incidents.ts';
import { recordedTarget } from '../../aws/owners.ts';
import { keepPlan, nameSnapshot, type PlanInput, type Preview } from '../../aws/planning.ts';
import { listDistributions } from '../../aws/share/distributions.ts';
import type { Planned, ShareAhead, ShareAim, ShareContext } from '../../aws/share/kind.ts';
import { AFTER_SWEEP, BEFORE_SWEEP, kindOf } from '../../aws/share/kinds.ts';
import { readSigners } from '../../aws/share/signers.ts';
import { findLinks, judgeSome, reachOf } from '../../aws/share/survey.ts';
import { checkShareTables } from '../../aws/share/tables.ts';
import { reservedFor, takesFor } from '../../aws/reserve.ts';
import { readOnRecord, standingOf } from '../../aws/standing.ts';
import type { Json } from '../../core/bucket.ts';
import type { Change, IncidentView, Plan } from '../../core/incident.ts';
import { nextAfterPlan, type OwnWord, type PlanResult } from '../../core/next.ts';
import { inForce } from '../../core/outcome.ts';
import { withDigest } from '../../core/plan.ts';
import { same } from '../../core/quarantine/levels.ts';
import { reopensLinks, SWEEP, sweepChange, sweepsToUndo, throughOf } from '../../core/share/revocation.ts';
import { scopeOf } from '../../core/share/scope.ts';
import { impactOf, linksIn, restoreImpactOf, sampledLinks, type Survey } from '../../core/share/survey.ts';
import { sweepUndo } from '../../core/share/undo.ts';

/**
 * Where nobody waits for the numbers but the links for their end, no more is counted than a usual budget of links allows: 50 pages,
 * some 200,000 links. So the time until the first write has an upper bound, however many links there are.
 */
const PAGES_AT_ONCE = 50;

export async function planRevocation(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  // An incident that does not exist yet has neither ledger nor plans.
  const draft = input.preview?.draft ?? null;
  const [view, onRecord, checkScope, takes, named] = await Promise.all([
    draft === null ? viewIncident(tools, input.incident) : { incident: draft, ledger: [], plans: [] },
    readOnRecord(tools, input.incident, input.execution),
    checkShareTables(tools),
    takesFor(tools, input.direction),
    nameSnapshot(tools, input),
  ]);
  const { incident } = view;
  const scope = scopeOf(incident);
  checkScope(scope);
  const isUrgent = input.direction === 'contain' && incident.mode === 'contain' && !input.preview;
  const aim: ShareAim = { incident, direction: input.direction, execution: input.execution, scope };
  const ahead = input.direction === 'contain' ? { ahead: readAhead(aim, tools) } : {};
  const found = await findLinks(tools, scope, isUrgent ? { pages: PAGES_AT_ONCE } : {});
  const context: ShareContext = { ...aim, reach: reachOf(scope, found.read), reachComplete: found.counted && found.read.length >= found.count, ...ahead };
  const [sampled, planned, target] = await Promise.all([
    judgeSome(tools, found.read),
    input.direction === 'contain' ? containment(context, found.count, tools) : restoration(context, view, tools),
    // Whoever approves a plan approves its digest, and locked records say it: no owner's id goes into either.
    recordedTarget(tools, incident.target),
  ]);
  const survey: Survey = { ...found, sampled };

  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target,
    level: null,
    changes: planned.changes.map((change, index) => ({ seq: index + 1, ...change })),
    notes: planned.notes,
    impact: input.direction === 'contain' ? { ...impactOf(survey), sampledLinks: toFetch(view, survey) } : restoreImpactOf(survey, revokedBy(view), givenBack(view)),
    plannedAt: tools.now(),
  });
  const result = nextAfterPlan(plan, standingOf(tools, incident, input.execution, onRecord), wordOf(plan, survey, view.ledger));
  const counted = linksIn(plan.impact);
  const links = `${survey.counted ? '' : 'at least '}${survey.count} ${survey.count === 1 ? 'link' : 'links'}`;
  return await keepPlan(tools, { input, incident, plan, result, named, reserve: reservedFor(tools, { incident, plan, result, execution: input.execution, takes, approvals: onRecord.approvals, links: counted }), snapshot: {}, links: counted, text: `, of ${links}` });
}

/** What can be read while the links are looked for: of it only what they lead to is used. */
function readAhead(aim: ShareAim, tools: Tools): ShareAhead {
  return { distributions: settled(listDistributions(tools)), signers: readSigners(aim, tools) };
}

/** Epoch, sweep, and what kills the URLs already handed out: links that are still live while they are swept would mint fresh ones. */
async function containment(context: ShareContext, count: number, tools: Tools): Promise<Planned> {
  const plansOf = async (kinds: typeof BEFORE_SWEEP) => await Promise.all(kinds.map((kind) => kind.plan(context, tools)));
  const [before, after] = await Promise.all([plansOf(BEFORE_SWEEP), plansOf(AFTER_SWEEP)]);
  const first = before.flatMap(({ changes }) => changes);
  const sweep = count === 0 && first.length === 0 ? [] : [{ ...sweepChange(context.scope, throughOf(first)), undo: sweepUndo(tools.settings.STOPBATH_SHARES, context.scope, context.incident.id) }];
  return { changes: [...first, ...sweep, ...after.flatMap(({ changes }) => changes)], notes: [...before, ...after].flatMap(({ notes }) => notes) };
}

/** The ledger of this incident's containments, read backwards against what is there now. */
async function restoration(context: ShareContext, { ledger }: Pick<IncidentView, 'ledger'>, tools: Tools): Promise<Planned> {
  const contained = ledger.filter(({ direction }) => direction === 'contain');
  const undo = sweepsToUndo(ledger).at(-1);
  const current = new Map<string, Json>();
  const changes: Omit<Change, 'seq'>[] = [];
  const notes = new Set<string>();
  for (const entry of contained.toReversed()) {
    if (entry.setting === SWEEP) {
      if (entry === undo) changes.push({ setting: SWEEP, title: 'Give back every link that only this incident revoked', before: entry.after, after: entry.before });
      continue;
    }
    const kind = kindOf(entry.setting);
    const present = current.get(entry.setting) ?? (await kind.read(entry.setting, tools, context));
    const { value, note } = kind.takeBack(entry, present);
    const isChange = !same(present, value);
    const beside = isChange ? await kind.beside?.(entry, value, context, tools) : undefined;
    const refused = beside?.refused ?? null;
    for (const one of [...(beside?.notes ?? []), refused ?? note]) if (one !== null) notes.add(one);
    // It stays in the ledger, and is taken back by the next restore.
    if (refused !== null) continue;
    current.set(entry.setting, value);
    if (isChange) changes.push({ setting: entry.setting, title: `Undo: ${entry.title}`, before: present, after: value });
  }
  return { changes, notes: [...notes] };
}

function wordOf(plan: Plan, survey: Survey, ledger: IncidentView['ledger']): OwnWord {
  if (plan.direction === 'restore') return { settled: null, reopens: reopensLinks(plan.changes) };
  const touches = plan.changes.some(({ setting }) => setting !== SWEEP && !setting.startsWith('epoch:'));
  // What an earlier containment denied stays denied, also where the service has deleted its links: that is not nothing.
  const none = survey.counted && survey.count === 0 && !touches && !inForce(ledger);
  return { settled: none ? 'there is no share link to revoke' : null, reopens: [] };
}

/** How many links the incident's sweeps marked that are to be taken back: of several the last met them all. */
function revokedBy({ ledger }: Pick<IncidentView, 'ledger'>): number | null {
  const met = sweepsToUndo(ledger).at(-1)?.met;
  return typeof met === 'object' && met !== null && 'changed' in met ? Number(met['changed']) : null;
}

/** Those that work now, and those that worked before an earlier try of this incident killed them: they prove it as well. */
function toFetch(view: Pick<IncidentView, 'plans'>, survey: Survey): Json {
  return [...new Set([...sampledLinks(impactOf(survey)), ...givenBack(view)])].slice(0, 20);
}

/** The links that were fetched before a containment of this incident are fetched again after its restore. */
function givenBack({ plans }: Pick<IncidentView, 'plans'>): readonly string[] {
  return [...new Set(plans.filter(({ direction }) => direction === 'contain').flatMap(({ impact }) => sampledLinks(impact)))].slice(-20);
}
