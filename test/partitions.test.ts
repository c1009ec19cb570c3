import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { againOf, announcedIn } from '../aws/partitions.ts';
import { RECORD_KINDS, recordKey, type RecordKind } from '../core/evidence.ts';
import { startAccount, type Account } from '../sandbox/account.ts';

/**
 * Who may write which partition of the table, asked over HTTP with each function's own credentials: one that handles hostile text and was taken
 * over approves nothing, lifts no kill switch, and accepts no exposure.
 */
const PLAN = ['contain-principal-plan', 'quarantine-bucket-plan', 'revoke-share-links-plan'];
const APPLY = ['contain-principal-apply', 'quarantine-bucket-apply', 'revoke-share-links-apply'];
/** They put records into the evidence bucket: these are announced first, and name owners by pseudonyms, which the first record makes. */
const KEEP_RECORDS = ['archive', ...PLAN, 'record', 'ticket'];
/** As the evidence bucket's policy says it: test/evidence-access.test.ts. */
const KEEPERS: Readonly<Record<RecordKind, readonly string[]>> = { snapshot: PLAN, outcome: ['record'], execution: ['archive'], history: ['archive'], decisions: ['archive'], configuration: ['archive'], guard: ['archive'], ticket: ['ticket'] };
/** `respond` also puts pseudonyms in the place of an owner that is erased. */
const WRITERS: Readonly<Record<string, readonly string[]>> = {
  'APPROVAL#inc-1': ['ask-approval', 'record', 'respond'],
  'REQUEST#inc-1': ['lease', 'respond'],
  'TOKEN#inc-1': ['ask-approval'],
  'PLAN#inc-1': [...PLAN, 'quarantine-bucket-verify', 'respond'],
  // It reserves for an apply that follows at once.
  'LEDGER#inc-1': [...APPLY, 'quarantine-bucket-plan', 'respond'],
  'RECORD#inc-1': ['seal'],
  GUARD: ['respond'],
  BUDGETS: [...APPLY, ...PLAN],
  'SEEN#0123': ['respond'],
  'TARGET#arn:aws:s3:::a': ['record', 'respond', 'triage'],
  'DECISION#2026-01-01': ['archive', 'dead-letter', 'respond', 'triage'],
  'OWNER#o': [...KEEP_RECORDS, 'respond'],
  'PSEUDONYM#o': [...KEEP_RECORDS, 'respond'],
  ...Object.fromEntries(RECORD_KINDS.map((kind) => [announcedIn(kind), [...KEEPERS[kind], 'seal']])),
  // Plans write theirs once, under a name that they made up.
  ...Object.fromEntries(RECORD_KINDS.map((kind) => [againOf(recordKey(kind, 'x')), kind === 'snapshot' ? [] : KEEPERS[kind]])),
  UNSEALED: [],
  'UNSEALED#x': ['seal'],
  'ANNOUNCED#records/x': [],
  RECORDS: ['seal'],
  SEALS: ['seal'],
  SWEEP: ['archive'],
  'EXECUTION#arn:aws:states:x': ['archive'],
  CONFIGURATION: ['archive'],
  WAITING: ['reconcile', 'record', 'triage'],
  RECONCILE: ['reconcile'],
  'NOBODYS#x': [],
};
const READERS: Readonly<Record<string, readonly string[]>> = {
  'TOKEN#inc-1': ['ask-approval', 'respond'],
  'OWNER#o': [...KEEP_RECORDS, 'respond'],
  'PSEUDONYM#o': [],
  'SEEN#0123': ['respond'],
  'NOBODYS#x': [],
};

describe('the table', () => {
  let account: Account;
  let TableName: string;
  let clients: ReadonlyMap<string, DynamoDBClient>;

  beforeAll(async () => {
    account = await startAccount();
    TableName = (await account.deploy()).name;
    clients = new Map(
      account.directory.roles.list(account.accounts.home).flatMap(({ name, arn, trust }) => {
        const [service] = /(?:lambda|states)\.amazonaws\.com/.exec(trust.text) ?? [];
        // Functions, and the workflows that call them.
        if (!name.startsWith(`${TableName}-`) || service === undefined) return [];
        return [[name.slice(TableName.length + 1), new DynamoDBClient({ endpoint: account.endpoint, region: account.world.region, credentials: account.world.credentials(arn, 'taken-over', service, service.startsWith('states') ? `arn:aws:states:${account.world.region}:${account.accounts.home}:stateMachine:${name}` : ''), maxAttempts: 1 })] as const];
      }),
    );
    expect(clients.size).toBeGreaterThan(20);
  });
  afterAll(async () => {
    for (const client of clients.values()) client.destroy();
    await account.stop();
  });

  /** The functions that IAM lets do one of these; whether DynamoDB finds an item then is another matter. */
  const allowed = async (calls: (client: DynamoDBClient) => readonly Promise<unknown>[]) =>
    (await Promise.all([...clients].map(async ([name, client]) => ((await Promise.allSettled(calls(client))).every((call) => call.status === 'rejected' && Reflect.get(Object(call.reason), 'name') === 'AccessDeniedException') ? [] : [name])))).flat().toSorted();

  it.each(Object.entries(WRITERS))('has a partition %s that only %j may write', async (pk, writers) => {
    const Key = { pk: { S: pk }, sk: { S: 'forged' } };
    const found = await allowed((client) => [
      client.send(new PutItemCommand({ TableName, Item: Key })),
      client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: 'SET #j = :j', ExpressionAttributeNames: { '#j': 'json' }, ExpressionAttributeValues: { ':j': { S: '{}' } } })),
      client.send(new DeleteItemCommand({ TableName, Key })),
    ]);
    expect(found).toEqual(writers.toSorted());
  });

  it.each(Object.entries(READERS))('has a partition %s that only %j may read', async (pk, readers) => {
    const found = await allowed((client) => [
      client.send(new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: 'x' } } })),
      client.send(new QueryCommand({ TableName, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } } })),
    ]);
    expect(found).toEqual(readers.toSorted());
  });

  it('is let to no role as a whole: each statement names its partitions, and asks that a call names one', () => {
    const statements = account.directory.roles.list(account.accounts.home).flatMap(({ name, policies }) => [...policies.values()].flatMap(({ text }) => (JSON.parse(text) as { readonly Statement: readonly Statement[] }).Statement.map((statement) => ({ role: name, ...statement }))));
    const whole = statements.filter(({ Effect, Resource, Condition }) => Effect === 'Allow' && [Resource].flat().some((arn) => arn.endsWith(`:table/${TableName}`)) && !(Condition?.['Null']?.[KEYS] === 'false' && [Condition['ForAllValues:StringLike']?.[KEYS] ?? '*'].flat().every((key) => /^[A-Z]+(?:#\*|#[a-z]+|#records\/[a-z]+\/\*|#share:\*:owner\/\*)?$/.test(key))));
    expect(whole.map(({ role, Sid }) => `${role} ${Sid}`)).toEqual([]);
    expect(statements.filter(({ Condition }) => Condition?.['Null'] !== undefined).length).toBeGreaterThan(clients.size);
  });
});

const KEYS = 'dynamodb:LeadingKeys';

interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}
