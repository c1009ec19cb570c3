import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import * as s3 from '@aws-sdk/client-s3';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { skippingClock } from './clock.ts';
import { startSandbox } from './sandbox.ts';
import type { Sandbox } from './sandbox.ts';
import type { Call, Caller, Credentials, Service } from './service.ts';

const HOME = '111122223333';
let sandbox: Sandbox;
let seen: Call | undefined;
let stored: unknown;
const clients: { destroy(): void }[] = [];

/** S3 as far as the door needs it: anyone may get, and is remembered. */
const bucket: Service = {
  name: 's3',
  sdk: s3,
  protocol: 'rest-xml',
  authorize: () => undefined,
  operations: {
    GetObject: {
      run: (_, call) => {
        seen = call;
        return { Body: Buffer.from('picture') };
      },
    },
    PutObject: {
      run: (input) => {
        stored = input;
        return {};
      },
    },
  },
};

beforeEach(async () => {
  seen = undefined;
  sandbox = await startSandbox({ clock: skippingClock(), services: () => [bucket] });
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await sandbox.stop();
});

function using<T extends { destroy(): void }>(Client: new (config: { endpoint: string; region: string; credentials: Credentials; maxAttempts: number; forcePathStyle: boolean }) => T, credentials = sandbox.admin, maxAttempts = 1): T {
  const client = new Client({ endpoint: sandbox.endpoint, region: 'us-east-1', credentials, maxAttempts, forcePathStyle: true });
  clients.push(client);
  return client;
}

