import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBench, type Bench } from './harness.ts';
import { askOtherClients } from '../other-clients.ts';

let bench: Bench;
let answer: { readonly boto3: Readonly<Record<string, string>>; readonly cli: Readonly<Record<string, readonly [number, string]>> } | null;

beforeAll(async () => {
  bench = await startBench();
  answer = await askOtherClients(new URL('clients.py', import.meta.url), 'S3', bench.sandbox);
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
