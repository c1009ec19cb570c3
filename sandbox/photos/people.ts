import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import type { Sandbox } from '../sandbox.ts';
import type { Credentials } from '../service.ts';

/**
 * Who is around: two responders, an auditor, the service's own roles, a user of the account who is not to be trusted,
 * and outside of it a customer of somebody else and a print lab that the family bucket is shared with.
 */
export const PEOPLE = ['rosa', 'ravi', 'ada', 'photo-service', 'photo-signer', 'deploy-bot', 'mallory', 'print-lab'] as const;
export type Person = (typeof PEOPLE)[number];

export interface Roles {
  readonly responder: string;
  readonly auditor: string;
  readonly service: string;
  readonly signer: string;
  readonly printLab: string;
}

export interface People {
  readonly roles: Roles;
  /**
   * Credentials to call with: a user's own key, or a fresh session (up to 12 hours of sandbox time) of the role that the
   * person works as; `rosa` and `ravi` as `stopbath-responder`, `ada` as `stopbath-auditor`, each under their own name.
   */
  readonly credentialsOf: (person: Person | 'admin') => Promise<Credentials>;
}

interface Names {
  readonly family: string;
  readonly all: readonly string[];
}

/** The longest that a role's session may be, in seconds. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const TWELVE_HOURS = 43_200;

/** @param owner - the account of `deploy-bot` and of the role that signs URLs: the home account, or a member */
export function seedPeople(sandbox: Sandbox, buckets: Names, owner = sandbox.accounts.home): People {
  const { home, foreign } = sandbox.accounts;
  const arns = buckets.all.flatMap((bucket) => [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]);
  const read = allow(['s3:GetObject', 's3:ListBucket'], arns);

  const assumes = (role: string) => policy(allow(['sts:AssumeRole'], [`arn:aws:iam::${home}:role/${role}`]));
  const keys: Readonly<Record<string, Credentials>> = {
    admin: sandbox.admin,
    rosa: sandbox.createUser('rosa', assumes('stopbath-responder')),
    ravi: sandbox.createUser('ravi', assumes('stopbath-responder')),
    ada: sandbox.createUser('ada', assumes('stopbath-auditor')),
    'deploy-bot': sandbox.createUser('deploy-bot', policy(allow(['s3:*'], arns)), owner),
    mallory: sandbox.createUser('mallory', policy(allow(['s3:*'], ['*'])), foreign),
  };
  // The session carries the user's own name, so that two sessions of one role are two people.
  const named = { StringEquals: { 'sts:RoleSessionName': '${aws:username}' } };
  const users = (...names: readonly string[]) => names.map((name) => `arn:aws:iam::${home}:user/${name}`);
  const service = sandbox.createRole('photo-service', {
    trust: trust({ Service: 'ecs-tasks.amazonaws.com' }),
    policy: policy(
      allow(['s3:GetObject', 's3:PutObject', 's3:PutObjectTagging', 's3:ListBucket'], arns),
      allow(['sts:AssumeRole'], [`arn:aws:iam::${owner}:role/photo-signer`]),
      allow(['dynamodb:GetItem', 'dynamodb:BatchGetItem'], [`arn:aws:dynamodb:${sandbox.world.region}:${home}:table/photo-share-*`]),
    ),
  });
  const roles: Roles = {
    // What they may ask the suite is in the policies of its functions: through their URLs, and not by a direct Invoke.
    responder: sandbox.createRole('stopbath-responder', { trust: trust({ AWS: users('rosa', 'ravi') }, named), policy: policy(read) }),
    auditor: sandbox.createRole('stopbath-auditor', { trust: trust({ AWS: users('ada') }, named) }),
    service,
    // Signs the URLs that are handed out, and nothing else. The suite's probe may be it too, to show that its older sessions are dead.
    signer: sandbox.createRole('photo-signer', { account: owner, trust: trustBoth(trust({ AWS: [service] }), probeOf(home)), policy: policy(allow(['s3:GetObject'], [`arn:aws:s3:::${buckets.family}/*`])) }),
    printLab: sandbox.createRole('print-lab', { account: foreign, trust: trust({ Service: 'ecs-tasks.amazonaws.com' }), policy: policy(allow(['s3:GetObject'], ['*'])) }),
  };
  for (const name of ['stopbath-responder', 'stopbath-auditor']) {
    const role = sandbox.directory.roles.find(home, name);
    if (role) role.maxSessionSeconds = TWELVE_HOURS;
  }

  const sessionOf = async (key: Credentials, role: string, name: string): Promise<Credentials> => {
    const sts = new STSClient({ endpoint: sandbox.endpoint, region: sandbox.world.region, credentials: key });
    // A session that another session assumes lasts an hour at most; a person's may last a working day.
    const duration = key.sessionToken === undefined ? { DurationSeconds: TWELVE_HOURS } : {};
    const { Credentials: made } = await sts.send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: name, ...duration }));
    sts.destroy();
    if (!made?.AccessKeyId || !made.SecretAccessKey || !made.SessionToken) throw new Error(`sts:AssumeRole of ${role} gave no credentials`);
    return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey, sessionToken: made.SessionToken };
  };
  const keyOf = (person: string): Credentials => {
    const key = keys[person];
    if (!key) throw new Error(`there is no key of ${person}; people are ${PEOPLE.join(', ')} and admin`);
    return key;
  };
  const asTask = (role: string, name: string) => sandbox.world.credentials(role, name, 'ecs-tasks.amazonaws.com');
  return {
    roles,
    credentialsOf: async (person) => {
      switch (person) {
        case 'rosa':
        case 'ravi':
          return await sessionOf(keyOf(person), roles.responder, person);
        case 'ada':
          return await sessionOf(keyOf(person), roles.auditor, person);
        case 'photo-service':
          return asTask(roles.service, 'photo-service');
        case 'photo-signer':
          return await sessionOf(asTask(roles.service, 'photo-service'), roles.signer, 'photo-service');
        case 'print-lab':
          return asTask(roles.printLab, 'print-lab');
        default:
          return keyOf(person);
      }
    },
  };
}

interface Statement {
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

function allow(actions: readonly string[], resources: readonly string[]): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resources };
}

function policy(...statements: readonly Statement[]): object {
  return { Version: '2012-10-17', Statement: statements };
}

/** The account, narrowed to the probe's role by name, which is made when the suite is deployed. */
function probeOf(home: string): Trust {
  return trust({ AWS: `arn:aws:iam::${home}:root` }, { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${home}:role/stopbath-*-probe` } });
}

function trustBoth(one: Trust, other: Trust): Trust {
  return { ...one, Statement: [...one.Statement, ...other.Statement] };
}

interface Trust {
  readonly Version: string;
  readonly Statement: readonly object[];
}

function trust(principal: object, condition?: object): Trust {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...(condition ? { Condition: condition } : {}) }] };
}
