import { describe, expect, it } from 'vitest';
import { globCovers, globMatches } from './glob.ts';

describe('a pattern matches', () => {
  it.each([
    ['*', '', true],
    ['s3:Get*', 's3:GetObject', true],
    ['s3:*Acl', 's3:PutObjectAcl', true],
    ['s3:*Acl', 's3:PutObjectAcls', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['abc', 'abcd', false],
    ['', '', true],
    ['a**', 'a', true],
  ])('%s on %s: %s', (pattern, text, expected) => expect(globMatches(pattern, text)).toBe(expected));

  it('in time that does not explode', () => {
    expect(globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

describe('a pattern covers another', () => {
  it.each([
    ['s3:*', 's3:Get*', true],
    ['*', 'a*b?c', true],
    ['arn:aws:s3:::photos/*', 'arn:aws:s3:::photos/private/*', true],
    ['s3:Get*', 's3:*', false],
    ['a?', 'a*', false],
    ['a?', 'a?', true],
  ])('%s over %s: %s', (wide, narrow, expected) => expect(globCovers(wide, narrow)).toBe(expected));
});
