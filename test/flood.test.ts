import { expect, it } from 'vitest';
import { missedBy, missedInMinute, playFlood } from '../bench/flood.ts';
import { playMinute } from '../bench/flood/minute.ts';

// What npm run bench -- flood plays with thousands of events and sixty decoys.
it('a flood leaves an incident readable and on record, and decoys use up what is theirs and no more', async () => {
  const flood = await playFlood({ repeats: 160, distinct: 160, reopened: 5, buckets: 8, latency: 20 }, { account: 6, all: 12, links: 1000, linksAll: 1000, reserved: 3 });
  // How long something took is the bench's to say: here others use the machine too.
  expect(missedBy({ ...flood, decoys: { ...flood.decoys, among: { ...flood.decoys.among, ms: 0 } } })).toEqual([]);
  for (const { items, executions } of [flood.repeats, flood.distinct]) {
    expect(items.after - items.before).toBeLessThanOrEqual(120);
    expect(executions.after).toBe(executions.before);
  }
  // Who opens one bucket again and again uses up no budget, and makes it critical.
  expect(flood.reopened).toMatchObject({ times: 5, contained: 5, severity: 9, executions: 6 });
  // Three of six were taken by the three that the bench contains first, and three are kept for critical ones, which took them.
  expect(flood.decoys).toMatchObject({ buckets: 8, critical: 'contained' });
  expect(flood.decoys.contained + flood.decoys.held).toBe(8);
});

it('what arrives all at once waits for its turn, and a critical finding behind it does not', async () => {
  const minute = await playMinute(80, 30, { eventsAtOnce: 10 });
  expect(missedInMinute(minute)).toEqual([]);
  // Nothing of it is real time.
  expect(minute).toMatchObject({ atOnce: { triage: 10, urgent: 1 }, queue: 71, onRecord: 80, lost: 0 });
  expect(minute.medium.ms).toBeGreaterThan(minute.among.ms);
});
