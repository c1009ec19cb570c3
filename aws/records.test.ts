import { randomBytes } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import { LIFECYCLE_LIMIT_BYTES } from '../core/quarantine/levels.ts';
import { createClients } from './clients.ts';
import { contentOf, get, packed, put, putIf, putNew, SCHEMA_VERSION, unpacked } from './records.ts';

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

  it('is replaced where a condition holds, and says it then too', async () => {
    mock.on(PutCommand).resolvesOnce({}).rejects(new ConditionalCheckFailedException({ message: '', $metadata: {} }));
    const isThird = { expression: 'version = :v', values: { ':v': 3 } };
    expect(await putIf(table, { pk: 'a', sk: 'b' }, isThird)).toBe(true);
    expect(await putIf(table, { pk: 'a', sk: 'b' }, isThird)).toBe(false);
    expect(mock.commandCalls(PutCommand)[0]?.args[0].input).toMatchObject({ Item: { schemaVersion: SCHEMA_VERSION }, ConditionExpression: 'version = :v', ExpressionAttributeValues: { ':v': 3 } });
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

  it('has room for the longest lifecycle rules, before and after, and what somebody else made of them', () => {
    const Rules = Array.from({ length: 1000 }, (_, n) => ({ ID: `rule-${n}`, Status: 'Enabled', Filter: { Prefix: randomBytes(150).toString('hex') }, Expiration: { Days: 1 } }));
    expect(JSON.stringify(Rules).length).toBeGreaterThan(LIFECYCLE_LIMIT_BYTES);
    const stopped = Rules.map((rule) => ({ ...rule, Status: 'Disabled' }));
    const body = { changes: [{ before: Rules, after: stopped }], drift: [{ saved: Rules, contained: stopped, now: Rules }] };
    const item = packed(body);
    expect('brotli' in item && item.brotli.byteLength).toBeLessThan(390 * 1024);
    expect(unpacked({ pk: 'a', sk: 'b', ...item })).toBe(JSON.stringify(body));
    expect(packed({ short: 1 })).toEqual({ json: '{"short":1}' });
  });

  it('shows its body on record however it is packed', () => {
    const body = { changes: [{ before: 'x'.repeat(70_000) }] };
    const item = packed(body);
    expect(Object.keys(item)).toEqual(['brotli']);
    expect(contentOf({ pk: 'a', sk: 'PLAN#1', gsi1pk: 'i', ...item })).toEqual({ sk: 'PLAN#1', content: body });
  });
});
