import { Logger } from '@aws-lambda-powertools/logger';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { createIncident } from '../../aws/incidents.ts';
import { readSettings } from '../../aws/settings.ts';
import { judgedShareLinks } from '../../aws/share/judged.ts';
import type { SweepOf } from '../../aws/share/sweep.ts';
import type { Incident, Target } from '../../core/incident.ts';
import { createShareTables, DEFAULT_SHARES, putShareLinks, type StoredLink } from '../../sandbox/photos/share-tables.ts';
import { startSandbox, type Sandbox } from '../../sandbox/sandbox.ts';

export const ACCOUNT = '111122223333';
export const SIGNER = `arn:aws:iam::${ACCOUNT}:role/photo-signer`;

/** DynamoDB with the share tables and the suite's, and the tools that a function gets, over HTTP. */
export interface ShareStage {
  readonly sandbox: Sandbox;
  readonly dynamo: DynamoDBClient;
  readonly tools: Tools;
  /** Of a function's own process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly put: (links: Iterable<StoredLink>) => Promise<void>;
  readonly all: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What the service would say of each, by id. */
  readonly verdicts: (ids: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  readonly incident: (id: string, target: Partial<Target>, inputs?: Incident['inputs']) => Promise<Incident>;
  readonly stop: () => Promise<void>;
}

export async function startShareStage(): Promise<ShareStage> {
  const sandbox = await startSandbox();
  const environment = {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL: sandbox.endpoint,
    AWS_ACCESS_KEY_ID: sandbox.admin.accessKeyId,
    AWS_SECRET_ACCESS_KEY: sandbox.admin.secretAccessKey,
    AWS_LAMBDA_FUNCTION_NAME: 'stopbath-test-revoke-share-links-sweep',
    STOPBATH_NAME: 'stopbath-test',
    STOPBATH_ACCOUNT: ACCOUNT,
    STOPBATH_TABLE: 'stopbath-test',
    STOPBATH_EVIDENCE_BUCKET: 'stopbath-test-evidence',
  };
  Object.assign(process.env, environment);
  const tools: Tools = {
    settings: readSettings(environment),
    clients: createClients('us-east-1'),
    log: new Logger({ serviceName: 'test', logLevel: 'SILENT' }),
    now: () => new Date().toISOString(),
    remainingMs: () => 900_000,
  };
  const dynamo = new DynamoDBClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin });
  await Promise.all([
    createShareTables(dynamo),
    dynamo.send(
      new CreateTableCommand({
        TableName: 'stopbath-test',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      }),
    ),
  ]);
  return {
    sandbox,
    dynamo,
    tools,
    environment,
    put: async (links) => await putShareLinks(dynamo, links),
    all: async () => await scan(tools),
    verdicts: async (ids) => Object.fromEntries((await judgedShareLinks(tools, ids)).map(({ linkId, verdict }) => [linkId, verdict])),
    incident: async (id, target, inputs = {}) => {
      const incident = incidentAbout(id, target, inputs);
      await createIncident(tools, incident);
      return incident;
    },
    stop: async () => {
      dynamo.destroy();
      tools.clients.dynamo.destroy();
      await sandbox.stop();
    },
  };
}

/** Writes a scope's state as an earlier revocation or a service left it. */
export async function putScope(tools: Tools, scope: string, epoch: number, revoked: readonly { readonly through: number; readonly incident: string }[]): Promise<void> {
  await tools.clients.dynamo.send(new PutCommand({ TableName: DEFAULT_SHARES.epochs?.table, Item: { scope, epoch, revoked } }));
}

export function aLink(n: number, change: Partial<StoredLink> = {}): StoredLink {
  return {
    linkId: `link-${String(n).padStart(6, '0')}`,
    tokenHash: 'a-hash-that-nobody-reads',
    albumId: 'summer',
    ownerId: 'anna',
    bucket: 'family',
    objectKey: 'albums/summer/',
    issuedBy: SIGNER,
    issuedAt: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString(),
    status: 'active',
    epochs: { album: 0, owner: 0, bucket: 0 },
    ...change,
  };
}

export function sweepOf(incident: Incident, digest = 'd'.repeat(64)): SweepOf {
  return { incident: incident.id, execution: `${incident.id}-contain-1`, digest };
}

export function incidentAbout(id: string, target: Partial<Target>, inputs: Incident['inputs']): Incident {
  const at = '2026-11-24T12:00:00.000Z';
  return {
    id, playbook: 'revoke-share-links', inputs, title: id, severity: 8, status: 'open', recommendedMode: 'contain', mode: 'contain', drill: false, exposures: [],
    actors: [],
    related: [], actor: null,
    target: { kind: 'album', arn: `share:${ACCOUNT}:album/summer`, name: 'summer', account: ACCOUNT, region: 'us-east-1', ...target },
    requestedBy: 'automatic', reason: 'a link was leaked', eventTime: at, receivedAt: at, decidedAt: at, containedAt: null, verifiedAt: null, restoredAt: null, outcome: '', ticket: null, tickets: {}, ticketGap: null, executions: [], schemaVersion: 1,
  };
}

async function scan(tools: Tools): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const items: Record<string, unknown>[] = [];
  let from: Record<string, unknown> | undefined;
  do {
    const page = await tools.clients.dynamo.send(new ScanCommand({ TableName: DEFAULT_SHARES.links.table, ConsistentRead: true, ExclusiveStartKey: from }));
    items.push(...(page.Items ?? []));
    from = page.LastEvaluatedKey;
  } while (from !== undefined);
  return items.toSorted((a, b) => String(a['linkId']).localeCompare(String(b['linkId'])));
}
