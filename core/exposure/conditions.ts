import type { Condition } from '../policy.ts';

/** A bucket's and an access point's policy are read by the same rules but one (`s3:DataAccessPointArn`). */
export type PolicyOwner = 'bucket' | 'access-point';

/** Keys that make a statement non-public where all their values are fixed: no wildcard, no policy variable. */
const FIXED_VALUE_KEYS = new Set([
  'aws:sourcearn',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:sourceowner',
  'aws:sourceaccount',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:dataaccesspointaccount',
  // "An AWS principal, user, role, or service principal (e.g. aws:PrincipalOrgID)": the keys that say who is calling.
  'aws:principalorgid',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalservicename',
  'aws:sourceorgid',
]);

const POSITIVE = new Set(['stringequals', 'stringequalsignorecase', 'stringlike', 'arnequals', 'arnlike']);
const NEGATIVE = new Set(['stringnotequals', 'stringnotequalsignorecase', 'stringnotlike', 'arnnotequals', 'arnnotlike']);

/**
 * Whether a key (lower case) that has one of these values leaves only certain callers: fixed ones, or those inside.
 *
 * @param byParts - whether an ARN operator compares: each part of an ARN by itself, so that no wildcard reaches over a colon
 */
export type Limit = (key: string, values: readonly string[], byParts: boolean) => boolean;

/**
 * Whether a condition of an Allow leaves only callers within the limit.
 *
 * Operators that also hold where the key is absent (`…IfExists`, `ForAllValues:…`, `Null`, the negated ones) leave more.
 */
export function limitsCallers(condition: Condition, limit: Limit): boolean {
  const operator = condition.operator.toLowerCase();
  if (operator.startsWith('forallvalues:') || operator.endsWith('ifexists')) return false;
  return holdsFor(operator.replace('foranyvalue:', ''), POSITIVE, 'ipaddress', condition, limit);
}

/** Whether a Deny under this condition spares only callers within the limit: `StringNotEquals aws:SourceVpce vpce-1`. */
export function sparesCallers(condition: Condition, limit: Limit): boolean {
  const operator = condition.operator.toLowerCase();
  // A negated operator holds where the key is absent, with or without IfExists; over a set it spares who has one of the values.
  return holdsFor(operator.replace('forallvalues:', '').replace(/ifexists$/, ''), NEGATIVE, 'notipaddress', condition, limit);
}

function holdsFor(operator: string, strings: ReadonlySet<string>, address: string, { key, values }: Condition, limit: Limit): boolean {
  const compares = key === 'aws:sourceip' ? operator === address : strings.has(operator);
  return compares && limit(key, values, operator.startsWith('arn'));
}

/** Whether all values are fixed, as Block Public Access wants them. */
export function fixedValues(owner: PolicyOwner): Limit {
  return (key, values) => {
    switch (key) {
      case 'aws:sourceip':
        return values.every(isNarrowRange);
      case 'aws:userid':
        return values.every(isFixedUserId);
      case 's3:dataaccesspointarn':
        return owner === 'bucket' && values.every(isAccessPointOfFixedAccount);
      case 'aws:principalorgpaths':
      case 'aws:sourceorgpaths':
        return values.every(isPathOfFixedOrganization);
      default:
        return FIXED_VALUE_KEYS.has(key) && values.every(isFixed);
    }
  };
}

/** No wildcard and no policy variable (`${aws:username}`). */
export function isFixed(value: string): boolean {
  return !/[*?]|\$\{/.test(value);
}

/** `AROA…:*` names one role and any session of it, which is as fixed as the role. */
function isFixedUserId(value: string): boolean {
  return isFixed(value) || /^AROA[A-Z0-9]{12,}:\*$/.test(value);
}

/** The access point's name may be a wildcard in a bucket policy as long as the account is fixed. */
function isAccessPointOfFixedAccount(value: string): boolean {
  const [scheme, partition = '*', service, region = '*', account = '', ...name] = value.split(':');
  return scheme === 'arn' && isFixed(partition) && service === 's3' && isFixed(region) && /^\d{12}$/.test(account) && name.join(':').startsWith('accesspoint/');
}

/** `o-a1b2c3d4e5/r-ab12/*`: the organisation's id is unique, whatever is below it. */
function isPathOfFixedOrganization(value: string): boolean {
  return /^o-[a-z0-9]+\/[^$]*$/.test(value);
}

/**
 * A range that S3 does not take for the whole world: /8 or narrower for IPv4, /32 or narrower for IPv6. The private
 * ranges that it also allows (RFC 1918) are all within /8.
 */
function isNarrowRange(value: string): boolean {
  const [address = '', prefix, more] = value.split('/');
  if (more !== undefined || !/^[0-9a-f:.]+$/i.test(address)) return false;
  const [bits, narrowest] = address.includes(':') ? [128, 32] : [32, 8];
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && Number(prefix) >= narrowest;
}
