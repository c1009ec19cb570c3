import { Argument, Command, Option } from 'commander';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { candidates, SCRIPTS, SHELLS } from './completion.ts';

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

/** Each script in its own shell, completing with this very command line. */
describe('the script of', () => {
  const folder = mkdtempSync(join(tmpdir(), 'stopbath-completion-'));
  const main = join(import.meta.dirname, 'main.ts');
  beforeAll(() => {
    writeFileSync(join(folder, 'stopbath'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(join(folder, 'stopbath'), 0o755);
    for (const shell of SHELLS) writeFileSync(join(folder, `script.${shell}`), `${SCRIPTS[shell]}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What a shell is told to do with the words before the cursor, one candidate a line. */
  const ASKS = {
    bash: (words: readonly string[]) => `source '${folder}/script.bash'; COMP_WORDS=(stopbath ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _stopbath; printf '%s\\n' "\${COMPREPLY[@]}"`,
    // compadd works only while zsh completes: its words are taken instead.
    zsh: (words: readonly string[]) => `compdef() { :; }; compadd() { shift; print -l -- "\${(@P)1}"; }; _files() { :; }; source '${folder}/script.zsh'; words=(stopbath ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; _stopbath`,
    fish: (words: readonly string[]) => `source '${folder}/script.fish'; complete -C 'stopbath ${words.join(' ')}'`,
  } as const;
  const run = (shell: (typeof SHELLS)[number], command: string) =>
    new Promise<string | null>((resolve, reject) => {
      execFile(shell, [...(shell === 'bash' ? ['--norc'] : []), '-c', command], { env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, HOME: folder } }, (error, stdout, stderr) => {
        if (error?.code === 'ENOENT') resolve(null);
        else if (error && stderr !== '') reject(new Error(stderr));
        else resolve(stdout);
      });
    });

  it.each(SHELLS)('%s offers what may come next', async (shell) => {
    const asked = await Promise.all([['pla'], ['plan', 'q'], ['plan', 'quarantine-bucket', '--level', '']].map((words) => run(shell, ASKS[shell](words))));
    if (asked[0] === null) {
      process.stdout.write(`not run: the completion script of ${shell}, which is not installed\n`);
      return;
    }
    const words = asked.map((text) => (text ?? '').split('\n').filter((line) => line !== '').map((line) => line.split('\t')[0]));
    expect(words).toEqual([['playbooks', 'plan'], ['quarantine-bucket'], ['public', 'external', 'full']]);
  });
});
