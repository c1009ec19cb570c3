import { Command } from 'commander';
import { expect, it } from 'vitest';
import { filterOptions, filterQuery, type FilterOptions } from './history-filter.ts';

const NOW = Date.parse('2026-11-24T12:00:00.000Z');

function queryOf(...args: readonly string[]): Readonly<Record<string, string>> {
  const command = filterOptions(new Command('history')).exitOverride().configureOutput({ writeErr: () => undefined });
  return filterQuery(command.parse(args, { from: 'user' }).opts<FilterOptions>(), NOW);
}

it('asks the audit URL what was asked for', () => {
  expect(queryOf('--since', '7d', '--target', 'family-photos', '--status', 'failed, unverified', '--no-drill')).toEqual({ since: '2026-11-17T12:00:00.000Z', target: 'arn:aws:s3:::family-photos', status: 'failed,unverified', drill: 'false' });
  expect(queryOf('--target', 'share:111122223333:album/a')).toEqual({ target: 'share:111122223333:album/a' });
});

it.each([
  [['--target', ''], /--target.*it is empty/],
  [['--actor', ' '], /--actor.*it is empty/],
  [['--playbook', ''], /--playbook.*it is empty/],
  [['--status', 'done'], /there is no status "done"/],
  [['--since', 'tomorrow'], /--since is "tomorrow"/],
])('refuses %j', (args, said) => {
  expect(() => queryOf(...args)).toThrow(said);
});
