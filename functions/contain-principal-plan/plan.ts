import { readAhead } from '../../aws/ahead.ts';
import type { Tools } from '../../aws/function.ts';
import { getIncident, ledgerOf } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { keepPlan, type PlanInput, type Preview } from '../../aws/planning.ts';
import { isHandedOn } from '../../aws/principal/hand-on.ts';
import { neverTouched, readPrincipal } from '../../aws/principal/state.ts';
import { readUse, type Use } from '../../aws/principal/use.ts';
import { readOnRecord, standingOf } from '../../aws/standing.ts';
import type { Json } from '../../core/bucket.ts';
import type { Incident, Plan } from '../../core/incident.ts';
import { nextAfterPlan, type OwnWord, type PlanResult } from '../../core/next.ts';
import { withDigest } from '../../core/plan.ts';
import { containment, DENY, levelOf, restoration } from '../../core/principal/contain.ts';
import { principalOf, type Principal, type PrincipalState } from '../../core/principal/principal.ts';

/** Reads the principal, what uses it and what it issued, and plans. */
export async function planContainment(input: PlanInput, tools: Tools): Promise<PlanResult | Preview> {
  const reading = input.preview?.draft ? Promise.resolve(input.preview.draft) : getIncident(tools, input.incident);
  const [incident, state, ledger, onRecord] = await Promise.all([
    reading,
    readAhead(input.target, reading, async ({ arn }) => await readPrincipal(tools, principalOf(arn), input.incident)),
    ledgerOf(tools, input.incident),
    readOnRecord(tools, input.incident, input.execution),
  ]);
  const standing = standingOf(tools, incident, input.execution, onRecord);
  const principal = principalOf(incident.target.arn);
  const there = memberTools(tools, principal.account, 'read', incident.id);
  const since = sinceOf(incident);
  const use = await readUse(there, principal, state, since);
  const level = levelOf(incident.inputs['level'], principal, input.direction === 'contain' ? ledger : []);
  const planned = input.direction === 'contain' ? containment(principal, state, level, incident) : restoration(ledger, state, principal, input.preview?.newer ?? standing.newer);
  const plan = withDigest({
    incident: incident.id,
    playbook: incident.playbook,
    direction: input.direction,
    target: incident.target,
    level,
    changes: planned.changes,
    notes: planned.notes,
    impact: impactOf(use, state, since, standing.protectedBy),
    plannedAt: tools.now(),
  });
  const result = nextAfterPlan(plan, standing, { ...wordOf(plan, principal, state, use.stops, tools), more: input.direction === 'contain' && (use.links ?? 0) > 0 && !isHandedOn(incident) });
  return await keepPlan(tools, { input, incident, plan, result, snapshot: { principal: { ...state } }, text: ` ${principal.kind} ${principal.name} at level ${level}` });
}

/** A finding comes minutes after the deed. */
const BEFORE_MS = 3_600_000;

/** From when on what it issued is handed on: as somebody said, or an hour before the event. */
export function sinceOf({ inputs, eventTime }: Incident): string {
  const said = inputs['since'];
  return typeof said === 'string' ? said : new Date(Date.parse(eventTime) - BEFORE_MS).toISOString();
}

function impactOf(use: Use, { keys, hasPassword }: PrincipalState, since: string, protectedBy: string | null): { readonly [key: string]: Json } {
  return {
    usedServices: [...use.lastAccessed],
    wouldFeelIt: [...use.stops],
    accessKeys: Object.entries(keys).map(([id, status]) => `${id} ${status.toLowerCase()}`),
    consolePassword: hasPassword ? 'there is one' : 'there is none',
    ...(use.links === null ? {} : { shareLinksIssued: `${use.links} since ${since}${use.links === 0 ? '' : ': handed on to revoke-share-links'}`, linksToHandOn: use.links }),
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
