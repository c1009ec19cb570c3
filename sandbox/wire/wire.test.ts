import { get } from 'node:http';
import { Readable } from 'node:stream';
import * as lambda from '@aws-sdk/client-lambda';
import * as s3 from '@aws-sdk/client-s3';
import * as sfn from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSandbox } from '../sandbox.ts';
import type { Sandbox } from '../sandbox.ts';
import { AwsError } from '../service.ts';
import type { HttpRequest, Operation, Service } from '../service.ts';
import { jsonProtocol } from './json.ts';
import { modelOf } from './model.ts';
import { readRequest } from './protocol.ts';

/** What the operation last received, and what it is to return: the codec is tested by what an SDK client makes of both. */
let received: unknown;
let returned: object | AwsError = {};

const echo: Operation = {
  run: (input) => {
    received = input;
    if (returned instanceof AwsError) throw returned;
    return returned;
  },
};
const service = (name: string, sdk: Service['sdk'], protocol: Service['protocol'], operations: readonly string[]): Service => ({
  name,
  sdk,
  protocol,
  operations: Object.fromEntries(operations.map((operation) => [operation, echo])),
  authorize: () => undefined,
});

let sandbox: Sandbox;
let objects: s3.S3Client;
let functions: lambda.LambdaClient;
let machines: sfn.SFNClient;

beforeAll(async () => {
  sandbox = await startSandbox({
    services: () => [
      service('s3', s3, 'rest-xml', [
        'CopyObject', 'DeleteBucket', 'DeleteObjects', 'GetBucketAcl', 'GetBucketLifecycleConfiguration', 'GetBucketPolicy', 'GetObject',
        'HeadObject', 'ListBuckets', 'ListObjectsV2', 'PutBucketLifecycleConfiguration', 'PutBucketPolicy', 'PutObject', 'PutPublicAccessBlock', 'UploadPart',
      ]),
      service('lambda', lambda, 'rest-json', ['Invoke', 'GetFunctionConfiguration', 'CreateFunctionUrlConfig', 'ListFunctions']),
      service('states', sfn, 'json-1.0', ['DescribeExecution', 'StartExecution', 'GetExecutionHistory']),
    ],
  });
  const client = { endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin, maxAttempts: 1 };
  objects = new s3.S3Client({ ...client, forcePathStyle: true });
  functions = new lambda.LambdaClient(client);
  machines = new sfn.SFNClient(client);
});
afterAll(async () => {
  for (const client of [objects, functions, machines]) client.destroy();
  await sandbox.stop();
});
beforeEach(() => {
  received = undefined;
  returned = {};
});

const bytes = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString() : undefined);
const member = (name: string): unknown => (typeof received === 'object' && received !== null && name in received ? Reflect.get(received, name) : undefined);
const failure = (call: Promise<unknown>) => call.then(() => 'ok', (error: unknown) => error);

