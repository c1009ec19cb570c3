import { describe, expect, it } from 'vitest';
import { longestChain } from '../bench/path/chain.ts';
import { measurePath } from '../bench/path.ts';

const call = (what: string, begin: number, end: number) => ({ what, begin, end });

describe('the longest chain of calls', () => {
  const [read, policy, claim, note, start] = [call('read', 0, 30), call('policy', 1, 34), call('claim', 35, 66), call('note', 40, 90), call('start', 70, 100)];

  it('counts once what runs side by side, by the one that took longest', () => {
    expect(longestChain([start, note, claim, policy, read]).map(({ what }) => what)).toEqual(['policy', 'claim', 'start']);
  });

  it('ends with the call that is asked for', () => {
    expect(longestChain([start, note, claim, policy, read], note).map(({ what }) => what)).toEqual(['policy', 'note']);
  });
});

// A call that reads what others could have read beside it shows here.
it('a bucket is closed after six calls in sequence: two to open the incident, two to plan, two to apply', async () => {
  const { ways } = await measurePath(0, ['quarantine-bucket']);
  const steps = ways.flatMap((way) => way.steps);
  expect(Object.fromEntries([...Map.groupBy(steps, (step) => step.function)].map(([name, calls]) => [name, calls.length]))).toEqual({ triage: 2, 'quarantine-bucket-plan': 2, 'quarantine-bucket-apply': 2 });
  expect(steps.at(-1)?.call).toBe('s3:PutPublicAccessBlock');
});
