import { expect, it } from 'vitest';
import { missedBy, missedInMinute, playFlood } from '../bench/flood.ts';
import { playMinute } from '../bench/flood/minute.ts';

// What npm run bench -- flood plays with thousands of events and sixty decoys.
it('a flood leaves an incident readable and on record, and decoys use up what is theirs and no more', async () => {
  const flood = await playFlood({ repeats: 160, distinct: 160, buckets: 8, latency: 20 }, { account: 5, all: 10, links: 1000, linksAll: 1000, reserved: 3 });
  // How long something took is the bench's to say: here others use the machine too.
  expect(missedBy({ ...flood, decoys: { ...flood.decoys, among: { ...flood.decoys.among, ms: 0 } } })).toEqual([]);
  for (const { items, executions } of [flood.repeats, flood.distinct]) {
    expect(items.after - items.before).toBeLessThanOrEqual(120);
    expect(executions.after).toBe(executions.before);
  }
  // Two of five were taken by the two that the bench contains first, and three are kept for critical ones, which took them.
  expect(flood.decoys).toMatchObject({ buckets: 8, critical: 'contained' });
  expect(flood.decoys.contained + flood.decoys.held).toBe(8);
});

it('what arrives all at once waits for its turn, and a critical finding in the middle of it does not', async () => {
  const minute = await playMinute(80, 30, { eventsAtOnce: 10 });
  expect(missedInMinute(minute)).toEqual([]);
  expect(minute).toMatchObject({ atOnce: { triage: 10 }, queue: 70, onRecord: 80, lost: 0 });
  // Nothing of it is real time: what is between them is what a finding waits that has no place of its own.
  expect(minute.among.ms).toBeLessThan(minute.medium.ms);
});
