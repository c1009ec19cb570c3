import type { Json } from '../bucket.ts';
import { plain } from '../text.ts';

/** A user or a role, as far as it is named. */
export interface Principal {
  readonly kind: 'user' | 'role';
  readonly account: string;
  /** Without its path: what IAM's operations take. */
  readonly name: string;
}

/** What is named is no user and no role of an account. */
export class PrincipalError extends Error {
  override readonly name = 'PrincipalError';
}

/**
 * @param arn - of a user or role, with its path or without; hostile text
 * @throws {PrincipalError} saying what to give instead
 */
export function principalOf(arn: string): Principal {
  const [, account = '', kind, rest = ''] = /^arn:aws[a-z-]*:iam::(\d{12}):(user|role)\/([\w+=,.@/-]{1,600})$/.exec(arn) ?? [];
  const name = rest.split('/').at(-1) ?? '';
  if ((kind === 'user' || kind === 'role') && name !== '') return { kind, account, name };
  const [, own = '', role = ''] = /^arn:aws[a-z-]*:sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\//.exec(arn) ?? [];
  if (role !== '') throw new PrincipalError(`a session is contained by its role: give arn:aws:iam::${own}:role/${role}`);
  throw new PrincipalError('only a user or a role can be contained: give its ARN, as in arn:aws:iam::111122223333:user/name; what AWS calls root has no policies, so change its password and delete its keys');
}

/** How a principal stands. What the suite does not change is read for the plan and the snapshot. */
export interface PrincipalState {
  readonly arn: string;
  readonly path: string;
  /** Access keys of a user, by id. */
  readonly keys: Readonly<Record<string, 'Active' | 'Inactive'>>;
  /** Whether a user has a password for the console. */
  readonly hasPassword: boolean;
  /** The inline policy by which this incident denies; `null` where there is none. */
  readonly deny: Json;
  /** Who may assume a role: its trust policy; `null` for a user. */
  readonly trust: Json;
}

/** The same for whoever plans: whether a deny fits beside the policies that there are. */
export interface PrincipalWithRoom extends PrincipalState {
  /** Characters left for inline policies. */
  readonly room: number;
}

/** Who is never touched, whatever anybody approves. */
export interface Untouchable {
  /** What every role of the suite begins with: `stopbath-prod`. */
  readonly own: string;
  /** ARNs of responders' and break-glass roles. */
  readonly roles: readonly string[];
  /** The accounts that the suite acts in: its own and its members. */
  readonly accounts: readonly string[];
}

/**
 * Why a principal is never touched; `null` where it may be.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html (roles of IAM Identity Center cannot be edited)
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html (sessions of a service-linked role cannot be revoked)
 */
export function forbids({ kind, name, account }: Principal, { path }: Pick<PrincipalState, 'path'>, { own, roles, accounts }: Untouchable): string | null {
  if (!accounts.includes(account)) return `${name} belongs to account ${account}, and only principals of ${accounts.join(', ')} can be contained from here`;
  if (kind === 'role' && name.toLowerCase().startsWith(`${own.toLowerCase()}-`)) return `${name} is a role of the suite itself, or called like one, which IAM lets the suite change as little: contain it by hand, from outside`;
  const named = roles.some((arn) => arn.includes(`::${account}:role/`) && arn.split('/').at(-1)?.toLowerCase() === name.toLowerCase());
  if (kind === 'role' && named) return `${name} is a responders' or a break-glass role (responderRoles, exemptRoles): it is never contained`;
  if (path.startsWith('/aws-service-role/')) return `${name} is a service-linked role: AWS lets nobody change it; its service has to be stopped`;
  if (path.startsWith('/aws-reserved/')) return `${name} belongs to IAM Identity Center: revoke the session there`;
  return null;
}

/**
 * Who runs something as a role, by its trust policy: AWS services, and providers whose tokens workloads and people bring, as pods of EKS do.
 *
 * @see https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html (`"Federated": "arn:aws:iam::…:oidc-provider/oidc.eks.…"`)
 */
export function runnersOf(trust: Json): readonly string[] {
  const text = JSON.stringify(trust ?? null);
  const services = text.match(/[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?(?=")/g) ?? [];
  const providers = text.match(/arn:[\w-]+:iam::\d{12}:(?:oidc|saml)-provider\/[^"]+(?=")/g) ?? [];
  return [...new Set([...services, ...providers].map((name) => plain(name, 160)))].toSorted();
}
