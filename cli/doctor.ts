import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { reasonOf } from './api.ts';
import { CliError, EXIT } from './exit.ts';
import { table } from './table.ts';
import { ink, line, say, sayJson } from './terminal.ts';

interface Options {
  readonly name?: string;
  readonly config?: string;
  readonly json?: true;
}

/** `stopbath doctor`: looks at the installation, with your own credentials, and changes nothing. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('hold the installation against the files of this folder, and say what to do')
    .option('--name <name>', 'what every name begins with (default: STOPBATH_NAME, or stopbath-prod)')
    .option('--config <file>', 'what it was deployed with (default: stopbath.config.json)')
    .option('--json', 'print { diagnoses } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath doctor\n\nConfiguration and deployed settings, functions, roles and who may call, rules and workflows, tables, evidence, keys, queues and every\ntracker. Reads AWS with your own credentials; what you may not see is shown with a question mark, and is no fault.')
    .action(async (options: Options) => {
      const { examine } = await import('./doctor/examine.ts');
      const diagnoses = await examine(options.name ?? process.env['STOPBATH_NAME'] ?? 'stopbath-prod', options.config === undefined ? {} : readOverrides(options.config));
      const bad = diagnoses.filter(({ state }) => state === 'bad');
      if (options.json) sayJson({ diagnoses });
      else {
        const signs = { good: '✓', bad: '✗', unknown: '?' } as const;
        say(table(['', 'what', 'found'], diagnoses.map(({ state, what, found }) => [signs[state], what, found]), (text, column) => (column > 0 ? text : text === '✗' ? ink.red(text) : text === '✓' ? ink.green(text) : text)));
        if (bad.length > 0) say('', 'What to do', ...bad.flatMap(({ what, todo }) => [`  ${ink.bold(line(what))}`, `    ${line(todo)}`]));
      }
      const unseen = diagnoses.filter(({ state }) => state === 'unknown').length;
      if (bad.length > 0) throw new CliError(EXIT.no, `${bad.length} of ${diagnoses.length} things are not as they should be`);
      // Nothing is wrong only as far as it was seen.
      if (unseen === diagnoses.length) throw new CliError(EXIT.refused, 'you may look at nothing: take a role that may read what doctor looks at');
    });
}

function readOverrides(file: string): object {
  try {
    const document: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof document !== 'object' || document === null || Array.isArray(document)) throw new Error('it is not a JSON object');
    return document;
  } catch (cause) {
    throw new CliError(EXIT.usage, `--config ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
