import type { Approval } from '../core/approval.ts';
import type { Change, Direction, Incident, LedgerEntry, Plan } from '../core/incident.ts';
import type { PlanResult } from '../core/next.ts';
import { intentOf } from './apply.ts';
import { readTakes, type Takes } from './budget.ts';
import { allOrThrow } from './concurrently.ts';
import type { Tools } from './function.ts';
import { hasTurn, takeTurn } from './incidents.ts';
import { intend } from './ledger.ts';
import { canPay, pay } from './standing.ts';

export interface Reserving {
  readonly incident: Incident;
  readonly plan: Plan;
  readonly result: PlanResult;
  readonly execution: string;
  /** What `takesFor` just read. */
  readonly takes: Takes | null;
  readonly approvals: readonly Approval[];
  /** Share links that it takes from the budgets; none unless told. */
  readonly links?: number;
  /** The changes whose undo is reserved, by a playbook whose apply says when it has begun; none unless told. */
  readonly undo?: readonly Change[];
}

/**
 * A plan that goes on by itself is followed by its apply within moments, which would write these one after the other while pictures are open: the run's turn, its share of the
 * budgets, the undo of its changes. So they are written beside what the plan saves. None of them changes a target. Apply reads and judges everything all the same, and writes what
 * is not there; until it has begun, what is reserved is nobody's intent.
 *
 * @returns what writes them; `null` where something has to be asked first, was asked in this run, or was started since: then all of it is apply's
 */
export function reservedFor(tools: Tools, { incident, plan, result, execution, takes, approvals, links = 0, undo = [] }: Reserving): (() => Promise<void>) | null {
  const isAsked = approvals.some((approval) => approval.execution === execution);
  if (takes === null || result.next !== 'apply' || isAsked || incident.executions.at(-1) !== execution || !canPay(tools, incident, links, takes)) return null;
  const intents = undo.map((change): LedgerEntry => ({ ...intentOf(plan, execution, change, plan.plannedAt), reserved: true }));
  return async () => {
    // Where others were faster, apply judges what is there then.
    await allOrThrow([
      hasTurn(incident, plan.direction, execution) || takeTurn(tools, incident, plan.direction, execution),
      pay(tools, incident, links, takes),
      ...intents.map((intent) => intend(tools, intent)),
    ]);
  };
}

/** The budgets, for a plan that may reserve; `null` where it restores, or where they cannot be read: then apply asks them, and holds. */
export async function takesFor(tools: Tools, direction: Direction): Promise<Takes | null> {
  return direction === 'contain' ? await readTakes(tools).catch(() => null) : null;
}
