import type { BucketState, Json } from '../bucket.ts';
import { accountIn } from '../decide/outside.ts';
import { isPublicPolicy } from '../exposure.ts';
import { parsePolicy, PolicyParseError, type Policy, type Statement } from '../policy.ts';
import { plain } from '../text.ts';
import type { Level } from './levels.ts';

export interface Inside {
  readonly organizationId: string | null;
  readonly exempt: readonly string[];
}

/** More names than anybody reads in one list. */
const MOST_NAMED = 30;

/**
 * Who loses what by a quarantine, in words: as far as the bucket's own policy and ACL say it. What identity policies of the
 * account allow is not read, and at level `full` all of that stops.
 */
export function impactOf(state: BucketState, level: Level, inside: Inside): { readonly [key: string]: Json } {
  const policy = policyOf(state.policy);
  if (policy === 'unreadable') return { losesAccess: ['unknown: the bucket policy cannot be read'] };
  const isPublic = policy !== null && isPublicPolicy(policy);
  const allows = policy?.statements.filter(({ effect }) => effect === 'Allow') ?? [];
  const named = allows.flatMap((statement) => principalsOf(statement).map((who) => ({ who, loses: loses(who, statement, level, state, inside, isPublic) })));
  const unique = (lose: boolean) => [...new Set(named.filter((entry) => (entry.loses !== null) === lose).map((entry) => (lose ? `${entry.who.text}: ${entry.loses ?? ''}` : entry.who.text)))].slice(0, MOST_NAMED);
  const distributions = distributionsOf(allows);
  return {
    losesAccess: [
      ...(level === 'public' && !isPublic ? [] : unique(true)),
      ...(level === 'full' ? ['every other principal of the account, the service itself and AWS services included'] : []),
      ...aclLosers(state),
    ],
    keepsAccess: level === 'full' ? [...inside.exempt] : [...unique(false), 'principals of the account, as their own policies say'],
    ...(distributions.length === 0
      ? {}
      : { cachedInCloudFront: distributions.map((id) => `${id} ${level === 'full' ? 'cannot fetch any more, and' : 'goes on fetching;'} what it holds in its caches stays served until it expires or is invalidated; how much that is, is unknown`) }),
  };
}

interface Who {
  readonly type: string;
  readonly value: string;
  readonly text: string;
}

function principalsOf({ principal, notPrincipal }: Statement): readonly Who[] {
  if (principal === null) return [{ type: 'AWS', value: '*', text: notPrincipal === null ? 'anyone' : 'anyone but some' }];
  return Object.entries(principal).flatMap(([type, values]) => values.map((value) => ({ type, value, text: value === '*' ? 'anyone' : plain(value, 256) })));
}

/** What they lose, or `null` where they lose nothing. */
function loses({ type, value }: Who, statement: Statement, level: Level, state: BucketState, { organizationId, exempt }: Inside, isPublic: boolean): string | null {
  const what = `${statement.sid === null ? 'a statement without a name' : `statement ${JSON.stringify(plain(statement.sid, 64))}`}`;
  if (level === 'full') return exempt.includes(value) ? null : what;
  if (value === '*') return isPublic ? `${what}, as far as they are outside the account` : null;
  if (type === 'Service') return level === 'external' && actsForOthers(statement, state) ? `${what}${organizationId === null ? '' : `, unless in ${organizationId}`}` : null;
  const accounts = accountIn(value);
  const outside = accounts.length > 0 && !accounts.includes(state.account);
  if (!outside) return null;
  if (level === 'external') return organizationId === null ? what : `${what}, unless in ${organizationId}`;
  // RestrictPublicBuckets: while a statement is public, other accounts are shut out too, whatever lets them in.
  return isPublic ? `${what}, for as long as a statement of the policy is public` : null;
}

/** Held to sources that other accounts have: a distribution of theirs. */
function actsForOthers({ conditions }: Statement, { account }: BucketState): boolean {
  return conditions.some(({ key, values }) => key === 'aws:sourcearn' && values.some((arn) => accountIn(arn).some((owner) => owner !== account)));
}

function aclLosers({ acl, publicAccessBlock }: BucketState): readonly string[] {
  if (publicAccessBlock?.IgnorePublicAcls) return [];
  const groups = (acl?.grants ?? []).filter(({ grantee }) => 'uri' in grantee && /\/(AllUsers|AuthenticatedUsers)$/.test(grantee.uri));
  return groups.length === 0 ? [] : [`whoever the ACL lets in: ${groups.map(({ permission, grantee }) => `${'uri' in grantee ? (grantee.uri.split('/').at(-1) ?? '') : ''} ${permission}`).join(', ')}`];
}

function distributionsOf(statements: readonly Statement[]): readonly string[] {
  const arns = statements.flatMap(({ conditions }) => conditions.filter(({ key }) => key === 'aws:sourcearn').flatMap(({ values }) => values));
  return [...new Set(arns.flatMap((arn) => /^arn:[\w-]+:cloudfront::\d{12}:distribution\/(\w+)$/.exec(arn)?.[1] ?? []))];
}

function policyOf(text: string | null): Policy | null | 'unreadable' {
  try {
    return text === null ? null : parsePolicy(text);
  } catch (error) {
    if (error instanceof PolicyParseError) return 'unreadable';
    throw error;
  }
}

/**
 * US dollars for one unit, us-east-1, on demand, read in November 2026; other regions differ by up to some tens of percent (Step Functions: São Paulo $0.0375
 * for $0.025). Free tiers and tiered discounts are not counted.
 * @see https://aws.amazon.com/s3/pricing/ (PUT, COPY, POST, LIST: $0.005 per 1,000; GET and all other: $0.0004 per 1,000)
 * @see https://aws.amazon.com/step-functions/pricing/ ($0.025 per 1,000 state transitions)
 * @see https://aws.amazon.com/lambda/pricing/ ($0.20 per 1 million requests; $0.0000133334 per GB-second on arm64)
 */
const PRICES = { write: 0.005 / 1000, read: 0.0004 / 1000, transition: 0.025 / 1000, invocation: 0.2 / 1e6, gigabyteSecond: 0.0000133334 } as const;

/** Settings are read in plan, apply and every look: 12 requests each, and a few objects. */
const READS_A_STEP = 16;

/** What a run costs in requests: a few hundredths of a cent. Storage and what is not served meanwhile are not in it. */
export function costOf(changes: number, looks: number): { readonly [key: string]: Json } {
  const steps = 2 + looks;
  const dollars = changes * PRICES.write + steps * READS_A_STEP * PRICES.read + (8 + 3 * looks) * PRICES.transition + (steps + 2) * (PRICES.invocation + 0.5 * PRICES.gigabyteSecond);
  return { cost: `about $${dollars.toFixed(4)} in requests` };
}
