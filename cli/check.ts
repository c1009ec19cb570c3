import { join } from 'node:path';
import type { Command } from 'commander';
import { checkPlaybooks } from './check/check.ts';
import { RULES, type Problem } from './check/problem.ts';
import { treeOf } from './check/tree.ts';
import { CliError, EXIT } from './exit.ts';
import { facts } from './table.ts';
import { ink, line, say, sayJson } from './terminal.ts';
import { count } from './words.ts';

const ROOT = join(import.meta.dirname, '..');

/** `stopbath check [playbook]`: what a reviewer would say, with file and line; nothing is deployed or played. */
export function register(program: Command): void {
  program
    .command('check')
    .description('say of a playbook what a reviewer would, with file and line')
    .argument('[playbook]', 'a folder in workflows/ (default: all of them)')
    .option('--rules', 'list what is looked at')
    .option('--json', 'print { playbooks, problems } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath check quarantine-bucket\n\nReads files only and asks nobody. Exit code 1 where there is anything to say.')
    .action((name: string | undefined, { json, rules }: { readonly json?: true; readonly rules?: true }) => {
      if (rules) return say(...facts(Object.entries(RULES)));
      const tree = treeOf(ROOT);
      const all = tree.list('workflows');
      if (name !== undefined && !all.includes(name)) throw new CliError(EXIT.usage, `there is no playbook ${JSON.stringify(name)}: there are ${all.join(', ')}`);
      const playbooks = name === undefined ? all : [name];
      const problems = checkPlaybooks(tree, playbooks);
      if (json) sayJson({ playbooks, problems });
      else say(...problems.map(told), problems.length === 0 ? `nothing to say of ${playbooks.join(', ')}: ${Object.keys(RULES).length} rules hold` : `${count(problems.length, 'thing')} to say`);
      process.exitCode = problems.length === 0 ? EXIT.ok : EXIT.no;
    });
}

/** `workflows/x/workflow.asl.json:12:7  retry  the Task …`: an editor opens it with a click. */
function told({ file, line: row, column, rule, message }: Problem): string {
  return `${ink.bold(`${file}:${row}:${column}`)}  ${ink.red(rule)}  ${line(message)}`;
}
