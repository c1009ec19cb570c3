import { expect, it } from 'vitest';
import { missedBy, playFlood } from '../bench/flood.ts';

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
