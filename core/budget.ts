/** One containment that counts against a budget. */
export interface Take {
  readonly incident: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
}

export interface BudgetRule {
  /** Containments in a rolling hour. */
  readonly limit: number;
  /** How many of these only critical incidents may use, so that decoys cannot use up the suite. */
  readonly reserved: number;
}

/** GuardDuty calls 9.0 and above critical. @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-severity-levels.html */
export const CRITICAL = 9;
const HOUR_MS = 3_600_000;

/**
 * Take one from a rolling budget.
 *
 * @returns the takes of the last hour with this one, or why there is none left; an incident that has taken already
 * takes nothing more, so a retry costs nothing
 */
export function take(
  takes: readonly Take[],
  wanted: Take & { readonly severity: number },
  rule: BudgetRule,
): { readonly takes: readonly Take[] } | { readonly refused: string } {
  const since = Date.parse(wanted.at) - HOUR_MS;
  const recent = takes.filter((entry) => Date.parse(entry.at) > since);
  if (recent.some((entry) => entry.incident === wanted.incident)) return { takes: recent };
  const critical = wanted.severity >= CRITICAL;
  const limit = critical ? rule.limit : Math.max(0, rule.limit - rule.reserved);
  if (recent.length >= limit) {
    const kept = critical ? '' : ` (${rule.reserved} of ${rule.limit} are kept for critical incidents)`;
    return { refused: `${recent.length} buckets were contained in the last hour and the budget is ${limit}${kept}: a responder decides` };
  }
  return { takes: [...recent, { incident: wanted.incident, at: wanted.at }] };
}
