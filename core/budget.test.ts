import fc from 'fast-check';
import { expect, it } from 'vitest';
import { leftOf, take, type Take } from './budget.ts';

const rule = { limit: 5, reserved: 2 };
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
const takes = (count: number): Take[] => Array.from({ length: count }, (_, index) => ({ incident: `inc-${index}`, at: at(index) }));

it('refuses over the limit and says how many there were', () => {
  expect(take(takes(3), { incident: 'new', at: at(10), severity: 8 }, rule)).toEqual({ refused: expect.stringContaining('3 containments') });
});

it('says what is left and what it would say, and takes nothing', () => {
  expect(leftOf(takes(2), { incident: 'new', at: at(10), severity: 8 }, rule)).toEqual({ of: 'containments', left: 3, limit: 5, reserved: 2, refused: null });
  expect(leftOf(takes(3), { incident: 'new', at: at(10), severity: 8 }, rule)).toMatchObject({ left: 2, refused: expect.stringContaining('3 containments') });
  expect(leftOf(takes(9), { incident: 'new', at: at(90), severity: 8 }, rule)).toMatchObject({ left: 5 });
});

it('keeps a share for critical incidents', () => {
  expect(take(takes(3), { incident: 'new', at: at(10), severity: 9 }, rule)).toMatchObject({ takes: { length: 4 } });
  expect(take(takes(5), { incident: 'new', at: at(10), severity: 10 }, rule)).toHaveProperty('refused');
});

it('takes once for an incident, however often it is tried', () => {
  expect(take(takes(3), { incident: 'inc-1', at: at(10), severity: 5 }, rule)).toEqual({ takes: takes(3) });
});

it('takes the difference where an incident comes back for more', () => {
  const links = { of: 'links', limit: 1000, reserved: 0 };
  const taken = [{ incident: 'a', at: at(0), amount: 300 }, { incident: 'b', at: at(1), amount: 600 }];
  expect(take(taken, { incident: 'a', at: at(10), severity: 5, amount: 400 }, links)).toEqual({ takes: [taken[1], { incident: 'a', at: at(10), amount: 400 }] });
  expect(take(taken, { incident: 'a', at: at(10), severity: 5, amount: 401 }, links)).toEqual({ refused: expect.stringContaining('600 links count') });
});

it('counts how much a take takes', () => {
  const links = { of: 'links', limit: 1000, reserved: 200 };
  const taken = [{ incident: 'a', at: at(0), amount: 700 }];
  expect(take(taken, { incident: 'new', at: at(10), severity: 8, amount: 101 }, links)).toEqual({ refused: expect.stringContaining('700 links count for the last hour, this one takes 101, and the budget is 800') });
  expect(take(taken, { incident: 'new', at: at(10), severity: 8, amount: 100 }, links)).toHaveProperty('takes');
  expect(take(taken, { incident: 'new', at: at(10), severity: 9, amount: 300 }, links)).toHaveProperty('takes');
});

it('forgets what is more than an hour old', () => {
  expect(take(takes(3), { incident: 'new', at: at(62), severity: 5 }, rule)).toMatchObject({ takes: [{ incident: 'new' }] });
});

it('never lets more than the limit through in any hour, in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 1, max: 10 })), { maxLength: 80 }), (events) => {
      let kept: readonly Take[] = [];
      const taken: number[] = [];
      for (const [index, [minute, severity]] of events.toSorted((a, b) => a[0] - b[0]).entries()) {
        const result = take(kept, { incident: `e${index}`, at: at(minute), severity }, rule);
        if ('takes' in result) {
          kept = result.takes;
          taken.push(minute);
        }
      }
      return taken.every((minute) => taken.filter((other) => other > minute - 60 && other <= minute).length <= rule.limit);
    }),
  );
});
