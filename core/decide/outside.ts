import type { Policy, Statement } from '../policy.ts';
import { PolicyParseError, readPolicy, parsePolicy } from '../policy.ts';
import { isObject } from '../signal/envelope.ts';

/** More accounts than anybody reads in one sentence. */
const MAX_NAMED = 100;

/** Keys whose values name the calling account, and those that keep callers inside an organisation or account. */
const CALLER_KEYS = new Set(['aws:principalaccount', 'aws:principalarn', 'aws:sourceaccount', 'aws:sourcearn', 'kms:calleraccount']);
const POSITIVE_OPERATOR = /^(?:foranyvalue:)?(?:string(?:equals|like)(?:ignorecase)?|arn(?:equals|like))$/i;

/** The accounts outside that the Allow statements of a policy name, by principal or by condition. */
export function outsideAccounts(policy: Policy, isOutside: (account: string) => boolean): readonly string[] {
  const accounts = policy.statements.filter((statement) => statement.effect === 'Allow').flatMap((statement) => accountsOf(statement, isOutside));
  return [...new Set(accounts)].slice(0, MAX_NAMED);
}

function accountsOf(statement: Statement, isOutside: (account: string) => boolean): readonly string[] {
  const limits = statement.conditions.filter(({ operator }) => POSITIVE_OPERATOR.test(operator));
  // Whoever is named must be in the organisation as well, so that nobody outside it gets in.
  if (limits.some(({ key }) => key === 'aws:principalorgid' || key === 'aws:principalorgpaths')) return [];
  const callers = limits.filter(({ key }) => CALLER_KEYS.has(key)).map(({ values }) => values.flatMap(accountIn));
  if (callers.some((accounts) => accounts.length > 0 && !accounts.some(isOutside))) return [];
  const named = (statement.principal?.['AWS'] ?? []).flatMap(accountIn);
  return [...named, ...((statement.principal?.['AWS'] ?? []).includes('*') ? callers.flat() : [])].filter(isOutside);
}

/** `444455556666`, `arn:aws:iam::444455556666:root`; CloudFront's own `arn:aws:iam::cloudfront:…` is no account. */
export function accountIn(principal: string): readonly string[] {
  if (/^\d{12}$/.test(principal)) return [principal];
  const account = principal.startsWith('arn:') ? principal.split(':', 5)[4] : undefined;
  return account !== undefined && /^\d{12}$/.test(account) ? [account] : [];
}

/** A policy as an event carries it: text, URL-encoded text, or already an object. `null` where it is none. */
export function policyIn(value: unknown): Policy | null {
  try {
    if (isObject(value)) return readPolicy(value);
    if (typeof value !== 'string' || value === '') return null;
    return parsePolicy(value.startsWith('%7B') ? decodeURIComponent(value) : value);
  } catch (error) {
    if (error instanceof PolicyParseError || error instanceof URIError) return null;
    throw error;
  }
}
