import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { Logger } from '@aws-lambda-powertools/logger';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import type { Deployment } from '../../sandbox/deploy.ts';
import type { Person } from '../../sandbox/photos/people.ts';
import { seedPhotos, type Photos } from '../../sandbox/photos/seed.ts';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { fetchSigned } from '../../sandbox/scenario/signed.ts';
import type { Config } from '../../deploy/config.ts';
import type { Incident, IncidentView } from '../../core/incident.ts';

/** The suite deployed in a sandbox, and people who ask it over HTTP, signed as themselves. */
export interface Suite {
  readonly account: Account;
  readonly photos: Photos;
  readonly deployment: Deployment;
  /** Asks the `respond` URL. */
  readonly respond: (person: Person | 'remy', path: string, body: object) => Promise<{ readonly status: number; readonly body: Answer }>;
  /** Those that are open, newest first. */
  readonly incidents: () => Promise<readonly Incident[]>;
  readonly view: (incident: string) => Promise<IncidentView>;
  /** Until it holds; a minute at the most. */
  readonly until: (incident: string, holds: (view: IncidentView) => boolean) => Promise<IncidentView>;
  readonly running: () => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

export interface Answer {
  readonly incident: string;
  readonly error?: string;
  readonly why?: string;
  readonly holding?: { readonly id: string } | null;
}

export const SECOND_LINE = 'stopbath-second-line';

export async function startSuite(config: Partial<Config> = {}, options: Parameters<typeof startAccount>[0] = {}): Promise<Suite> {
  const account = await startAccount(options);
  const photos = await seedPhotos(account, () => account.s3.settle());
  // A third responder, by another role: deploying again is not what takes a role away.
  const remy = account.createUser('remy', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: '*' }] });
  const second = account.createRole(SECOND_LINE, { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::111122223333:user/remy' }, Action: 'sts:AssumeRole', Condition: { StringEquals: { 'sts:RoleSessionName': '${aws:username}' } } }] } });
  const sts = new STSClient({ endpoint: account.endpoint, region: account.world.region, credentials: remy });
  const { Credentials: session } = await sts.send(new AssumeRoleCommand({ RoleArn: second, RoleSessionName: 'remy' }));
  sts.destroy();
  const credentialsOf = async (person: Person | 'remy') => (person === 'remy' ? { accessKeyId: session?.AccessKeyId ?? '', secretAccessKey: session?.SecretAccessKey ?? '', sessionToken: session?.SessionToken ?? '' } : await photos.credentialsOf(person));
  const deployment = await account.deploy({
    config: { modeCap: 'contain', verifyIntervalSeconds: 1, verifyLooks: 2, sessionNamesPinned: true, responderRoles: [photos.roles.responder, second], auditorRoles: [photos.roles.auditor], ...config },
  });
  const ask = async (person: Person | 'remy', method: 'GET' | 'POST', base: string | undefined, path: string, body?: object) => {
    const credentials = await credentialsOf(person);
    const answer = await fetchSigned({ service: 'lambda', region: account.world.region, credentials, method, url: new URL(path.slice(1), base), ...(body ? { body: JSON.stringify(body) } : {}), now: account.clock.now() });
    const text = await answer.text();
    // Lambda's own failures are no JSON.
    return { status: answer.status, body: (answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : { error: text }) as unknown };
  };
  const view = async (incident: string) => (await ask('ada', 'GET', deployment.urls['audit'], `/incidents/${incident}`)).body as IncidentView;
  return {
    account,
    photos,
    deployment,
    incidents: async () => ((await ask('ada', 'GET', deployment.urls['audit'], '/incidents')).body as { readonly incidents: readonly Incident[] }).incidents,
    view,
    respond: async (person, path, body) => {
      const answer = await ask(person, 'POST', deployment.urls['respond'], path, body);
      return { ...answer, body: answer.body as Answer };
    },
    until: async (incident, holds) => {
      for (let looks = 0; looks < 600; looks++) {
        const found = await view(incident);
        if (found.incident && holds(found)) return found;
        await account.clock.sleep(100);
      }
      throw new Error(`a minute has passed: ${JSON.stringify((await view(incident)).incident)}`);
    },
    running: async () => {
      const { stateMachines } = (await account.world.call('states', 'ListStateMachines', {}, root(account))) as { readonly stateMachines: readonly { readonly stateMachineArn: string }[] };
      const lists = await Promise.all(stateMachines.map(async ({ stateMachineArn }) => (await account.world.call('states', 'ListExecutions', { stateMachineArn, statusFilter: 'RUNNING' }, root(account))) as { readonly executions: readonly { readonly name: string }[] }));
      return lists.flatMap(({ executions }) => executions.map(({ name }) => name));
    },
    stop: () => account.stop(),
  };
}

export function root(account: Account) {
  const arn = `arn:aws:iam::${account.accounts.home}:root`;
  return { kind: 'root', account: account.accounts.home, principalArn: arn, arn, userId: account.accounts.home } as const;
}

/** A bucket of the account whose own block is off. @returns its name */
export async function openBucket(suite: Suite, bucket: string): Promise<string> {
  const s3 = await suite.photos.s3('admin');
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  await suite.account.world.call('s3', 'DeletePublicAccessBlock', { Bucket: bucket }, root(suite.account));
  s3.destroy();
  return bucket;
}

/** Of a request to DynamoDB, what tells it from others. */
export interface Input {
  readonly IndexName?: string;
  readonly Item?: { readonly sk?: string };
  readonly Key?: { readonly sk?: string };
}

export interface Meanwhile {
  readonly after: (input: Input) => boolean;
  readonly happens: () => Promise<void>;
}

/** The suite's own tools, and something that happens right after its first request that is such. */
export function toolsOf({ account, deployment }: Suite, meanwhile?: Meanwhile): Tools {
  process.env['AWS_ENDPOINT_URL'] = account.endpoint;
  const clients = createClients('us-east-1', () => Promise.resolve(account.admin));
  let done = meanwhile === undefined;
  clients.dynamo.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      if (!done && meanwhile && meanwhile.after(args.input as object)) {
        done = true;
        await meanwhile.happens();
      }
      return answer;
    },
    { step: 'initialize', priority: 'high' },
  );
  const settings = { STOPBATH_TABLE: deployment.name, STOPBATH_NAME: deployment.name, STOPBATH_ACCOUNT: '111122223333', AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'a-test' };
  return { settings, clients, log: new Logger({ serviceName: 'a-test', logLevel: 'SILENT' }), now: () => new Date(account.clock.now()).toISOString() } as Tools;
}
