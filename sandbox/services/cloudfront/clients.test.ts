import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBench, type Bench } from './harness.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('clients.py', import.meta.url));

interface Answer {
  readonly boto3: Readonly<Record<string, string>>;
  readonly errors: Readonly<Record<string, string>>;
  readonly cli: readonly (readonly [line: string, code: number, output: string])[];
}

let bench: Bench;
let answer: Answer | null = null;

beforeAll(async () => {
  // Signatures carry the machine's time here, which these clients take.
  bench = await startBench({}, 'real');
  const installed = await run('python3', ['-c', 'import boto3, awscli']).then(
    () => true,
    () => false,
  );
  if (!installed) {
    process.stdout.write('not run: CloudFront by boto3 and the AWS CLI, which python3 does not have here\n');
    return;
  }
  const { accessKeyId, secretAccessKey } = bench.sandbox.admin;
  const { stdout } = await run('python3', [SCRIPT, bench.id], {
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

describe('other clients of CloudFront', () => {
  it('call every operation by boto3', () => {
    if (!answer) return;
    const called = new Set(Object.keys(answer.boto3).map((name) => name.replaceAll('_', '')));
    expect(Object.keys(bench.service.operations).filter((name) => !called.has(name.toLowerCase()))).toEqual([]);
  });

  it('see CloudFront’s errors', () => {
    if (!answer) return;
    expect(answer.errors).toEqual({
      unknown: 'An error occurred (NoSuchDistribution) when calling the GetDistribution operation: The specified distribution does not exist.',
      invalidation: 'An error occurred (NoSuchInvalidation) when calling the GetInvalidation operation: The specified invalidation does not exist.',
      'too many': 'An error occurred (TooManyInvalidationsInProgress) when calling the CreateInvalidation operation: Processing your request will cause you to exceed the maximum number of in-progress invalidations.',
      'not served': 'An error occurred (NotImplemented) when calling the ListPublicKeys operation: The sandbox does not serve cloudfront:ListPublicKeys',
      wrong: 'SignatureDoesNotMatch',
      stranger: 'InvalidClientTokenId',
    });
  });

  it('work by the AWS CLI', () => {
    if (!answer) return;
    expect(answer.cli.filter(([, code]) => code !== 0)).toEqual([]);
    expect(JSON.parse(answer.cli[2]?.[2] ?? '{}')).toMatchObject({ Invalidation: { InvalidationBatch: { Paths: { Quantity: 2, Items: ['/index.html', '#album:one'] } } } });
  });
});
