import {
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  GetLoginProfileCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  ListRolePoliciesCommand,
  ListUserPoliciesCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import type { Json } from '../../core/bucket.ts';
import { HeldError } from '../../core/held.ts';
import type { LedgerEntry } from '../../core/incident.ts';
import { DENY, denyPolicy, keyIn, policyName } from '../../core/principal/contain.ts';
import { forbids, PrincipalError, type Principal, type PrincipalState } from '../../core/principal/principal.ts';
import { same } from '../../core/quarantine/levels.ts';
import { AHEAD_SECONDS } from '../../core/share/sessions.ts';
import { iamOf } from '../clients.ts';
import { codeOf } from '../errors.ts';
import type { Tools } from '../function.ts';
import { memberTools } from '../member.ts';

/** Why this principal is never touched here; `null` where it may be. Plan and apply ask alike. */
export function neverTouched({ settings }: Pick<Tools, 'settings'>, principal: Principal, state: Pick<PrincipalState, 'path'>): string | null {
  const { STOPBATH_NAME: own, STOPBATH_ACCOUNT: home, STOPBATH_ACCOUNTS: members, STOPBATH_RESPONDER_ROLES, STOPBATH_EXEMPT_ROLES } = settings;
  return forbids(principal, state, { own, accounts: [home, ...members], roles: [...STOPBATH_RESPONDER_ROLES, ...STOPBATH_EXEMPT_ROLES] });
}

/** Characters of all inline policies together, white space aside. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const ROOM = { user: 2048, role: 10_240 };

/**
 * How a principal stands now, in its own account. A refused read fails it: what was not seen cannot be restored.
 *
 * @throws {PrincipalError} where there is no such principal
 * @throws {HeldError} where its account is none that is configured: the function's own would answer, and has somebody else of that name
 */
export async function readPrincipal(tools: Tools, principal: Principal, incident: string): Promise<PrincipalState> {
  const { STOPBATH_ACCOUNT: home, STOPBATH_ACCOUNTS: members } = tools.settings;
  if (![home, ...members].includes(principal.account)) throw new HeldError(neverTouched(tools, principal, { path: '/' }) ?? '');
  const own = policyName(incident);
  const there = memberTools(tools, principal.account, 'read', incident);
  const [head, policies, keys, hasPassword] = await Promise.all([
    headOf(there, principal),
    policiesOf(there, principal),
    principal.kind === 'user' ? keysOf(there, principal.name) : {},
    principal.kind === 'user' ? hasLogin(there, principal.name) : false,
  ]);
  const used = [...policies].filter(([name]) => name !== own).reduce((sum, [, text]) => sum + text.replaceAll(/\s/g, '').length, 0);
  const text = policies.get(own);
  return { ...head, keys, hasPassword, deny: text === undefined ? null : (JSON.parse(text) as Json), room: ROOM[principal.kind] - used };
}

async function headOf(tools: Tools, { kind, name }: Principal): Promise<Pick<PrincipalState, 'arn' | 'path' | 'trust'>> {
  const iam = iamOf(tools.clients);
  const missing = new PrincipalError(`there is no ${kind} ${name} in this account: nothing to contain`);
  if (kind === 'user') {
    const found = await absent(iam.send(new GetUserCommand({ UserName: name })));
    if (!found?.User) throw missing;
    return { arn: found.User.Arn ?? '', path: found.User.Path ?? '/', trust: null };
  }
  const found = await absent(iam.send(new GetRoleCommand({ RoleName: name })));
  if (!found?.Role) throw missing;
  const { Arn = '', Path = '/', AssumeRolePolicyDocument } = found.Role;
  return { arn: Arn, path: Path, trust: AssumeRolePolicyDocument === undefined ? null : (JSON.parse(decodeURIComponent(AssumeRolePolicyDocument)) as Json) };
}

/** Documents of the inline policies, by name. */
async function policiesOf(tools: Tools, { kind, name }: Principal): Promise<ReadonlyMap<string, string>> {
  const iam = iamOf(tools.clients);
  const { PolicyNames = [] } = kind === 'user' ? await iam.send(new ListUserPoliciesCommand({ UserName: name })) : await iam.send(new ListRolePoliciesCommand({ RoleName: name }));
  const documents = PolicyNames.map(async (PolicyName): Promise<readonly [string, string]> => {
    const found = kind === 'user' ? await iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName })) : await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName }));
    return [PolicyName, decodeURIComponent(found.PolicyDocument ?? '')];
  });
  return new Map(await Promise.all(documents));
}

async function keysOf(tools: Tools, UserName: string): Promise<PrincipalState['keys']> {
  const { AccessKeyMetadata = [] } = await iamOf(tools.clients).send(new ListAccessKeysCommand({ UserName }));
  return Object.fromEntries(AccessKeyMetadata.map(({ AccessKeyId = '', Status }) => [AccessKeyId, Status === 'Active' ? 'Active' : 'Inactive']));
}

async function hasLogin(tools: Tools, UserName: string): Promise<boolean> {
  return (await absent(iamOf(tools.clients).send(new GetLoginProfileCommand({ UserName })))) !== null;
}

/** Makes one change; the time of a session deny is set ahead, since until IAM has told everybody, sessions are still issued under the old policy. */
export async function writePrincipal(tools: Tools, principal: Principal, { setting, after, incident }: Pick<LedgerEntry, 'setting' | 'after' | 'incident'>): Promise<void> {
  const iam = iamOf(tools.clients);
  const { kind, name } = principal;
  if (setting !== DENY) {
    await iam.send(new UpdateAccessKeyCommand({ UserName: name, AccessKeyId: keyIn(setting), Status: after === 'Active' ? 'Active' : 'Inactive' }));
    return;
  }
  const PolicyName = policyName(incident);
  if (after === null) {
    await absent(kind === 'user' ? iam.send(new DeleteUserPolicyCommand({ UserName: name, PolicyName })) : iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName })));
    return;
  }
  const at = new Date(Date.parse(tools.now()) + AHEAD_SECONDS * 1000).toISOString();
  const PolicyDocument = JSON.stringify(same(after, denyPolicy('sessions')) ? denyPolicy('sessions', at) : after);
  if (kind === 'user') await iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName, PolicyDocument }));
  else await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName, PolicyDocument }));
}

async function absent<T>(call: Promise<T>): Promise<T | null> {
  return await call.catch((error: unknown) => {
    if (codeOf(error) === 'NoSuchEntityException' || codeOf(error) === 'NoSuchEntity') return null;
    throw error;
  });
}
