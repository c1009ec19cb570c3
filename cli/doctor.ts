import type { Command } from 'commander';
import { CliError, EXIT } from './exit.ts';
import { table } from './table.ts';
import { ink, say, sayJson } from './terminal.ts';

interface Options {
  readonly name?: string;
  readonly json?: true;
}

/** What one thing was found to be. `unknown`: whoever asks may not look. */
export interface Finding {
  readonly what: string;
  readonly state: 'good' | 'bad' | 'unknown';
  readonly found: string;
  /** What to do about it; empty where nothing. */
  readonly todo: string;
}

/** `stopbath doctor`: looks at the installation, with your own credentials, and changes nothing. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('check configuration, functions, roles, rules, table, evidence and tracker, and say what to do')
    .option('--name <name>', 'what every name begins with (default: STOPBATH_NAME, or stopbath-prod)')
    .option('--json', 'print { findings } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath doctor\n\nReads AWS with your own credentials: what you may not see is shown with a question mark.')
    .action(async (options: Options) => {
      const { examine } = await import('./doctor/examine.ts');
      const findings = await examine(options.name ?? process.env['STOPBATH_NAME'] ?? 'stopbath-prod');
      const bad = findings.filter(({ state }) => state === 'bad');
      if (options.json) sayJson({ findings });
      else {
        const signs = { good: '✓', bad: '✗', unknown: '?' } as const;
        say(table(['', 'what', 'found'], findings.map(({ state, what, found }) => [signs[state], what, found]), (text, column) => (column > 0 ? text : text === '✗' ? ink.red(text) : text === '✓' ? ink.green(text) : text)));
        if (bad.length > 0) say('', ...bad.map(({ what, todo }) => `  ${what}: ${todo}`));
      }
      if (bad.length > 0) throw new CliError(EXIT.no, `${bad.length} of ${findings.length} things are not as they should be`);
    });
}
