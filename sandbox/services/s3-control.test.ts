import {
  CreateAccessPointCommand,
  DeleteAccessPointCommand,
  DeleteAccessPointPolicyCommand,
  DeletePublicAccessBlockCommand,
  GetAccessPointCommand,
  GetAccessPointPolicyCommand,
  GetPublicAccessBlockCommand,
  ListAccessPointsCommand,
  PutAccessPointPolicyCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3-control';
import { CreateBucketCommand, DeletePublicAccessBlockCommand as DeleteBucketBlock, GetObjectCommand, PutBucketPolicyCommand, PutObjectCommand, PutPublicAccessBlockCommand as PutBucketBlock } from '@aws-sdk/client-s3';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { s3ControlEndpoint } from '../localhost.ts';
import { controlOf, messageOf, outcomeOf, startBench, type Bench } from './s3/harness.ts';

const run = promisify(execFile);
const AccountId = '111122223333';
const OFF = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };
const ON = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };

let bench: Bench;
let Bucket: string;
let Name: string;
let made = 0;

beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());
beforeEach(async () => {
  made++;
  [Bucket, Name] = [`doors-${made}`, `door-${made}`];
  await bench.admin.send(new CreateBucketCommand({ Bucket }));
  await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a.jpg', Body: 'jpeg' }));
});

const arn = () => `arn:aws:s3:us-east-1:${AccountId}:accesspoint/${Name}`;
const document = (...statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const everyone = () => document({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${arn()}/object/*` });
/** "Delegating access control to access points": not public, since it names the account whose access points may. */
const delegating = () => document({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, Condition: { StringEquals: { 's3:DataAccessPointAccount': AccountId } } });
const openDoor = async (block = OFF) => {
  const { Alias = '' } = await bench.control.send(new CreateAccessPointCommand({ AccountId, Name, Bucket, PublicAccessBlockConfiguration: block }));
  await bench.control.send(new PutAccessPointPolicyCommand({ AccountId, Name, Policy: everyone() }));
  await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: delegating() }));
  return Alias;
};
const anonymously = async (name: string) => (await bench.anonymous(`/${name}/a.jpg`)).status;

describe('the account’s block', () => {
  it('is absent, set, read and removed', async () => {
    expect(await outcomeOf(bench.control.send(new GetPublicAccessBlockCommand({ AccountId })))).toBe('404 NoSuchPublicAccessBlockConfiguration');
    await bench.control.send(new PutPublicAccessBlockCommand({ AccountId, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } }));
    expect((await bench.control.send(new GetPublicAccessBlockCommand({ AccountId }))).PublicAccessBlockConfiguration).toEqual({ ...OFF, RestrictPublicBuckets: true });
    await bench.control.send(new DeletePublicAccessBlockCommand({ AccountId }));
    expect(await outcomeOf(bench.control.send(new GetPublicAccessBlockCommand({ AccountId })))).toBe('404 NoSuchPublicAccessBlockConfiguration');
  });

  it('is nobody else’s: another account, a user without the permission', async () => {
    const foreign = controlOf(bench.sandbox, bench.sandbox.foreign.admin);
    const powerless = controlOf(bench.sandbox, bench.sandbox.createUser(`powerless-${made}`));
    expect(await outcomeOf(foreign.send(new GetPublicAccessBlockCommand({ AccountId })))).toBe('403 AccessDenied');
    expect(await messageOf(powerless.send(new GetPublicAccessBlockCommand({ AccountId })))).toContain('s3:GetAccountPublicAccessBlock');
    foreign.destroy();
    powerless.destroy();
    expect((await fetch(`${bench.sandbox.endpoint}/v20180820/configuration/publicAccessBlock`, { headers: { 'x-amz-account-id': AccountId } })).status).toBe(403);
  });
});

