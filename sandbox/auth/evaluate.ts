import type { Policy, Principals, Statement } from '../../core/policy.ts';
import type { Caller, ConditionContext, Decision } from '../service.ts';
import { canonicalUserId } from './accounts.ts';
import { conditionHolds } from './conditions.ts';
import { matchesGlob } from './glob.ts';
import { resolveVariables } from './variables.ts';

export interface Question {
  readonly policies: readonly Policy[];
  /** Who asks, for the policies of a resource. Absent for identity policies, which name no principal. */
  readonly principal?: Caller;
  /**
   * The account that owns the resource. A resource policy that allows the *account* of a caller in it only leaves
   * the decision to that account's identity policies, so it is no allow of its own there.
   */
  readonly owner?: string;
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

/**
 * What a set of policies says to one action on one resource: an explicit deny wins, then an allow, then neither.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(question: Question): Decision {
  let decision: Decision = 'none';
  for (const policy of question.policies) {
    for (const statement of policy.statements) {
      if (!applies(statement, policy.version, question)) continue;
      if (statement.effect === 'Deny') return 'deny';
      decision = 'allow';
    }
  }
  return decision;
}

function applies(statement: Statement, version: string, question: Question): boolean {
  return (
    concerns(statement, question) &&
    matchesAction(statement, question.action) &&
    matchesResource(statement, version, question) &&
    statement.conditions.every((condition) => conditionHolds(condition, question.context, version))
  );
}

function concerns(statement: Statement, { principal, owner }: Question): boolean {
  if (!principal) return true;
  if (statement.principal) {
    const delegates = statement.effect === 'Allow' && principal.kind !== 'root';
    return names(statement.principal, identitiesOf(principal, delegates ? owner : undefined));
  }
  // Everyone whom the list does not name in full: a role's session has to be named with its role and its account.
  const excepted = statement.notPrincipal;
  const identities = identitiesOf(principal).filter(([type]) => type !== 'CanonicalUser');
  return excepted !== null && !identities.every((identity) => names(excepted, [identity]));
}

function matchesAction(statement: Statement, action: string): boolean {
  const asked = action.toLowerCase();
  const matches = (pattern: string) => matchesGlob(pattern.toLowerCase(), asked);
  if (statement.actions) return statement.actions.some(matches);
  return statement.notActions !== null && !statement.notActions.some(matches);
}

function matchesResource(statement: Statement, version: string, { resource, context }: Question): boolean {
  const matches = (pattern: string) => {
    const glob = resolveVariables(pattern, context, version);
    return glob !== null && matchesGlob(glob, resource);
  };
  if (statement.resources) return statement.resources.some(matches);
  if (statement.notResources) return !statement.notResources.some(matches);
  // A role's trust policy has no resource: it is about the role.
  return true;
}

/** A name under which a policy may know a caller: principal type and value. */
type Identity = readonly [type: string, value: string];

/**
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 * @param exceptAccount - an account whose mere name does not stand for its principals
 */
function identitiesOf(caller: Caller, exceptAccount?: string): readonly Identity[] {
  if (caller.kind === 'anonymous') return [['AWS', 'anonymous']];
  if (caller.kind === 'service') return [['Service', caller.service]];
  const account: readonly Identity[] =
    caller.account === exceptAccount
      ? []
      : [
          ['AWS', `arn:aws:iam::${caller.account}:root`],
          ['CanonicalUser', canonicalUserId(caller.account)],
        ];
  if (caller.kind === 'root') return account;
  const principal: Identity = ['AWS', caller.principalArn];
  return caller.arn === caller.principalArn ? [...account, principal] : [...account, principal, ['AWS', caller.arn]];
}

function names(principals: Principals, identities: readonly Identity[]): boolean {
  if (principals['AWS']?.includes('*')) return true;
  return identities.some(([type, value]) => {
    const listed = principals[type] ?? [];
    const accountNumber = /^arn:aws:iam::(\d{12}):root$/.exec(value)?.[1];
    return listed.some((entry) => entry === value || entry === '*' || (accountNumber !== undefined && entry === accountNumber));
  });
}
