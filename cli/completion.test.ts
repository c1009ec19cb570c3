import { Argument, Command, Option } from 'commander';
import { expect, it } from 'vitest';
import { candidates } from './completion.ts';

const program = new Command('stopbath');
program.command('show').argument('<incident>').option('--json').option('--as <person>');
program.command('pause').requiredOption('--reason <text>');
program.command('completion').addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']));
program.command('plan').command('quarantine-bucket').addOption(new Option('--level <value>').choices(['public', 'full'])).option('--bucket <name>');
program.command('complete', { hidden: true });

it.each([
  ['a verb', ['p'], ['pause', 'plan']],
  ['no verb that is hidden', ['comp'], ['completion']],
  ['a playbook', ['plan', ''], ['quarantine-bucket']],
  ['an option', ['plan', 'quarantine-bucket', '--l'], ['--level']],
  ['the values of an option', ['plan', 'quarantine-bucket', '--level', 'f'], ['full']],
  ['nothing for a text', ['pause', '--reason', ''], []],
  ['the choices of an argument', ['completion', 'z'], ['zsh']],
  ['an incident', ['show', 'inc-'], 'incidents'],
  ['an incident after an option with a value', ['show', '--as', 'rosa', ''], 'incidents'],
  ['no second incident', ['show', 'inc-1', ''], []],
])('completes %s', (_, words, found) => {
  expect(candidates(program, words)).toEqual(found);
});
