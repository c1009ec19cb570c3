import { describe, expect, it } from 'vitest';
import { momentOf, periodOf } from './period.ts';

const NOW = Date.parse('2026-11-24T15:00:00.000Z');

describe('a period', () => {
  it.each([
    ['2026', '2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-Q1', '2026-01-01T00:00:00.000Z', '2026-04-01T00:00:00.000Z'],
    ['2026-q4', '2026-10-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2028-02', '2028-02-01T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
    ['2026-12', '2026-12-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
    ['2026-12-31', '2026-12-31T00:00:00.000Z', '2027-01-01T00:00:00.000Z'],
  ])('%s begins and ends where its calendar says', (text, since, until) => {
    expect(periodOf(text)).toEqual({ since, until });
  });

  it.each(['', '26', '2026-Q5', '2026-13', '2026-00', '2026-02-30', 'Q4', '2026-Q4-01', '2026Q4'])('%j is none, and the message says what is', (text) => {
    expect(() => periodOf(text)).toThrow(/use a/);
  });
});

describe('a moment', () => {
  it.each<[option: '--since' | '--until', text: string, iso: string]>([
    ['--since', '2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['--until', '2026-11-30', '2026-12-01T00:00:00.000Z'],
    ['--until', '2026-11-24T10:00+02:00', '2026-11-24T08:00:00.000Z'],
    ['--since', '2026-11-24T10:00:30.5Z', '2026-11-24T10:00:30.500Z'],
    ['--since', '90m', '2026-11-24T13:30:00.000Z'],
    ['--since', '7d', '2026-11-17T15:00:00.000Z'],
    ['--until', '4w', '2026-10-27T15:00:00.000Z'],
  ])('%s %s is %s', (option, text, iso) => {
    expect(momentOf(option, text, NOW)).toBe(iso);
  });

  it('that lies ahead is as far from now, and a day until which something stands is in it', () => {
    expect(momentOf('--expires', '7d', NOW, { end: true, reach: 'ahead' })).toBe('2026-12-01T15:00:00.000Z');
    expect(momentOf('--expires', '2026-11-30', NOW, { end: true, reach: 'ahead' })).toBe('2026-12-01T00:00:00.000Z');
  });

  it('that has to mean the same tomorrow is no span from now', () => {
    expect(momentOf('--since', '2026-11-24', NOW, { reach: 'fixed' })).toBe('2026-11-24T00:00:00.000Z');
    expect(() => momentOf('--since', '7d', NOW, { reach: 'fixed' })).toThrow('--since is "7d": use a day (2026-11-24, UTC) or an instant');
  });

  it.each(['2026-11-31', '24.11.2026', '11/24/2026', '2026-11-24 10:00', '2026-11-24T10:00', 'now', '7', '7y', '-7d', '1e3d', ''])('%j is none, and the message names the option', (text) => {
    expect(() => momentOf('--since', text, NOW)).toThrow(`--since is ${JSON.stringify(text)}: use a day`);
  });
});
