import { describe, expect, it } from 'vitest';
import { readSuppression, silencesEverything } from './suppression.ts';

const suppression = (pattern: object) => readSuppression({ id: 'a', pattern, owner: 'rosa', reason: 'meant', expires: '2027-01-01T00:00:00Z' });

describe('a suppression that would silence everything', () => {
  it.each([
    ['an empty prefix of a type', { type: [{ prefix: '' }] }],
    ['a lone wildcard', { target: { name: [{ wildcard: '*' }] } }],
    ['anything but something', { type: [{ 'anything-but': 'Policy:S3/BucketPublicAccessGranted' }] }],
    ['whatever exists', { type: [{ exists: true }] }],
    ['what every ARN begins with', { target: { arn: [{ prefix: 'arn:' }] } }],
    ['a kind of target', { target: { kind: ['bucket'] } }],
    ['a second key beside one that names nothing', { type: [{ 'anything-but': ['x'] }], account: ['111122223333'] }],
    ['a branch that names nothing', { type: [{ exists: true }], $or: [{ target: { name: ['site'] } }, { severity: [{ numeric: ['<', 9] }] }] }],
  ])('is seen: %s', (_, pattern) => expect(silencesEverything(suppression(pattern))).toBe(true));

  it.each([
    ['one type', { type: ['Policy:S3/BucketPublicAccessGranted'] }],
    ['one of two names', { target: { kind: ['bucket'] }, $or: [{ target: { name: ['site'] } }, { type: ['Policy:S3/BucketPublicAccessGranted'] }] }],
    ['a kind of bucket', { target: { kind: ['bucket'], name: [{ prefix: 'thumbnails-' }] } }],
  ])('is not seen in %s', (_, pattern) => expect(silencesEverything(suppression(pattern))).toBe(false));
});
