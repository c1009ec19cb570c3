import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBench, type Bench } from './harness.ts';
import { askOtherClients } from '../other-clients.ts';

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
  answer = await askOtherClients(new URL('clients.py', import.meta.url), 'CloudFront', bench.sandbox, [bench.id]);
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
