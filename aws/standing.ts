import { BudgetError, HeldError } from '../core/held.ts';
import { guardSays, protectedBy, type GuardState } from '../core/guard.ts';
import type { Tag } from '../core/bucket.ts';
import type { Incident, LedgerEntry, Plan, Request } from '../core/incident.ts';
import { approversOf, missingGates, type Gated, type Standing } from '../core/next.ts';
import { manualMode } from '../core/manual.ts';
import { liftedGates, type Approval, type People } from '../core/approval.ts';
import { approvalsOf } from './approvals.ts';
import { leftOfAll, takeAll, type BudgetLeft, type BudgetRule, type BudgetRules, type Taken } from '../core/budget.ts';
import { readTakes, takeBudgets, type Takes } from './budget.ts';
import type { Tools } from './function.ts';
import { readGuard } from './guard.ts';
import { getRequest } from './incidents.ts';
import { capFor } from './settings.ts';

/** What is on record about an execution, whatever the workflow's input says. */
export interface OnRecord {
  readonly guard: GuardState;
  readonly approvals: readonly Approval[];
  readonly request: Request | null;
}

/** Read side by side, and beside the target's state: none of it needs the other. */
export async function readOnRecord(tools: Tools, incident: string, execution: string): Promise<OnRecord> {
  const [guard, approvals, request] = await Promise.all([readGuard(tools), approvalsOf(tools, incident), getRequest(tools, incident, execution)]);
  return { guard, approvals, request };
}

/**
 * What plan and apply know of an execution beside the target's state.
 *
 * @param tags - the target's, as they were just read; `null` where it has none
 */
export function standingOf(tools: Pick<Tools, 'settings'>, incident: Incident, execution: string, { guard, approvals, request }: OnRecord, tags: readonly Tag[] | null = null): Standing {
  const { STOPBATH_PROTECTED_BUCKETS, STOPBATH_PROTECTED_TAGS } = tools.settings;
  return {
    // Many functions write an incident, and the configuration none of them: whatever stands there, above the cap somebody approves.
    incident: { ...incident, mode: manualMode(incident.mode, capFor(tools.settings, incident.playbook)) },
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

/** Which settings of a bucket a containment goes on without, where a policy refuses them: all, but the tags that may protect it. */
export function mayMiss({ settings }: Pick<Tools, 'settings'>): (setting: string) => boolean {
  return (setting) => setting !== 'tagging' || settings.STOPBATH_PROTECTED_TAGS.length === 0;
}

/** The same for who has nothing else to read meanwhile. */
export async function readStanding(tools: Tools, incident: Incident, execution: string, tags: readonly Tag[] | null = null): Promise<Standing> {
  return standingOf(tools, incident, execution, await readOnRecord(tools, incident.id, execution), tags);
}

export function peopleOf({ settings }: Pick<Tools, 'settings'>): People {
  return { responderRoles: settings.STOPBATH_RESPONDER_ROLES, sessionNamesPinned: settings.STOPBATH_SESSION_NAMES_PINNED };
}

/** What an apply has read before it judges: the plan, and all that is on record about its execution. */
export interface Planned {
  readonly incident: Incident;
  readonly plan: Plan;
  readonly execution: string;
  /** What this execution wrote to the ledger for this plan so far. */
  readonly written: readonly LedgerEntry[];
  readonly onRecord: OnRecord;
  /** When the incident was read, ms. */
  readonly readAt: number;
  /** What was taken from the budgets; `null` for a restore, which is exempt. */
  readonly takes: Takes | null;
}

/**
 * Stands right before the first write of every `apply`: kill switch, the plan that was asked for, mode, approvals, budgets.
 *
 * @throws {HeldError} where it may not, and no approval would help now
 * @throws {BudgetError} where the budgets are used up: the workflow asks somebody
 */
export async function assertMayApply(tools: Tools, { incident, plan, execution, written, onRecord, takes }: Planned, own: Gated & { readonly links?: number }, tags: readonly Tag[] | null = null): Promise<void> {
  const standing = standingOf(tools, incident, execution, onRecord, tags);
  const latest = incident.executions.at(-1) ?? execution;
  if (latest !== execution) throw new HeldError(`${latest} was started since: ${execution} changes nothing any more`);
  const held = guardSays(plan.direction, standing.guard);
  if (held !== null) throw new HeldError(held);
  if (standing.pinnedDigest !== null && standing.pinnedDigest !== plan.digest) throw new HeldError(`plan ${standing.pinnedDigest} was asked for, not ${plan.digest}`);
  if (plan.direction === 'contain' && incident.mode === 'observe') throw new HeldError('the mode is observe: nothing may be changed');
  const missing = missingGates(plan, standing, own);
  if (missing.length > 0) throw new HeldError(`nobody has approved plan ${plan.digest}: ${missing.map(({ why }) => why).join('; ')}`);
  if (plan.direction === 'restore') return;
  if (liftedGates(standing.approvals, { execution, digest: plan.digest }, approversOf(standing, false), standing.people).has('budget')) return;
  // What this run has paid for it does not pay again, however long it takes: a sweep may take hours.
  if (written.some(({ reserved = false, result }) => !reserved || result === 'done')) return;
  const spent = await pay(tools, incident, own.links ?? 0, takes ?? undefined);
  if (spent !== null) throw new BudgetError(spent);
}

/**
 * Takes from the budgets what a containment costs; what its incident has taken within the hour is not taken again.
 *
 * @param seen - what was just read of them
 * @returns why there is none left, in one sentence; `null` where it may go on
 */
export async function pay(tools: Tools, incident: Incident, links: number, seen?: Takes): Promise<string | null> {
  return await takeBudgets(tools, wantedOf(tools, incident, links), rulesOf(tools), seen);
}

/** Whether the budgets would be taken from, by what was read of them. */
export function canPay(tools: Tools, incident: Incident, links: number, { taken }: Takes): boolean {
  return !('refused' in takeAll(taken, wantedOf(tools, incident, links), rulesOf(tools)));
}

function wantedOf(tools: Tools, { id: incident, target: { account }, severity }: Incident, links: number): Taken & { readonly severity: number } {
  return { incident, account, severity, at: tools.now(), links };
}

function rulesOf({ settings }: Pick<Tools, 'settings'>): BudgetRules {
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
  return leftOfAll((await readTakes(tools)).taken, wantedOf(tools, incident, links), rulesOf(tools));
}
