import { Counter, measure, startList, startTimes, timesOf, type Counts, type Listed, type Times } from './audit-numbers/measure.ts';
import { isUnderWay, STATUSES, type Entry, type IncidentView } from './incident.ts';

/** The numbers that an audit asks for, of one period. Drills are counted by themselves and in nothing else. Times in ms. */
export interface AuditNumbers {
  readonly events: {
    /** Different events that a decision is on record for, and how often they were delivered in all. */
    readonly decided: number;
    readonly deliveries: number;
    readonly byDecision: Counts;
  };
  readonly incidents: {
    readonly total: number;
    readonly byStatus: Counts;
    readonly byPlaybook: Counts;
    readonly byMode: Counts;
    readonly bySeverity: Counts;
  };
  readonly times: {
    /** From the event, as its source dates it, and from its arrival at Stopbath. */
    readonly sinceEvent: Times;
    readonly sinceArrival: Times;
    /** Incidents whose clocks contradict each other: in no percentile. */
    readonly notMeasurable: number;
  };
  readonly approvals: {
    readonly asked: number;
    readonly approved: number;
    readonly rejected: number;
    readonly expired: number;
    readonly byPerson: Readonly<Record<string, { readonly approved: number; readonly rejected: number; readonly refused: number }>>;
    /** Refused words by the reason: `self` is a self-approval, `same-person` a second word of one person. */
    readonly refused: Counts;
  };
  /** What else responders asked for and were refused (a start without its plan, say), by what they asked. */
  readonly refusedRequests: Counts;
  readonly restores: { readonly asked: number; readonly verified: number; readonly byPerson: Counts };
  /** Where a person set aside what the suite would have done. */
  readonly overrides: Listed & { readonly byPerson: Counts };
  readonly unverified: Listed;
  readonly gaps: Readonly<Record<Gap, Listed>>;
  readonly drills: {
    readonly held: number;
    readonly byPlaybook: Counts;
    readonly byStatus: Counts;
    readonly last: string | null;
    readonly sinceEvent: Times;
  };
}

/**
 * `ticketPending` no ticket, or one that could not be opened or brought up to date · `undecided` events that triage could not decide ·
 * `failed` executions that ended by an error · `unacknowledged` changes begun whose result is not known ·
 * `unrecorded` executions of which no sealed record is known · `unsealed` records that no seal covers and one should ·
 * `sealMissing` seals that are not there.
 */
export const GAPS = ['ticketPending', 'undecided', 'failed', 'unacknowledged', 'unrecorded', 'unsealed', 'sealMissing'] as const;
export type Gap = (typeof GAPS)[number];

/** A record of the evidence bucket, as the table points at it. */
export interface RecordPointer {
  readonly key: string;
  readonly kind: string;
  readonly sha256: string;
  readonly at: string;
  /** The number of the seal that covers it. */
  readonly seal: number;
}

/** A decision, as far as it is counted. */
export interface CountedDecision {
  readonly event: string;
  readonly type: string;
  readonly decision: string;
  readonly reason: string;
  readonly deliveries: number;
  readonly drill: boolean;
}

/** Counts one thing after another; the numbers so far are there at any time. What it keeps of an incident is a few times. */
export interface Tally {
  readonly incident: (view: IncidentView, records: readonly RecordPointer[]) => void;
  readonly decision: (decision: CountedDecision) => void;
  readonly gap: (gap: Gap, id: string, what: string) => void;
  readonly numbers: () => AuditNumbers;
}

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;

