import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evictionByPath, isCacheTag, WILDCARDS } from './eviction.ts';

const keys = (count: number, folder: (n: number) => string) => Array.from({ length: count }, (_, n) => `${folder(n)}${n}.jpg`);

describe('an eviction', () => {
  it('names keys by their path and prefixes by a wildcard, once', () => {
    expect(evictionByPath([{ prefixes: ['albums/one/'], keys: ['albums/one/1.jpg', 'b/ü 1.jpg', 'c/*x'] }])).toEqual({ items: ['/albums/one/*', '/c/*', '/b/%C3%BC%201.jpg'], notes: [] });
  });

  it('leaves out what a distribution does not serve, and takes its root off the rest', () => {
    expect(evictionByPath([{ prefixes: ['public/a/', 'private/'], keys: ['public/b.jpg', 'private/b.jpg'], originPath: '/public' }]).items).toEqual(['/a/*', '/b.jpg']);
    expect(evictionByPath([{ prefixes: ['p'], keys: [], originPath: '/public/' }]).items).toEqual(['/*']);
    expect(evictionByPath([{ prefixes: [''], keys: [] }]).items).toEqual(['/*']);
  });

  it('holds what several origins of one distribution serve, once', () => {
    const reach = { prefixes: ['public/a/', 'thumbs/a/'], keys: ['public/b.jpg', 'thumbs/b.jpg'] };
    expect(evictionByPath(['/public', '/thumbs'].map((originPath) => ({ ...reach, originPath }))).items).toEqual(['/a/*', '/b.jpg']);
    const many = (folder: string) => ({ prefixes: keys(10, () => `${folder}/`).map((key) => `${key}/`), keys: [] });
    expect(evictionByPath([many('a'), many('b')]).items).toEqual(['/a/*', '/b/*']);
  });

  it('turns more than 3,000 paths into wildcards, and says what else goes', () => {
    const { items, notes } = evictionByPath([{ prefixes: [], keys: keys(3_001, (n) => `albums/${n % 4}/`) }]);
    expect(items).toEqual(['/albums/0/*', '/albums/1/*', '/albums/2/*', '/albums/3/*']);
    expect(notes[0]).toMatch(/^3001 paths are more .* everything under \/albums\/0\/, \/albums\/1\/, \/albums\/2\/ and \/albums\/3\/ is evicted/);
  });

  it('takes a folder above where there are more than 15 wildcards', () => {
    const { items, notes } = evictionByPath([{ prefixes: keys(20, (n) => `albums/${n % 2}/`).map((key) => `${key}/`), keys: ['other/1.jpg'] }]);
    expect(items).toEqual(['/albums/0/*', '/albums/1/*', '/other/1.jpg']);
    expect(notes[0]).toContain('20 wildcards are more than the 15');
  });

  it('costs what is beyond a thousand paths', () => {
    expect(evictionByPath([{ prefixes: [], keys: keys(1_200, () => 'a/') }]).notes[0]).toContain('cost $1.00');
  });

  it('reaches every key and prefix within the limits, whatever they are', () => {
    const key = fc.array(fc.constantFrom('a', 'b', 'c*', 'ü', '1'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), fc.array(key.map((text) => `${text}/`), { maxLength: 60 }), (some, prefixes) => {
        const { items } = evictionByPath([{ keys: some, prefixes }]);
        expect(items.filter((item) => item.endsWith('*')).length).toBeLessThanOrEqual(WILDCARDS);
        expect(items.every((item) => !item.slice(0, -1).includes('*'))).toBe(true);
        const reached = (text: string) => items.map(decodeURIComponent).some((item) => (item.endsWith('*') ? `/${text}`.startsWith(item.slice(0, -1)) : item === `/${text}`));
        expect([...some, ...prefixes].filter((text) => !reached(text))).toEqual([]);
      }),
    );
  });

  it.each([['album:1', true], ['a,b', false], ['a b', false], ['a*', false], ['ü', false], ['', false]])('knows that %s is a tag: %s', (tag, is) => expect(isCacheTag(tag)).toBe(is));
});
