import { parsePolicy } from '../../core/policy.ts';
import type { Policy } from '../../core/policy.ts';
import { AwsError } from '../service.ts';
import type { Caller, ConditionContext, Credentials } from '../service.ts';
import { organizationOf } from './accounts.ts';

/** Everybody whom the sandbox knows: users and roles of its accounts, and the keys that speak for them. */
export interface Directory {
  readonly users: Store<User>;
  readonly roles: Store<Role>;
  readonly createUser: (account: string, name: string, path?: string) => User;
  readonly createRole: (account: string, name: string, trust: PolicyText, path?: string) => Role;
  /** A long-term key of a user, or of the account itself. */
  readonly createKey: (owner: User | { readonly rootOf: string }) => Credentials;
  /** Temporary credentials of a role; `expires` in ms since the epoch. */
  readonly createSession: (role: Role, sessionName: string, expires: number, policy?: PolicyText) => { readonly credentials: Credentials; readonly caller: Principal };
  /** `null` for a key that is switched off too: AWS does not know it then. */
  readonly findKey: (accessKeyId: string) => Key | null;
  /** A user's long-term keys, switched off or not. */
  readonly keysOf: (user: User) => readonly Key[];
  /** The policies that decide for a caller; a second list, where there is one, has to allow it too (a session's policy). */
  readonly policiesOf: (caller: Caller) => readonly (readonly Policy[])[];
  /** Condition keys that only the directory knows: tags, organisation. */
  readonly contextOf: (caller: Caller) => ConditionContext;
}

/** A caller with an account: a user, a role's session, or an account's root. */
export type Principal = Exclude<Caller, { readonly kind: 'anonymous' | 'service' }>;

export interface Store<T> {
  readonly find: (account: string, name: string) => T | undefined;
  readonly list: (account: string) => readonly T[];
  readonly remove: (entry: T) => void;
}

interface Identity {
  readonly account: string;
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** `AIDA…` or `AROA…` */
  readonly id: string;
  readonly createdAt: number;
  /** Inline policies by name, as they were written. */
  readonly policies: Map<string, PolicyText>;
  readonly tags: Map<string, string>;
}

export type User = Identity & { readonly kind: 'user'; hasPassword: boolean };
export type Role = Identity & { readonly kind: 'role'; trust: PolicyText; description: string | undefined; maxSessionSeconds: number };

export interface PolicyText {
  readonly text: string;
  readonly policy: Policy;
}

export interface Key {
  readonly id: string;
  readonly secret: string;
  readonly token: string | null;
  readonly caller: Principal;
  /** ms since the epoch; `null` for a long-term key. */
  readonly expires: number | null;
  readonly createdAt: number;
  status: 'Active' | 'Inactive';
}

