import { CliError, EXIT } from './exit.ts';

/** A span of time, ISO 8601 UTC with ms: `since` is in it, `until` is not. */
export interface Period {
  readonly since: string;
  readonly until: string;
}

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const DAY_MS = UNITS.d;

/** What every option that takes a time says of it in its help, by where `24h` points. */
export const WHEN = {
  ago: 'a day (2026-11-24, UTC), an instant (2026-11-24T10:00Z), or how long ago (90m, 24h, 7d, 4w)',
  ahead: 'a day (2026-11-24, UTC), an instant (2026-11-24T10:00Z), or how long from now (90m, 24h, 7d, 4w)',
  /** Asked twice it has to mean the same: a plan, and the start of exactly that plan. */
  fixed: 'a day (2026-11-24, UTC) or an instant (2026-11-24T10:00Z)',
} as const;

/**
 * A moment as people write it, in every verb: `2026-11-24`, `2026-11-24T10:00Z`, `24h`.
 *
 * @param end - whether something goes on until then: a day then means its end, so that `--until 2026-12-31` includes the 31st
 * @throws {CliError} naming the option and what it takes
 */
export function momentOf(option: string, text: string, now: number, { end = option === '--until', reach = 'ago' }: { readonly end?: boolean; readonly reach?: keyof typeof WHEN } = {}): string {
  const [, amount, unit] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  if (reach !== 'fixed' && amount !== undefined && isUnit(unit)) return new Date(now + Number(amount) * UNITS[unit] * (reach === 'ago' ? -1 : 1)).toISOString();
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) {
    const day = Date.parse(text);
    // Date.parse takes 2026-02-31 in some engines: what comes back must be what went in.
    if (!Number.isNaN(day) && new Date(day).toISOString().startsWith(text)) return new Date(day + (end ? DAY_MS : 0)).toISOString();
  } else if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text))) {
    return new Date(text).toISOString();
  }
  throw new CliError(EXIT.usage, `${option} is ${JSON.stringify(text)}: use ${WHEN[reach]}`);
}

/**
 * A period of an audit: `2026`, `2026-Q4`, `2026-11`, `2026-11-24`.
 *
 * @throws {CliError} where it is none
 */
export function periodOf(text: string): Period {
  const [, year = '', quarter, month, day] = /^(\d{4})(?:-Q([1-4])|-(0[1-9]|1[0-2])(?:-(\d{2}))?)?$/i.exec(text) ?? [];
  if (year === '') throw new CliError(EXIT.usage, `--period is ${JSON.stringify(text)}: use a year (2026), a quarter (2026-Q4), a month (2026-11) or a day (2026-11-24)`);
  if (day !== undefined) return { since: momentOf('--since', text, 0), until: momentOf('--until', text, 0) };
  const first = quarter === undefined ? Number(month ?? 1) - 1 : (Number(quarter) - 1) * 3;
  const length = quarter === undefined ? (month === undefined ? 12 : 1) : 3;
  return { since: new Date(Date.UTC(Number(year), first)).toISOString(), until: new Date(Date.UTC(Number(year), first + length)).toISOString() };
}

function isUnit(unit: string | undefined): unit is keyof typeof UNITS {
  return unit !== undefined && Object.hasOwn(UNITS, unit);
}
