/**
 * Which statements make a policy public, as S3 Block Public Access decides it: a policy is public until it grants only
 * to fixed values of a principal or of certain condition keys.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
import type { Policy, Principals, Statement } from '../policy.ts';
import { type PolicyOwner, isFixed, limitsCallers, sparesFixedCallers } from './conditions.ts';
import { globCovers, globMatches } from '../glob.ts';

/** More comparisons than a policy of 20 KB needs; beyond, no Deny is taken into account. */
const MAX_COMPARISONS = 10_000;

/** Every statement that grants something to the public. */
export function publicStatements(policy: Policy, owner: PolicyOwner = 'bucket'): readonly Statement[] {
  const denies = policy.statements.filter((statement) => statement.effect === 'Deny' && deniesTheRest(statement, owner));
  return policy.statements.filter((statement) => statement.effect === 'Allow' && isOpen(statement, owner) && !isCovered(statement, denies));
}

/** Whether S3 calls the policy public. One public statement makes the whole policy public. */
export function isPublicPolicy(policy: Policy, owner: PolicyOwner = 'bucket'): boolean {
  return publicStatements(policy, owner).length > 0;
}

/** `arn:aws:iam::444455556666:root`, `444455556666`, a canonical id, a service: one that cannot mean somebody else. */
export function isFixedPrincipal(type: string, value: string): boolean {
  if (!isFixed(value)) return false;
  // A web identity provider signs in anyone; a provider with an ARN is a resource of one account.
  return type !== 'Federated' || value.startsWith('arn:');
}

function isOpen(statement: Statement, owner: PolicyOwner): boolean {
  return !hasFixedPrincipals(statement) && !statement.conditions.some((condition) => limitsCallers(condition, owner));
}

/** `NotPrincipal` allows everybody but some; a statement without any principal is assumed public, as S3 begins. */
function hasFixedPrincipals({ principal }: Statement): boolean {
  return principal !== null && entriesOf(principal).every(([type, value]) => isFixedPrincipal(type, value));
}

/** A Deny that leaves nobody, or only fixed values: everyone, or everyone but some, or under conditions that spare only such. */
function deniesTheRest(statement: Statement, owner: PolicyOwner): boolean {
  const { principal, notPrincipal, conditions } = statement;
  const everyone = principal !== null && entriesOf(principal).some(([type, value]) => type === 'AWS' && value === '*');
  const everyoneButFixed = notPrincipal !== null && entriesOf(notPrincipal).every(([type, value]) => isFixedPrincipal(type, value));
  return (everyone || everyoneButFixed) && conditions.every((condition) => sparesFixedCallers(condition, owner));
}

function isCovered(allow: Statement, denies: readonly Statement[]): boolean {
  const actions = allow.actions ?? ['*'];
  const resources = allow.resources ?? ['*'];
  const patterns = denies.reduce((sum, deny) => sum + sizeOf(deny), 0);
  if (denies.length === 0 || actions.length * resources.length * patterns > MAX_COMPARISONS) return false;
  return actions.every((action) => resources.every((resource) => denies.some((deny) => coversAction(deny, action) && coversResource(deny, resource))));
}

function sizeOf({ actions, notActions, resources, notResources }: Statement): number {
  return [actions, notActions, resources, notResources].reduce((sum, list) => sum + (list?.length ?? 0), 1);
}

function coversAction({ actions, notActions }: Statement, action: string): boolean {
  const lower = action.toLowerCase();
  if (actions) return actions.some((entry) => globCovers(entry.toLowerCase(), lower));
  return isFixed(lower) && (notActions ?? ['*']).every((entry) => !globMatches(entry.toLowerCase(), lower));
}

function coversResource({ resources, notResources }: Statement, resource: string): boolean {
  if (resources) return resources.some((entry) => globCovers(entry, resource));
  return isFixed(resource) && (notResources ?? ['*']).every((entry) => !globMatches(entry, resource));
}

function entriesOf(principals: Principals): readonly (readonly [string, string])[] {
  return Object.entries(principals).flatMap(([type, values]) => values.map((value) => [type, value] as const));
}
