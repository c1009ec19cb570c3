import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, TransactWriteItemsCommand, type TransactWriteItem } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type Sandbox } from '../../sandbox.ts';
import { skippingClock } from '../../clock.ts';
import type { Credentials } from '../../service.ts';

const TableName = 'stopbath-test';
const clients: DynamoDBClient[] = [];
const clock = skippingClock();
let sandbox: Sandbox;
let db: DynamoDBClient;

function as(credentials: Credentials): DynamoDBClient {
  const client = new DynamoDBClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  sandbox = await startSandbox({ clock });
  db = as(sandbox.admin);
  await Promise.all([TableName, 'other'].map(async (name) => await db.send(new CreateTableCommand({
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: ['pk', 'sk', 'gsi1pk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
    GlobalSecondaryIndexes: [{ IndexName: 'byStatus', KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } }],
  }))));
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await sandbox.stop();
});

const put = (pk: string, more: object = {}, sk = 'a'): TransactWriteItem => ({ Put: { TableName, Item: { pk: { S: pk }, sk: { S: sk }, ...more }, ConditionExpression: 'attribute_not_exists(pk)' } });
const transact = async (TransactItems: TransactWriteItem[], more: object = {}, client = db) => await client.send(new TransactWriteItemsCommand({ TransactItems, ...more }));
const there = async (pk: string) => (await db.send(new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: 'a' } }, ConsistentRead: true }))).Item;

describe('TransactWriteItems', () => {
  it('writes all of its items, and their indices', async () => {
    await transact([put('all-1', { gsi1pk: { S: 'all' }, b: { B: new Uint8Array([0, 255]) } }), put('all-2', { gsi1pk: { S: 'all' } })]);
    expect([await there('all-1'), await there('all-2')]).toMatchObject([{ b: { B: new Uint8Array([0, 255]) } }, { pk: { S: 'all-2' } }]);
    expect((await db.send(new QueryCommand({ TableName, IndexName: 'byStatus', KeyConditionExpression: 'gsi1pk = :s', ExpressionAttributeValues: { ':s': { S: 'all' } } }))).Count).toBe(2);
  });

  it('writes none where one condition does not hold, and says which', async () => {
    await db.send(new PutItemCommand({ TableName, Item: { pk: { S: 'taken' }, sk: { S: 'a' }, by: { S: 'first' } } }));
    await expect(transact([put('none-1'), put('taken'), put('none-2')])).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      message: 'Transaction cancelled, please refer cancellation reasons for specific reasons [None, ConditionalCheckFailed, None]',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' }, { Code: 'None' }],
    });
    expect([await there('none-1'), await there('none-2'), (await there('taken'))?.['by']]).toEqual([undefined, undefined, { S: 'first' }]);
  });

  it('lets no other write of its items come between its conditions and what it writes', async () => {
    const races = Array.from({ length: 20 }, async (_, race) => {
      const plain = async (by: string) => await db.send(new PutItemCommand({ TableName, Item: { pk: { S: `race-${race}` }, sk: { S: 'a' }, by: { S: by } }, ConditionExpression: 'attribute_not_exists(pk)' }));
      const results = await Promise.allSettled([transact([put(`beside-${race}`), put(`race-${race}`, { by: { S: 'transaction' } })]), plain('one'), transact([put(`race-${race}`, { by: { S: 'transaction' } }), put(`beside-${race}`)]), plain('two')]);
      expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(1);
      expect((await there(`beside-${race}`)) !== undefined).toBe((await there(`race-${race}`))?.['by']?.S === 'transaction');
    });
    await Promise.all(races);
  });

  it('needs for each item what its own write needs', async () => {
    const fenced = as(sandbox.createUser('fenced', { Statement: [{ Effect: 'Allow', Action: 'dynamodb:PutItem', Resource: '*', Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['MINE#*'] } } }] }));
    await transact([put('MINE#1'), put('MINE#2')], {}, fenced);
    await expect(transact([put('MINE#3'), put('YOURS#1')], {}, fenced)).rejects.toMatchObject({ name: 'AccessDeniedException', message: expect.stringContaining('dynamodb:PutItem') });
    expect(await there('MINE#3')).toBeUndefined();
  });

  it('is done once under one token for ten minutes, and the token is for nothing else', async () => {
    const ClientRequestToken = 'a-token';
    const both = await Promise.allSettled([1, 2].map(async () => await transact([put('token')], { ClientRequestToken })));
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    await expect(transact([put('other')], { ClientRequestToken })).rejects.toMatchObject({ name: 'IdempotentParameterMismatchException' });
    await clock.sleep(600_001);
    await expect(transact([put('token')], { ClientRequestToken })).rejects.toMatchObject({ name: 'TransactionCanceledException' });
  });

  it.each([
    ['no item', [], 'greater than or equal to 1'],
    ['101', Array.from({ length: 101 }, (_, index) => put(`many-${index}`)), 'less than or equal to 100'],
    ['two of one item', [put('same'), put('same')], 'Transaction request cannot include multiple operations on one item'],
  ])('refuses %s', async (_, items, message) => {
    await expect(transact(items)).rejects.toMatchObject({ name: 'ValidationException', message: expect.stringContaining(message) });
  });

  const unserved: readonly { readonly what: string; readonly item: TransactWriteItem; readonly more?: object }[] = [
    { what: 'Delete', item: { Delete: { TableName, Key: { pk: { S: 'x' }, sk: { S: 'a' } } } } },
    { what: 'ReturnValuesOnConditionCheckFailure', item: { Put: { TableName, Item: { pk: { S: 'x' }, sk: { S: 'a' } }, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } } },
    { what: 'ReturnConsumedCapacity', item: put('x'), more: { ReturnConsumedCapacity: 'TOTAL' } },
    { what: 'several tables', item: { Put: { TableName: 'other', Item: { pk: { S: 'x' }, sk: { S: 'a' } } } } },
  ];
  it.each(unserved)('says that the sandbox does not serve $what', async ({ what, item, more }) => {
    await expect(transact([put('unserved'), item], more)).rejects.toMatchObject({ name: 'NotImplemented', message: `The sandbox does not serve dynamodb:TransactWriteItems with ${what}` });
    expect(await there('unserved')).toBeUndefined();
  });
});
