import { expect, it } from 'vitest';
import { reopensLinks } from './revocation.ts';

it.each<[readonly string[], number]>([
  [['sweep'], 1],
  [['epoch:album', 'sweep'], 1],
  [['policy:family'], 1],
  [['signer:arn:aws:iam::111122223333:role/photo-signer'], 1],
  [['policy:family', 'sweep'], 2],
  [[], 0],
])('a restore of %j opens %i things that somebody else has to agree to', (settings, count) => {
  expect(reopensLinks(settings.map((setting) => ({ setting })))).toHaveLength(count);
});
