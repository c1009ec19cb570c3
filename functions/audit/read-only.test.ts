import { GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { type Account, startAccount } from '../../sandbox/account.ts';
import { evaluate } from '../../sandbox/auth/evaluate.ts';
import type { Caller } from '../../sandbox/service.ts';
import { madeView, writeViews } from '../../test/audit/made.ts';

const statements = z.array(z.looseObject({ Effect: z.literal('Allow'), Action: z.union([z.string(), z.array(z.string())]).transform((action) => [action].flat()) }));
/** Items of the table, and the bytes of records and seals: what an auditor may be shown. */
const READS = /^(dynamodb:(GetItem|Query)|s3:(GetObject|GetObjectVersion|ListBucket|ListBucketVersions)|kms:GetPublicKey)$/;
/** What IAM calls a service where it is not what the SDK calls it. @see https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html */
const PREFIXES: Readonly<Record<string, string>> = { eventbridge: 'events', 's3-control': 's3', 'secrets-manager': 'secretsmanager', sfn: 'states' };
/** Operations that these allow, by the names of the API. */
/** Everybody may ask who they are: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html */
const READING = /^(sts:GetCallerIdentity|dynamodb:(GetItem|Query)|s3:(GetObject|HeadObject|ListObjects|ListObjectsV2|ListObjectVersions|HeadBucket)|kms:GetPublicKey)$/;

describe('the audit function’s role', () => {
  let account: Account;
  let name: string;
  let caller: Caller;

  beforeAll(async () => {
    account = await startAccount();
    ({ name } = await account.deploy());
    caller = account.world.assume(`arn:aws:iam::111122223333:role/${name}-audit`, 'audit', 'lambda.amazonaws.com');
    await writeViews(account, name, [madeView(1, '2026-11-01T00:00:00.000Z')]);
  });
  afterAll(() => account.stop());

  it('allows reading, and nothing else, in its folder', () => {
    const actions = statements.parse(parse(readFileSync(join(import.meta.dirname, 'role.yml'), 'utf8'))).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => !READS.test(action))).toEqual([]);
  });

  it('allows as deployed what its folder says, its own log and its own traces, nothing more', async () => {
    const { PolicyDocument = '' } = await new IAMClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin }).send(new GetRolePolicyCommand({ RoleName: `${name}-audit`, PolicyName: 'own' }));
    const document: unknown = JSON.parse(decodeURIComponent(PolicyDocument));
    const actions = statements.parse(Reflect.get(Object(document), 'Statement')).flatMap(({ Action }) => Action);
    expect(actions.filter((action) => !READS.test(action))).toEqual(['logs:CreateLogStream', 'logs:PutLogEvents', 'xray:PutTraceSegments', 'xray:PutTelemetryRecords']);
    expect([...(account.directory.roles.find('111122223333', `${name}-audit`)?.policies.keys() ?? [])]).toEqual(['own']);
  });

  it('is refused every operation of every service but reading', async () => {
    const table = `arn:aws:dynamodb:us-east-1:111122223333:table/${name}`;
    const item = { pk: { S: 'INCIDENT#inc-20261101-0000000001' }, sk: { S: 'META' } };
    const bucket = `${name}-evidence-111122223333`;
    const machine = `arn:aws:states:us-east-1:111122223333:stateMachine:${name}-quarantine-bucket`;
    const { Environment } = await new LambdaClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin }).send(new GetFunctionConfigurationCommand({ FunctionName: `${name}-seal` }));
    const sealKey = Environment?.Variables?.['STOPBATH_SEAL_KEYS'];
    expect(sealKey).toMatch(/^arn:aws:kms:/);
    const inputs: Readonly<Record<string, object>> = {
      dynamodb: { TableName: name, Key: item, Item: item, ResourceArn: table, UpdateExpression: 'SET x = :x', ExpressionAttributeValues: { ':x': { S: 'x' } }, AttributeDefinitions: [], KeySchema: [], TransactItems: [{ Put: { TableName: name, Item: item } }], RequestItems: { [name]: [{ PutRequest: { Item: item } }] } },
      s3: { Bucket: bucket, Key: 'records/outcome/x.json', Body: 'x', CopySource: `${bucket}/records/outcome/x.json`, Delete: { Objects: [{ Key: 'x' }] }, UploadId: 'u', PartNumber: 1, Policy: '{}', VersionId: 'v' },
      states: { stateMachineArn: machine, executionArn: `${machine.replace('stateMachine', 'execution')}:x`, name: 'x', definition: '{}', roleArn: `arn:aws:iam::111122223333:role/${name}-triage`, taskToken: 't', output: '{}', input: '{}' },
      lambda: { FunctionName: `${name}-triage`, Payload: new Uint8Array() },
      events: { Entries: [{ Source: 'x', DetailType: 'x', Detail: '{}' }], Name: `${name}-x`, Rule: `${name}-x`, EventPattern: '{}' },
      ssm: { OpsItemId: 'oi-000000000001', Title: 'x', Description: 'x', Source: 'x', Name: '/x', Value: 'x', Type: 'SecureString' },
      kms: { KeyId: sealKey, Policy: '{}', Message: new Uint8Array(32), MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' },
      sts: { RoleArn: `arn:aws:iam::111122223333:role/${name}-respond`, RoleSessionName: 'audit' },
      's3-control': { AccountId: '111122223333', Name: 'x', Bucket: bucket, Policy: '{}' },
      cloudfront: { Id: 'E1', DistributionId: 'E1', InvalidationBatch: { CallerReference: 'x', Paths: { Quantity: 1, Items: ['/*'] } } },
      sns: { TopicArn: 'arn:aws:sns:us-east-1:111122223333:x', Name: 'x', Message: 'x' },
      sqs: { QueueUrl: `${account.endpoint}/111122223333/x`, QueueName: 'x', MessageBody: 'x', ReceiptHandle: 'x' },
      secretsmanager: { Name: 'x', SecretId: 'x', SecretString: 'x' },
      guardduty: { DetectorId: 'd', FindingIds: ['x'] },
      iam: { RoleName: `${name}-audit`, UserName: 'admin', PolicyName: 'more', PolicyDocument: '{}', AssumeRolePolicyDocument: '{}' },
    };
    const passed: string[] = [];
    const refused: string[] = [];
    for (const service of account.services.values()) {
      for (const operation of Object.keys(service.operations)) {
        const outcome = await account.world.call(service.name, operation, inputs[service.name], caller).then(codeWithin, codeOf);
        (outcome.startsWith('AccessDenied') ? refused : passed).push(`${service.name}:${operation}`);
      }
    }
    // What gets past IAM is what it may do; whether the input then makes sense is another matter.
    expect(passed.filter((operation) => !READING.test(operation))).toEqual([]);
    expect(passed).toEqual(expect.arrayContaining(['dynamodb:GetItem', 'dynamodb:Query']));
    for (const write of ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem', 's3:PutObject', 's3:DeleteObject', 's3:PutBucketPolicy', 'states:StartExecution', 'states:SendTaskSuccess', 'lambda:Invoke', 'events:PutEvents']) expect(refused).toContain(write);
  });

  it('is allowed no operation but reading of any AWS client that the product has', async () => {
    const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')));
    const packages = Object.keys(dependencies).filter((name) => name.startsWith('@aws-sdk/client-'));
    expect(packages.length).toBeGreaterThan(15);
    const policies = account.directory.policiesOf(caller);
    const resources = ['*', ...policies.flat().flatMap(({ statements }) => statements.flatMap(({ resources: named }) => named ?? []))];
    const allowed: string[] = [];
    let asked = 0;
    for (const name of packages) {
      const sdk: Readonly<Record<string, unknown>> = await import(name);
      const prefix = PREFIXES[name.slice('@aws-sdk/client-'.length)] ?? name.slice('@aws-sdk/client-'.length);
      for (const operation of Object.keys(sdk).filter((exported) => exported.endsWith('Command')).map((exported) => exported.slice(0, -'Command'.length))) {
        asked++;
        const action = `${prefix}:${operation}`;
        if (resources.some((resource) => policies.every((some) => evaluate({ policies: some, action, resource, context: { 'dynamodb:leadingkeys': ['INCIDENT#inc-1'] } }) === 'allow'))) allowed.push(action);
      }
    }
    expect(asked).toBeGreaterThan(1000);
    expect(allowed).toEqual(['dynamodb:GetItem', 'dynamodb:Query', 's3:GetObject']);
  });

  it('has no other way to write: what it reads stays as it was', async () => {
    const { Items } = (await account.world.call('dynamodb', 'Query', { TableName: name, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: 'INCIDENT#inc-20261101-0000000001' } } }, caller)) as { readonly Items: readonly unknown[] };
    expect(Items).toHaveLength(1 + madeView(1, '2026-11-01T00:00:00.000Z').entries.length);
    expect(JSON.stringify(Items)).toContain('GuardDuty saw the bucket opened');
  });
});

function codeOf(error: unknown): string {
  return String(Reflect.get(Object(error), 'code'));
}

/** A batch is answered as a whole and refused item by item. */
function codeWithin(output: unknown): string {
  const errors: unknown = Reflect.get(Object(output), 'Errors');
  return Array.isArray(errors) && errors.length > 0 ? String(Reflect.get(Object(errors[0]), 'Code')) : 'done';
}
