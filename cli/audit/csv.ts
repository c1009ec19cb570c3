import { stringify } from 'csv-stringify/sync';
import type { Entry } from '../../core/incident.ts';
import { plain } from '../../core/text.ts';
import type { FullView } from './walk.ts';

type Cell = string | number | null;

/** The columns of an export as CSV, and what of an incident stands in each. Times are ISO 8601 UTC, durations in seconds. */
const COLUMNS: Readonly<Record<string, (full: FullView) => Cell>> = {
  received: ({ view }) => view.incident.receivedAt,
  incident: ({ view }) => view.incident.id,
  status: ({ view }) => view.incident.status,
  outcome: ({ view }) => view.incident.outcome,
  mode: ({ view }) => view.incident.mode,
  'recommended mode': ({ view }) => view.incident.recommendedMode,
  drill: ({ view }) => (view.incident.drill ? 'yes' : 'no'),
  severity: ({ view }) => view.incident.severity,
  playbook: ({ view }) => view.incident.playbook,
  target: ({ view }) => view.incident.target.arn,
  // One cell: a spreadsheet takes an account's number for a number, and its leading zero for nothing.
  where: ({ view }) => `${view.incident.target.account}/${view.incident.target.region}`,
  why: ({ view }) => view.incident.reason,
  'ways in': ({ view }) => view.incident.exposures.join(' | '),
  actor: ({ view }) => view.incident.actor,
  'asked by': ({ view }) => view.incident.requestedBy,
  approvals: ({ view }) => wordsOf(view.entries, 'approval'),
  requests: ({ view }) => wordsOf(view.entries, 'request'),
  changes: ({ view }) => view.ledger.map(({ direction, title, result }) => `${direction}: ${title}${result === 'done' ? '' : ' (not acknowledged)'}`).join(' | '),
  event: ({ view }) => view.incident.eventTime,
  decided: ({ view }) => view.incident.decidedAt,
  contained: ({ view }) => view.incident.containedAt,
  verified: ({ view }) => view.incident.verifiedAt,
  restored: ({ view }) => view.incident.restoredAt,
  'seconds to contained': ({ view }) => seconds(view.incident.eventTime, view.incident.containedAt),
  'seconds to verified': ({ view }) => seconds(view.incident.eventTime, view.incident.verifiedAt),
  ticket: ({ view }) => view.incident.ticket?.id ?? null,
  'ticket state': ({ view }) => view.incident.ticket?.state ?? 'none',
  'ticket gap': ({ view }) => view.incident.ticketGap ?? (view.incident.ticket?.state === 'pending' ? view.incident.ticket.reason : null),
  executions: ({ view }) => view.incident.executions.join(' | '),
  records: ({ records }) => records.length,
  seals: ({ records }) => [...new Set(records.map(({ seal }) => seal))].join(' '),
};

const FORMAT = { escape_formulas: true, record_delimiter: 'windows' } as const;
/** A cell of Excel holds no more than 32,767 characters: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3 */
const LONGEST_CELL = 32_000;

/** The first line, with the mark by which Excel knows UTF-8. */
export function csvHead(): string {
  return stringify([Object.keys(COLUMNS)], { ...FORMAT, bom: true });
}

export function csvRow(full: FullView): string {
  return stringify([Object.values(COLUMNS).map((of) => cellOf(of(full)))], FORMAT);
}

/**
 * No cell is a formula in any spreadsheet. The library puts an apostrophe before a cell that begins like one; what begins after
 * spaces, or after a `;` (which separates cells where the comma is a decimal point), is made harmless here. Line breaks
 * and tabs are spaces already.
 *
 * @see https://owasp.org/www-community/attacks/CSV_Injection ("field separator", "quotes")
 */
function cellOf(value: Cell): Cell {
  if (typeof value !== 'string') return value;
  return plain(value, LONGEST_CELL)
    .replace(/^[\s'"]+(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/u, (before) => `'${before}`)
    .replaceAll(/;([\s'"]*)(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/gu, ";'$1");
}

function wordsOf(entries: readonly Entry[], kind: string): string {
  return entries.filter((entry) => entry.kind === kind).map(({ at, by, text }) => `${at} ${by}: ${text}`).join(' | ');
}

function seconds(from: string, to: string | null): number | null {
  return to === null ? null : (Date.parse(to) - Date.parse(from)) / 1000;
}
