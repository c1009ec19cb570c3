import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createClients } from './clients.ts';
import { get, put, putNew, SCHEMA_VERSION } from './records.ts';

const mock = mockClient(DynamoDBDocumentClient);
const table = { settings: { STOPBATH_TABLE: 't' }, clients: createClients('us-east-1') };
beforeEach(() => mock.reset());

describe('an item of the table', () => {
  it('says which schema it is written in', async () => {
    mock.on(PutCommand).resolves({});
    await put(table, { pk: 'a', sk: 'b' });
    await putNew(table, { pk: 'a', sk: 'c' });
    expect(mock.commandCalls(PutCommand).map(({ args: [{ input }] }) => input.Item?.['schemaVersion'])).toEqual([SCHEMA_VERSION, SCHEMA_VERSION]);
  });

  it.each([
    ['an older release, which said none', {}],
    ['this one', { schemaVersion: SCHEMA_VERSION }],
  ])('is read where it is of %s', async (_, version) => {
    mock.on(GetCommand).resolves({ Item: { pk: 'a', sk: 'b', x: 1, ...version } });
    expect(await get(table, 'a', 'b')).toEqual({ pk: 'a', sk: 'b', x: 1 });
  });

  it('is refused where it is of a newer release', async () => {
    mock.on(GetCommand).resolves({ Item: { pk: 'a', sk: 'b', schemaVersion: SCHEMA_VERSION + 1 } });
    await expect(get(table, 'a', 'b')).rejects.toThrow(`the item a / b has schema version ${SCHEMA_VERSION + 1}, this release reads up to ${SCHEMA_VERSION}`);
  });
});
