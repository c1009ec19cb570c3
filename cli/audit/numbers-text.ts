import { GAPS, type AuditNumbers, type Gap } from '../../core/audit-numbers.ts';
import type { Counts, Listed, Spread, Times } from '../../core/audit-numbers/measure.ts';
import { actorName } from '../timeline.ts';
import { count, duration } from '../words.ts';

/** The numbers of a period as tables, for a terminal and for paper alike. */
export interface NumbersTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What is not as it should be: shown as such. */
  readonly bad?: boolean;
  /** What the reader should know of it. */
  readonly note?: string;
}

export function numbersTables(numbers: AuditNumbers): readonly NumbersTable[] {
  const { events, incidents, times, approvals, refusedRequests, restores, overrides, unverified, gaps, drills } = numbers;
  const clocks = times.notMeasurable === 0 ? {} : { note: `${times.notMeasurable} not in it: their times contradict each other` };
  return [
    { title: 'Events', head: ['decision', 'events'], rows: [...countRows(events.byDecision), ['in all', `${events.decided} (${count(events.deliveries, 'delivery', 'deliveries')})`]] },
    { title: 'Incidents', head: ['', 'incidents'], rows: [['in all', String(incidents.total)], ...grouped({ status: incidents.byStatus, playbook: incidents.byPlaybook, mode: incidents.byMode, severity: incidents.bySeverity })] },
    { title: 'How long it took, from the event', head: SPREAD_HEAD, rows: spreadRows(times.sinceEvent), ...clocks },
    { title: 'How long it took, from its arrival', head: SPREAD_HEAD, rows: spreadRows(times.sinceArrival) },
    {
      title: 'Approvals',
      head: ['person', 'approved', 'rejected', 'refused'],
      rows: [
        ...Object.entries(approvals.byPerson).map(([by, { approved, rejected, refused }]) => [actorName(by), String(approved), String(rejected), String(refused)]),
        ['in all', String(approvals.approved), String(approvals.rejected), String(sum(approvals.refused))],
      ],
      note: `asked for: ${approvals.asked}; expired: ${approvals.expired}; refused self-approvals: ${(approvals.refused['self'] ?? 0) + (approvals.refused['same-person'] ?? 0)}${others(approvals.refused)}${sum(refusedRequests) === 0 ? '' : `; other requests refused: ${named(refusedRequests)}`}`,
    },
    { title: 'Restores', head: ['person', 'asked'], rows: [...personRows(restores.byPerson), ['in all', `${restores.asked}, proven ${restores.verified}`]] },
    { title: 'Overrides', head: ['person', 'overrides'], rows: [...personRows(overrides.byPerson), ['in all', String(overrides.count)]], note: 'releases of what was held, approvals in spite of a guard, restores over newer changes' },
    listTable('Not proven', unverified),
    {
      title: 'Gaps',
      head: ['what', 'how many', 'the first of them'],
      rows: GAPS.map((gap) => [GAP_WORDS[gap], String(gaps[gap].count), gaps[gap].first.slice(0, 3).map(({ id, what }) => `${id}: ${what}`).join('; ')]),
      bad: GAPS.some((gap) => gaps[gap].count > 0),
    },
    {
      title: 'Drills',
      head: ['', 'drills'],
      rows: [['held', String(drills.held)], ['the last', drills.last ?? 'none'], ...grouped({ status: drills.byStatus, playbook: drills.byPlaybook }), ['proven after (p50, max)', `${ms(drills.sinceEvent.verified.p50)}, ${ms(drills.sinceEvent.verified.max)}`]],
      note: 'in no other number of this report',
    },
  ];
}

export const GAP_WORDS: Readonly<Record<Gap, string>> = {
  ticketPending: 'without a ticket, or with one that is pending',
  undecided: 'events that triage could not decide',
  failed: 'executions that ended by an error',
  unacknowledged: 'changes begun whose result is not known',
  unrecorded: 'executions without a sealed record',
  unsealed: 'records that should be sealed and are not',
  sealMissing: 'seals that are missing',
};

const SPREAD_HEAD = ['until', 'incidents', 'p50', 'p90', 'max'];

function spreadRows({ decided, contained, verified }: Times): readonly (readonly string[])[] {
  const row = (label: string, { count: number, p50, p90, max }: Spread) => [label, String(number), ms(p50), ms(p90), ms(max)];
  return [row('decided', decided), row('contained (AWS acknowledged)', contained), row('verified (proven from outside)', verified)];
}

function listTable(title: string, { count: number, first }: Listed): NumbersTable {
  const rest = number - first.length;
  return { title, head: ['incident', 'why'], rows: number === 0 ? [['none', '']] : [...first.map(({ id, what }) => [id, what]), ...(rest > 0 ? [[`and ${rest} more`, '']] : [])], bad: number > 0 };
}

function grouped(groups: Readonly<Record<string, Counts>>): readonly (readonly string[])[] {
  return Object.entries(groups).flatMap(([group, counts]) => Object.entries(counts).map(([name, number]) => [`${group} ${name}`, String(number)]));
}

function countRows(counts: Counts): readonly (readonly string[])[] {
  return Object.entries(counts).map(([name, number]) => [name, String(number)]);
}

function personRows(counts: Counts): readonly (readonly string[])[] {
  return Object.entries(counts).map(([by, number]) => [actorName(by), String(number)]);
}

function others(refused: Counts): string {
  const rest = Object.fromEntries(Object.entries(refused).filter(([why]) => why !== 'self' && why !== 'same-person'));
  return sum(rest) === 0 ? '' : `; refused otherwise: ${named(rest)}`;
}

function named(counts: Counts): string {
  return Object.entries(counts).map(([name, number]) => `${name} ${number}`).join(', ');
}

function sum(counts: Counts): number {
  return Object.values(counts).reduce((total, number) => total + number, 0);
}

function ms(value: number | null): string {
  return value === null ? '–' : duration(value);
}
