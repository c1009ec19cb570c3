import { readAhead, settled } from '../../aws/ahead.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { keepPlan, nameSnapshot, type PlanInput, type Preview } from '../../aws/planning.ts';
import { toHandOn, type ToHandOn } from '../../aws/principal/hand-on.ts';
import { neverTouched, readingIn, readPrincipal, readRoom } from '../../aws/principal/state.ts';
import { askForReport, readUse, type Use } from '../../aws/principal/use.ts';
import { reservedFor, takesFor } from '../../aws/reserve.ts';
import { readOnRecord, standingOf } from '../../aws/standing.ts';
import type { Json } from '../../core/bucket.ts';
import type { Plan } from '../../core/incident.ts';
import { nextAfterPlan, type OwnWord, type PlanResult } from '../../core/next.ts';
import { withDigest } from '../../core/plan.ts';
import { containment, DENY, levelOf, restoration } from '../../core/principal/contain.ts';
import { principalOf, type Principal, type PrincipalState } from '../../core/principal/principal.ts';

/** Reads the principal, what uses it and what it issued, and plans. */
export async function planContainment(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  const reading = input.preview?.draft ? Promise.resolve(input.preview.draft) : getIncident(tools, input.incident);
  const [incident, begun, ledger, onRecord, takes, named] = await Promise.all([
    reading,
    readAhead(input.target, reading, async ({ arn }) => await Promise.resolve(beginReading(tools, arn, input.incident))),
    ledgerOf(tools, input.incident),
    readOnRecord(tools, input.incident, input.execution),
    takesFor(tools, input.direction),
    nameSnapshot(tools, input),
  ]);
  const standing = standingOf(tools, incident, input.execution, onRecord);
  const principal = principalOf(incident.target.arn);
  const [stateRead, report] = await Promise.all([begun.state, begun.report]);
  const state = stateRead();
  const [use, issued, roomRead] = await Promise.all([
    readUse(readingIn(tools, principal, incident.id), principal, state, report),
    input.direction === 'contain' ? toHandOn(tools, incident, state.arn) : null,
    begun.room,
  ]);
  const seen = { ...state, room: roomRead() };
  const level = levelOf(incident.inputs['level'], principal, issued === null ? [] : ledger);
  const planned = input.direction === 'contain' ? containment(principal, seen, level, incident) : restoration(ledger, state, principal, input.preview?.newer ?? standing.newer);
  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target: incident.target,
    level,
    changes: planned.changes,
    notes: planned.notes,
    impact: impactOf(use, state, issued, standing.protectedBy),
    plannedAt: tools.now(),
  });
  const result = nextAfterPlan(plan, standing, { ...wordOf(plan, principal, state, use.stops, tools), more: issued?.more ?? false });
  return await keepPlan(tools, { input, incident, plan, result, named, reserve: reservedFor(tools, { incident, plan, result, execution: input.execution, takes, approvals: onRecord.approvals }), snapshot: { principal: seen }, text: ` ${principal.kind} ${principal.name} at level ${level}` });
}

/** All that is asked by the name alone, and needs nothing of each other. */
function beginReading(tools: Tools, arn: string, incident: string) {
  const principal = principalOf(arn);
  const there = readingIn(tools, principal, incident);
  return { state: settled(readPrincipal(tools, principal, incident)), room: settled(readRoom(tools, principal, incident)), report: settled(askForReport(there, arn)) };
}

function impactOf(use: Use, { keys, hasPassword }: PrincipalState, issued: ToHandOn | null, protectedBy: string | null): { readonly [key: string]: Json } {
  return {
    usedServices: [...use.lastAccessed],
    wouldFeelIt: [...use.stops],
    accessKeys: Object.entries(keys).map(([id, status]) => `${id} ${status.toLowerCase()}`),
    consolePassword: hasPassword ? 'there is one' : 'there is none',
    ...(issued === null || issued.links === null ? {} : { shareLinksIssued: `${issued.links}${issued.more && issued.links === 0 ? ' or more' : ''} since ${issued.since}: handed on to revoke-share-links, as what it issues until the deny is seen to hold` }),
    ...(protectedBy === null ? {} : { protectedBy }),
  };
}

function wordOf(plan: Plan, principal: Principal, state: PrincipalState, stops: readonly string[], tools: Tools): OwnWord {
  return {
    settled: null,
    forbids: neverTouched(tools, principal, state),
    stops: plan.changes.some(({ setting }) => setting === DENY) ? stops : [],
    reopens: plan.direction === 'restore' ? plan.changes.map(({ title }) => title) : [],
  };
}