describe('access points', () => {
  it('are made with all of the block unless told, listed by bucket, and removed', async () => {
    await bench.control.send(new CreateAccessPointCommand({ AccountId, Name, Bucket }));
    await bench.control.send(new CreateAccessPointCommand({ AccountId, Name: `${Name}-vpc`, Bucket, VpcConfiguration: { VpcId: 'vpc-1' } }));
    expect(await bench.control.send(new GetAccessPointCommand({ AccountId, Name }))).toMatchObject({ Name, Bucket, NetworkOrigin: 'Internet', PublicAccessBlockConfiguration: ON, AccessPointArn: arn() });
    const first = await bench.control.send(new ListAccessPointsCommand({ AccountId, Bucket, MaxResults: 1 }));
    expect(first.AccessPointList?.map((point) => point.Name)).toEqual([Name]);
    const rest = await bench.control.send(new ListAccessPointsCommand({ AccountId, Bucket, NextToken: first.NextToken }));
    expect(rest.AccessPointList?.map((point) => [point.Name, point.NetworkOrigin])).toEqual([[`${Name}-vpc`, 'VPC']]);
    await bench.control.send(new DeleteAccessPointCommand({ AccountId, Name }));
    expect(await outcomeOf(bench.control.send(new GetAccessPointCommand({ AccountId, Name })))).toBe('404 NoSuchAccessPoint');
  });

  it('have a policy of their own, which may not be public under their own block or the account’s, whatever the bucket’s says', async () => {
    await bench.control.send(new CreateAccessPointCommand({ AccountId, Name, Bucket }));
    expect(await outcomeOf(bench.control.send(new GetAccessPointPolicyCommand({ AccountId, Name })))).toBe('404 NoSuchAccessPointPolicy');
    expect(await outcomeOf(bench.control.send(new PutAccessPointPolicyCommand({ AccountId, Name, Policy: everyone() })))).toBe('403 AccessDenied');
    await bench.control.send(new DeleteAccessPointCommand({ AccountId, Name }));
    await openDoor();
    expect((await bench.control.send(new GetAccessPointPolicyCommand({ AccountId, Name }))).Policy).toBe(everyone());
    await bench.control.send(new PutPublicAccessBlockCommand({ AccountId, PublicAccessBlockConfiguration: { BlockPublicPolicy: true } }));
    expect(await outcomeOf(bench.control.send(new PutAccessPointPolicyCommand({ AccountId, Name, Policy: everyone() })))).toBe('403 AccessDenied');
    await bench.control.send(new DeletePublicAccessBlockCommand({ AccountId }));
    await bench.control.send(new DeleteAccessPointPolicyCommand({ AccountId, Name }));
    expect(await outcomeOf(bench.control.send(new GetAccessPointPolicyCommand({ AccountId, Name })))).toBe('404 NoSuchAccessPointPolicy');
  });

  it('let the world in where their policy and the bucket’s agree, though the bucket itself is closed', async () => {
    const alias = await openDoor();
    await bench.admin.send(new DeleteBucketBlock({ Bucket }));
    expect(await anonymously(alias)).toBe(200);
    expect(await anonymously(Bucket)).toBe(403);
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket: alias, Key: 'a.jpg' })))).toBe('ok');
    expect(await outcomeOf(bench.admin.send(new PutBucketPolicyCommand({ Bucket: alias, Policy: delegating() })))).toBe('405 MethodNotAllowed');
  });

  it('are closed by the block of the bucket, of the account, or their own: any of the three', async () => {
    const alias = await openDoor();
    expect(await anonymously(alias)).toBe(403);
    await bench.admin.send(new DeleteBucketBlock({ Bucket }));
    expect(await anonymously(alias)).toBe(200);
    await bench.admin.send(new PutBucketBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } }));
    expect(await anonymously(alias)).toBe(403);
    await bench.admin.send(new DeleteBucketBlock({ Bucket }));
    await bench.control.send(new PutPublicAccessBlockCommand({ AccountId, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } }));
    expect(await anonymously(alias)).toBe(403);
    await bench.control.send(new DeletePublicAccessBlockCommand({ AccountId }));
    expect(await anonymously(alias)).toBe(200);
  });

  it('stay closed by a deny of the bucket’s policy, and by a bucket that does not allow the same', async () => {
    const alias = await openDoor();
    await bench.admin.send(new DeleteBucketBlock({ Bucket }));
    const deny = { Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`], Condition: { StringNotEquals: { 'aws:PrincipalAccount': AccountId } } };
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: document(...JSON.parse(delegating()).Statement, deny) }));
    expect(await anonymously(alias)).toBe(403);
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: document(deny) }));
    expect(await anonymously(alias)).toBe(403);
  });

  it('of a VPC are reached by nobody here', async () => {
    const { Alias = '' } = await bench.control.send(new CreateAccessPointCommand({ AccountId, Name, Bucket, VpcConfiguration: { VpcId: 'vpc-1' }, PublicAccessBlockConfiguration: OFF }));
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket: Alias, Key: 'a.jpg' })))).toBe('403 AccessDenied');
  });
});

/** boto3 and the AWS CLI too put the account before the host name; as a proxy the sandbox is reached whatever resolves. */
const SCRIPT = fileURLToPath(new URL('s3-control.py', import.meta.url));

describe('other clients of S3 Control', () => {
  it('call every operation by boto3, and work by the AWS CLI', async () => {
    const installed = await run('python3', ['-c', 'import boto3, awscli']).then(
      () => true,
      () => false,
    );
    if (!installed) return void process.stdout.write('not run: S3 Control by boto3 and the AWS CLI, which python3 does not have here\n');
    const { endpoint, admin } = bench.sandbox;
    const { stdout } = await run('python3', [SCRIPT, Bucket], {
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        PYTHONDONTWRITEBYTECODE: '1',
        HTTP_PROXY: endpoint,
        AWS_ENDPOINT_URL_S3_CONTROL: s3ControlEndpoint(endpoint),
        AWS_ACCESS_KEY_ID: admin.accessKeyId,
        AWS_SECRET_ACCESS_KEY: admin.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    const answer: { readonly boto3: Readonly<Record<string, string>>; readonly cli: readonly [number, string]; readonly error: string } = JSON.parse(stdout);
    expect(Object.entries(answer.boto3).filter(([, outcome]) => outcome !== 'ok')).toEqual([]);
    const called = new Set(Object.keys(answer.boto3).map((name) => name.replaceAll('_', '')));
    expect(Object.keys(bench.service.control.operations).filter((name) => !called.has(name.toLowerCase()))).toEqual([]);
    expect(answer.error).toBe('An error occurred (NoSuchPublicAccessBlockConfiguration) when calling the GetPublicAccessBlock operation: The public access block configuration was not found');
    expect(answer.cli).toEqual([0, 'cli-door\n']);
  });
});
