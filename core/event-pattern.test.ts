import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidEventPatternError, matchesPattern, parsePattern } from './event-pattern.ts';

const matches = (pattern: unknown, event: unknown) => matchesPattern(parsePattern(pattern), event);

describe('a field', () => {
  it.each([
    ['an exact string', ['a'], 'a', 'A'],
    ['a number however it is written', [300], 300.0, 301],
    ['a number, never a string of digits', [300], 300, '300'],
    ['a boolean', [false], false, true],
    ['null', [null], null, 'null'],
    ['an element of an array', ['a'], ['b', ['a']], ['b']],
    ['an address in another spelling', ['2001:db8::1'], '2001:0DB8:0:0:0:0:0:1', '2001:db8::2'],
    ['exactly', [{ exactly: 'a' }], 'a', 'b'],
    ['a prefix', [{ prefix: 'ab' }], 'abc', 'cab'],
    ['the empty prefix', [{ prefix: '' }], 'x', 7],
    ['a prefix in any case', [{ prefix: { 'equals-ignore-case': 'AB' } }], 'abc', 'bc'],
    ['a suffix', [{ suffix: '.jpg' }], 'a.jpg', 'a.png'],
    ['a suffix in any case', [{ suffix: { 'equals-ignore-case': '.JPG' } }], 'a.jpg', 'a.png'],
    ['any case', [{ 'equals-ignore-case': 'Alarm' }], 'ALARM', 'OK'],
    ['a wildcard', [{ wildcard: 'a*b*c' }], 'aXbYbc', 'aXcYb'],
    ['a wildcard whose ends do not overlap', [{ wildcard: 'ab*ba' }], 'abba', 'aba'],
    ['an escaped star', [{ wildcard: String.raw`a\*\\*` }], String.raw`a*\x`, String.raw`ab\x`],
    ['the empty wildcard', [{ wildcard: '' }], '', 'a'],
    ['anything but a string', [{ 'anything-but': 'a' }], 'b', 'a'],
    ['anything but some strings, other types included', [{ 'anything-but': ['a', 'b'] }], 5, 'b'],
    ['anything but numbers', [{ 'anything-but': [1, 2] }], 3, 2],
    ['anything but a prefix', [{ 'anything-but': { prefix: 'init' } }], 'post', 'initial'],
    ['anything but some prefixes', [{ 'anything-but': { prefix: ['init', 'stop'] } }], 'post', 'stopped'],
    ['anything but a suffix', [{ 'anything-but': { suffix: '.txt' } }], 'a.jpg', 'a.txt'],
    ['anything but in any case', [{ 'anything-but': { 'equals-ignore-case': ['A'] } }], null, 'a'],
    ['anything but a wildcard', [{ 'anything-but': { wildcard: '*/x/*' } }], 'a/y/b', 'a/x/b'],
    ['anything but, where one element of an array will do', [{ 'anything-but': 'a' }], ['a', 'b'], ['a']],
    ['a number range', [{ numeric: ['>', 0, '<=', 5] }], 5, 0],
    ['a lower bound', [{ numeric: ['>=', 7] }], 7, 6.9],
    ['an equal number', [{ numeric: ['=', 3.018e2] }], 301.8, '301.8'],
    ['a network', [{ cidr: '10.0.0.9/24' }], '10.0.0.1', '10.0.1.0'],
    ['a network of version 6', [{ cidr: '2001:db8::/32' }], '2001:db8:1::1', '2001:db9::1'],
    ['a network, whatever the type', [{ cidr: '0.0.0.0/0' }], '1.2.3.4', 1234],
    ['presence', [{ exists: true }], null, undefined],
    ['presence of a value, not of an object', [{ exists: true }], 'x', { y: 1 }],
    ['absence', [{ exists: false }], undefined, 'x'],
    ['absence, since an object is no value', [{ exists: false }], { y: 1 }, null],
    ['one of several', ['x', { prefix: 'y' }, { exists: false }], 'yes', 'no'],
  ])('matches %s', (_, alternatives, yes, no) => {
    expect(matches({ detail: { field: alternatives } }, { detail: { field: yes } })).toBe(true);
    expect(matches({ detail: { field: alternatives } }, { detail: { field: no } })).toBe(false);
  });

  it('is absent too where its parents are', () => {
    expect(matches({ a: { b: { c: [{ exists: false }] } } }, {})).toBe(true);
    expect(matches({ a: { b: { c: ['x'] } } }, {})).toBe(false);
  });

  it('is not found on the prototype of an event', () => {
    expect(matches({ constructor: { name: ['Object'] } }, {})).toBe(false);
    expect(matches({ toString: [{ exists: true }] }, {})).toBe(false);
  });
});