/**
 * @throws {AwsError} `MalformedPolicyDocument` where the text is no policy
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
export function policyText(text: string): PolicyText {
  try {
    return { text, policy: parsePolicy(text) };
  } catch (cause) {
    throw new AwsError('MalformedPolicyDocument', cause instanceof Error ? cause.message : 'Syntax errors in policy.', 400);
  }
}

export function createDirectory(now: () => number, random: () => number): Directory {
  const users = new Map<string, User>();
  const roles = new Map<string, Role>();
  const keys = new Map<string, Key>();
  const sessions = new Map<string, PolicyText>();

  const identity = (account: string, name: string, path: string, kind: 'user' | 'role'): Identity => ({
    account,
    name,
    path,
    arn: `arn:aws:iam::${account}:${kind}${path}${name}`,
    id: (kind === 'user' ? 'AIDA' : 'AROA') + letters(random, 17),
    createdAt: now(),
    policies: new Map(),
    tags: new Map(),
  });
  const addKey = (prefix: string, caller: Principal, expires: number | null): Credentials => {
    const accessKeyId = prefix + letters(random, 16);
    const token = expires === null ? null : `FwoGZXIvYXdzE${text(random, 120)}`;
    const key: Key = { id: accessKeyId, secret: text(random, 40), token, caller: { ...caller, accessKeyId }, expires, createdAt: now(), status: 'Active' };
    keys.set(accessKeyId, key);
    return { accessKeyId, secretAccessKey: key.secret, ...(token === null ? {} : { sessionToken: token }) };
  };
  const identityOf = (caller: Caller): User | Role | undefined => {
    if (caller.kind !== 'user' && caller.kind !== 'role') return undefined;
    const name = caller.principalArn.split('/').at(-1) ?? '';
    const found = (caller.kind === 'user' ? users : roles).get(keyOf(caller.account, name));
    // A role made again under an old name is another role: its old sessions are nobody's.
    return found && caller.userId.startsWith(found.id) ? found : undefined;
  };

  return {
    users: storeOf(users),
    roles: storeOf(roles),
    createUser: (account, name, path = '/') => {
      const user: User = { ...identity(account, name, path, 'user'), kind: 'user', hasPassword: false };
      users.set(keyOf(account, name), user);
      return user;
    },
    createRole: (account, name, trust, path = '/') => {
      const role: Role = { ...identity(account, name, path, 'role'), kind: 'role', trust, description: undefined, maxSessionSeconds: 3600 };
      roles.set(keyOf(account, name), role);
      return role;
    },
    createKey: (owner) => {
      if ('rootOf' in owner) {
        const arn = `arn:aws:iam::${owner.rootOf}:root`;
        return addKey('AKIA', { kind: 'root', account: owner.rootOf, principalArn: arn, arn, userId: owner.rootOf }, null);
      }
      return addKey('AKIA', { kind: 'user', account: owner.account, principalArn: owner.arn, arn: owner.arn, userId: owner.id }, null);
    },
    createSession: (role, sessionName, expires, policy) => {
      const caller: Principal = {
        kind: 'role',
        account: role.account,
        principalArn: role.arn,
        arn: `arn:aws:sts::${role.account}:assumed-role/${role.name}/${sessionName}`,
        userId: `${role.id}:${sessionName}`,
        tokenIssuedAt: now(),
      };
      const credentials = addKey('ASIA', caller, expires);
      if (policy) sessions.set(credentials.accessKeyId, policy);
      return { credentials, caller: { ...caller, accessKeyId: credentials.accessKeyId } };
    },
    // A key dies with whoever had it, a session with its role: a resource's policy that names the ARN lets nobody in by it.
    findKey: (accessKeyId) => {
      const key = keys.get(accessKeyId) ?? null;
      if (key?.status === 'Inactive') return null;
      return key && key.caller.kind !== 'root' && !identityOf(key.caller) ? null : key;
    },
    keysOf: (user) => [...keys.values()].filter(({ caller, expires }) => expires === null && caller.userId === user.id),
    policiesOf: (caller) => {
      const own = [...(identityOf(caller)?.policies.values() ?? [])].map((entry) => entry.policy);
      const session = 'accessKeyId' in caller && caller.accessKeyId !== undefined ? sessions.get(caller.accessKeyId) : undefined;
      return session ? [own, [session.policy]] : [own];
    },
    contextOf: (caller) => {
      if (caller.kind === 'anonymous' || caller.kind === 'service') return {};
      const organization = organizationOf(caller.account);
      const tags = [...(identityOf(caller)?.tags ?? [])].map(([key, value]) => [`aws:principaltag/${key.toLowerCase()}`, value]);
      return { ...(organization === null ? {} : { 'aws:principalorgid': organization }), ...Object.fromEntries(tags) };
    },
  };
}

function storeOf<T extends Identity>(entries: Map<string, T>): Store<T> {
  return {
    find: (account, name) => entries.get(keyOf(account, name)),
    list: (account) => [...entries.values()].filter((entry) => entry.account === account),
    remove: (entry) => void entries.delete(keyOf(entry.account, entry.name)),
  };
}

/** Names are unique within their account, whatever their case. */
function keyOf(account: string, name: string): string {
  return `${account}/${name.toLowerCase()}`;
}

function letters(random: () => number, length: number): string {
  return pick(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', length);
}

function text(random: () => number, length: number): string {
  return pick(random, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', length);
}

function pick(random: () => number, alphabet: string, length: number): string {
  return Array.from({ length }, () => alphabet.charAt(Math.floor(random() * alphabet.length))).join('');
}
