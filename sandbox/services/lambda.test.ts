import {
  AddPermissionCommand,
  CreateFunctionUrlConfigCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  PutFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { skippingClock } from '../clock.ts';
import { fetchSigned } from '../scenario/signed.ts';
import type { Credentials } from '../service.ts';
import { startTestAccount, type TestAccount } from './lambda/testing.ts';

let account: TestAccount;
let client: LambdaClient;

beforeAll(async () => {
  account = await startTestAccount({ clock: skippingClock() });
  client = clientOf(account.admin);
  account.makeFunction('echo', 'export const handler = async (event) => { console.log("seen"); return { event }; };');
  account.makeFunction('fail', 'class WrongError extends Error { name = "WrongError" }; export const handler = async () => { throw new WrongError("no"); };');
});
afterAll(() => account.stop());

const clientOf = (credentials: Credentials) => new LambdaClient({ endpoint: account.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
const decode = (payload: Uint8Array | undefined) => JSON.parse(Buffer.from(payload ?? []).toString() || 'null');

describe('Invoke', () => {
  it('answers with what the function returns, and its log where asked', async () => {
    const { StatusCode, FunctionError, ExecutedVersion, Payload, LogResult } = await client.send(
      new InvokeCommand({ FunctionName: 'echo', Payload: '{"a":1}', LogType: 'Tail' }),
    );
    expect({ StatusCode, FunctionError, ExecutedVersion, payload: decode(Payload) }).toEqual({
      StatusCode: 200,
      FunctionError: undefined,
      ExecutedVersion: '$LATEST',
      payload: { event: { a: 1 } },
    });
    expect(Buffer.from(LogResult ?? '', 'base64').toString()).toContain('seen');
  });

  it('takes a name, an ARN and a partial ARN, and no payload', async () => {
    for (const FunctionName of ['echo', 'arn:aws:lambda:us-east-1:111122223333:function:echo', '111122223333:function:echo', 'echo:$LATEST']) {
      expect(decode((await client.send(new InvokeCommand({ FunctionName }))).Payload)).toEqual({ event: {} });
    }
  });

  it('answers 200 with FunctionError where the function throws', async () => {
    const { StatusCode, FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName: 'fail' }));
    expect({ StatusCode, FunctionError }).toEqual({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(decode(Payload)).toMatchObject({ errorType: 'WrongError', errorMessage: 'no' });
  });

  it('only checks in a dry run', async () => {
    const before = account.lambda.logs.length;
    expect((await client.send(new InvokeCommand({ FunctionName: 'echo', InvocationType: 'DryRun' }))).StatusCode).toBe(204);
    expect(account.lambda.logs).toHaveLength(before);
  });

  it.each([
    ['ResourceNotFoundException', 404, { FunctionName: 'nobody' }],
    ['InvalidRequestContentException', 400, { FunctionName: 'echo', Payload: '{' }],
    ['RequestTooLargeException', 413, { FunctionName: 'echo', Payload: `"${'x'.repeat(6 * 1024 * 1024)}"` }],
    ['RequestTooLargeException', 413, { FunctionName: 'echo', InvocationType: 'Event', Payload: `"${'x'.repeat(1024 * 1024)}"` }],
  ] as const)('refuses with %s', async (name, status, input) => {
    await expect(client.send(new InvokeCommand(input))).rejects.toMatchObject({ name, $metadata: { httpStatusCode: status } });
  });

  it('refuses a function whose role Lambda cannot assume', async () => {
    account.makeFunction('roleless', 'export const handler = () => 1;', { role: 'arn:aws:iam::111122223333:role/nobody' });
    await expect(client.send(new InvokeCommand({ FunctionName: 'roleless' }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('a function', () => {
  it('runs under its own role, with what the role may do and nothing else', async () => {
    const code = `import { request } from 'node:http';
      export const handler = async () => ({ id: process.env.AWS_ACCESS_KEY_ID, token: process.env.AWS_SESSION_TOKEN !== undefined, own: process.env.OWN, region: process.env.AWS_REGION, name: process.env.AWS_LAMBDA_FUNCTION_NAME, where: process.env.AWS_ENDPOINT_URL, root: process.env.LAMBDA_TASK_ROOT });`;
    account.makeFunction('environment', code, { environment: { OWN: 'mine', AWS_REGION: 'nowhere' } });
    const seen = decode((await client.send(new InvokeCommand({ FunctionName: 'environment' }))).Payload);
    expect(seen).toMatchObject({ token: true, own: 'mine', region: 'us-east-1', name: 'environment', where: account.endpoint });
    expect(account.directory.findKey(seen.id)?.caller).toMatchObject({ principalArn: 'arn:aws:iam::111122223333:role/role-of-environment' });
  });

  it('keeps a client for hours: its credentials are renewed, in sandbox time', async () => {
    const sts = createRequire(import.meta.url).resolve('@aws-sdk/client-sts');
    const code = `import { GetCallerIdentityCommand, STSClient } from ${JSON.stringify(pathToFileURL(sts).href)};
      let client;
      export const handler = async () => (await (client ??= new STSClient({ maxAttempts: 1 })).send(new GetCallerIdentityCommand({}))).Arn;`;
    // An account of its own: clients of the others would have to correct their clocks.
    const later = await startTestAccount({ clock: skippingClock() });
    later.makeFunction('lasting', code);
    const caller = { kind: 'service', service: 'events.amazonaws.com' } as const;
    await later.world.call('lambda', 'AddPermission', { FunctionName: 'lasting', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: caller.service }, later.directory.findKey(later.root.accessKeyId)?.caller ?? caller);
    const arn = 'arn:aws:sts::111122223333:assumed-role/role-of-lasting/lasting';
    for (let hours = 0; hours < 6; hours += 2) {
      const output = await later.world.call('lambda', 'Invoke', { FunctionName: 'lasting' }, caller);
      expect(output).toMatchObject({ StatusCode: 200, Payload: Buffer.from(JSON.stringify(arn)) });
      await later.clock.sleep(2 * 3_600_000);
    }
    await later.stop();
  });

  it('is described without its code', async () => {
    expect(await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'echo' }))).toMatchObject({
      FunctionArn: 'arn:aws:lambda:us-east-1:111122223333:function:echo',
      Role: 'arn:aws:iam::111122223333:role/role-of-echo',
      Timeout: 10,
      State: 'Active',
    });
    expect((await client.send(new ListFunctionsCommand({}))).Functions?.map((fn) => fn.FunctionName)).toContain('echo');
  });
});

describe('an asynchronous invocation', () => {
  it('is tried three times, a minute and two minutes apart, and then sent to its destination', async () => {
    const sink = account.makeFunction('sink', 'export const handler = async (event) => console.log(JSON.stringify(event));');
    account.makeFunction('flaky', 'export const handler = async () => { console.log(Date.now()); throw new Error("always"); };', {
      statements: [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: sink }],
    });
    await client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'flaky', DestinationConfig: { OnFailure: { Destination: sink } } }));
    expect((await client.send(new InvokeCommand({ FunctionName: 'flaky', InvocationType: 'Event', Payload: '{"n":7}' }))).StatusCode).toBe(202);
    await account.lambda.idle();

    const times = account.lambda.logs.filter((line) => line.function === 'flaky').map((line) => Number(line.text));
    expect(times.slice(1).map((time, index) => Math.round((time - (times[index] ?? 0)) / 60_000))).toEqual([1, 2]);
    const [record] = account.lambda.logs.filter((line) => line.function === 'sink').map((line) => JSON.parse(line.text));
    expect(record).toMatchObject({
      version: '1.0',
      requestContext: { functionArn: expect.stringContaining(':function:flaky:$LATEST'), condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { n: 7 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'Error', errorMessage: 'always' },
    });
  });

  it('keeps the record where the role may not reach the destination', async () => {
    const sink = account.makeFunction('closed', 'export const handler = async () => 1;');
    account.makeFunction('alone', 'export const handler = async () => { throw new Error("x"); };');
    await client.send(
      new PutFunctionEventInvokeConfigCommand({ FunctionName: 'alone', MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: sink } } }),
    );
    await client.send(new InvokeCommand({ FunctionName: 'alone', InvocationType: 'Event' }));
    await account.lambda.idle();
    expect(account.deadLetters().at(-1)?.attributes['ERROR_MESSAGE']).toContain('lambda:InvokeFunction');
  });

  it('goes to a queue of the dead', async () => {
    account.makeFunction('queued', 'export const handler = async () => { throw new Error("x"); };');
    const Destination = 'arn:aws:sqs:us-east-1:111122223333:dead';
    await client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'queued', MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination } } }));
    await client.send(new InvokeCommand({ FunctionName: 'queued', InvocationType: 'Event', Payload: '[1]' }));
    await account.lambda.idle();
    expect(JSON.parse(account.deadLetters().at(-1)?.body ?? '')).toMatchObject({ requestPayload: [1], requestContext: { approximateInvokeCount: 1 } });
  });
});

