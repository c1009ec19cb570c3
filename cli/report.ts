import type { Command } from 'commander';
import { startTally } from '../core/audit-numbers.ts';
import type { Person } from './api.ts';
import { numbersTables } from './audit/numbers-text.ts';
import { readSeals, walkDecisions, walkIncidents } from './audit/walk.ts';
import { CliError, EXIT } from './exit.ts';
import { periodOf } from './period.ts';
import { table } from './table.ts';
import { heading, ink, line, say, sayJson } from './terminal.ts';
import { instant } from './words.ts';

interface Options extends Person {
  readonly period: string;
  readonly json?: true;
}

/** `stopbath report`: the numbers that an audit asks for. */
export function register(program: Command): void {
  program
    .command('report')
    .description('the numbers of a period: times, approvals, restores, overrides, gaps, drills')
    .requiredOption('--period <period>', 'a year (2026), a quarter (2026-Q4), a month (2026-11) or a day')
    .option('--json', 'print { period, complete, numbers } as JSON')
    .option('--as <person>', 'sign as a person of the sandbox: rosa, ravi, ada')
    .addHelpText('after', '\nExamples:\n  $ stopbath report --period 2026-Q4 --as ada\n  $ stopbath report --period 2026-11 --json | jq .numbers.times\n\nReads through STOPBATH_AUDIT_URL, signed with your AWS credentials. Whether the record behind the numbers is intact, stopbath verify says.')
    .action(async (options: Options) => {
      const now = new Date().toISOString();
      const asked = periodOf(options.period);
      if (asked.since >= now) throw new CliError(EXIT.usage, `--period is ${JSON.stringify(options.period)}: it has not begun yet`);
      const ended = asked.until <= now;
      const period = ended ? asked : { ...asked, until: now };
      const { seals, gaps } = await readSeals(period, now, options);
      const tally = startTally(seals.at(-1)?.at ?? null);
      for await (const { view, records } of walkIncidents({ ...period }, options)) tally.incident(view, records);
      for await (const decision of walkDecisions(period, options)) tally.decision(decision);
      for (const { gap, id, what } of gaps) tally.gap(gap, id, what);
      const numbers = tally.numbers();
      if (options.json) return sayJson({ period, ended, numbers });
      say(ink.bold(`${line(options.period)}: ${instant(period.since)} to ${instant(period.until)}`), ...(ended ? [] : [ink.dim('  It is not over: these are the numbers so far.')]));
      for (const { title, head, rows, bad, note } of numbersTables(numbers)) {
        say(heading(bad === true ? ink.red(title) : title), table(head, rows));
        if (note !== undefined) say(`  ${ink.dim(line(note))}`);
      }
    });
}
