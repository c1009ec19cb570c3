import { GetRoleCommand, GetRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetFunctionConfigurationCommand, GetPolicyCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Account, startAccount } from './account.ts';
import { skippingClock } from './clock.ts';
import { type Deployment, ROOT } from './deploy.ts';
import { fetchSigned } from './scenario/signed.ts';

const RESPONDER = 'arn:aws:iam::111122223333:role/responder';

describe('this repository', () => {
  let account: Account;
  let deployment: Deployment;
  let client: { readonly endpoint: string; readonly region: string; readonly credentials: Account['admin'] };

  beforeAll(async () => {
    account = await startAccount({ clock: skippingClock() });
    account.createRole('responder', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
    deployment = await account.deploy({ config: { modeCap: 'contain', responderRoles: [RESPONDER], verifyIntervalSeconds: 1 } });
    client = { endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin };
  });
  afterAll(() => account.stop());

  it('gives each function its role, its settings and the configuration', async () => {
    const config = await new LambdaClient(client).send(new GetFunctionConfigurationCommand({ FunctionName: 'stopbath-dev-triage' }));
    expect(config).toMatchObject({
      Role: 'arn:aws:iam::111122223333:role/stopbath-dev-triage',
      Timeout: 120,
      Environment: { Variables: { STOPBATH_NAME: 'stopbath-dev', STOPBATH_ACCOUNT: '111122223333', STOPBATH_TABLE: 'stopbath-dev', STOPBATH_EVIDENCE_BUCKET: 'stopbath-dev-evidence-111122223333', STOPBATH_MODE_CAP: 'contain' } },
    });
    expect(config.Environment?.Variables?.['STOPBATH_EXEMPT_ROLES']).toContain('arn:aws:iam::111122223333:role/stopbath-dev-quarantine-bucket-apply');
  });

  it('gives roles what their folders say', async () => {
    const iam = new IAMClient(client);
    const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand({ RoleName: 'stopbath-dev-audit', PolicyName: 'own' }));
    expect(JSON.parse(decodeURIComponent(PolicyDocument)).Statement[0]).toMatchObject({ Effect: 'Allow', Resource: 'arn:aws:dynamodb:us-east-1:111122223333:table/stopbath-dev' });
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'stopbath-dev-probe' }));
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toContain('role/stopbath-dev-quarantine-bucket-verify');
  });

  it('fills in the placeholders of workflows', async () => {
    const stateMachineArn = 'arn:aws:states:us-east-1:111122223333:stateMachine:stopbath-dev-quarantine-bucket';
    const { definition = '' } = await new SFNClient(client).send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(definition).not.toMatch(/\$\{\w+\}/);
    expect(definition).toContain('arn:aws:lambda:us-east-1:111122223333:function:stopbath-dev-quarantine-bucket-plan');
    expect(JSON.parse(definition)).toMatchObject({ QueryLanguage: 'JSONata' });
  });

  it('delivers findings to triage', async () => {
    account.events.deliver({ version: '0', id: 'e-1', 'detail-type': 'GuardDuty Finding', source: 'aws.guardduty', account: '111122223333', time: '2026-11-24T00:00:00Z', region: 'us-east-1', resources: [], detail: {} });
    await account.idle();
    expect(account.calls.filter((call) => call.operation === 'Invoke' && call.caller === 'events.amazonaws.com')).toMatchObject([{ status: 200 }]);
    expect(account.deadLetters()).toEqual([]);
  });

  it('lets responders in through the URL, and nobody by a direct Invoke', async () => {
    const credentials = account.world.credentials(RESPONDER, 'rosa', 'ecs-tasks.amazonaws.com');
    const url = new URL(deployment.urls['audit'] ?? '');
    const response = await fetchSigned({ service: 'lambda', region: 'us-east-1', credentials, method: 'GET', url, now: account.clock.now() });
    expect(response.status).not.toBe(403);
    const forged = new InvokeCommand({ FunctionName: 'stopbath-dev-audit', Payload: '{"requestContext":{"authorizer":{"iam":{"userArn":"arn:aws:iam::111122223333:user/admin"}}}}' });
    await expect(new LambdaClient({ ...client, credentials }).send(forged)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(JSON.parse((await new LambdaClient(client).send(new GetPolicyCommand({ FunctionName: 'stopbath-dev-audit' }))).Policy ?? '').Statement).toHaveLength(2);
  });

  it.each(['quarantine-bucket-apply', 'revoke-share-links-apply'])('keeps %s from the evidence, whatever it is told', async (name) => {
    const credentials = account.world.credentials(`arn:aws:iam::111122223333:role/stopbath-dev-${name}`, name, 'lambda.amazonaws.com');
    const s3 = new S3Client({ ...client, credentials, forcePathStyle: true });
    await expect(s3.send(new DeleteBucketPolicyCommand({ Bucket: 'stopbath-dev-evidence-111122223333' }))).rejects.toThrow('explicit deny in an identity-based policy');
    s3.destroy();
  });

  it('survives that its functions are killed', async () => {
    await account.killFunctions();
    const { StatusCode } = await new LambdaClient(client).send(new InvokeCommand({ FunctionName: 'stopbath-dev-triage', Payload: '{}' }));
    expect(StatusCode).toBe(200);
  });
});

