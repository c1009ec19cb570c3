/**
 * Which statements make a policy public, as S3 Block Public Access decides it: a policy is public until it grants only
 * to fixed values of a principal or of certain condition keys.
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
import type { Policy, Principals, Statement } from '../policy.ts';
import { type Limit, type PolicyOwner, fixedValues, isFixed, limitsCallers, sparesCallers } from './conditions.ts';
import { globCovers, globMatches } from '../glob.ts';

/** More comparisons than a policy of 20 KB needs; beyond, no Deny is taken into account. */
const MAX_COMPARISONS = 10_000;

/** Who may be let in without a word: by the principal, or by a condition that leaves nobody else. */
export interface Circle {
  readonly principal: (type: string, value: string, statement: Statement) => boolean;
  readonly limit: Limit;
}

/** Every statement that lets in somebody outside a circle, as far as no Deny takes it back. */
export function statementsBeyond(policy: Policy, circle: Circle): readonly Statement[] {
  const denies = policy.statements.filter((statement) => statement.effect === 'Deny' && deniesTheRest(statement, circle));
  const patterns = denies.reduce((sum, deny) => sum + sizeOf(deny), 0);
  return policy.statements.filter((statement) => statement.effect === 'Allow' && isOpen(statement, circle) && !isCovered(statement, denies, patterns));
}

/** Every statement that grants something to the public. */
export function publicStatements(policy: Policy, owner: PolicyOwner = 'bucket'): readonly Statement[] {
  return statementsBeyond(policy, { principal: isFixedPrincipal, limit: fixedValues(owner) });
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

function isOpen(statement: Statement, circle: Circle): boolean {
  return !namesOnly(statement, statement.principal, circle) && !statement.conditions.some((condition) => limitsCallers(condition, circle.limit));
}

/** `NotPrincipal` allows everybody but some; a statement without any principal is assumed public, as S3 begins. */
function namesOnly(statement: Statement, principals: Principals | null, circle: Circle): boolean {
  return principals !== null && entriesOf(principals).every(([type, value]) => circle.principal(type, value, statement));
}

/** A Deny that leaves nobody, or only the circle: everyone, or everyone but some of it, or under conditions that spare only such. */
function deniesTheRest(statement: Statement, circle: Circle): boolean {
  const { principal, notPrincipal, conditions } = statement;
  const everyone = principal !== null && entriesOf(principal).some(([type, value]) => type === 'AWS' && value === '*');
  return (everyone || namesOnly(statement, notPrincipal, circle)) && conditions.every((condition) => sparesCallers(condition, circle.limit));
}

function isCovered(allow: Statement, denies: readonly Statement[], patterns: number): boolean {
  const actions = allow.actions ?? ['*'];
  const resources = allow.resources ?? ['*'];
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

export function entriesOf(principals: Principals): readonly (readonly [string, string])[] {
  return Object.entries(principals).flatMap(([type, values]) => values.map((value) => [type, value] as const));
}
