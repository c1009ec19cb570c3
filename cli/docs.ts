import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { playbookJsonSchema, readPlaybook } from '../core/playbook.ts';
import { scenarioJsonSchema } from '../sandbox/scenario/scenario.ts';
import { treeOf, type Tree } from './check/tree.ts';
import { playbookPage } from './docs/page.ts';
import { CliError, EXIT } from './exit.ts';
import { say } from './terminal.ts';

const ROOT = join(import.meta.dirname, '..');

/** `stopbath docs`: writes the page of every playbook from its folder, and the schemas that editors read. */
export function register(program: Command): void {
  program
    .command('docs')
    .description('write docs/playbooks from the playbooks’ folders, and docs/schemas for editors')
    .option('--check', 'write nothing; exit 1 where a page is not up to date')
    .addHelpText('after', '\nExample:\n  $ stopbath docs --check')
    .action(async ({ check }: { readonly check?: true }) => {
      const tree = treeOf(ROOT);
      const stale = [...generatedDocs(tree)].filter(([path, text]) => tree.read(path) !== text);
      if (!check) await Promise.all(stale.map(([path, text]) => write(join(ROOT, path), text)));
      const paths = stale.map(([path]) => path).join(', ');
      if (check && stale.length > 0) throw new CliError(EXIT.no, `${paths} is not what the playbooks and their schemas say: run npm run stopbath -- docs`);
      say(stale.length === 0 ? 'the pages of all playbooks, and the schemas, are up to date' : `written: ${paths}`);
    });
}

/** Path to text of everything in docs/ that is generated: the page of every playbook, in the order of their names, and the schemas. */
export function generatedDocs(tree: Tree): ReadonlyMap<string, string> {
  return new Map([
    ...tree.list('workflows').map((folder): readonly [string, string] => {
      const [playbook, workflow] = ['playbook.json', 'workflow.asl.json'].map((file): unknown => JSON.parse(tree.read(`workflows/${folder}/${file}`) ?? ''));
      return [`docs/playbooks/${folder}.md`, playbookPage(tree, readPlaybook(folder, playbook), workflow)];
    }),
    ['docs/schemas/playbook.schema.json', `${JSON.stringify(playbookJsonSchema(), null, 2)}\n`],
    ['docs/schemas/scenario.schema.json', `${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`],
  ]);
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
