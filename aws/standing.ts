import { BudgetError, HeldError } from '../core/held.ts';
import { guardSays, protectedBy } from '../core/guard.ts';
import type { Tag } from '../core/bucket.ts';
import type { Incident, Plan } from '../core/incident.ts';
import { approversOf, missingGates, type Gated, type Standing } from '../core/next.ts';
import { liftedGates, type People } from '../core/approval.ts';
import { approvalsOf } from './approvals.ts';
import type { BudgetLeft, BudgetRule } from '../core/budget.ts';
import { readBudgets, takeBudgets } from './budget.ts';
import type { Tools } from './function.ts';
import { readGuard } from './guard.ts';
import { getRequest, ledgerOf } from './incidents.ts';

/**
 * What plan and apply know of an execution beside the target's state: read here, whatever the workflow's input says.
 *
 * @param tags - the target's, as they were just read; `null` where it has none
 */
export async function readStanding(tools: Tools, incident: Incident, execution: string, tags: readonly Tag[] | null = null): Promise<Standing> {
  const { STOPBATH_PROTECTED_BUCKETS, STOPBATH_PROTECTED_TAGS } = tools.settings;
  const [guard, approvals, request] = await Promise.all([readGuard(tools), approvalsOf(tools, incident.id), getRequest(tools, incident.id, execution)]);
  return {
    incident,
    guard,
    approvals,
    execution,
    protectedBy: protectedBy(incident.target, { buckets: STOPBATH_PROTECTED_BUCKETS, tags: STOPBATH_PROTECTED_TAGS }, tags),
    people: peopleOf(tools),
    pinnedDigest: request?.digest ?? null,
    askedBy: request?.by ?? null,
    newer: request?.newer ?? 'keep',
  };
}

export function peopleOf({ settings }: Pick<Tools, 'settings'>): People {
  return { responderRoles: settings.STOPBATH_RESPONDER_ROLES, sessionNamesPinned: settings.STOPBATH_SESSION_NAMES_PINNED };
}

/**
 * Stands right before the first write of every `apply`: kill switch, the plan that was asked for, mode, approvals, budgets.
 *
 * @throws {HeldError} where it may not, and no approval would help now
 * @throws {BudgetError} where the budgets are used up: the workflow asks somebody
 */
export async function assertMayApply(tools: Tools, incident: Incident, plan: Plan, execution: string, own: Gated & { readonly links?: number }, tags: readonly Tag[] | null = null): Promise<void> {
  const standing = await readStanding(tools, incident, execution, tags);
  const latest = incident.executions.at(-1) ?? execution;
  if (latest !== execution) throw new HeldError(`${latest} was started since: ${execution} changes nothing any more`);
  const held = guardSays(plan.direction, standing.guard);
  if (held !== null) throw new HeldError(held);
  if (standing.pinnedDigest !== null && standing.pinnedDigest !== plan.digest) throw new HeldError(`plan ${standing.pinnedDigest} was asked for, not ${plan.digest}`);
  if (plan.direction === 'contain' && incident.mode === 'observe') throw new HeldError('the mode is observe: nothing may be changed');
  const missing = missingGates(plan, standing, own);
  if (missing.length > 0) throw new HeldError(`nobody has approved plan ${plan.digest}: ${missing.map(({ why }) => why).join('; ')}`);
  if (plan.direction === 'restore') return;
  if (liftedGates(standing.approvals, { execution, digest: plan.digest }, approversOf(standing), standing.people).has('budget')) return;
  // What this run has paid for it does not pay again, however long it takes: a sweep may take hours.
  if ((await ledgerOf(tools, incident.id)).some((entry) => entry.execution === execution && entry.digest === plan.digest)) return;
  const spent = await spend(incident, own.links ?? 0, tools);
  if (spent !== null) throw new BudgetError(spent);
}

/** One containment, and the links that it revokes, from the budgets of the last hour; why not, where there is not enough left. */
async function spend(incident: Incident, links: number, tools: Tools): Promise<string | null> {
  const wanted = { incident: incident.id, account: incident.target.account, severity: incident.severity, at: tools.now() };
  const rules = rulesOf(tools);
  const spent = await takeBudgets(tools, wanted, rules.containments);
  if (spent !== null || links === 0) return spent;
  return await takeBudgets(tools, { ...wanted, amount: links }, rules.links);
}

type Rules = { readonly account: BudgetRule; readonly all: BudgetRule };

function rulesOf({ settings }: Pick<Tools, 'settings'>): { readonly containments: Rules; readonly links: Rules } {
  const { STOPBATH_BUDGET_ACCOUNT: account, STOPBATH_BUDGET_ALL: all, STOPBATH_BUDGET_RESERVED: reserved, STOPBATH_BUDGET_LINKS: inAccount, STOPBATH_BUDGET_LINKS_ALL: inAll } = settings;
  // The same share of the links is kept for critical incidents as of the containments.
  const rule = (limit: number, of: number): BudgetRule => ({ of: 'links', limit, reserved: Math.floor((limit * reserved) / of) });
  return { containments: { account: { limit: account, reserved }, all: { limit: all, reserved } }, links: { account: rule(inAccount, account), all: rule(inAll, all) } };
}

/** What the budgets of the last hour would say to a plan now: the containments', and the links' where it revokes some. */
export type Budgets = readonly { readonly account: BudgetLeft; readonly all: BudgetLeft }[];

/** For a preview: takes nothing. A restore is exempt, and has none. */
export async function previewBudgets(tools: Tools, incident: Incident, plan: Pick<Plan, 'direction'>, links = 0): Promise<Budgets> {
  if (plan.direction === 'restore') return [];
  const wanted = { incident: incident.id, account: incident.target.account, severity: incident.severity, at: tools.now() };
  const rules = rulesOf(tools);
  return await Promise.all([readBudgets(tools, wanted, rules.containments), ...(links === 0 ? [] : [readBudgets(tools, { ...wanted, amount: links }, rules.links)])]);
}