/** The error's name and status, or `ok`. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    if (!(error instanceof Error) || !('$metadata' in error)) throw error;
    const { httpStatusCode } = error.$metadata as { readonly httpStatusCode?: number };
    return `${error.name} ${httpStatusCode}`;
  }
}

const every = (credentials: Credentials, attempts = 1) =>
  Promise.all([
    outcome(using(s3.S3Client, credentials, attempts).send(new s3.GetObjectCommand({ Bucket: 'family', Key: 'a' }))),
    outcome(using(STSClient, credentials, attempts).send(new GetCallerIdentityCommand({}))),
    outcome(using(DynamoDBClient, credentials, attempts).send(new ListTablesCommand({}))),
  ]);

describe('who may come in', () => {
  it('is whoever signs with a key that is known', async () => {
    expect(await every(sandbox.admin)).toEqual(['ok', 'ok', 'ok']);
  });

  it('is refused in the words of each service', async () => {
    const unknown = { accessKeyId: 'AKIAUNKNOWN000000000', secretAccessKey: 'x' };
    expect(await every(unknown)).toEqual(['InvalidAccessKeyId 403', 'InvalidClientTokenId 403', 'UnrecognizedClientException 400']);
    const wrong = { ...sandbox.admin, secretAccessKey: 'wrong' };
    expect(await every(wrong)).toEqual(['SignatureDoesNotMatch 403', 'SignatureDoesNotMatch 403', 'InvalidSignatureException 400']);
    const token = { ...sandbox.admin, sessionToken: 'made-up' };
    expect(await every(token)).toEqual(['InvalidToken 400', 'InvalidClientTokenId 403', 'UnrecognizedClientException 400']);
  });

  it('cannot use a session without its token, nor after it ends', async () => {
    const role = sandbox.createRole('visitor', {
      trust: { Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${HOME}:user/admin` }, Action: 'sts:AssumeRole' }] },
      policy: { Statement: [{ Effect: 'Allow', Action: 'dynamodb:ListTables', Resource: '*' }] },
    });
    const { Credentials: given } = await using(STSClient).send(new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'me', DurationSeconds: 900 }));
    const session = { accessKeyId: given?.AccessKeyId ?? '', secretAccessKey: given?.SecretAccessKey ?? '', sessionToken: given?.SessionToken ?? '' };
    expect(await every(session)).toEqual(['ok', 'ok', 'ok']);
    const { sessionToken: _, ...bare } = session;
    expect(await every(bare)).toEqual(['InvalidToken 400', 'InvalidClientTokenId 403', 'UnrecognizedClientException 400']);
    await sandbox.clock.sleep(900_000);
    expect(await every(session, 2)).toEqual(['ExpiredToken 400', 'ExpiredToken 403', 'ExpiredTokenException 400']);
  });

  it('is nobody at all for S3 alone', async () => {
    expect(await (await fetch(`${sandbox.endpoint}/family/a`, { headers: { referer: 'https://x.example/' } })).text()).toBe('picture');
    expect(seen).toMatchObject({ caller: { kind: 'anonymous' }, authType: 'none', sourceIp: '127.0.0.1', context: { 'aws:referer': 'https://x.example/' } });
    const json = await fetch(sandbox.endpoint, { method: 'POST', headers: { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' }, body: '{}' });
    expect([json.status, await json.json()]).toEqual([400, expect.objectContaining({ __type: 'MissingAuthenticationTokenException' })]);
    const query = await fetch(sandbox.endpoint, { method: 'POST', body: new URLSearchParams({ Action: 'GetCallerIdentity', Version: '2011-06-15' }) });
    expect([query.status, await query.text()]).toEqual([403, expect.stringContaining('<Code>MissingAuthenticationToken</Code>')]);
  });

  it('may present a URL until it ends', async () => {
    const url = await getSignedUrl(using(s3.S3Client), new s3.GetObjectCommand({ Bucket: 'family', Key: 'a b' }), { expiresIn: 60 });
    expect((await fetch(url)).status).toBe(200);
    expect(seen).toMatchObject({ authType: 'REST-QUERY-STRING', caller: { kind: 'user', account: HOME } });
    expect(Number(seen?.context?.['s3:signatureage'])).toBeGreaterThanOrEqual(0);
    expect((await fetch(url.replace('a%20b', 'a%20c'))).status).toBe(403);
    await sandbox.clock.sleep(62_000);
    expect(await (await fetch(url)).text()).toContain('<Message>Request has expired</Message>');
  });
});

describe('time', () => {
  it('is the sandbox’s: a client that is days behind is told so, corrects itself and goes on', async () => {
    await sandbox.clock.sleep(3 * 86_400_000);
    expect(await outcome(using(DynamoDBClient).send(new ListTablesCommand({})))).toBe('InvalidSignatureException 400');
    expect(await outcome(using(s3.S3Client).send(new s3.GetObjectCommand({ Bucket: 'family', Key: 'a' })))).toBe('RequestTimeTooSkewed 403');
    expect(await outcome(using(DynamoDBClient, sandbox.admin, 2).send(new ListTablesCommand({})))).toBe('ok');
    expect(await outcome(using(IAMClient, sandbox.admin, 2).send(new ListRolesCommand({})))).toBe('ok');
    expect(await outcome(using(s3.S3Client, sandbox.admin, 2).send(new s3.GetObjectCommand({ Bucket: 'family', Key: 'a' })))).toBe('ok');
  });

  it('stands still while a request is served', async () => {
    const before = sandbox.clock.now();
    const sleeping = sandbox.clock.sleep(3_600_000);
    await sandbox.world.clock.work(async () => {
      await using(DynamoDBClient).send(new ListTablesCommand({}));
      expect(sandbox.clock.now() - before).toBeLessThan(60_000);
    });
    await sleeping;
    expect(sandbox.clock.now() - before).toBeGreaterThanOrEqual(3_600_000);
  });
});

describe('bodies', () => {
  it('may come in unsigned chunks with a checksum behind them, from anonymous clients too', async () => {
    const put = (trailer: string, size = 7) =>
      fetch(`${sandbox.endpoint}/family/a`, {
        method: 'PUT',
        headers: { 'content-encoding': 'aws-chunked', 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'x-amz-trailer': 'x-amz-checksum-sha1', 'x-amz-decoded-content-length': String(size) },
        body: `4\r\npict\r\n3\r\nure\r\n0\r\nx-amz-checksum-sha1:${trailer}\r\n\r\n`,
      });
    expect((await put('EQp1ouZKROM/8fMDYb86MENHeaE=')).status).toBe(400);
    expect(stored).toBeUndefined();
    const right = await crypto.subtle.digest('SHA-1', Buffer.from('picture')).then((digest) => Buffer.from(digest).toString('base64'));
    expect((await put(right)).status).toBe(200);
    expect(stored).toMatchObject({ Body: Buffer.from('picture'), ChecksumSHA1: right });
    expect(stored).not.toHaveProperty('ContentEncoding');
    expect(await (await put(right, 8)).text()).toContain('<Code>IncompleteBody</Code>');
  });
});

describe('what is not here', () => {
  it('answers 501 with its name', async () => {
    // Signed for a service that the sandbox has not.
    const authorization = `AWS4-HMAC-SHA256 Credential=${sandbox.admin.accessKeyId}/20260101/us-east-1/kms/aws4_request,SignedHeaders=host,Signature=0`;
    const response = await fetch(sandbox.endpoint, { method: 'POST', headers: { authorization, 'x-amz-target': 'TrentService.Sign', 'content-type': 'application/x-amz-json-1.1' }, body: '{}' });
    expect([response.status, await response.json()]).toEqual([501, expect.objectContaining({ __type: 'NotImplemented', message: "The sandbox has no service 'kms'" })]);
  });
});

describe('permissions', () => {
  const list = (credentials: Credentials) => using(DynamoDBClient, credentials).send(new ListTablesCommand({}));

  it('are the caller’s policies, and refusals say which one is missing', async () => {
    const reader = sandbox.createUser('reader', { Statement: [{ Effect: 'Allow', Action: 'dynamodb:List*', Resource: '*' }] });
    const nobody = sandbox.createUser('nobody');
    const denied = sandbox.createUser('denied', { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }, { Effect: 'Deny', Action: 'dynamodb:*', Resource: '*' }] });
    expect(await outcome(list(reader))).toBe('ok');
    await expect(list(nobody)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: `User: arn:aws:iam::${HOME}:user/nobody is not authorized to perform: dynamodb:ListTables on resource: * because no identity-based policy allows the dynamodb:ListTables action`,
    });
    await expect(list(denied)).rejects.toThrow('with an explicit deny in an identity-based policy');
    await expect(using(IAMClient, nobody).send(new ListRolesCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await outcome(list(sandbox.root))).toBe('ok');
  });

  it('end where a role was dropped, made again or not', async () => {
    const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] };
    const policy = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    const session = sandbox.world.credentials(sandbox.createRole('worker', { trust, policy }), 'run', 'lambda.amazonaws.com');
    expect(await outcome(list(session))).toBe('ok');
    sandbox.createRole('worker', { trust, policy });
    expect(await outcome(list(session))).toBe('UnrecognizedClientException 400');
  });

  it('let a service assume only a role that trusts it, for the account that it says', () => {
    const statement = (more: object) => ({ Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole', ...more }] });
    const role = sandbox.createRole('worker', { trust: statement({ Condition: { StringEquals: { 'aws:SourceAccount': HOME } } }) });
    const other = sandbox.createRole('other', { trust: statement({ Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:lambda:*:*:function:other' } } }) });
    expect(sandbox.world.assume(role, 'run', 'lambda.amazonaws.com')).toMatchObject({ kind: 'role', arn: `arn:aws:sts::${HOME}:assumed-role/worker/run` });
    expect(() => sandbox.world.assume(role, 'run', 'states.amazonaws.com')).toThrow('is not authorized to perform: sts:AssumeRole');
    expect(() => sandbox.world.assume(other, 'run', 'lambda.amazonaws.com')).toThrow('sts:AssumeRole');
    expect(sandbox.world.assume(other, 'run', 'lambda.amazonaws.com', `arn:aws:lambda:us-east-1:${HOME}:function:other`)).toMatchObject({ kind: 'role' });
    expect(() => sandbox.world.assume(`${role}x`, 'run', 'lambda.amazonaws.com')).toThrow('sts:AssumeRole');
  });
});

describe('faults and records', () => {
  const caller: Caller = { kind: 'root', account: HOME, principalArn: `arn:aws:iam::${HOME}:root`, arn: `arn:aws:iam::${HOME}:root`, userId: HOME };

  it('strike the calls they name, as often as they say, over HTTP and inside alike', async () => {
    sandbox.inject({ service: 'dynamodb', operation: 'ListTables', from: 2, times: 2, code: 'ThrottlingException', message: 'slow down' });
    const inside = () => sandbox.world.call('dynamodb', 'ListTables', {}, caller).then(() => 'ok', (error: unknown) => Reflect.get(Object(error), 'code'));
    expect(await inside()).toBe('ok');
    expect(await outcome(using(DynamoDBClient).send(new ListTablesCommand({})))).toBe('ThrottlingException 400');
    expect(await inside()).toBe('ThrottlingException');
    expect(await inside()).toBe('ok');
    sandbox.inject({ service: 'dynamodb', operation: 'ListTables', role: 'somebody-else', code: 'X' });
    expect(await inside()).toBe('ok');
    sandbox.inject({ service: 'dynamodb', operation: 'ListTables', times: 9, code: 'X' });
    sandbox.clearFaults();
    expect(await inside()).toBe('ok');
  });

  it('may strike after the effect', async () => {
    sandbox.inject({ service: 's3', operation: 'GetObject', when: 'after', code: 'InternalError', status: 500 });
    expect((await fetch(`${sandbox.endpoint}/family/a`)).status).toBe(500);
    expect(seen).toBeDefined();
  });

  it('are kept of every call, with who, what it needed and how it ended', async () => {
    await using(DynamoDBClient).send(new ListTablesCommand({}));
    await outcome(using(DynamoDBClient, sandbox.createUser('nobody')).send(new ListTablesCommand({})));
    expect(sandbox.calls).toMatchObject([
      { service: 'dynamodb', operation: 'ListTables', caller: `arn:aws:iam::${HOME}:user/admin`, needs: [{ action: 'dynamodb:ListTables', resource: '*' }], status: 200, error: null },
      { service: 'dynamodb', operation: 'ListTables', caller: `arn:aws:iam::${HOME}:user/nobody`, status: 400, error: 'AccessDeniedException' },
    ]);
  });
});

describe('rest', () => {
  it('is when nothing is at work or due', async () => {
    const done: string[] = [];
    void sandbox.clock.sleep(60_000).then(async () => {
      done.push('slept');
      await sandbox.clock.sleep(60_000);
      done.push('slept again');
    });
    await sandbox.idle();
    expect(done).toEqual(['slept', 'slept again']);
  });
});
