import * as sdk from '@aws-sdk/client-dynamodb';
import { JsonCodec } from '@smithy/core/protocols';
import type { DocumentType } from '@smithy/types';
import { AwsError, operation } from '../service.ts';
import type { Call, Need, Operation, Service } from '../service.ts';
import { writeJson } from '../wire/json.ts';
import { modelOf } from '../wire/model.ts';
import { createStore, isRecord, reply, text, type Data, type Store } from './dynamodb/store.ts';
import { transact } from './dynamodb/transaction.ts';

/**
 * What dynalite answers. It has neither transactions (`dynamodb/transaction.ts` has) nor PartiQL, and its clock (of tables' creation) is the machine's.
 *
 * @see https://github.com/architect/dynalite
 */
const OPERATIONS = [
  'BatchGetItem',
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'DescribeTable',
  'GetItem',
  'ListTables',
  'PutItem',
  'Query',
  'Scan',
  'UpdateItem',
  'UpdateTable',
];

/** DynamoDB: dynalite in memory, called below its own HTTP server; each account has tables of its own. What protects a table is kept beside it. */
export function createDynamodb(): Service {
  const stores = new Map<string, Store>();
  const storeOf = (call: Call) => {
    const account = accountOf(call);
    const store = stores.get(account) ?? createStore(account, call.region);
    stores.set(account, store);
    return store;
  };
  return {
    name: 'dynamodb',
    sdk,
    protocol: 'json-1.0',
    operations: { ...Object.fromEntries(OPERATIONS.map((name) => [name, operationOf(name, storeOf)])), ...transactOperation(storeOf), ...backupOperations(storeOf) },
  };
}

const codec = new JsonCodec({ timestampFormat: { useTrait: true, default: 7 }, jsonName: false });

function operationOf(name: string, storeOf: (call: Call) => Store): Operation {
  return {
    needs: (input, call) => needsOf(name, isRecord(input) ? input : {}, call),
    run: async (input, call) => {
      const wire = modelOf(sdk).operations.get(name);
      if (!wire) throw new AwsError('UnknownOperationException', `No operation ${name}`);
      const store = storeOf(call);
      const request = writeJson(codec, wire.input, input);
      const data: Data = JSON.parse(request);
      const protectedTables = store.protectedTables;
      const wanted = data['DeletionProtectionEnabled'];
      delete data['DeletionProtectionEnabled'];
      if (name === 'DeleteTable' && protectedTables.has(text(data['TableName']))) throw new AwsError('ValidationException', 'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.');
      // Nothing else of a table is changed: dynalite would find nothing to do.
      const acts = name === 'UpdateTable' && Object.keys(data).length === 1 ? 'DescribeTable' : name;
      const output = await reply(store, acts, data).catch(async (error: unknown) => {
        // dynalite writes into what it is given.
        throw await conditionFailure(store, JSON.parse(request), error);
      });
      // Tables are made and dropped within some turns of the event loop; on AWS within seconds.
      if (name.endsWith('Table') && name !== 'DescribeTable') await settled(store, data['TableName']);
      if (typeof wanted === 'boolean') protectedTables[wanted ? 'add' : 'delete'](text(data['TableName']));
      if (name === 'DescribeTable' && isRecord(output?.['Table'])) output['Table']['DeletionProtectionEnabled'] = protectedTables.has(text(data['TableName']));
      return codec.createDeserializer().readObject(wire.output, output ?? {});
    },
  };
}

function transactOperation(storeOf: (call: Call) => Store): Readonly<Record<string, Operation>> {
  return {
    TransactWriteItems: operation<sdk.TransactWriteItemsCommandInput, sdk.TransactWriteItemsCommandOutput>({
      // Each action is allowed as the operation on its item is. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
      needs: ({ TransactItems }, call) =>
        (TransactItems ?? []).flatMap((one) => Object.entries(one).flatMap(([kind, act]) => needsOf(`${kind}Item`, isRecord(act) ? act : {}, call))),
      run: async (input, call) => {
        const wire = modelOf(sdk).operations.get('TransactWriteItems');
        if (wire) await transact(storeOf(call), JSON.parse(writeJson(codec, wire.input, input)), call.time);
        return {};
      },
    }),
  };
}

