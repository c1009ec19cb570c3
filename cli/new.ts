import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { treeOf, type Tree } from './check/tree.ts';
import { CliError, EXIT } from './exit.ts';
import { functionFiles } from './new/function.ts';
import { playbookFiles } from './new/playbook.ts';
import { question, say, sayJson } from './terminal.ts';

const ROOT = join(import.meta.dirname, '..');

/** `stopbath new playbook|function <name>`: writes a folder that runs, and its lines in serverless.yml. */
export function register(program: Command): void {
  const verb = program.command('new').description('write the folders of a new playbook or function, which run as they are').addHelpText('after', '\nExample:\n  $ stopbath new playbook watch-bucket --title "Watch a bucket" --description "Tags a bucket that somebody has to watch."');
  verb
    .command('playbook')
    .description('a playbook that tags a bucket and takes the tag off again: make it do what yours does')
    .argument('<name>', 'what it does, as in quarantine-bucket')
    .option('--title <text>', 'a few words: Quarantine a bucket (asked for where it is missing)')
    .option('--description <text>', 'one sentence (asked for where it is missing)')
    .option('--attack <techniques>', 'what it answers, of MITRE ATT&CK, with commas: T1530,T1537', 'T1530')
    .option('--json', 'print { written } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath new playbook watch-bucket --title "Watch a bucket" --description "Tags a bucket that somebody has to watch."\n\nNothing is written where the name is taken. docs/write-a-playbook.md goes on from there.')
    .action(async (name: string, { title, description, attack, json }: { readonly title?: string; readonly description?: string; readonly attack: string; readonly json?: true }) => {
      const tree = treeOf(ROOT);
      // Its longest function is called <name>-verify.
      refuseName(tree, name, 'playbook', 40);
      refuseTaken(tree, [`workflows/${name}`, ...['plan', 'apply', 'verify'].map((step) => `functions/${name}-${step}`)]);
      const techniques = attack.split(',').map((one) => one.trim());
      const wrong = techniques.find((one) => !/^T\d{4}(?:\.\d{3})?$/.test(one));
      if (wrong !== undefined) throw new CliError(EXIT.usage, `--attack has ${JSON.stringify(wrong)}: give techniques as in T1530 or T1562.008, with commas`);
      const said = { name, title: await text('title', title), description: await text('description', description), attack: techniques };
      const written = await writeAll(playbookFiles(tree, said));
      if (json) return sayJson({ written });
      say(...written.map((path) => `written: ${path}`), '', 'It runs as it is:', `  stopbath check ${name}`, `  stopbath drill ${name}/there-and-back`, 'Go on with docs/write-a-playbook.md, step 2.');
    });
  verb
    .command('function')
    .description('a function that can be called, with a role that allows nothing yet')
    .argument('<name>', 'what it does, as in ask-approval')
    .option('--description <text>', 'one sentence (asked for where it is missing)')
    .option('--timeout <seconds>', 'at most 900', '30')
    .option('--memory <MB>', '128 to 10240', '256')
    .option('--json', 'print { written } as JSON')
    .addHelpText('after', '\nExample:\n  $ stopbath new function count-objects --description "Counts the objects of a bucket"')
    .action(async (name: string, { description, timeout, memory, json }: { readonly description?: string; readonly timeout: string; readonly memory: string; readonly json?: true }) => {
      const tree = treeOf(ROOT);
      refuseName(tree, name, 'function', 47);
      refuseTaken(tree, [`functions/${name}`]);
      const numbers = { timeout: whole('timeout', timeout, 1, 900), memory: whole('memory', memory, 128, 10_240) };
      const written = await writeAll(functionFiles(tree, { name, description: await text('description', description), ...numbers }));
      if (json) return sayJson({ written });
      say(...written.map((path) => `written: ${path}`), '', `A workflow calls it as \${${name.replaceAll(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())}Arn}.`);
    });
}

/** Functions, roles and state machines are called `stopbath-<stage>-<name>`, in 64 characters of AWS's. */
function refuseName(tree: Tree, name: string, kind: string, longest: number): void {
  const wrong = (why: string) => new CliError(EXIT.usage, `${JSON.stringify(name)} cannot be the name of a ${kind}: ${why}`);
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name)) throw wrong('write lower-case words with dashes, as in quarantine-bucket');
  if (name.length > longest) throw wrong(`it has ${name.length} characters, and ${longest} fit into the names of AWS`);
  if (kind === 'playbook' && /-(?:plan|apply|verify)$/.test(name)) throw wrong('its functions are called so: leave the last word out');
  const squeezed = name.replaceAll('-', '');
  const alike = [...tree.list('workflows'), ...tree.list('functions')].find((other) => other !== name && other.replaceAll('-', '') === squeezed);
  if (alike !== undefined) throw wrong(`${alike} would share its logical ids; choose another`);
}

function refuseTaken(tree: Tree, folders: readonly string[]): void {
  const taken = folders.find((folder) => tree.list(folder).length > 0);
  if (taken !== undefined) throw new CliError(EXIT.usage, `${taken} exists already, so nothing was written: choose another name, or delete the folder first`);
}

async function text(name: string, given: string | undefined): Promise<string> {
  const answer = (given ?? (await question(`${name}: `, `give --${name}`))).trim();
  if (answer === '' || answer.length > 200 || /\p{Cc}/u.test(answer)) throw new CliError(EXIT.usage, `--${name} is ${JSON.stringify(answer.slice(0, 80))}: write one line of 1 to 200 characters`);
  return answer;
}

function whole(name: string, given: string, least: number, most: number): number {
  const number = Number(given);
  if (!/^\d+$/.test(given) || number < least || number > most) throw new CliError(EXIT.usage, `--${name} is ${JSON.stringify(given)}: give a whole number from ${least} to ${most}`);
  return number;
}

/** @returns the paths, in order */
async function writeAll(files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  await Promise.all([...files].map(async ([path, content]) => {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), content);
  }));
  return [...files.keys()].toSorted();
}