describe('reserved concurrency', () => {
  /** Stays until the function `free` has run. */
  const HOLD = 'export const handler = async () => globalThis.free || await new Promise((resolve) => (globalThis.held ??= []).push(resolve));';
  const FREE = 'export const handler = async () => { globalThis.free = true; (globalThis.held ?? []).forEach((resolve) => resolve()); };';
  const held = async (own: TestAccount, reservedConcurrency: number) => {
    own.makeFunction('hold', HOLD, { reservedConcurrency });
    own.makeFunction('free', FREE);
    const lambda = new LambdaClient({ endpoint: own.endpoint, region: 'us-east-1', credentials: own.admin, maxAttempts: 1 });
    const invoke = async (FunctionName: string, InvocationType: 'Event' | 'RequestResponse' = 'RequestResponse') => await lambda.send(new InvokeCommand({ FunctionName, InvocationType }));
    return { lambda, invoke };
  };
  let own: TestAccount;
  afterEach(() => own.stop());

  it('refuses who waits for an answer where all places are taken, and takes none of the others', async () => {
    own = await startTestAccount({ clock: skippingClock() });
    const { lambda, invoke } = await held(own, 2);
    expect((await lambda.send(new GetFunctionCommand({ FunctionName: 'hold' }))).Concurrency).toEqual({ ReservedConcurrentExecutions: 2 });
    const three = [1, 2, 3].map(() => invoke('hold'));
    const first = await Promise.race(three.map((one) => one.catch((error: unknown) => error)));
    expect(first).toMatchObject({ name: 'TooManyRequestsException', Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded', $metadata: { httpStatusCode: 429 } });
    expect((await invoke('free')).FunctionError).toBeUndefined();
    expect((await Promise.allSettled(three)).filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    expect((await invoke('hold')).StatusCode).toBe(200);
  });

  it('keeps events in the queue, as no attempt of theirs, until there is a place', async () => {
    own = await startTestAccount({ clock: skippingClock() });
    const { lambda, invoke } = await held(own, 1);
    await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'hold', MaximumRetryAttempts: 0 }));
    await Promise.all([1, 2, 3, 4, 5].map(() => invoke('hold', 'Event')));
    expect(own.lambda.waited.get('hold')).toBe(4);
    await invoke('free');
    await own.lambda.idle();
    expect(own.lambda.concurrency.get('hold')).toMatchObject({ most: 1 });
    expect(own.lambda.invocations.filter((one) => one.function === 'hold')).toHaveLength(5);
  });

  it('leaves the others what is left of the account, and their events wait six hours at the most, with pauses that grow to five minutes', async () => {
    own = await startTestAccount({ clock: skippingClock(), unreserved: 0 });
    const sink = own.makeFunction('sink', 'export const handler = async (event) => console.log(JSON.stringify(event));', { reservedConcurrency: 1 });
    own.makeFunction('crowded', 'export const handler = async () => 1;', { statements: [{ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: sink }] });
    const lambda = new LambdaClient({ endpoint: own.endpoint, region: 'us-east-1', credentials: own.admin, maxAttempts: 1 });
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'crowded' }))).rejects.toMatchObject({ Reason: 'ConcurrentInvocationLimitExceeded' });
    await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'crowded', DestinationConfig: { OnFailure: { Destination: sink } } }));
    const begun = own.clock.now();
    await lambda.send(new InvokeCommand({ FunctionName: 'crowded', InvocationType: 'Event', Payload: '{"n":7}' }));
    await own.lambda.idle();
    const [record] = own.lambda.logs.map((line) => JSON.parse(line.text));
    expect(record).toMatchObject({ requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 0 }, requestPayload: { n: 7 } });
    expect(record).not.toHaveProperty('responsePayload');
    const minutes = (Date.parse(record.timestamp) - begun) / 60_000;
    expect(minutes).toBeGreaterThan(354);
    expect(minutes).toBeLessThanOrEqual(360);
    // Pauses of two and a half to five minutes, after some that are shorter.
    const { throttled } = own.lambda.concurrency.get('crowded') ?? { throttled: 0 };
    expect(throttled).toBeGreaterThan(72);
    expect(throttled).toBeLessThan(160);
  });
});

