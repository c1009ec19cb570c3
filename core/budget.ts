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

/** What an incident takes of all budgets: one containment, and the links that it revokes. */
export interface Taken {
  readonly incident: string;
  readonly account: string;
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string;
  readonly links: number;
}

export interface BudgetRules {
  readonly containments: { readonly account: BudgetRule; readonly all: BudgetRule };
  readonly links: { readonly account: BudgetRule; readonly all: BudgetRule };
}

/**
 * Takes from every budget that a containment counts against, its account's and everybody's, or from none: what one of them refuses
 * uses up no other.
 *
 * @returns the takes of the last hour with this one, `null` where the incident has taken as much already; or why there is none left
 */
export function takeAll(taken: readonly Taken[], wanted: Taken & { readonly severity: number }, rules: BudgetRules): { readonly takes: readonly Taken[] | null } | { readonly refused: string } {
  for (const { takes, amount, rule } of countsOf(taken, wanted, rules)) {
    const result = take(takes, { ...wanted, amount }, rule);
    if ('refused' in result) return result;
  }
  const recent = within(taken, wanted.at);
  const mine = recent.find(({ incident }) => incident === wanted.incident);
  if (mine && mine.links >= wanted.links) return { takes: null };
  const { incident, account, at, links } = wanted;
  return { takes: [...recent.filter((entry) => entry !== mine), { incident, account, at, links }] };
}

/** What is left of each budget; the links' only where some are wanted. Takes nothing. */
export function leftOfAll(taken: readonly Taken[], wanted: Taken & { readonly severity: number }, rules: BudgetRules): readonly { readonly account: BudgetLeft; readonly all: BudgetLeft }[] {
  const left = countsOf(taken, wanted, rules).map(({ takes, amount, rule }) => leftOf(takes, { ...wanted, amount }, rule));
  return left.flatMap((account, index) => (index % 2 === 0 && left[index + 1] ? [{ account, all: left[index + 1] ?? account }] : []));
}

/** The account's before everybody's, containments before links. */
function countsOf(taken: readonly Taken[], { account, links }: Taken, rules: BudgetRules): readonly { readonly takes: readonly Take[]; readonly amount: number; readonly rule: BudgetRule }[] {
  const inAccount = taken.filter((entry) => entry.account === account);
  const ones = (entries: readonly Taken[]) => entries.map(({ incident, at }) => ({ incident, at }));
  const many = (entries: readonly Taken[]) => entries.map(({ incident, at, links: amount }) => ({ incident, at, amount }));
  return [
    { takes: ones(inAccount), amount: 1, rule: rules.containments.account },
    { takes: ones(taken), amount: 1, rule: rules.containments.all },
    ...(links === 0 ? [] : [{ takes: many(inAccount), amount: links, rule: rules.links.account }, { takes: many(taken), amount: links, rule: rules.links.all }]),
  ];
}

function within<T extends { readonly at: string }>(takes: readonly T[], now: string): readonly T[] {
  const since = Date.parse(now) - HOUR_MS;
  return takes.filter((entry) => Date.parse(entry.at) > since);
}

/** The same rule as `take`, and takes nothing. */
export function leftOf(takes: readonly Take[], wanted: Take & { readonly severity: number }, rule: BudgetRule): BudgetLeft {
  const taken = within(takes, wanted.at).reduce((sum, entry) => sum + (entry.amount ?? 1), 0);
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
  const recent = within(takes, wanted.at);
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
