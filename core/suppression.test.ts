import { describe, expect, it } from 'vitest';
import { readSuppression, silencesEverything, vagueIn } from './suppression.ts';

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

it.each([
  ['an actor with an a', { type: ['PutBucketPolicy'], actor: { principal: [{ wildcard: '*a*' }] } }, '*a*'],
  ['scattered letters', { target: { name: [{ wildcard: 'a*b*c*d' }] } }, 'a*b*c*d'],
  ['an empty prefix beside a name', { target: { name: ['site'] }, actor: { principal: [{ prefix: '' }] } }, ''],
  ['a short suffix, whatever its case', { type: ['PutBucketPolicy'], actor: { principal: [{ suffix: { 'equals-ignore-case': 'OT' } }] } }, 'OT'],
  ['one of two branches', { type: ['PutBucketPolicy'], $or: [{ target: { name: ['site'] } }, { target: { name: [{ wildcard: '*-*' }] } }] }, '*-*'],
  ['what ARNs begin with, and a letter', { target: { arn: [{ wildcard: 'arn:aws:s3:::*a*' }] } }, 'arn:aws:s3:::*a*'],
  ['what the ARNs of all roles of an account begin with', { type: ['PutBucketPolicy'], actor: { principal: [{ prefix: 'arn:aws:iam::111122223333:role/' }] } }, 'arn:aws:iam::111122223333:role/'],
  ['half of what ARNs begin with', { type: ['PutBucketPolicy'], actor: { principal: [{ prefix: 'arn:aws' }] } }, 'arn:aws'],
  ['a session of one role', { type: ['PutBucketPolicy'], actor: { principal: [{ prefix: 'arn:aws:sts::111122223333:assumed-role/scanner/' }] } }, null],
  ['a kind of bucket', { target: { name: [{ prefix: 'thumbnails-' }, { wildcard: '*-thumbnails-*' }] } }, null],
  ['a scanner’s addresses', { type: [{ prefix: 'Discovery:S3/' }], actor: { address: [{ cidr: '198.51.100.0/24' }] } }, null],
])('says what of a pattern is in nearly everything: %s', (_, pattern, vague) => expect(vagueIn(pattern)).toBe(vague));