describe('rest-xml', () => {
  it('reads path, headers, metadata and body of an object, whatever its key', async () => {
    const expires = new Date('2027-01-02T03:04:05Z');
    const Key = 'álbum/ü 1+2&3=%2F?#~(x)*!\'/./..//a.jpg';
    await objects.send(new s3.PutObjectCommand({ Bucket: 'family', Key, Body: 'picture', ContentType: 'image/jpeg', IfNoneMatch: '*', Expires: expires, Metadata: { owner: 'rosa' }, Tagging: 'a=b&c=d' }));
    expect(received).toMatchObject({ Bucket: 'family', Key, ContentType: 'image/jpeg', IfNoneMatch: '*', Metadata: { owner: 'rosa' }, Tagging: 'a=b&c=d' });
    expect(bytes(member('Body'))).toBe('picture');
    expect(member('ChecksumCRC32')).toMatch(/^[\w+/]{6}==$/);
  });

  it('reads a streamed body, framed in chunks with its checksum behind it', async () => {
    const Body = Readable.from([Buffer.from('pic'), Buffer.from('ture')]);
    await objects.send(new s3.PutObjectCommand({ Bucket: 'family', Key: 'a', Body, ContentLength: 7, ChecksumAlgorithm: 'SHA256' }));
    expect(bytes(member('Body'))).toBe('picture');
  });

  it('tells operations apart that share method and path', async () => {
    returned = { CopyObjectResult: { ETag: '"e"' } };
    await objects.send(new s3.CopyObjectCommand({ Bucket: 'family', Key: 'b', CopySource: 'family/a' }));
    expect(member('CopySource')).toBe('family/a');
    await objects.send(new s3.UploadPartCommand({ Bucket: 'family', Key: 'b', PartNumber: 2, UploadId: 'u', Body: 'x' }));
    expect(member('PartNumber')).toBe(2);
    await objects.send(new s3.ListObjectsV2Command({ Bucket: 'family', Prefix: 'a/', MaxKeys: 3, FetchOwner: true }));
    expect(received).toEqual({ Bucket: 'family', Prefix: 'a/', MaxKeys: 3, FetchOwner: true });
    await objects.send(new s3.ListBucketsCommand({}));
    expect(received).toEqual({});
  });

  it('reads XML payloads: lists flat and wrapped, unions, dates, and text that needs escaping', async () => {
    const LifecycleConfiguration: s3.BucketLifecycleConfiguration = {
      Rules: [
        { ID: 'a<&>"b', Status: 'Enabled', Filter: { Prefix: 'x/' }, Expiration: { Date: new Date('2027-01-01T00:00:00Z') }, Transitions: [{ Days: 30, StorageClass: 'GLACIER' }] },
        { ID: 'two', Status: 'Disabled', Filter: { And: { Prefix: 'y', Tags: [{ Key: 'k', Value: 'v' }] } }, NoncurrentVersionExpiration: { NoncurrentDays: 1 } },
      ],
    };
    await objects.send(new s3.PutBucketLifecycleConfigurationCommand({ Bucket: 'family', LifecycleConfiguration }));
    expect(member('LifecycleConfiguration')).toEqual(LifecycleConfiguration);
    const block = { BlockPublicAcls: true, IgnorePublicAcls: false, BlockPublicPolicy: true, RestrictPublicBuckets: false };
    await objects.send(new s3.PutPublicAccessBlockCommand({ Bucket: 'family', PublicAccessBlockConfiguration: block }));
    expect(member('PublicAccessBlockConfiguration')).toEqual(block);
    await objects.send(new s3.PutBucketPolicyCommand({ Bucket: 'family', Policy: '{"Statement": "<&>"}\r\n' }));
    expect(member('Policy')).toBe('{"Statement": "<&>"}\r\n');
  });

  it('writes what a client reads back: XML, headers, metadata, bodies, dates', async () => {
    const acl = { Owner: { ID: 'o' }, Grants: [{ Grantee: { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/global/AllUsers' }, Permission: 'READ' as const }] };
    returned = acl;
    expect(await objects.send(new s3.GetBucketAclCommand({ Bucket: 'family' }))).toMatchObject(acl);
    const list = { Name: 'family', KeyCount: 1, Contents: [{ Key: 'a <b>&\u00e9', Size: 3, ETag: '"e"', LastModified: new Date('2026-01-01T00:00:00.123Z') }], CommonPrefixes: [{ Prefix: 'x/' }] };
    returned = list;
    expect(await objects.send(new s3.ListObjectsV2Command({ Bucket: 'family' }))).toMatchObject(list);
    returned = { Body: Buffer.from([0, 255, 10]), ContentType: 'image/jpeg', Metadata: { Owner: 'rosa' }, LastModified: new Date('2026-01-01T00:00:00Z'), ContentRange: 'bytes 0-2/9' };
    const object = await objects.send(new s3.GetObjectCommand({ Bucket: 'family', Key: 'a', Range: 'bytes=0-2' }));
    expect([...((await object.Body?.transformToByteArray()) ?? [])]).toEqual([0, 255, 10]);
    expect(object).toMatchObject({ ContentType: 'image/jpeg', ContentLength: 3, Metadata: { owner: 'rosa' }, LastModified: new Date('2026-01-01T00:00:00Z'), $metadata: { httpStatusCode: 206 } });
    returned = { ContentLength: 12 };
    expect(await objects.send(new s3.HeadObjectCommand({ Bucket: 'family', Key: 'a' }))).toMatchObject({ ContentLength: 12 });
    returned = { Policy: '{}' };
    expect(await objects.send(new s3.GetBucketPolicyCommand({ Bucket: 'family' }))).toMatchObject({ Policy: '{}' });
    returned = {};
    expect(await objects.send(new s3.DeleteBucketCommand({ Bucket: 'family' }))).toMatchObject({ $metadata: { httpStatusCode: 204 } });
  });

  it('writes errors without a wrapper, escaped, with the fields and the request id', async () => {
    returned = new AwsError('NoSuchKey', 'The <specified> key & more', 404, { Key: 'a<b' });
    const error = await failure(objects.send(new s3.GetObjectCommand({ Bucket: 'family', Key: 'a' })));
    expect(error).toBeInstanceOf(s3.NoSuchKey);
    expect(error).toMatchObject({ message: 'The <specified> key & more', Key: 'a<b', $metadata: { httpStatusCode: 404, requestId: expect.stringMatching(/./) } });
    const response = await fetch(`${sandbox.endpoint}/family/a`);
    expect(await response.text()).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<Error><Code>NoSuchKey<\/Code><Message>The &lt;specified&gt; key/);
    expect(response.headers.get('content-type')).toBe('application/xml');
    expect((await failure(objects.send(new s3.HeadObjectCommand({ Bucket: 'family', Key: 'a' })))) instanceof s3.NotFound).toBe(true);
  });

  it('lets no text of ours break out of a header', async () => {
    returned = { Metadata: { note: 'a\r\nSet-Cookie: b' }, Body: 'x' };
    const response = await fetch(`${sandbox.endpoint}/family/a`);
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(response.headers.get('x-amz-meta-note')).toBe('a  Set-Cookie: b');
  });

  it.each(['family.s3.us-east-1.amazonaws.com', 'family.s3.amazonaws.com:80', 'family.localhost:4566', 'family.s3.localhost'])('finds the bucket in the host %s', async (host) => {
    await new Promise((resolve) => get(`${sandbox.endpoint}/a/b`, { headers: { host } }, (response) => response.resume().on('end', resolve)));
    expect(received).toMatchObject({ Bucket: 'family', Key: 'a/b' });
  });

  it.each([
    ['not XML', '<a><b></a>'],
    ['XML of another type', '<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>many</Days></Expiration></Rule></LifecycleConfiguration>'],
    ['required members left out', '<LifecycleConfiguration><Rule><ID>x</ID></Rule></LifecycleConfiguration>'],
  ])('refuses a payload that is %s', async (_, body) => {
    const response = await fetch(`${sandbox.endpoint}/family?lifecycle`, { method: 'PUT', body });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('<Code>MalformedXML</Code>')]);
    expect(received).toBeUndefined();
  });

  it('refuses a body that is not the one its checksum was made of', async () => {
    const put = (headers: Readonly<Record<string, string>>) => fetch(`${sandbox.endpoint}/family/a`, { method: 'PUT', body: 'picture', headers }).then((response) => response.text());
    expect(await put({ 'x-amz-checksum-crc32': 'AAAAAA==' })).toContain('<Code>BadDigest</Code>');
    expect(await put({ 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' })).toContain('<Code>BadDigest</Code>');
    expect(await put({ 'content-md5': 'short' })).toContain('<Code>InvalidDigest</Code>');
    expect(await put({ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' })).toContain('<Code>BadDigest</Code>');
    expect(received).toBeUndefined();
  });
});

describe('rest-json', () => {
  it('reads labels, queries, headers and raw payloads, and answers with them', async () => {
    returned = { StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from('{"a":1}') };
    const FunctionName = 'arn:aws:lambda:us-east-1:111122223333:function:stopbath-dev-triage';
    const output = await functions.send(new lambda.InvokeCommand({ FunctionName, Qualifier: '$LATEST', InvocationType: 'RequestResponse', Payload: '{"é":true}' }));
    expect(received).toMatchObject({ FunctionName, Qualifier: '$LATEST', InvocationType: 'RequestResponse' });
    expect(bytes(member('Payload'))).toBe('{"é":true}');
    expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
    expect(output.Payload?.transformToString()).toBe('{"a":1}');
  });

  it('reads and writes JSON bodies beside labels', async () => {
    returned = { FunctionUrl: 'http://x', FunctionArn: 'arn', AuthType: 'AWS_IAM', CreationTime: '2026-01-01T00:00:00Z' };
    const output = await functions.send(new lambda.CreateFunctionUrlConfigCommand({ FunctionName: 'f', AuthType: 'AWS_IAM', Cors: { AllowOrigins: ['*'] } }));
    expect(received).toEqual({ FunctionName: 'f', AuthType: 'AWS_IAM', Cors: { AllowOrigins: ['*'] } });
    expect(output).toMatchObject({ FunctionUrl: 'http://x', $metadata: { httpStatusCode: 201 } });
  });

  it('writes errors as the client’s classes', async () => {
    returned = new AwsError('ResourceNotFoundException', 'Function not found', 404, { Type: 'User' });
    const error = await failure(functions.send(new lambda.GetFunctionConfigurationCommand({ FunctionName: 'f' })));
    expect(error).toBeInstanceOf(lambda.ResourceNotFoundException);
    expect(error).toMatchObject({ message: 'Function not found', Type: 'User' });
  });
});

describe('json', () => {
  it('reads and writes dates and nested lists, and every error as its class', async () => {
    const startDate = new Date('2026-01-01T00:00:00.125Z');
    returned = { executionArn: 'arn', stateMachineArn: 'm', status: 'RUNNING', startDate };
    expect(await machines.send(new sfn.DescribeExecutionCommand({ executionArn: 'arn' }))).toMatchObject({ ...returned });
    returned = { events: [{ id: 1, timestamp: startDate, type: 'ExecutionStarted', executionStartedEventDetails: { input: '{"a":"é"}' } }] };
    expect(await machines.send(new sfn.GetExecutionHistoryCommand({ executionArn: 'arn' }))).toMatchObject({ ...returned });
    returned = new AwsError('ExecutionAlreadyExists', 'Execution Already Exists');
    expect(await failure(machines.send(new sfn.StartExecutionCommand({ stateMachineArn: 'm' })))).toBeInstanceOf(sfn.ExecutionAlreadyExists);
  });

  it.each([
    ['nothing where something is required', '{}', 'ValidationException', "Value null at 'executionArn'"],
    ['another type', '{"executionArn": 7}', 'SerializationException', 'executionArn'],
    ['no JSON', '{"executionArn"', 'SerializationException', ''],
    ['no object', '[]', 'SerializationException', ''],
    ['null', 'null', 'SerializationException', ''],
  ])('refuses %s', (_, body, code, message) => {
    expect(() => readRequest(jsonProtocol('json-1.0', modelOf(sfn)), modelOf(sfn), describeExecution(body))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });
});

describe('operations that are not served', () => {
  it('are named, with 501', async () => {
    const calls = [
      failure(objects.send(new s3.GetBucketAnalyticsConfigurationCommand({ Bucket: 'family', Id: 'x' }))),
      failure(machines.send(new sfn.CreateActivityCommand({ name: 'x' }))),
      failure(functions.send(new lambda.PublishVersionCommand({ FunctionName: 'x' }))),
    ];
    const named = (await Promise.all(calls)).map((error) => [Reflect.get(Object(error), 'name'), Reflect.get(Object(error), 'message')]);
    expect(named).toEqual([
      ['NotImplemented', 'The sandbox does not serve s3:GetBucketAnalyticsConfiguration'],
      ['NotImplemented', 'The sandbox does not serve states:CreateActivity'],
      ['NotImplemented', 'The sandbox does not serve lambda:PublishVersion'],
    ]);
  });
});

function describeExecution(body: string): HttpRequest {
  return { method: 'POST', host: '', path: '/', query: new URLSearchParams(), headers: { 'x-amz-target': 'AWSStepFunctions.DescribeExecution' }, body: Buffer.from(body) };
}
