import type { Policy, Statement } from '../policy.ts';
import { PolicyParseError, readPolicy, parsePolicy } from '../policy.ts';
import { type PolicyOwner, limitsCallers, fixedValues } from '../exposure/conditions.ts';
import { entriesOf, publicStatements, statementsBeyond } from '../exposure/policy.ts';
import { covers } from '../event-pattern/address.ts';
import { isObject } from '../signal/envelope.ts';
import { plain } from '../text.ts';

/** More than anybody reads in one sentence. */
const MAX_NAMED = 100;

/** What belongs to the house, so that letting it in is no share with strangers. */
export interface Inside {
  readonly isOutside: (account: string) => boolean;
  /** `o-…`; `null` where the account stands alone. */
  readonly organizationId: string | null;
  /** As a policy names them: VPCs, VPC endpoints, address ranges, organisations, user ids, principals and sources by their ARN or canonical id. */
  readonly trustedSources: readonly string[];
}

/** Somebody outside whom a statement lets in without being public. */
export interface Outsider {
  /** Of the principal: `AWS` (everybody under a condition, too), `Service`, `CanonicalUser`, `Federated`. */
  readonly type: string;
  /** One clause, plain: `account 444455556666`, `whoever has aws:SourceIp 203.0.113.7/32`. */
  readonly text: string;
}

/**
 * Whom outside the Allow statements of a policy let in that are not public. Fine is only what names principals of inside accounts, or
 * holds everybody to what is inside by a condition; whatever cannot be told is outside. A service acts for whoever asks it to, so that it
 * must be held to an inside source, unless it only delivers into the bucket.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function outsiders(policy: Policy, inside: Inside, owner: PolicyOwner = 'bucket'): readonly Outsider[] {
  const isInside = (type: string, value: string, statement: Statement) => isInsidePrincipal(type, value, statement, inside);
  const open = new Set(publicStatements(policy, owner));
  const found = statementsBeyond(policy, { principal: isInside, limit: (key, values, byParts) => isInsideLimit(key, values, byParts, inside) })
    .filter((statement) => !open.has(statement))
    .flatMap((statement) => outsidersOf(statement, isInside, owner));
  return [...new Map(found.map((outsider) => [outsider.text, outsider])).values()].slice(0, MAX_NAMED);
}

function outsidersOf(statement: Statement, isInside: (type: string, value: string, statement: Statement) => boolean, owner: PolicyOwner): readonly Outsider[] {
  const everybody = { type: 'AWS', text: `whoever has ${limitsIn(statement, owner)}` };
  if (statement.principal === null) return [everybody];
  return entriesOf(statement.principal).flatMap(([type, value]) => {
    if (isInside(type, value, statement)) return [];
    if (type === 'AWS' && value === '*') return [everybody];
    const [account] = type === 'AWS' ? accountIn(value) : [];
    if (type === 'Service') return [{ type, text: `${plain(value, 64)} for ${sourcesIn(statement)}` }];
    return [{ type, text: account === undefined ? plain(value) : `account ${account}` }];
  });
}

/** The conditions that keep the statement from being public: what its callers have in common. */
function limitsIn({ conditions }: Statement, owner: PolicyOwner): string {
  const limits = conditions.filter((condition) => limitsCallers(condition, fixedValues(owner)));
  return limits.length === 0 ? 'what a Deny leaves' : textOf(limits);
}

function sourcesIn({ conditions }: Statement): string {
  const sources = conditions.filter(({ key }) => key.startsWith('aws:source'));
  return sources.length === 0 ? 'anybody who asks it to' : textOf(sources);
}

function textOf(conditions: Statement['conditions']): string {
  return plain(conditions.slice(0, 5).map(({ key, values }) => `${KEY_NAMES.get(key) ?? key} ${values.slice(0, 5).join(' or ')}`).join(' and '), 256);
}

/** Keys as people write them. */
const KEY_NAMES = new Map(
  ['aws:SourceIp', 'aws:SourceVpc', 'aws:SourceVpce', 'aws:SourceArn', 'aws:SourceAccount', 'aws:SourceOrgID', 'aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalOrgID', 's3:DataAccessPointAccount', 's3:DataAccessPointArn'].map((name) => [name.toLowerCase(), name]),
);

/**
 * What services need that write logs and reports into a bucket. CloudFront writes and reads for whoever owns the distribution.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
 * @see https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 */
const DELIVERY = new Set(['s3:putobject', 's3:getbucketacl', 's3:getbucketlocation']);

function isInsidePrincipal(type: string, value: string, { actions }: Statement, { isOutside, trustedSources }: Inside): boolean {
  if (trustedSources.includes(value)) return true;
  if (type === 'Service') return !value.startsWith('cloudfront.') && actions !== null && actions.every((action) => DELIVERY.has(action.toLowerCase()));
  const [account] = accountIn(value);
  return account !== undefined && !isOutside(account);
}

function isInsideLimit(key: string, values: readonly string[], byParts: boolean, { isOutside, organizationId, trustedSources }: Inside): boolean {
  const isHome = (account: string | undefined) => account !== undefined && /^\d{12}$/.test(account) && !isOutside(account);
  const inOrganization = (value: string) => organizationId !== null && value === organizationId;
  const within: Readonly<Record<string, (value: string) => boolean>> = {
    'aws:principalaccount': isHome,
    'aws:sourceaccount': isHome,
    'aws:sourceowner': isHome,
    's3:dataaccesspointaccount': isHome,
    'kms:calleraccount': isHome,
    'aws:principalarn': (value) => isHome(accountOfArn(value, byParts)),
    'aws:sourcearn': (value) => isHome(accountOfArn(value, byParts)),
    's3:dataaccesspointarn': (value) => isHome(accountOfArn(value, byParts)),
    'aws:principalorgid': inOrganization,
    'aws:sourceorgid': inOrganization,
    'aws:principalorgpaths': (value) => inOrganization(value.split('/', 1)[0] ?? ''),
    'aws:sourceorgpaths': (value) => inOrganization(value.split('/', 1)[0] ?? ''),
    'aws:sourceip': (value) => trustedSources.some((range) => covers(range, value)),
    'aws:sourcevpc': () => false,
    'aws:sourcevpce': () => false,
    'aws:userid': () => false,
  };
  const isWithin = Object.hasOwn(within, key) ? within[key] : undefined;
  return isWithin !== undefined && values.length > 0 && values.every((value) => trustedSources.includes(value) || isWithin(value));
}

/** The account of an ARN in a condition; a text operator's wildcard before it may stand for anything, another account included. */
function accountOfArn(value: string, byParts: boolean): string | undefined {
  const parts = value.split(':', 6);
  return parts[0] === 'arn' && (byParts || !/[*?]/.test(parts.slice(0, 5).join(':'))) ? parts[4] : undefined;
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
