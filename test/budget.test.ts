import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../sandbox/sandbox.ts';
import { takeBudgets } from '../aws/budget.ts';
import type { Table } from '../aws/records.ts';

const AT = '2026-11-24T10:00:00.000Z';
const links = { of: 'links', limit: 1000, reserved: 0 };
const rules = { containments: { account: { limit: 1, reserved: 0 }, all: { limit: 3, reserved: 1 } }, links: { account: links, all: links } };

let sandbox: Sandbox;
let dynamo: DynamoDBClient;
let table: Table;

beforeAll(async () => {
  sandbox = await startSandbox();
  dynamo = new DynamoDBClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin });
  const key = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
  await dynamo.send(new CreateTableCommand({ TableName: 'budget', AttributeDefinitions: [key('pk'), key('sk')], KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }], BillingMode: 'PAY_PER_REQUEST' }));
  table = { settings: { STOPBATH_TABLE: 'budget' }, clients: { dynamo: DynamoDBDocumentClient.from(dynamo) } };
});
afterAll(async () => {
  dynamo.destroy();
  await sandbox.stop();
});

const take = (incident: string, account: string, severity = 8) => takeBudgets(table, { incident, account, severity, at: AT, links: 0 }, rules);

it('is held by account and by all together, and what an account is refused uses up nobody else’s', async () => {
  expect(await take('i-1', '111111111111')).toBeNull();
  // Decoys in one account, far over its budget.
  for (const decoy of ['i-2', 'i-3', 'i-4', 'i-5']) expect(await take(decoy, '111111111111')).toContain('the budget is 1');
  expect(await take('i-6', '222222222222')).toBeNull();
  expect(await take('i-7', '333333333333')).toContain('kept for critical');
  expect(await take('i-8', '444444444444', 9.5)).toBeNull();
  expect(await take('i-1', '111111111111')).toBeNull();
});
