import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPlaybooks } from '../aws/playbooks.ts';
import { ROOT } from '../sandbox/deploy.ts';
import { CASES } from '../sandbox/faults/cases.ts';
import { deliverDay } from '../sandbox/faults/delivery.ts';
import { playRun } from '../sandbox/faults/run.ts';
import { startStage, type Stage } from '../sandbox/faults/stage.ts';
import type { Strike } from '../sandbox/faults/strike.ts';

/** A few of what `npm run faults` plays whole, where most hangs on it: around the writes of the containment and its undo. */
const SAMPLE: readonly (readonly [direction: 'contain' | 'restore', playbook: string, strike: Strike])[] = [
  ['contain', 'quarantine-bucket', { kind: 'killed-after', call: 'quarantine-bucket-apply s3:PutPublicAccessBlock' }],
  ['contain', 'quarantine-bucket', { kind: 'timeout-after', call: 'triage states:StartExecution' }],
  ['contain', 'quarantine-bucket', { kind: 'denied', call: 'quarantine-bucket-apply s3:PutBucketTagging' }],
  ['restore', 'quarantine-bucket', { kind: 'restarted', call: 'quarantine-bucket lambda:Invoke#3' }],
  // What it issued cannot be handed on.
  ['contain', 'contain-principal', { kind: 'denied', call: 'contain-principal-apply dynamodb:PutItem#4' }],
];

let stage: Stage;
beforeAll(async () => void (stage = await startStage()));
afterAll(async () => await stage.stop());

const caseOf = (direction: string, playbook = 'quarantine-bucket') => {
  const found = CASES.find((one) => one.playbook === playbook && one.direction === direction);
  if (!found) throw new Error('there is no such case');
  return found;
};

describe('the fault matrix', () => {
  it('has a case for every playbook that changes something, in both directions', async () => {
    const wanted = (await loadPlaybooks(ROOT)).filter(({ name }) => name !== 'open-ticket').flatMap(({ name }) => [`contain ${name}`, `restore ${name}`]);
    expect(CASES.map(({ playbook, direction }) => `${direction} ${playbook}`).toSorted((a, b) => a.localeCompare(b))).toEqual(wanted.toSorted((a, b) => a.localeCompare(b)));
  });

  it.each(SAMPLE)('%s by %s survives %o', async (direction, playbook, strike) => {
    const run = await playRun(stage, caseOf(direction, playbook), strike);
    expect(run.struck).toMatch(/#\d+$/);
    expect(run.violations).toEqual([]);
  });

  it('finds a change that nobody can undo, and where it was made', async () => {
    let once = false;
    stage.account.interrupt(async (service, operation, caller) => {
      if (once || service !== 's3' || operation !== 'PutPublicAccessBlock' || caller.kind !== 'role') return;
      once = true;
      const { Buckets } = (await stage.call('s3:ListBuckets', {})) as { readonly Buckets: readonly { readonly Name: string }[] };
      const Bucket = Buckets.map(({ Name }) => Name).filter((name) => name.startsWith('family-faults-')).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
      await stage.call('s3:PutBucketCors', { Bucket, CORSConfiguration: { CORSRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }] } });
    });
    const run = await playRun(stage, caseOf('contain'), { kind: 'throttled', call: 0 });
    expect(run.violations).toEqual(expect.arrayContaining([expect.stringContaining('cors changed without its undo in the ledger'), expect.stringContaining('cors is not as before')]));
  });

  it('contains once what it hears of many times, in any order, by wrong clocks, from two regions and in a replay', async () => {
    const day = await deliverDay(stage, { buckets: 2, seed: 5 });
    expect(day.deliveries).toBeGreaterThanOrEqual(12);
    expect(day.violations).toEqual([]);
  });

  it('leaves a record that verifies', async () => expect(await stage.unsealed()).toEqual([]));
});
