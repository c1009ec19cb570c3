/** One containment that counts against a budget. */
export interface Take {
  readonly incident: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
  /** How many of what the budget counts; 1 unless told. */
  readonly amount?: number;
}

export interface BudgetRule {
  /** What is counted, as a responder reads it: `links`; containments unless told. */
  readonly of?: string;
  /** How many in a rolling hour. */
  readonly limit: number;
  /** How many of these only critical incidents may use, so that decoys cannot use up the suite. */
  readonly reserved: number;
}

/** GuardDuty calls 9.0 and above critical. @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-severity-levels.html */
export const CRITICAL = 9;
const HOUR_MS = 3_600_000;

/** What is left of one budget for an incident, and why it would be refused; `null` where it would not. */
export interface BudgetLeft {
  readonly of: string;
  readonly left: number;
  readonly limit: number;
  /** Of `limit`, kept for critical incidents. */
  readonly reserved: number;
  readonly refused: string | null;
}

/** The same rule as `take`, and takes nothing. */
export function leftOf(takes: readonly Take[], wanted: Take & { readonly severity: number }, rule: BudgetRule): BudgetLeft {
  const since = Date.parse(wanted.at) - HOUR_MS;
  const taken = takes.filter((entry) => Date.parse(entry.at) > since).reduce((sum, entry) => sum + (entry.amount ?? 1), 0);
  const result = take(takes, wanted, rule);
  return { of: rule.of ?? 'containments', left: Math.max(0, rule.limit - taken), limit: rule.limit, reserved: rule.reserved, refused: 'refused' in result ? result.refused : null };
}

/**
 * Take one from a rolling budget.
 *
 * @returns the takes of the last hour with this one, or why there is none left; an incident that has taken as much already
 * takes nothing more, so a retry costs nothing, and one that has taken less takes the difference
 */
export function take(
  takes: readonly Take[],
  wanted: Take & { readonly severity: number },
  rule: BudgetRule,
): { readonly takes: readonly Take[] } | { readonly refused: string } {
  const since = Date.parse(wanted.at) - HOUR_MS;
  const recent = takes.filter((entry) => Date.parse(entry.at) > since);
  const amount = wanted.amount ?? 1;
  const mine = recent.find((entry) => entry.incident === wanted.incident);
  if (mine && (mine.amount ?? 1) >= amount) return { takes: recent };
  const others = recent.filter((entry) => entry !== mine);
  const critical = wanted.severity >= CRITICAL;
  const limit = critical ? rule.limit : Math.max(0, rule.limit - rule.reserved);
  const taken = others.reduce((sum, entry) => sum + (entry.amount ?? 1), 0);
  if (taken + amount > limit) {
    const kept = critical ? '' : ` (${rule.reserved} of ${rule.limit} are kept for critical incidents)`;
    const more = amount === 1 ? '' : `, this one takes ${amount}`;
    return { refused: `${taken} ${rule.of ?? 'containments'} count for the last hour${more}, and the budget is ${limit}${kept}: a responder decides` };
  }
  return { takes: [...others, { incident: wanted.incident, at: wanted.at, amount }] };
}
