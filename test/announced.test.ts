import { Logger } from '@aws-lambda-powertools/logger';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Tools } from '../aws/function.ts';
import { announcedIn } from '../aws/partitions.ts';
import { put } from '../aws/records.ts';
import { readWaiting } from '../aws/sealed.ts';
import { findUnsealed, type Found } from '../aws/seals.ts';
import { readSettings } from '../aws/settings.ts';
import type { RecordKind } from '../core/evidence.ts';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts';

const AT = '2026-01-01T00:00:00.000Z';
const HASH = 'ab'.repeat(32);
let sandbox: Sandbox;
let tools: Tools;

beforeAll(async () => {
  sandbox = await startSandbox();
  const dynamo = new DynamoDBClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin });
  await dynamo.send(new CreateTableCommand({ TableName: 't-table', BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })), KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }] }));
  tools = {
    settings: readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 't-seal', STOPBATH_NAME: 't', STOPBATH_ACCOUNT: sandbox.accounts.home, STOPBATH_TABLE: 't-table', STOPBATH_EVIDENCE_BUCKET: 't-evidence' }),
    clients: { region: 'us-east-1', dynamo: DynamoDBDocumentClient.from(dynamo) },
    log: new Logger({ serviceName: 'test', logLevel: 'SILENT' }),
    now: () => AT,
    remainingMs: () => 900_000,
  };
  // Everything that is asked for lies in the bucket, and is what was announced.
  mockClient(S3Client).on(HeadObjectCommand).resolves({ VersionId: 'v', ChecksumSHA256: Buffer.from(HASH, 'hex').toString('base64') });
});
afterAll(() => sandbox.stop());

const announce = async (kind: RecordKind, sk: string) => await put(tools, { pk: announcedIn(kind), sk, incident: null, at: AT, drill: false, sha256: HASH });

it('what was announced is found once, kind after kind, in pages that are full; the auditor sees all of it', async () => {
  const keys = ['records/snapshot/1.json', 'records/snapshot/2.json', 'records/outcome/1.json', 'records/outcome/2.json', 'records/outcome/3.json', 'records/history/1.json', 'records/ticket/1.json'];
  for (const [index, kind] of (['snapshot', 'snapshot', 'outcome', 'outcome', 'outcome', 'history', 'ticket'] as const).entries()) await announce(kind, keys[index] ?? '');
  // Whoever may write tickets announces somebody else's record there: IAM does not see it, and nobody takes it for one.
  await announce('ticket', 'records/outcome/forged.json');

  const pages: (readonly string[])[] = [];
  let from: Found['next'] = null;
  do {
    const found: Found = await findUnsealed(tools, { limit: 3, from, before: AT });
    expect(found.lost).toEqual([]);
    pages.push(found.records.map(({ key }) => key));
    from = found.next;
  } while (from !== null);
  expect(pages).toEqual([keys.slice(0, 3), keys.slice(3, 6), keys.slice(6)]);
  expect((await readWaiting(tools)).map(({ key }) => key)).toEqual(keys);
});
