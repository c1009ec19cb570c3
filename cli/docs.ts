import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readPlaybook, type Playbook } from '../core/playbook.ts';
import { CliError, EXIT } from './exit.ts';
import { say } from './terminal.ts';

const ROOT = join(import.meta.dirname, '..');
const OUT = 'docs/playbooks';

/** `stopbath docs`: writes the page of every playbook from its folder. */
export function register(program: Command): void {
  program
    .command('docs')
    .description('write docs/playbooks from the playbooks’ folders')
    .option('--check', 'write nothing; exit 1 where a page is not up to date')
    .addHelpText('after', '\nExample:\n  $ stopbath docs --check')
    .action(async ({ check }: { readonly check?: true }) => {
      const stale: string[] = [];
      for (const [path, text] of await playbookPages()) {
        const present = await readFile(join(ROOT, path), 'utf8').catch(() => '');
        if (present === text) continue;
        stale.push(path);
        if (check) continue;
        await mkdir(join(ROOT, OUT), { recursive: true });
        await writeFile(join(ROOT, path), text);
      }
      if (check && stale.length > 0) throw new CliError(EXIT.no, `${stale.join(', ')} is not what the playbook says: run npm run stopbath -- docs`);
      say(stale.length === 0 ? 'the pages of all playbooks are up to date' : `written: ${stale.join(', ')}`);
    });
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly Next: string }[];
}

/** Path to text of the page of every playbook, in the order of their names. */
export async function playbookPages(): Promise<ReadonlyMap<string, string>> {
  const folders = (await readdir(join(ROOT, 'workflows'))).toSorted();
  const pages = await Promise.all(
    folders.map(async (folder) => {
      const [playbook, workflow] = await Promise.all(['playbook.json', 'workflow.asl.json'].map(async (file): Promise<unknown> => JSON.parse(await readFile(join(ROOT, 'workflows', folder, file), 'utf8'))));
      return [`${OUT}/${folder}.md`, page(readPlaybook(folder, playbook), workflow as { readonly StartAt: string; readonly States: Readonly<Record<string, State>> })] as const;
    }),
  );
  return new Map(pages);
}

function page(playbook: Playbook, workflow: { readonly StartAt: string; readonly States: Readonly<Record<string, State>> }): string {
  const inputs = Object.entries(playbook.inputs).map(([name, input]) => `- \`${name}\`: ${input.description}${input.target ? ' Names the target.' : ''}${input.with ? ` Only with ${input.with.map((other) => `\`${other}\``).join(' or ')}.` : ''}${input.example ? ` Example: \`${input.example}\`.` : ''}${Object.entries(input.values ?? {}).map(([value, means]) => `\n  - \`${value}\`: ${means}`).join('')}`);
  return [
    `<!-- Generated from workflows/${playbook.name}/ by "npm run stopbath -- docs". Change it there. -->`,
    `# ${playbook.title}\n`,
    `${playbook.description}\n`,
    `Acts on: ${playbook.targets.join(', ')}. Mode unless told: ${playbook.defaultMode}. ATT&CK: ${playbook.attack.join(', ')}.\n`,
    '## Inputs\n',
    `${inputs.length > 0 ? inputs.join('\n') : 'None beside the target.'}\n`,
    '## Triggers\n',
    '| trigger | mode | when | why |',
    '|---|---|---|---|',
    ...playbook.triggers.map((trigger) => `| ${trigger.name} | ${trigger.mode} | ${trigger.when.join(', ') || 'always'} | ${trigger.why.replaceAll('|', '\\|')} |`),
    '\n## Workflow\n',
    '```mermaid',
    'flowchart TD',
    ...picture(workflow),
    '```',
    ...(playbook.notes.length > 0 ? ['\n## Notes\n', ...playbook.notes.map((note) => `- ${note}`)] : []),
    '',
  ].join('\n');
}

function picture({ StartAt, States }: { readonly StartAt: string; readonly States: Readonly<Record<string, State>> }): readonly string[] {
  const names = Object.keys(States);
  const id = (name: string) => `s${names.indexOf(name)}`;
  const box = (name: string, { Type }: State) => (Type === 'Choice' ? `${id(name)}{"${name}"}` : Type === 'Succeed' || Type === 'Fail' ? `${id(name)}(["${name}"])` : `${id(name)}["${name}"]`);
  return [
    `  start(( )) --> ${id(StartAt)}`,
    ...Object.entries(States).map(([name, state]) => `  ${box(name, state)}`),
    ...Object.entries(States).flatMap(([name, state]) => {
      const ways = [state.Next, state.Default, ...(state.Choices ?? []).map(({ Next }) => Next)].filter((next) => next !== undefined);
      const failures = new Set((state.Catch ?? []).map(({ Next }) => Next).filter((next) => !ways.includes(next)));
      return [...[...new Set(ways)].map((next) => `  ${id(name)} --> ${id(next)}`), ...[...failures].map((next) => `  ${id(name)} -. fails .-> ${id(next)}`)];
    }),
  ];
}
