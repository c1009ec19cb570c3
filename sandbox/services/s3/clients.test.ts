import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBench, type Bench } from './harness.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('clients.py', import.meta.url));

let bench: Bench;
let answer: { readonly boto3: Readonly<Record<string, string>>; readonly cli: Readonly<Record<string, readonly [number, string]>> } | null;

beforeAll(async () => {
  bench = await startBench();
  const installed = await run('python3', ['-c', 'import boto3, awscli']).then(
    () => true,
    () => false,
  );
  if (!installed) {
    process.stdout.write('not run: S3 by boto3 and the AWS CLI, which python3 does not have here\n');
    answer = null;
    return;
  }
  const { accessKeyId, secretAccessKey } = bench.sandbox.admin;
  const { stdout } = await run('python3', [SCRIPT], {
    maxBuffer: 1e7,
    env: {
      PATH: process.env['PATH'],
      HOME: '/nonexistent',
      PYTHONDONTWRITEBYTECODE: '1',
      AWS_ENDPOINT_URL: bench.sandbox.endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  answer = JSON.parse(stdout);
});
afterAll(() => bench.stop());

describe('other clients of S3', () => {
  it('call every operation by boto3', () => {
    if (!answer) return;
    const failed = Object.entries(answer.boto3).filter(([, outcome]) => outcome !== 'ok');
    expect(failed).toEqual([]);
    const called = new Set(Object.keys(answer.boto3).map((name) => name.replaceAll('_', '').toLowerCase()));
    const missing = Object.keys(bench.service.operations).filter((name) => !called.has(name.toLowerCase()));
    expect(missing).toEqual([]);
  });

  it('work by the AWS CLI, and see AWS’s errors', () => {
    if (!answer) return;
    const { bytes, ...commands } = answer.cli;
    const failed = Object.entries(commands).filter(([, [code]]) => code !== 0);
    expect(failed.map(([line]) => line)).toEqual(['s3api get-bucket-policy --bucket cli-bucket']);
    expect(failed[0]?.[1][1]).toContain('(NoSuchBucketPolicy) when calling the GetBucketPolicy operation: The bucket policy does not exist');
    expect(bytes?.[1]).toBe('4000');
  });
});
