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
 * How a principal stands now, in its own account: reads that need nothing of each other. A refused one fails it: what was not seen cannot be restored.
 *
 * @throws {PrincipalError} where there is no such principal
 * @throws {HeldError} where its account is none that is configured
 */
export async function readPrincipal(tools: Tools, principal: Principal, incident: string): Promise<PrincipalState> {
  const there = readingIn(tools, principal, incident);
  const [head, text, keys, hasPassword] = await Promise.all([
    headOf(there, principal),
    absent(policyOf(there, principal, policyName(incident))),
    principal.kind === 'user' ? keysOf(there, principal.name) : {},
    principal.kind === 'user' ? hasLogin(there, principal.name) : false,
  ]);
  return { ...head, keys, hasPassword, deny: text === null ? null : (JSON.parse(text) as Json) };
}

/** Characters that are left for the inline policies of a principal, those of the incident's own aside: all others have to be read for it. */
export async function readRoom(tools: Tools, principal: Principal, incident: string): Promise<number> {
  const there = readingIn(tools, principal, incident);
  const others = (await policiesOf(there, principal)).filter((name) => name !== policyName(incident));
  const texts = await Promise.all(others.map((name) => policyOf(there, principal, name)));
  return texts.reduce((left, text) => left - text.replaceAll(/\s/g, '').length, ROOM[principal.kind]);
}

/**
 * To read a principal with.
 *
 * @throws {HeldError} where its account is none that is configured: the function's own would answer, and has somebody else of that name
 */
export function readingIn(tools: Tools, principal: Principal, incident: string): Tools {
  const { STOPBATH_ACCOUNT: home, STOPBATH_ACCOUNTS: members } = tools.settings;
  if (![home, ...members].includes(principal.account)) throw new HeldError(neverTouched(tools, principal, { path: '/' }) ?? '');
  return memberTools(tools, principal.account, 'read', incident);
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

/** Names of the inline policies. */
async function policiesOf(tools: Tools, { kind, name }: Principal): Promise<readonly string[]> {
  const iam = iamOf(tools.clients);
  const { PolicyNames = [] } = kind === 'user' ? await iam.send(new ListUserPoliciesCommand({ UserName: name })) : await iam.send(new ListRolePoliciesCommand({ RoleName: name }));
  return PolicyNames;
}

async function policyOf(tools: Tools, { kind, name }: Principal, PolicyName: string): Promise<string> {
  const iam = iamOf(tools.clients);
  const { PolicyDocument = '' } = kind === 'user' ? await iam.send(new GetUserPolicyCommand({ UserName: name, PolicyName })) : await iam.send(new GetRolePolicyCommand({ RoleName: name, PolicyName }));
  return decodeURIComponent(PolicyDocument);
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
