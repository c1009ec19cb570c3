import { type EventPattern, matchesPattern, parsePattern } from './event-pattern.ts';
import type { Signal } from './signal.ts';
import type { Target } from './incident.ts';
import { z } from 'zod';

/** What a suppression's pattern is matched against: one target of a signal. */
interface Subject {
  readonly source: string;
  readonly type: string;
  readonly severity: number;
  readonly account: string;
  readonly region: string;
  readonly target: Pick<Target, 'kind' | 'arn' | 'name'>;
  readonly actor: { readonly principal: string; readonly address: string } | null;
}

const KEYS: ReadonlySet<string> = new Set(['source', 'type', 'severity', 'account', 'region', 'target', 'actor', '$or']);

const instant = z.iso.datetime({ offset: true, error: 'must be an ISO 8601 time: 2027-01-31T00:00:00Z' });

/** An accepted exposure: who accepts what, why, and until when. Unknown keys are errors. */
export const SuppressionSchema = z.strictObject({
  id: z.string().regex(/^[\w.-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes and underscores'),
  /**
   * An EventBridge pattern over `{ source, type, severity, account, region, target: { kind, arn, name }, actor: {
   * principal, address } }`. It must say which type or which target, so that nobody silences everything.
   */
  pattern: z
    .record(z.string(), z.json())
    .refine((pattern) => 'type' in pattern || 'target' in pattern, 'must name a type or a target')
    // A typo would accept nothing, and nobody would notice.
    .refine((pattern) => Object.keys(pattern).every((key) => KEYS.has(key)), `may have ${[...KEYS].join(', ')} only`),
  owner: z.string().trim().min(1).max(128),
  reason: z.string().trim().min(1).max(1024),
  expires: instant,
});

export interface Suppression extends Readonly<z.infer<typeof SuppressionSchema>> {
  readonly matcher: EventPattern;
}

/**
 * @throws {ZodError} where a field is missing or wrong
 * @throws {InvalidEventPatternError} where the pattern is none
 */
export function readSuppression(document: unknown): Suppression {
  const suppression = SuppressionSchema.parse(document);
  return { ...suppression, matcher: parsePattern(suppression.pattern) };
}

/**
 * The first suppression in force that covers a target of a signal.
 *
 * @param now - ISO 8601; one that expired suppresses nothing, which is what the date is for
 */
export function suppressedBy(suppressions: readonly Suppression[], signal: Signal, target: Target, now: string): Suppression | null {
  const time = Date.parse(now);
  const inForce = suppressions.filter((suppression) => Date.parse(suppression.expires) > time);
  if (inForce.length === 0) return null;
  const subject = subjectOf(signal, target);
  return inForce.find((suppression) => matchesPattern(suppression.matcher, subject)) ?? null;
}

/** Types and targets that no installation will ever see: whatever accepts one of these names neither a type nor a target. */
const NOBODYS: readonly Pick<Subject, 'type' | 'target'>[] = [
  { kind: 'other', arn: '-', name: '-' } as const,
  { kind: 'bucket', arn: 'arn:aws:s3:::-', name: '-' } as const,
  { kind: 'object', arn: 'arn:aws:s3:::-/-', name: '-/-' } as const,
  { kind: 'principal', arn: 'arn:aws:iam::000000000000:role/-', name: '-' } as const,
  { kind: 'principal', arn: 'arn:aws:iam::000000000000:user/-', name: '-' } as const,
  { kind: 'account', arn: 'arn:aws:iam::000000000000:root', name: '000000000000' } as const,
  { kind: 'trail', arn: 'arn:aws:cloudtrail:us-east-1:000000000000:trail/-', name: '-' } as const,
  { kind: 'link', arn: 'share:000000000000:link/-', name: '-' } as const,
  { kind: 'album', arn: 'share:000000000000:album/-', name: '-' } as const,
  { kind: 'owner', arn: 'share:000000000000:owner/-', name: '-' } as const,
].map((target) => ({ type: '-', target }));

/** Whether a pattern names a type or a target and yet lets every one through: an empty prefix, a lone wildcard, a kind of target alone. */
export function silencesEverything({ pattern }: Pick<Suppression, 'pattern'>): boolean {
  const named = onlyNames(pattern);
  // Nothing of it says which type or which target.
  if (named === null) return true;
  const matcher = parsePattern(named);
  return NOBODYS.some((subject) => matchesPattern(matcher, subject));
}

/** Characters in a row, beside its stars, that a prefix, a suffix or a wildcard has at least: fewer are in nearly every ARN and name. */
const LEAST = 4;

/** What names of a kind begin with, whole or in part: it tells a service and an account, and nothing of whom it is about. */
const HEAD = /^(arn(:[^:*]*){0,4}:?(role|user|assumed-role|trail|accesspoint)?\/?|share:\d*:?[a-z]*\/?)/;

/** The first prefix, suffix or wildcard of a pattern that says next to nothing (`*a*` of an actor); `null` where each of them tells something apart. */
export function vagueIn(pattern: unknown): string | null {
  if (typeof pattern !== 'object' || pattern === null) return null;
  for (const [key, value] of Object.entries(pattern)) {
    const texts = ['prefix', 'suffix', 'wildcard'].includes(key) ? [typeof value === 'object' && value !== null ? Object.values(value) : value].flat().filter((text) => typeof text === 'string') : [];
    const vague = texts.find((text) => text.replace(HEAD, '').split('*').every((part) => part.length < LEAST)) ?? vagueIn(value);
    if (vague !== null) return vague;
  }
  return null;
}

/** What a pattern says of types and targets: the rest (a severity, an account) narrows, and names nothing. `null` where that is nothing. */
function onlyNames(pattern: object): Readonly<Record<string, unknown>> | null {
  const { type, target, $or: either } = pattern as Readonly<Record<string, unknown>>;
  const branches = Array.isArray(either) ? either.map((branch: unknown) => (typeof branch === 'object' && branch !== null ? onlyNames(branch) : null)) : [];
  const named = { ...(type === undefined ? {} : { type }), ...(target === undefined ? {} : { target }) };
  // A branch that names nothing lets through whatever the rest of the pattern does.
  const $or = branches.length > 0 && branches.every((branch) => branch !== null) ? { $or: branches } : {};
  return Object.keys({ ...named, ...$or }).length === 0 ? null : { ...named, ...$or };
}

function subjectOf({ source, type, severity, account, region, actor }: Signal, { kind, arn, name }: Target): Subject {
  return { source, type, severity, account, region, target: { kind, arn, name }, actor: actor && { principal: actor.principal, address: actor.address ?? '' } };
}
