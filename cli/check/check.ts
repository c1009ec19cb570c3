import { PlaybookError, PlaybookSchema, readPlaybook, type Playbook } from '../../core/playbook.ts';
import { readConfig } from '../../deploy/config.ts';
import { playbookPage } from '../docs/page.ts';
import { checkFunctions, ownFunctions } from './functions.ts';
import type { Problem } from './problem.ts';
import { checkScenarios } from './scenarios.ts';
import { isRecord, readSource, type Source } from './source.ts';
import type { Tree } from './tree.ts';
import { checkTriggers } from './triggers.ts';
import { checkWorkflow } from './workflow.ts';

/**
 * Everything that a reviewer would say of playbooks, by their files alone: nothing is deployed or played.
 *
 * @param names - folders in `workflows/`
 * @returns in the order of files and lines
 */
export function checkPlaybooks(tree: Tree, names: readonly string[]): readonly Problem[] {
  const problems: Problem[] = [];
  const all = readablePlaybooks(tree);
  for (const name of names) checkPlaybook(tree, name, all, problems);
  const seen = new Set<string>();
  return problems
    .filter((problem) => !seen.has(JSON.stringify(problem)) && seen.add(JSON.stringify(problem)))
    .toSorted((one, other) => one.file.localeCompare(other.file) || one.line - other.line || one.column - other.column);
}

function checkPlaybook(tree: Tree, name: string, all: readonly Playbook[], problems: Problem[]): void {
  const manifest = readSource(tree, `workflows/${name}/playbook.json`, 'playbook', problems);
  const workflow = readSource(tree, `workflows/${name}/workflow.asl.json`, 'asl', problems);
  const surroundings = { config: readConfig({}), functions: tree.list('functions'), playbooks: tree.list('workflows') };
  const states = workflow ? checkWorkflow(workflow, name, surroundings) : [];
  const playbook = manifest ? readManifest(manifest, name) : null;
  checkRegistration(tree, name, ownFunctions(tree, name, states), problems);
  if (!playbook || !manifest) return;
  checkTriggers(manifest, playbook, all);
  checkFunctions(tree, playbook, manifest, states, problems);
  if (playbook.never.length === 0) manifest.report(manifest.at([]), 'docs', 'never is missing: say what the playbook never touches, for who has to trust it');
  if (workflow?.value === undefined) return;
  checkScenarios(tree, playbook, workflow, states, problems);
  checkPage(tree, playbook, workflow, problems);
}

function readManifest(source: Source, name: string): Playbook | null {
  if (source.value === undefined) return null;
  const parsed = PlaybookSchema.safeParse(source.value);
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.filter((part) => typeof part !== 'symbol');
    const [key] = issue.code === 'unrecognized_keys' ? issue.keys : [];
    source.report(source.at(key === undefined ? path : [...path, key]), 'playbook', `${path.join('.') || 'playbook.json'}: ${issue.message}`);
  }
  if (!parsed.success) return null;
  try {
    return readPlaybook(name, source.value);
  } catch (error) {
    if (!(error instanceof PlaybookError)) throw error;
    const index = parsed.data.triggers.findIndex((trigger) => error.message.includes(`trigger ${trigger.name} `) || error.message.endsWith(` ${trigger.name}`));
    source.report(source.at(['triggers', Math.max(index, 0), 'name']), 'trigger', `${error.message.replace(/^workflows\/[^:]+: /, '')}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}`);
    return null;
  }
}

/** The others, to hold against: one that cannot be read is reported when it is checked itself. */
function readablePlaybooks(tree: Tree): readonly Playbook[] {
  return tree.list('workflows').flatMap((name) => {
    try {
      return [readPlaybook(name, JSON.parse(tree.read(`workflows/${name}/playbook.json`) ?? ''))];
    } catch {
      return [];
    }
  });
}

/** The one checked list. */
function checkRegistration(tree: Tree, name: string, functions: readonly string[], problems: Problem[]): void {
  const list = readSource(tree, 'serverless.yml', 'registration', problems);
  if (!list) return;
  const wanted = [`playbooks.${name}}`, ...functions.map((one) => `functions.${one}}`)];
  const section = { playbooks: list.find('resources:'), functions: list.find('functions:') };
  for (const line of wanted) {
    if (list.text.includes(`\${file(deploy/stack.cjs):${line}`)) continue;
    const isPlaybook = line.startsWith('playbooks.');
    list.report(isPlaybook ? section.playbooks : section.functions, 'registration', `${line.slice(line.indexOf('.') + 1, -1)} is not listed: add ${isPlaybook ? '  - ' : `  ${line.slice('functions.'.length, -1)}: `}\${file(deploy/stack.cjs):${line}`);
  }
}

function checkPage(tree: Tree, playbook: Playbook, workflow: Source, problems: Problem[]): void {
  const file = `docs/playbooks/${playbook.name}.md`;
  if (!isRecord(workflow.value)) return;
  const [wanted, present] = [playbookPage(tree, playbook, workflow.value).split('\n'), (tree.read(file) ?? '').split('\n')];
  const line = wanted.findIndex((text, index) => text !== present[index]);
  if (line !== -1 || wanted.length !== present.length) problems.push({ file, line: Math.max(line, 0) + 1, column: 1, rule: 'docs', message: 'the page is not what the folder says: run npm run stopbath -- docs' });
}