/** @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html */
function backupOperations(storeOf: (call: Call) => Store): Readonly<Record<string, Operation>> {
  const described = async (TableName: string, call: Call) => {
    await reply(storeOf(call), 'DescribeTable', { TableName });
    const PointInTimeRecoveryStatus = storeOf(call).recoverable.has(TableName) ? 'ENABLED' : 'DISABLED';
    return { ContinuousBackupsDescription: { ContinuousBackupsStatus: 'ENABLED', PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus } } } as const;
  };
  return {
    DescribeContinuousBackups: operation<sdk.DescribeContinuousBackupsCommandInput, sdk.DescribeContinuousBackupsCommandOutput>({
      needs: ({ TableName }, call) => needsOf('DescribeContinuousBackups', { TableName: TableName ?? '' }, call),
      run: async ({ TableName = '' }, call) => await described(TableName, call),
    }),
    UpdateContinuousBackups: operation<sdk.UpdateContinuousBackupsCommandInput, sdk.UpdateContinuousBackupsCommandOutput>({
      needs: ({ TableName }, call) => needsOf('UpdateContinuousBackups', { TableName: TableName ?? '' }, call),
      run: async ({ TableName = '', PointInTimeRecoverySpecification }, call) => {
        storeOf(call).recoverable[PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true ? 'add' : 'delete'](TableName);
        return await described(TableName, call);
      },
    }),
  };
}

/** `ReturnValuesOnConditionCheckFailure`, which dynalite does not know: the error carries the item that it met. */
async function conditionFailure(store: Store, data: Data, error: unknown): Promise<unknown> {
  if (!(error instanceof AwsError) || error.code !== 'ConditionalCheckFailedException') return error;
  if (data['ReturnValuesOnConditionCheckFailure'] !== 'ALL_OLD') return error;
  const TableName = text(data['TableName']);
  const { Table } = (await reply(store, 'DescribeTable', { TableName })) ?? {};
  const keys = isRecord(Table) && Array.isArray(Table['KeySchema']) ? Table['KeySchema'].filter(isRecord).map((key) => text(key['AttributeName'])) : [];
  const source = isRecord(data['Key']) ? data['Key'] : isRecord(data['Item']) ? data['Item'] : {};
  const Key = Object.fromEntries(keys.map((key) => [key, source[key] ?? null]));
  const met = await reply(store, 'GetItem', { TableName, Key, ConsistentRead: true });
  const shape = modelOf(sdk).operations.get('GetItem')?.output;
  const typed: unknown = shape && codec.createDeserializer().readObject(shape, met ?? {});
  return new AwsError(error.code, error.message, error.status, isRecord(typed) ? { Item: typed['Item'] } : {});
}

async function settled(store: Store, table: DocumentType = ''): Promise<void> {
  for (;;) {
    const { Table } = await reply(store, 'DescribeTable', { TableName: table }).catch((): Data => ({})) ?? {};
    if (!isRecord(Table) || Table['TableStatus'] === 'ACTIVE') return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function needsOf(name: string, input: Readonly<Data>, call: Call): readonly Need[] {
  const action = `dynamodb:${name}`;
  if (name === 'ListTables') return [{ action, resource: '*' }];
  const tables = isRecord(input['RequestItems']) ? Object.keys(input['RequestItems']) : [text(input['TableName'])];
  const index = input['IndexName'];
  const leading = leadingKeyOf(input);
  return tables.map((table) => ({
    action,
    ...(leading === null ? {} : { context: { 'dynamodb:leadingkeys': [leading] } }),
    resource: `arn:aws:dynamodb:${call.region}:${accountOf(call)}:table/${table}${typeof index === 'string' ? `/index/${index}` : ''}`,
  }));
}

/**
 * The partition key that a request names: of one item, or of a query, there of the index that it asks. The suite's tables call it `pk` and their
 * indices `gsi1pk` …; others have no condition on it.
 */
function leadingKeyOf({ Key, Item, ...query }: Readonly<Data>): string | null {
  const key = isRecord(Key) ? Key['pk'] : isRecord(Item) ? Item['pk'] : queriedKeyOf(query);
  return isRecord(key) && typeof key['S'] === 'string' ? key['S'] : null;
}

function queriedKeyOf({ KeyConditionExpression, ExpressionAttributeNames: names, ExpressionAttributeValues: values }: Readonly<Data>): DocumentType {
  for (const [, name = '', value = ''] of text(KeyConditionExpression).matchAll(/([#\w]+)\s*=\s*(:\w+)/g)) {
    const attribute = isRecord(names) && name.startsWith('#') ? text(names[name]) : name;
    if (/^(?:gsi\d)?pk$/.test(attribute) && isRecord(values)) return values[value] ?? null;
  }
  return null;
}

function accountOf(call: Call): string {
  return 'account' in call.caller ? call.caller.account : call.world.account;
}
