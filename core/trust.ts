import { readPolicy, type Statement } from './policy.ts';

/**
 * Who may take a role under a name of their own choosing: the statements of its trust policy that do not pin the session's name
 * to the user.
 *
 * `sts:RoleSessionName` must equal `${aws:username}`; SAML and IAM Identity Center set the name themselves (`sts:AssumeRoleWithSAML`). A web identity
 * chooses its name unless a condition holds it to a claim of its token.
 *
 * @param trust - the document, parsed
 * @returns the names (or places) of the statements; empty where all of them pin
 * @throws {PolicyParseError}
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
export function unpinnedStatements(trust: unknown): readonly string[] {
  return readPolicy(trust).statements.flatMap((statement, index) => (statement.effect === 'Deny' || pins(statement) ? [] : [statement.sid ?? `#${index + 1}`]));
}

function pins({ actions, principal, conditions }: Statement): boolean {
  const assumes = (actions ?? ['*']).filter((action) => /^(\*|sts:\*|sts:assumerole.*)$/i.test(action));
  if (assumes.length === 0) return true;
  if (principal !== null && 'Service' in principal && Object.keys(principal).length === 1) return true;
  if (assumes.every((action) => action.toLowerCase() === 'sts:assumerolewithsaml')) return true;
  return conditions.some(({ operator, key, values }) => key === 'sts:rolesessionname' && /^string(equals|like)$/i.test(operator) && values.length > 0 && values.every((value) => /^\$\{(aws:username|[\w./-]+:(sub|email|preferred_username))\}$/i.test(value)));
}
