import type { Command } from 'commander';
import type { Playbook } from '../core/playbook.ts';
import { CliError, EXIT } from './exit.ts';
import { dashed, described, readPlaybooks, startable } from './playbook-files.ts';
import { facts, table } from './table.ts';
import { heading, ink, say, sayJson } from './terminal.ts';

/** `stopbath playbooks [name]`: what there is, what it takes, what it will and will not touch. */
export function register(program: Command): void {
  program
    .command('playbooks')
    .description('list playbooks, or show one: its inputs, what it touches and what it does not')
    .argument('[name]', 'the folder in workflows/')
    .option('--json', 'print { playbooks } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath playbooks quarantine-bucket\n\nReads the files of this version; asks nobody.')
    .action((name: string | undefined, { json }: { readonly json?: true }) => {
      const all = readPlaybooks();
      const chosen = name === undefined ? all : all.filter((playbook) => playbook.name === name);
      if (chosen.length === 0) throw new CliError(EXIT.usage, `there is no playbook ${JSON.stringify(name)}: there are ${all.map((playbook) => playbook.name).join(', ')}`);
      if (json) return sayJson({ playbooks: chosen.map(({ triggers, ...playbook }) => ({ ...playbook, triggers: triggers.map((trigger) => Object.fromEntries(Object.entries(trigger).filter(([key]) => key !== 'matcher'))) })) });
      if (name === undefined) return say(table(['playbook', 'acts on', 'by hand', 'what'], all.map((playbook) => [playbook.name, playbook.targets.join(', '), startable([playbook]).length > 0 ? 'yes' : 'no', playbook.description])));
      for (const playbook of chosen) say(...shown(playbook));
    });
}

function shown(playbook: Playbook): readonly string[] {
  const byHand = startable([playbook]).length > 0;
  return [
    `${ink.bold(playbook.name)}  ${playbook.title}`,
    ...facts([
      ['What', playbook.description],
      ['Acts on', playbook.targets.join(', ')],
      ['Mode', `${playbook.defaultMode} unless a trigger or you say otherwise`],
      ['ATT&CK', playbook.attack.join(', ')],
    ]),
    ...(byHand ? [heading('Inputs'), table(['option', 'type', 'what'], Object.entries(playbook.inputs).map(([name, input]) => [`--${dashed(name)}`, input.values ? Object.keys(input.values).join('|') : input.type, described(input)]))] : []),
    ...Object.entries(playbook.inputs).flatMap(([name, { values }]) => (values ? [heading(`--${dashed(name)}`), ...facts(Object.entries(values))] : [])),
    ...(playbook.notes.length > 0 ? [heading('What it will and will not touch'), ...playbook.notes.map((note) => `  - ${note}`)] : []),
    ...(byHand ? ['', `See what it would do: stopbath plan ${playbook.name} ${exampleOf(playbook)}`] : ['', 'It is not started by hand.']),
  ];
}

/** `--bucket family-photos-111122223333` */
export function exampleOf({ inputs }: Playbook): string {
  const [name, input] = Object.entries(inputs).find(([, { target }]) => target !== undefined) ?? [];
  return name === undefined ? '' : `--${dashed(name)} ${input?.example ?? '…'}`;
}