describe('arrays', () => {
  const event = { people: [{ first: 'John', last: 'Doe' }, [{ first: 'Anna', last: 'Smith' }], { nick: 'Jo' }] };

  it('match where one element has all the fields', () => {
    expect(matches({ people: { first: ['Anna'], last: ['Smith'] } }, event)).toBe(true);
    expect(matches({ people: { first: ['Anna'], last: ['Doe'] } }, event)).toBe(false);
  });

  it('lack a field only where every element does', () => {
    expect(matches({ people: { first: ['Anna'], nick: [{ exists: false }] } }, event)).toBe(false);
    expect(matches({ people: { first: ['Anna'], age: [{ exists: false }] } }, event)).toBe(true);
  });

  it('keep their elements apart across $or', () => {
    const pattern = { $or: [{ people: { last: ['Doe'] } }, { people: { last: ['Jones'] } }], people: { first: ['Anna'] } };
    expect(matches(pattern, event)).toBe(false);
  });
});

describe('$or', () => {
  const pattern = { source: ['s'], $or: [{ a: [1] }, { b: [2], $or: [{ c: [3] }, { detail: { d: [4] } }] }] };

  it.each([
    [true, { source: 's', a: 1 }],
    [true, { source: 's', b: 2, c: 3 }],
    [true, { source: 's', b: 2, detail: { d: 4 } }],
    [false, { source: 's', b: 2 }],
    [false, { a: 1 }],
  ])('%s: %j', (expected, event) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it('refuses more combinations than AWS does', () => {
    const two = (name: string) => ({ $or: [{ [`${name}1`]: ['x'] }, { [`${name}2`]: ['x'] }] });
    const nested = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`f${index}`, two('a')]));
    expect(() => parsePattern(nested)).toThrow(InvalidEventPatternError);
  });
});

describe('a pattern that is none', () => {
  it.each([
    ['Filter is not an object', []],
    ['Filter is not an object', 'x'],
    ['Empty objects are not allowed', { detail: {} }],
    ['Empty arrays are not allowed', { source: [] }],
    ['"source" must be an object or an array', { source: 'x' }],
    ['Match value must be String, number, true, false, or null', { source: [['x']] }],
    ['Match expression name not found', { source: [{}] }],
    ['Unrecognized match type Prefix', { source: [{ Prefix: 'x' }] }],
    ['Unrecognized match type __proto__', JSON.parse('{"source":[{"__proto__":"x"}]}')],
    ['Only one key allowed in match expression', { source: [{ prefix: 'x', suffix: 'y' }] }],
    ['prefix match pattern must be a string', { source: [{ prefix: 1 }] }],
    ['suffix match pattern must be a string', { source: [{ suffix: ['x'] }] }],
    ['Unsupported prefix pattern: wildcard', { source: [{ prefix: { wildcard: 'x' } }] }],
    ['exists match pattern must be either true or false.', { source: [{ exists: 'yes' }] }],
    ['Unsupported anything-but pattern: numeric', { source: [{ 'anything-but': { numeric: ['=', 1] } }] }],
    ['Inside anything but list, either all values are number or string, mixed type is not supported', { source: [{ 'anything-but': [1, 'a'] }] }],
    ['Null prefix/suffix not allowed', { source: [{ 'anything-but': { prefix: '' } }] }],
    ['Consecutive wildcard characters at pos 2', { source: [{ wildcard: 'a**' }] }],
    ['Invalid escape character at pos 1', { source: [{ wildcard: String.raw`\a` }] }],
    ['Unrecognized numeric range operator: !=', { n: [{ numeric: ['!=', 1] }] }],
    ['Value of > must be numeric', { n: [{ numeric: ['>', '1'] }] }],
    ['Bad numeric range operator: >', { n: [{ numeric: ['>', 1, '>', 2] }] }],
    ['Value must be between -5.0E9 and 5.0E9, inclusive', { n: [{ numeric: ['<', 1e10] }] }],
    ['IPv4 mask bits must be < 32', { ip: [{ cidr: '10.0.0.1/32' }] }],
    ["Malformed CIDR, one '/' required", { ip: [{ cidr: '10.0.0.0' }] }],
    ['Nonstandard IP address: host', { ip: [{ cidr: 'host/8' }] }],
    ['It must be an Array followed with $or.', { $or: { a: ['x'] } }],
    ['There must have at least 2 Objects in $or relationship.', { $or: [{ a: ['x'] }] }],
    ['prefix is Ruler reserved fieldName which cannot be used inside $or.', { $or: [{ prefix: ['x'] }, { a: ['x'] }] }],
  ])('says why: %s', (reason, pattern) => {
    expect(() => parsePattern(pattern)).toThrow(`Event pattern is not valid. Reason: ${reason}`);
  });

  it('never fails in any other way', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          parsePattern(value);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidEventPatternError);
        }
      }),
    );
  });
});

describe('hostile events', () => {
  const parsed = parsePattern({ detail: { name: [{ wildcard: '*a*a*b' }], list: { of: ['x', { exists: false }] } } });

  it('are never an error', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => typeof matchesPattern(parsed, { detail: value }) === 'boolean'));
  });

  it('do not make a wildcard backtrack', () => {
    expect(matchesPattern(parsed, { detail: { name: 'a'.repeat(500_000) } })).toBe(false);
  }, 2_000);

  it('may nest as deep as JSON goes', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(50_000)}"x"${']'.repeat(50_000)}`);
    expect(matchesPattern(parsePattern({ detail: ['x'] }), { detail: deep })).toBe(true);
  });
});
