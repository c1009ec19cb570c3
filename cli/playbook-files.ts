import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { readPlaybook, type Playbook, type PlaybookInput } from '../core/playbook.ts';
import { momentOf, WHEN } from './period.ts';

const ROOM = join(import.meta.dirname, '../workflows');

/** The playbooks of this version, in the order of their names. */
export function readPlaybooks(): readonly Playbook[] {
  return readdirSync(ROOM)
    .toSorted()
    .map((name) => readPlaybook(name, JSON.parse(readFileSync(join(ROOM, name, 'playbook.json'), 'utf8'))));
}

/** Those that a person can start: an input names their target. */
export function startable(playbooks: readonly Playbook[]): readonly Playbook[] {
  return playbooks.filter(({ inputs }) => Object.values(inputs).some(({ target }) => target !== undefined));
}

/** One option an input, as playbook.json says it: `--bucket <name>`, `--level <public|external|full>`. */
export function addInputs(command: Command, { inputs }: Playbook): Command {
  for (const [name, input] of Object.entries(inputs)) {
    const option = new Option(`--${dashed(name)} <${input.values ? 'value' : input.type}>`, described(input));
    command.addOption(input.values ? option.choices(Object.keys(input.values)) : option);
  }
  return command;
}

/**
 * What was given of a playbook's inputs, by the inputs' own names.
 *
 * @throws {CliError} for a time that is none
 */
export function inputsOf({ inputs }: Playbook, options: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const given = Object.keys(inputs).map((name): readonly [string, unknown] => [name, options[camel(dashed(name))]]);
  return Object.fromEntries(given.flatMap(([name, value]) => (typeof value === 'string' ? [[name, inputs[name]?.type === 'instant' ? momentOf(`--${dashed(name)}`, value, 0, { reach: 'fixed' }) : value] as const] : [])));
}

export function described(input: PlaybookInput): string {
  const notes = [
    ...(input.type === 'instant' ? [WHEN.fixed] : []),
    ...(input.target ? ['names the target'] : []),
    ...(input.with ? [`only with --${input.with.map(dashed).join(' or --')}`] : []),
    ...(input.without ? [`not with --${input.without.map(dashed).join(' or --')}`] : []),
    ...(input.default === undefined ? [] : [`default: ${JSON.stringify(input.default)}`]),
    ...(input.example ? [`as in ${input.example}`] : []),
  ];
  return `${input.description}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`;
}

/** `linkIds` → `link-ids` */
export function dashed(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, (_, before: string, letter: string) => `${before}-${letter.toLowerCase()}`);
}

/** As commander names an option's value. */
function camel(name: string): string {
  return name.replaceAll(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
