import {
  BatchGetItemCommand, BatchWriteItemCommand, CreateTableCommand, DescribeTableCommand, DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand, QueryCommand,
  TransactGetItemsCommand, UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox } from '../sandbox.ts';
import type { Sandbox } from '../sandbox.ts';
import type { Caller, Credentials } from '../service.ts';

const HOME = '111122223333';
const TableName = 'stopbath-test';
const TABLE = `arn:aws:dynamodb:us-east-1:${HOME}:table/${TableName}`;
const clients: DynamoDBClient[] = [];
let sandbox: Sandbox;
let db: DynamoDBClient;

function as(credentials: Credentials): DynamoDBClient {
  const client = new DynamoDBClient({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  clients.push(client);
  return client;
}

beforeAll(async () => {
  sandbox = await startSandbox();
  db = as(sandbox.admin);
  const { TableDescription } = await db.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk', 'gsi1pk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }],
      GlobalSecondaryIndexes: [{ IndexName: 'byStatus', KeySchema: [{ AttributeName: 'gsi1pk', KeyType: 'HASH' }, { AttributeName: 'sk', KeyType: 'RANGE' }], Projection: { ProjectionType: 'ALL' } }],
    }),
  );
  expect(TableDescription).toMatchObject({ TableArn: TABLE });
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await sandbox.stop();
});

const key = (pk: string, sk = 'a') => ({ pk: { S: pk }, sk: { S: sk } });
const statusQuery = { TableName, IndexName: 'byStatus', KeyConditionExpression: 'gsi1pk = :s', ExpressionAttributeValues: { ':s': { S: 'open' } } };

describe('DynamoDB', () => {
  it('has a table ready as soon as its creation is answered', async () => {
    expect((await db.send(new DescribeTableCommand({ TableName }))).Table).toMatchObject({ TableStatus: 'ACTIVE', GlobalSecondaryIndexes: [{ IndexStatus: 'ACTIVE' }] });
  });

  it('keeps every type of value', async () => {
    const Item = { ...key('types'), n: { N: '12345678901234567890.5' }, b: { B: new Uint8Array([0, 255]) }, l: { L: [{ BOOL: true }, { NULL: true }] }, m: { M: { __proto__x: { SS: ['é', 'f'] } } } };
    await db.send(new PutItemCommand({ TableName, Item }));
    expect((await db.send(new GetItemCommand({ TableName, Key: key('types'), ConsistentRead: true }))).Item).toEqual(Item);
    const documents = DynamoDBDocumentClient.from(db);
    await documents.send(new PutCommand({ TableName, Item: { pk: 'doc', sk: 'a', list: [1, 'two', null], nested: { yes: true } } }));
    expect((await documents.send(new GetCommand({ TableName, Key: { pk: 'doc', sk: 'a' } }))).Item).toEqual({ pk: 'doc', sk: 'a', list: [1, 'two', null], nested: { yes: true } });
  });

  it('lets one of many conditional writes win, and shows the others what they met', async () => {
    const claim = (owner: string) =>
      db.send(new PutItemCommand({ TableName, Item: { ...key('claim'), owner: { B: Buffer.from(owner) } }, ConditionExpression: 'attribute_not_exists(pk)', ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }));
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, index) => claim(`owner-${index}`)));
    const failed = results.filter((result) => result.status === 'rejected');
    expect(failed.length).toBe(9);
    const winner = (await db.send(new GetItemCommand({ TableName, Key: key('claim') }))).Item;
    for (const { reason } of failed) expect(reason).toMatchObject({ name: 'ConditionalCheckFailedException', Item: winner });
    await expect(db.send(new UpdateItemCommand({ TableName, Key: key('claim'), UpdateExpression: 'SET x = :x', ConditionExpression: 'attribute_exists(y)', ExpressionAttributeValues: { ':x': { N: '1' } } }))).rejects.toMatchObject({ name: 'ConditionalCheckFailedException', Item: undefined });
  });

  it('answers queries on an index, batches, and DynamoDB’s own errors', async () => {
    await db.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: ['1', '2', '3'].map((sk) => ({ PutRequest: { Item: { ...key('batch', sk), gsi1pk: { S: 'open' } } } })) } }));
    expect((await db.send(new QueryCommand({ ...statusQuery, ScanIndexForward: false, Limit: 2 }))).Items?.map((item) => item['sk']?.S)).toEqual(['3', '2']);
    expect((await db.send(new BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('batch', '1')] } } }))).Responses?.[TableName]?.length).toBe(1);
    await expect(db.send(new GetItemCommand({ TableName: 'absent', Key: key('x') }))).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Requested resource not found' });
    await expect(db.send(new GetItemCommand({ TableName, Key: { pk: { S: 'x' } } }))).rejects.toMatchObject({ name: 'ValidationException', message: 'The provided key element does not match the schema' });
    await expect(db.send(new TransactGetItemsCommand({ TransactItems: [] }))).rejects.toMatchObject({ name: 'NotImplemented', message: 'The sandbox does not serve dynamodb:TransactGetItems' });
  });

  it('asks for a permission on the table, and on the index where that is queried', async () => {
    const allow = (Action: string, Resource: string) => ({ Statement: [{ Effect: 'Allow', Action, Resource }] });
    const onTable = as(sandbox.createUser('on-table', allow('dynamodb:*', TABLE)));
    const onIndex = as(sandbox.createUser('on-index', allow('dynamodb:Query', `${TABLE}/index/byStatus`)));
    expect((await onTable.send(new GetItemCommand({ TableName, Key: key('claim') }))).Item).toBeDefined();
    await expect(onTable.send(new QueryCommand(statusQuery))).rejects.toMatchObject({ name: 'AccessDeniedException', message: expect.stringContaining(`dynamodb:Query on resource: ${TABLE}/index/byStatus`) });
    expect((await onIndex.send(new QueryCommand(statusQuery))).Count).toBe(3);
    await expect(onIndex.send(new BatchWriteItemCommand({ RequestItems: { [TableName]: [{ DeleteRequest: { Key: key('batch', '1') } }] } }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('keeps accounts apart', async () => {
    expect((await as(sandbox.foreign.admin).send(new ListTablesCommand({}))).TableNames).toEqual([]);
  });

  it('can be called by a workflow without HTTP, with the same types', async () => {
    const arn = `arn:aws:iam::${HOME}:root`;
    const root: Caller = { kind: 'root', account: HOME, principalArn: arn, arn, userId: HOME };
    expect(await sandbox.world.call('dynamodb', 'GetItem', { TableName, Key: key('types') }, root)).toMatchObject({ Item: { b: { B: new Uint8Array([0, 255]) } } });
    await expect(sandbox.world.call('dynamodb', 'GetItem', { TableName: 'absent', Key: key('x') }, root)).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
  });
});
