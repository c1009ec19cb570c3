import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand, type GetCommand } from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { viewIncident } from '../../aws/incidents.ts';
import { readClaim } from '../../aws/claims.ts';
import type { Table } from '../../aws/records.ts';
import type { IncidentView } from '../../core/incident.ts';
import { fingerprintOf } from '../../core/seal.ts';
import { verifyEvidence } from '../../core/verify.ts';
import type { Config } from '../../deploy/config.ts';
import { startAccount, type Account } from '../account.ts';
import { skippingClock } from '../clock.ts';
import type { Deployment } from '../deploy.ts';
import { seedPhotos, type Photos } from '../photos/seed.ts';
import { seedShares, type Shares } from '../photos/shares.ts';
import { filesOf, type BucketReader } from '../scenario/evidence.ts';
import { fetchSigned } from '../scenario/signed.ts';
import { keyIdOf } from '../services/kms.ts';
import { rootOf } from './strike.ts';

/** One account with the suite in it, in which run after run is played, each on a target of its own. */
export interface Stage {
  readonly account: Account;
  readonly photos: Photos;
  readonly shares: Shares;
  readonly deployment: Deployment;
  /** Calls an operation as the account's root. */
  readonly call: (what: string, input: object) => Promise<unknown>;
  /** Asks the `respond` URL. */
  readonly ask: (person: 'rosa' | 'ravi', path: string, body: object) => Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;
  /** The incident that has the target; `null` where none has. */
  readonly find: (targetArn: string) => Promise<IncidentView | null>;
  /** An incident by its id; `null` where there is none. */
  readonly read: (incident: string) => Promise<IncidentView | null>;
  readonly running: () => Promise<readonly string[]>;
  /** Executions of an incident that ended badly: what an operator redrives. */
  readonly broken: (incident: string) => Promise<readonly string[]>;
  /** How many events lie in the queue of what could not be delivered or decided: there is an alarm on it. */
  readonly undelivered: () => Promise<number>;
  readonly ticketsOf: (incident: string) => Promise<number>;
  /**
   * Archives, seals, and verifies the whole record; what is wrong, in words.
   *
   * @param lost - the suite was not allowed to write a record that it had announced: its seals say so
   */
  readonly unsealed: (lost?: boolean) => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

/**
 * Seconds. A signer whose sessions are denied is refused for ten, and a revocation is proven when its new session works: three looks instead of
 * eight. A look more is fifteen calls that were struck before, and as many rows of the matrix.
 */
const LOOKS_EVERY = 8;

/** @param config - what differs from a stage that contains whatever it is asked to */
export async function startStage(config: Partial<Config> = {}, clock = skippingClock()): Promise<Stage> {
  const account = await startAccount({ clock });
  const photos = await seedPhotos(account, () => account.s3.settle());
  const shares = await seedShares(account, photos);
  const many = 10_000;
  const deployment = await account.deploy({
    config: { modeCap: 'contain', verifyIntervalSeconds: LOOKS_EVERY, verifyLooks: 2, verifyMaxLooks: 24, sessionNamesPinned: true, responderRoles: [photos.roles.responder], auditorRoles: [photos.roles.auditor], shares: shares.config, budgets: { account: many, all: many, links: many * 100, linksAll: many * 100, reserved: 5 }, ...config },
  });
  const { name, urls } = deployment;
  const call: Stage['call'] = async (what, input) => {
    const [service = '', operation = ''] = what.split(':');
    return await account.world.call(service, operation, input, rootOf(account));
  };
  const table: Table = { settings: { STOPBATH_TABLE: name }, clients: { dynamo: insideClient(call) } };
  const evidence: BucketReader = {
    page: async (input) => Object(await call('s3:ListObjectVersions', input)),
    text: async (of) => Buffer.from(Object(await call('s3:GetObject', of)).Body).toString('utf8'),
  };
  const executions = async (status: string) => {
    const { stateMachines } = (await call('states:ListStateMachines', {})) as { readonly stateMachines: readonly { readonly stateMachineArn: string }[] };
    const lists = await Promise.all(stateMachines.map(async ({ stateMachineArn }) => ((await call('states:ListExecutions', { stateMachineArn, statusFilter: status })) as { readonly executions: readonly { readonly name: string; readonly executionArn: string }[] }).executions));
    return lists.flat();
  };
  return {
    account, photos, shares, deployment, call,
    ask: async (person, path, body) =>
      await account.clock.work(async () => {
        const credentials = await photos.credentialsOf(person);
        const answer = await fetchSigned({ service: 'lambda', region: account.world.region, credentials, method: 'POST', url: new URL(path.slice(1), urls['respond']), body: JSON.stringify(body), now: account.clock.now() });
        const text = await answer.text();
        // Lambda's own failures are no JSON.
        return { status: answer.status, body: answer.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as Readonly<Record<string, unknown>>) : { text } };
      }),
    find: async (targetArn) =>
      await account.clock.work(async () => {
        const claim = await readClaim(table, targetArn);
        return claim && (await viewIncident(table, claim.incident).catch(() => null));
      }),
    read: async (incident) => await account.clock.work(async () => await viewIncident(table, incident).catch(() => null)),
    running: async () => (await executions('RUNNING')).map((execution) => execution.name),
    broken: async (incident) => (await Promise.all(['FAILED', 'TIMED_OUT', 'ABORTED'].map(executions))).flat().filter((execution) => execution.name.startsWith(incident)).map(({ executionArn }) => executionArn),
    undelivered: async () => {
      const { Attributes = {} } = (await call('sqs:GetQueueAttributes', { QueueUrl: `https://sqs.${account.world.region}.amazonaws.com/${account.accounts.home}/${name}-undelivered-events`, AttributeNames: ['All'] })) as { readonly Attributes?: Readonly<Record<string, string>> };
      return Number(Attributes['ApproximateNumberOfMessages']) + Number(Attributes['ApproximateNumberOfMessagesNotVisible']);
    },
    ticketsOf: async (incident) => {
      const { OpsItemSummaries } = (await call('ssm:DescribeOpsItems', { OpsItemFilters: [{ Key: 'Title', Operator: 'Contains', Values: [incident] }] })) as { readonly OpsItemSummaries: readonly { readonly Title: string }[] };
      // Not those of what it handed on.
      return OpsItemSummaries.filter(({ Title }) => !Title.includes(`${incident}-`)).length;
    },
    unsealed: async (lost = false) => {
      for (const rule of ['sweep', 'seal']) {
        account.events.tick(`${name}-${rule}`);
        await account.events.idle();
        await account.lambda.idle();
        await account.clock.sleep(5000);
        await account.idle(1000);
      }
      return await account.clock.work(async () => {
        const { PublicKey } = (await call('kms:GetPublicKey', { KeyId: keyIdOf(account.accounts.home, 'SealKey1') })) as { readonly PublicKey: Uint8Array };
        const verdict = await verifyEvidence(filesOf(`${name}-evidence-${account.accounts.home}`, evidence), { trusted: [fingerprintOf(PublicKey)], until: new Date(account.clock.now()).toISOString() });
        // All of an account's hours are sealed at once, and late. A ticket's full text that could not be kept was never pointed at: the next try says, and keeps, what is true by then.
        return verdict.problems.filter(({ kind, place }) => kind !== 'late' && (kind !== 'missing' || !(lost || place.startsWith('records/ticket/')))).map((problem) => JSON.stringify(problem));
      });
    },
    stop: async () => {
      account.around(null);
      await shares.close();
      await account.stop();
    },
  };
}

/**
 * Reads the suite's table past HTTP and the SDK. A run looks at its incident some thirty times while it waits, and by the SDK that cost as much as
 * a third of what the suite does in it.
 */
function insideClient(call: Stage['call']): DynamoDBDocumentClient {
  const send = async (command: GetCommand | QueryCommand) => {
    if (command instanceof QueryCommand) {
      const { ExpressionAttributeValues: values = {}, ...rest } = command.input;
      const { Items, ...more } = Object(await call('dynamodb:Query', { ...rest, ExpressionAttributeValues: marshall(values) }));
      return { ...more, Items: Items.map((item: Parameters<typeof unmarshall>[0]) => unmarshall(item)) };
    }
    const { Item } = Object(await call('dynamodb:GetItem', { ...command.input, Key: marshall(command.input.Key) }));
    return Item === undefined ? {} : { Item: unmarshall(Item) };
  };
  return Object.assign(DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' })), { send });
}