/** @param sealedUntil - when the last seal was made; what happened later waits for the next one. `null` where there is none */
export function startTally(sealedUntil: string | null): Tally {
  const counts = () => new Counter();
  const events = { decided: 0, deliveries: 0, byDecision: counts() };
  const incidents = { total: 0, byStatus: counts(), byPlaybook: counts(), byMode: counts(), bySeverity: counts() };
  const times = { sinceEvent: startTimes(), sinceArrival: startTimes(), notMeasurable: 0 };
  const approvals = { asked: 0, approved: 0, rejected: 0, expired: 0, refused: counts() };
  const people = new Map<string, { approved: number; rejected: number; refused: number }>();
  const refusedRequests = counts();
  const restores = { asked: 0, verified: 0, byPerson: counts() };
  const overrides = { list: startList(), byPerson: counts() };
  const unverified = startList();
  const gaps = { ticketPending: startList(), undecided: startList(), failed: startList(), unacknowledged: startList(), unrecorded: startList(), unsealed: startList(), sealMissing: startList() };
  const drills = { held: 0, byPlaybook: counts(), byStatus: counts(), last: null as string | null, sinceEvent: startTimes() };

  const word = (by: string, act: 'approved' | 'rejected' | 'refused') => {
    const person = people.get(by) ?? { approved: 0, rejected: 0, refused: 0 };
    person[act] += 1;
    people.set(by, person);
  };

  const approvalEntry = (entry: Entry, gatesOf: ReadonlyMap<string, readonly string[]>) => {
    const { act, why, digest } = detailOf(entry);
    if (act === 'asked') approvals.asked += 1;
    if (act === 'approved' || act === 'rejected') {
      approvals[act] += 1;
      word(entry.by, act);
      // A mode that asks is the rule at work; a guard that a person lifts is set aside.
      const lifted = (gatesOf.get(digest ?? '') ?? []).filter((gate) => gate !== 'mode');
      if (act === 'approved' && lifted.length > 0) override(entry, `approved in spite of: ${lifted.join(', ')}`);
    }
    if (act === 'refused') {
      approvals.refused.add(why ?? 'unknown');
      word(entry.by, 'refused');
    }
  };

  const override = (entry: Entry, what: string) => {
    overrides.list.add(entry.incident, `${entry.at} ${what}`);
    overrides.byPerson.add(entry.by);
  };

  const history = ({ incident, entries }: IncidentView) => {
    const gatesOf = new Map(entries.filter((entry) => detailOf(entry).act === 'asked').map((entry) => [detailOf(entry).digest ?? '', detailOf(entry).gates]));
    for (const entry of entries) {
      const { act, asked, override: set, status } = detailOf(entry);
      if (entry.kind === 'approval') approvalEntry(entry, gatesOf);
      else if (act === 'expired') approvals.expired += 1;
      if (entry.kind === 'failure') gaps.failed.add(incident.id, entry.text);
      if (entry.kind === 'outcome' && status === 'restored') restores.verified += 1;
      if (entry.kind !== 'request') continue;
      if (act === 'refused') refusedRequests.add(asked ?? 'unknown');
      if (act === 'restore') {
        restores.asked += 1;
        restores.byPerson.add(entry.by);
      }
      if (act === 'release') override(entry, entry.text);
      if (set !== null) override(entry, `${set}: ${entry.text}`);
    }
  };

  const gapsOf = ({ incident, ledger, entries }: IncidentView, records: readonly RecordPointer[]) => {
    const { id, ticket, ticketGap } = incident;
    if (ticketGap !== null || ticket === null || ticket.state === 'pending') gaps.ticketPending.add(id, ticketGap ?? ticket?.reason ?? 'no ticket');
    const open = ledger.filter(({ result }) => result === 'intended');
    if (open.length > 0) gaps.unacknowledged.add(id, open.map(({ title }) => title).join('; '));
    // That an execution which may still be under way has no record yet is no gap.
    const due = !isUnderWay(incident) && (sealedUntil === null || (entries.at(-1)?.at ?? incident.decidedAt) < sealedUntil);
    // An incident lists its last fifty; the ledger knows all that were to change something.
    for (const execution of new Set([...incident.executions, ...ledger.map((entry) => entry.execution)])) {
      if (due && !records.some(({ kind, key }) => kind === 'execution' && key.includes(execution))) gaps.unrecorded.add(id, execution);
    }
  };

  return {
    incident: (view, records) => {
      const { incident } = view;
      if (incident.drill) {
        drills.held += 1;
        drills.byPlaybook.add(incident.playbook);
        drills.byStatus.add(incident.status);
        if (drills.last === null || incident.receivedAt > drills.last) drills.last = incident.receivedAt;
        measure(incident, incident.eventTime, drills.sinceEvent);
        return;
      }
      incidents.total += 1;
      incidents.byStatus.add(incident.status);
      incidents.byPlaybook.add(incident.playbook);
      incidents.byMode.add(incident.mode);
      incidents.bySeverity.add(severityOf(incident.severity));
      const measured = measure(incident, incident.eventTime, times.sinceEvent);
      if (!measure(incident, incident.receivedAt, times.sinceArrival) || !measured) times.notMeasurable += 1;
      if (incident.status === 'unverified') unverified.add(incident.id, incident.outcome);
      history(view);
      gapsOf(view, records);
    },
    decision: (decision) => {
      if (decision.drill) return;
      // A request that no incident could take: on record among the day's decisions, and no event.
      if (decision.decision === 'refused') return refusedRequests.add(decision.type);
      events.decided += 1;
      events.deliveries += decision.deliveries;
      events.byDecision.add(decision.decision);
      if (decision.type === 'undecided') gaps.undecided.add(decision.event, decision.reason);
    },
    gap: (gap, id, what) => gaps[gap].add(id, what),
    numbers: () => ({
      events: { ...events, byDecision: events.byDecision.counts() },
      incidents: {
        total: incidents.total,
        byStatus: incidents.byStatus.counts(STATUSES),
        byPlaybook: incidents.byPlaybook.counts(),
        byMode: incidents.byMode.counts(),
        bySeverity: incidents.bySeverity.counts(SEVERITIES),
      },
      times: { sinceEvent: timesOf(times.sinceEvent), sinceArrival: timesOf(times.sinceArrival), notMeasurable: times.notMeasurable },
      approvals: { ...approvals, refused: approvals.refused.counts(), byPerson: Object.fromEntries([...people].toSorted(byName)) },
      refusedRequests: refusedRequests.counts(),
      restores: { ...restores, byPerson: restores.byPerson.counts() },
      overrides: { ...overrides.list.listed(), byPerson: overrides.byPerson.counts() },
      unverified: unverified.listed(),
      gaps: {
        ticketPending: gaps.ticketPending.listed(),
        undecided: gaps.undecided.listed(),
        failed: gaps.failed.listed(),
        unacknowledged: gaps.unacknowledged.listed(),
        unrecorded: gaps.unrecorded.listed(),
        unsealed: gaps.unsealed.listed(),
        sealMissing: gaps.sealMissing.listed(),
      },
      drills: { ...drills, byPlaybook: drills.byPlaybook.counts(), byStatus: drills.byStatus.counts(STATUSES), sinceEvent: timesOf(drills.sinceEvent) },
    }),
  };
}

/** GuardDuty's bands. https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html */
function severityOf(severity: number): (typeof SEVERITIES)[number] {
  if (severity >= 9) return 'critical';
  if (severity >= 7) return 'high';
  return severity >= 4 ? 'medium' : 'low';
}

interface Detail {
  readonly act: string | null;
  /** What was asked for, where the act is a refusal. */
  readonly asked: string | null;
  readonly why: string | null;
  readonly digest: string | null;
  readonly override: string | null;
  readonly status: string | null;
  readonly gates: readonly string[];
}

function detailOf({ detail }: Entry): Detail {
  const of = (key: string): unknown => (typeof detail === 'object' && detail !== null ? Reflect.get(detail, key) : undefined);
  const text = (key: string) => {
    const value = of(key);
    return typeof value === 'string' ? value : null;
  };
  const gates = of('gates');
  return { act: text('act'), asked: text('asked'), why: text('why'), digest: text('digest'), override: text('override'), status: text('status'), gates: Array.isArray(gates) ? gates.map(String) : [] };
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}
