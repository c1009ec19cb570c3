import { expect, it } from 'vitest';
import { playCrowd } from './trackers/crowd.ts';

// As dense as 1,000 in a minute, which npm run bench -- tickets plays whole.
it('many incidents at once lose nothing and double nothing at a tracker that takes ten requests a second', async () => {
  const crowd = await playCrowd({ incidents: 100, withinSeconds: 6, perSecond: 10 });
  expect(crowd).toMatchObject({ incidents: 100, tickets: 100, doubled: 0, untold: 0, toldTwice: 0, notOpen: 0, lost: 0 });
  // There was a crowd: the tracker refused some, and some found every invocation taken.
  expect(crowd.refused).toBeGreaterThan(0);
  expect(crowd.throttled).toBeGreaterThan(0);
});