describe('who may invoke', () => {
  const invoke = (credentials: Credentials, FunctionName = 'guarded') => clientOf(credentials).send(new InvokeCommand({ FunctionName }));

  it('is said by the caller\'s policies or, in the account, by the function\'s', async () => {
    account.makeFunction('guarded', 'export const handler = async () => 1;');
    const nobody = account.createUser('nobody');
    await expect(invoke(nobody)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'User: arn:aws:iam::111122223333:user/nobody is not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:111122223333:function:guarded because no identity-based policy allows the lambda:InvokeFunction action',
    });
    const permission = { FunctionName: 'guarded', StatementId: 'nobody', Action: 'lambda:InvokeFunction', Principal: 'arn:aws:iam::111122223333:user/nobody' };
    await client.send(new AddPermissionCommand(permission));
    expect((await invoke(nobody)).StatusCode).toBe(200);
    await expect(client.send(new AddPermissionCommand(permission))).rejects.toMatchObject({ name: 'ResourceConflictException' });
    expect(JSON.parse((await client.send(new GetPolicyCommand({ FunctionName: 'guarded' }))).Policy ?? '')).toMatchObject({ Statement: [{ Sid: 'nobody' }] });
  });

  it('is said by both for a caller of another account', async () => {
    const FunctionName = account.makeFunction('shared', 'export const handler = async () => 1;');
    await expect(invoke(account.foreign.admin, FunctionName)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await client.send(new AddPermissionCommand({ FunctionName, StatementId: 'them', Action: 'lambda:InvokeFunction', Principal: account.accounts.foreign }));
    expect((await invoke(account.foreign.admin, FunctionName)).StatusCode).toBe(200);
  });
});

