import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Logger } from '@aws-lambda-powertools/logger';
import { mockClient } from 'aws-sdk-client-mock';
import { createClients } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { readSettings } from '../../aws/settings.ts';
import type { Account } from '../../sandbox/account.ts';
import { root } from '../responders/suite.ts';

export const TABLE = 'crowd';

/** What the function `ticket` works with, beside trackers of a configuration. */
export function toolsOf(trackers: object, now: () => string): Tools {
  const settings = readSettings({ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: 'stopbath-dev-ticket', STOPBATH_NAME: 'stopbath-dev', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: TABLE, STOPBATH_EVIDENCE_BUCKET: 'evidence', STOPBATH_TRACKERS: JSON.stringify(trackers) });
  return { settings, clients: createClients('us-east-1'), log: new Logger({ logLevel: 'SILENT' }), now, remainingMs: () => 120_000 };
}

export async function makeTable(account: Account): Promise<void> {
  const [pk, sk] = ['pk', 'sk'] as const;
  const keys = { KeySchema: [{ AttributeName: pk, KeyType: 'HASH' }, { AttributeName: sk, KeyType: 'RANGE' }], AttributeDefinitions: [pk, sk].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })) };
  await account.world.call('dynamodb', 'CreateTable', { TableName: TABLE, BillingMode: 'PAY_PER_REQUEST', ...keys }, root(account));
}

/** The sandbox's DynamoDB below HTTP: signatures and wire formats are not what a crowd is about. */
export function mockTable(account: Account) {
  const call = async (operation: string, input: object): Promise<object> => {
    const packed = Object.fromEntries(Object.entries(input).map(([name, value]) => [name, ['Key', 'Item', 'ExpressionAttributeValues', 'ExclusiveStartKey'].includes(name) && value !== undefined ? marshall(value, { removeUndefinedValues: true }) : value]));
    try {
      const output = Object.entries(Object(await account.world.call('dynamodb', operation, packed, root(account))));
      return Object.fromEntries(output.map(([name, value]) => [name, name === 'Items' ? (value as Parameters<typeof unmarshall>[0][]).map((item) => unmarshall(item)) : ['Attributes', 'Item', 'LastEvaluatedKey'].includes(name) && value ? unmarshall(value as Parameters<typeof unmarshall>[0]) : value]));
    } catch (error) {
      if (Reflect.get(Object(error), 'code') === 'ConditionalCheckFailedException') throw new ConditionalCheckFailedException({ message: String(error), $metadata: {} });
      throw error;
    }
  };
  const mock = mockClient(DynamoDBDocumentClient);
  mock.on(GetCommand).callsFake(async (input: object) => await call('GetItem', input));
  mock.on(PutCommand).callsFake(async (input: object) => await call('PutItem', input));
  mock.on(QueryCommand).callsFake(async (input: object) => await call('Query', input));
  mock.on(UpdateCommand).callsFake(async (input: object) => await call('UpdateItem', input));
  return mock;
}
