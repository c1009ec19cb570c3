import { describe, expect, it } from 'vitest';
import { readInputs } from '../../core/inputs.ts';
import { settledPolicy } from '../../core/policy.ts';
import { objectTarget } from '../../core/signal/target.ts';
import { onBucket } from '../decide/builders.ts';
import { SURFACES } from './surfaces.ts';
import { judge } from './surfaces/events.ts';

/** A sample of `npm run fuzz`, always the same one. */
describe('bad input', () => {
  it.each(SURFACES.map((surface) => ({ name: surface.name, about: surface.about, surface })))('$name: $about', async ({ name, surface }) => {
    const opened = await surface.open();
    try {
      const found = await opened.check({ seed: 20261124, numRuns: name === 'urls' ? 60 : 300 });
      expect(found.violation).toBeNull();
    } finally {
      await opened.close();
    }
  });
});

/** Each of these was violated once. */
describe('what the fuzzer found', () => {
  it('a name that is too short for a bucket is no target', () => expect(() => judge(onBucket('CreateBucket', { bucketName: '00', 'x-amz-acl': 'public-read-write' }))).not.toThrow());
  it('a policy with what is no text in a list is sorted all the same', () => expect(settledPolicy('{"Statement":{"Condition":{"Bool":{"a":[{"toString":false},true]}}}}')).toContain('toString'));
  it('an operator of a condition that is called like a part of a policy is none', () => {
    const text = '{"Statement":{"Condition":{"Statement":{"a":"b"},"Principal":{"AWS":"*"}}}}';
    expect(JSON.parse(settledPolicy(text))).toEqual({ Statement: [{ Condition: { Statement: { a: 'b' }, Principal: { AWS: '*' } } }] });
  });
  it('half a surrogate pair is no input, and no key of an object', () => {
    const place = { account: '111122223333', region: 'us-east-1' };
    expect(() => readInputs({ name: 'p', inputs: { linkIds: { type: 'list', description: '', required: true, contents: false, narrows: false, target: 'link' } } }, { linkIds: ['a\ud800'] }, place)).toThrow('half a character');
    expect(objectTarget('photos', 'a\ud800', { ...place, partition: 'aws' })).toBeNull();
  });
});