describe('a function URL', () => {
  const signed = (credentials: Credentials, url: string, init: { readonly method?: string; readonly body?: string } = {}) =>
    fetchSigned({ service: 'lambda', region: 'us-east-1', credentials, method: 'GET', url: new URL(url), now: account.clock.now(), ...init });
  const viaUrl = { Principal: 'arn:aws:iam::111122223333:user/caller', FunctionName: 'web' };
  let url: string;
  let caller: Credentials;

  beforeAll(async () => {
    account.makeFunction('web', 'export const handler = async (event) => event.rawPath === "/teapot" ? { statusCode: 418, headers: { "X-Tea": "yes" }, body: "short and stout" } : event;');
    caller = account.createUser('caller');
    const made = await client.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'web', AuthType: 'AWS_IAM' }));
    url = made.FunctionUrl ?? '';
    await client.send(new AddPermissionCommand({ ...viaUrl, StatementId: 'url', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'AWS_IAM' }));
  });

  it('asks for the permission to invoke beside the one for the URL', async () => {
    const refused = await signed(caller, url);
    expect([refused.status, refused.headers.get('x-amzn-errortype')]).toEqual([403, 'AccessDeniedException']);
    await client.send(new AddPermissionCommand({ ...viaUrl, StatementId: 'invoke', Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true }));
    expect((await signed(caller, url)).status).toBe(200);
  });

  it('tells the function who called, verified', async () => {
    const response = await signed(caller, `${url}incidents/a%20b?x=1&y=2`, { method: 'POST', body: '{"requestContext":"forged"}' });
    expect(await response.json()).toMatchObject({
      version: '2.0',
      rawPath: '/incidents/a%20b',
      queryStringParameters: { x: '1', y: '2' },
      body: '{"requestContext":"forged"}',
      isBase64Encoded: false,
      requestContext: {
        accountId: '111122223333',
        authorizer: { iam: { accessKey: caller.accessKeyId, accountId: '111122223333', userArn: 'arn:aws:iam::111122223333:user/caller', cognitoIdentity: null } },
        http: { method: 'POST', path: '/incidents/a b', sourceIp: '127.0.0.1' },
      },
    });
  });

  it('answers as the function says', async () => {
    const response = await signed(caller, `${url}teapot`);
    expect([response.status, response.headers.get('x-tea'), await response.text()]).toEqual([418, 'yes', 'short and stout']);
  });

  it('does not open the function to a direct Invoke with an invented caller', async () => {
    const forged = JSON.stringify({ requestContext: { authorizer: { iam: { userArn: 'arn:aws:iam::111122223333:user/admin' } } } });
    await expect(clientOf(caller).send(new InvokeCommand({ FunctionName: 'web', Payload: forged }))).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('refuses the anonymous and the unknown', async () => {
    expect((await fetch(url)).status).toBe(403);
    expect((await signed(caller, `${account.endpoint}/lambda-url/nobody/`)).status).toBe(403);
    expect((await signed({ ...caller, secretAccessKey: 'wrong' }, url)).status).toBe(403);
  });

  it('is shown as CreateFunctionUrlConfig made it', async () => {
    expect(await client.send(new GetFunctionUrlConfigCommand({ FunctionName: 'web' }))).toMatchObject({ FunctionUrl: url, AuthType: 'AWS_IAM' });
    await expect(client.send(new GetFunctionUrlConfigCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