describe('another repository', () => {
  let folder: string;
  let account: Account;

  const write = (files: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };
  const FILES = {
    'stopbath.config.json': '{}',
    'deploy/stack.cjs': `module.exports = require(${JSON.stringify(join(ROOT, 'deploy/stack.ts'))}).stackOf(require('node:path').dirname(__dirname));`,
    'deploy/storage.yml': 'Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: "${self:custom.name}-queue" }\n',
    'functions/greet/function.yml': 'description: Greets\ntimeout: 3\nmemorySize: 128\nenvironment: { GREETING: "hello from ${sls:stage}", QUEUE: { "Fn::GetAtt": [Queue, Arn] } }\n',
    'functions/greet/role.yml': '[]\n',
    'functions/greet/handler.ts': 'export const handler = (event: { name: string }): string => `${process.env["GREETING"]}, ${event.name} (${process.env["QUEUE"]})`;\n',
    'workflows/.keep': '',
    'serverless.yml': 'service: stopbath\nprovider: { name: aws }\ncustom: { name: "${self:service}-${sls:stage}" }\nfunctions:\n  greet: ${file(deploy/stack.cjs):functions.greet}\nresources:\n  - ${file(deploy/storage.yml)}\n  - Resources:\n      GreetRole: ${file(deploy/stack.cjs):roles.Resources.GreetRole}\n',
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'stopbath-root-'));
  });
  afterEach(() => account.stop());
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is deployed by the same convention', async () => {
    write(FILES);
    account = await startAccount({ root: folder });
    await account.deploy({ stage: 'test' });
    const client = new LambdaClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });
    const { Payload } = await client.send(new InvokeCommand({ FunctionName: 'stopbath-test-greet', Payload: '{"name":"Ada"}' }));
    expect(Payload?.transformToString()).toBe('"hello from test, Ada (arn:aws:sqs:us-east-1:111122223333:stopbath-test-queue)"');
  });

  it.each([
    ['a resource that the sandbox does not make', { 'deploy/storage.yml': 'Resources:\n  Host: { Type: AWS::EC2::Instance, Properties: {} }\n' }, 'Host is a AWS::EC2::Instance, which the sandbox does not make'],
    ['a variable that stands for nothing', { 'deploy/storage.yml': 'Resources:\n  Queue: { Type: AWS::SQS::Queue, Properties: { QueueName: "${self:custom.nome}" } }\n' }, '${self:custom.nome} stands for nothing'],
    ['a reference to nothing', { 'functions/greet/role.yml': '- { Effect: Allow, Action: "s3:GetObject", Resource: { Ref: Shelf } }\n' }, '${Shelf} refers to nothing in the template'],
  ])('is refused for %s', async (_, files, message) => {
    write({ ...FILES, ...files });
    account = await startAccount({ root: folder });
    await expect(account.deploy()).rejects.toThrow(message);
  });
});
