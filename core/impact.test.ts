import { expect, it } from 'vitest';
import { impactText } from './impact.ts';

it.each([
  [{ value: 10_004, how: 'counted' }, '10,004 (counted)'],
  ['an hour', 'an hour'],
  [['link-1', 'link-2'], 'link-1, link-2'],
  [[], 'none'],
  [null, 'none'],
  [{ bytes: 3 }, '{"bytes":3}'],
])('says %j as %s', (value, text) => expect(impactText(value)).toBe(text));
