import { z } from 'zod';
import type { Incident } from './incident.ts';
import { STATUSES } from './incident.ts';

/** What of the history is asked for. Everything that is given must hold. */
export interface HistoryFilter {
  /** When the incident was opened (`receivedAt`): from `since`, included, until `until`, not included. */
  readonly since: string;
  readonly until: string;
  readonly order: 'newest' | 'oldest';
  readonly playbook?: string | undefined;
  /** ARN. */
  readonly target?: string | undefined;
  /** Part of who did it, as the first event or a later one says, or of the ARN of who asked for something. */
  readonly actor?: string | undefined;
  readonly status?: readonly Incident['status'][] | undefined;
  readonly mode?: Incident['mode'] | undefined;
  readonly drill?: boolean | undefined;
}

/** No record can have been received before the suite was there to receive it. */
export const BEGINNING = '2026-01-01T00:00:00.000Z';

const instant = z.iso.datetime({ offset: true, error: ({ input }) => `is ${JSON.stringify(input)}: use an instant, like 2026-11-24T00:00:00Z` }).transform((text) => new Date(text).toISOString());
const text = z.string().trim().min(1, 'is empty: leave it out, or say what').max(512, 'is longer than 512 characters');
const status = z.enum(STATUSES, { error: ({ input }) => `is ${JSON.stringify(input)}: use ${STATUSES.join(', ')}, or several with commas` });
const yes = z.enum(['true', 'false'], { error: ({ input }) => `is ${JSON.stringify(input)}: use true or false` }).transform((value) => value === 'true');

const schema = z.strictObject({
  since: instant.default(BEGINNING),
  until: instant.optional(),
  order: z.enum(['newest', 'oldest'], { error: ({ input }) => `is ${JSON.stringify(input)}: use newest or oldest` }).default('newest'),
  playbook: text.optional(),
  target: text.refine((arn) => arn.includes(':'), { error: ({ input }) => `is ${JSON.stringify(input)}: use the ARN, like arn:aws:s3:::my-bucket` }).optional(),
  actor: text.optional(),
  status: z.preprocess((value) => (typeof value === 'string' ? value.split(',').map((entry) => entry.trim()) : value), z.array(status)).optional(),
  mode: z.enum(['observe', 'approve', 'contain'], { error: ({ input }) => `is ${JSON.stringify(input)}: use observe, approve or contain` }).optional(),
  drill: yes.optional(),
});

/** A question that cannot be answered as it is put; names each field. */
export class HistoryFilterError extends Error {
  override readonly name = 'HistoryFilterError';
}

/**
 * @param query - a URL's parameters, without those of paging
 * @param now - ISO 8601: what `until` is unless given, and at most
 * @throws {HistoryFilterError}
 */
export function readHistoryFilter(query: Readonly<Record<string, string>>, now: string): HistoryFilter {
  const parsed = schema.safeParse(query);
  if (!parsed.success) throw new HistoryFilterError(parsed.error.issues.map((issue) => (issue.path.length > 0 ? `${String(issue.path[0])} ${issue.message}` : `${issue.message}: there are ${Object.keys(schema.shape).join(', ')}`)).join('; '));
  // Nothing is received in the future: an end beyond now is now, and there is nothing to walk behind it.
  const until = parsed.data.until === undefined || parsed.data.until > now ? now : parsed.data.until;
  const filter = { ...parsed.data, until };
  if (filter.since >= until) throw new HistoryFilterError(`since is ${filter.since}: it must be before ${until === now ? 'now' : `until, ${until}`}`);
  return filter;
}

/** The months (`2026-11`) of a span of time, oldest first. */
export function monthsOf({ since, until }: Pick<HistoryFilter, 'since' | 'until'>): readonly string[] {
  const months: string[] = [];
  for (let at = new Date(`${since.slice(0, 7)}-01T00:00:00.000Z`); at.toISOString() < until; at.setUTCMonth(at.getUTCMonth() + 1)) months.push(at.toISOString().slice(0, 7));
  return months;
}

/** The days (`2026-11-24`) of a span of time, oldest first. */
export function daysOf({ since, until }: Pick<HistoryFilter, 'since' | 'until'>): readonly string[] {
  const days: string[] = [];
  for (let at = new Date(`${since.slice(0, 10)}T00:00:00.000Z`); at.toISOString() < until; at.setUTCDate(at.getUTCDate() + 1)) days.push(at.toISOString().slice(0, 10));
  return days;
}
