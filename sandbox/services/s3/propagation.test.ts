import { describe, expect, it } from 'vitest';
import { effective, latest, settled, written } from './propagation.ts';

const LAG = 3000;
const never = (): number => 1;
const always = (): number => 0;

describe('a setting that propagates', () => {
  it('is read as written at once', () => {
    expect(latest(written(settled('old'), 'new', 0, LAG))).toBe('new');
  });

  it.each([
    [0, always, 'old'],
    [1999, always, 'old'],
    [2000, always, 'new'],
    [2000, never, 'old'],
    [2999, never, 'old'],
    [3000, never, 'new'],
  ])('after %i ms of 3000 a request is judged by the %o answer %s', (age, random, expected) => {
    expect(effective(written(settled('old'), 'new', 0, LAG), age, LAG, random)).toBe(expected);
  });

  it('is seen at once where there is no lag', () => {
    expect(effective(written(settled('old'), 'new', 5, 0), 5, 0, never)).toBe('new');
  });

  it('gives a write that followed too soon its own delay', () => {
    const twice = written(written(settled('old'), 'first', 0, LAG), 'second', 1000, LAG);
    expect(effective(twice, 3500, LAG, never)).toBe('first');
    expect(effective(twice, 4000, LAG, never)).toBe('second');
  });

  it('forgets what can no longer be seen', () => {
    let setting = settled(0);
    for (let n = 1; n <= 100; n++) setting = written(setting, n, n * LAG, LAG);
    expect(setting.writes.length).toBeLessThanOrEqual(2);
  });
});
