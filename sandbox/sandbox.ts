import { FOREIGN_ACCOUNT, HOME_ACCOUNT, MEMBER_ACCOUNTS } from './auth/accounts.ts';
import { watch } from './activity.ts';
import { createDirectory, policyText } from './auth/directory.ts';
import type { Directory } from './auth/directory.ts';
import { realClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { startServer } from './server.ts';
import type { CallRecord, Credentials, Fault, Service, World } from './service.ts';
import { createDynamodb } from './services/dynamodb.ts';
import { createIam } from './services/iam.ts';
import { createSsm } from './services/ssm.ts';
import { createSts } from './services/sts.ts';
import { createRoom, type Around, type Interruption } from './world.ts';

export interface SandboxOptions {
  /** 0 for a free one, which is the default. */
  readonly port?: number;
  readonly clock?: Clock;
  /** The home region; us-east-1 unless told. */
  readonly region?: string;
  /** How long S3 settings take to reach the data plane, ms; 0 unless told. */
  readonly propagationMs?: number;
  readonly random?: () => number;
  /** Services beside IAM, STS, DynamoDB and SSM. */
  readonly services?: (world: World) => readonly Service[];
  readonly faults?: readonly Fault[];
}

/** A running sandbox: a room for the accounts `home`, its `members` and `foreign`, behind one endpoint. */
export interface Sandbox {
  /** `http://127.0.0.1:4566` */
  readonly endpoint: string;
  readonly world: World;
  readonly clock: Clock;
  readonly accounts: { readonly home: string; readonly members: readonly string[]; readonly foreign: string };
  /** Credentials of the `admin` user and of the root of each account. */
  readonly admin: Credentials;
  readonly root: Credentials;
  readonly foreign: { readonly admin: Credentials; readonly root: Credentials };
  /** Of any of the accounts: an administrator there. */
  readonly adminOf: (account: string) => Credentials;
  readonly directory: Directory;
  /** Every call that ended, oldest first. */
  readonly calls: readonly CallRecord[];
  readonly services: ReadonlyMap<string, Service>;
  readonly register: (service: Service) => void;
  readonly inject: (fault: Fault) => void;
  readonly clearFaults: () => void;
  /** Does something right before every call, once its caller is known. */
  readonly interrupt: (interruption: Interruption) => void;
  /** Puts something between every call and its effect; `null` takes it away. */
  readonly around: (around: Around | null) => void;
  /** Makes a user with one inline policy (a document, JSON) and a key. */
  readonly createUser: (name: string, policy?: object, account?: string) => Credentials;
  /** Makes a role that `trust` may assume, with one inline policy; its ARN. */
  readonly createRole: (name: string, role: { readonly trust: object; readonly policy?: object; readonly account?: string }) => string;
  /** Resolves once nothing is at work and nothing is due within `withinMs` (default: at all). */
  readonly idle: (withinMs?: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };

export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock, idle } = watch(options.clock ?? realClock());
  const random = options.random ?? Math.random;
  const directory = createDirectory(() => clock.now(), random);
  let endpoint = '';
  const room = createRoom({
    clock,
    directory,
    random,
    account: HOME_ACCOUNT,
    region: options.region ?? 'us-east-1',
    endpoint: () => endpoint,
    propagationMs: options.propagationMs ?? 0,
  });
  const known = [createIam(directory, () => room.calls), createSts(room, directory), createDynamodb(), createSsm(), ...(options.services?.(room) ?? [])];
  known.forEach(room.register);
  options.faults?.forEach(room.faults.inject);
  const createUser: Sandbox['createUser'] = (name, policy, account = HOME_ACCOUNT) => {
    const user = directory.createUser(account, name);
    if (policy) user.policies.set(name, policyText(JSON.stringify(policy)));
    return directory.createKey(user);
  };

  const admins = new Map([HOME_ACCOUNT, ...MEMBER_ACCOUNTS, FOREIGN_ACCOUNT].map((account) => [account, createUser('admin', EVERYTHING, account)] as const));
  const adminOf = (account: string): Credentials => {
    const found = admins.get(account);
    if (!found) throw new Error(`the sandbox has no account ${account}: it has ${[...admins.keys()].join(', ')}`);
    return found;
  };

  const server = await startServer(room, options.port ?? 0);
  endpoint = `http://127.0.0.1:${server.port}`;
  return {
    endpoint,
    world: room,
    clock,
    accounts: { home: HOME_ACCOUNT, members: MEMBER_ACCOUNTS, foreign: FOREIGN_ACCOUNT },
    admin: adminOf(HOME_ACCOUNT),
    adminOf,
    root: directory.createKey({ rootOf: HOME_ACCOUNT }),
    foreign: { admin: adminOf(FOREIGN_ACCOUNT), root: directory.createKey({ rootOf: FOREIGN_ACCOUNT }) },
    directory,
    calls: room.calls,
    services: room.services,
    register: room.register,
    inject: room.faults.inject,
    clearFaults: room.faults.clear,
    around: (around) => {
      room.around = around;
    },
    interrupt: (interruption) => void room.interruptions.push(interruption),
    createUser,
    createRole: (name, { trust, policy, account = HOME_ACCOUNT }) => {
      const role = directory.createRole(account, name, policyText(JSON.stringify(trust)));
      if (policy) role.policies.set(name, policyText(JSON.stringify(policy)));
      return role.arn;
    },
    idle: (withinMs = Number.POSITIVE_INFINITY) => idle(withinMs),
    stop: server.stop,
  };
}
