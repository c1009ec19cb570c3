import type { Playbook, PlaybookInput } from '../../core/playbook.ts';
import { readFunctionFolder } from '../../deploy/functions.ts';
import type { PolicyStatement } from '../../deploy/names.ts';
import { tasksOf } from '../../deploy/playbooks.ts';
import { parseYaml } from '../../deploy/yaml.ts';
import { pascalOf } from '../../deploy/names.ts';
import { dashed } from '../playbook-files.ts';
import { textOf } from '../check/source.ts';
import type { Tree } from '../check/tree.ts';

/** The page of a playbook in docs/playbooks, from its folder and the folders of the functions that it calls. */
export function playbookPage(tree: Tree, playbook: Playbook, workflow: unknown): string {
  const { name, title, description, targets, defaultMode, attack, inputs, triggers, changes, never, notes } = playbook;
  const levels = Object.entries(inputs).filter(([, { values }]) => values !== undefined);
  const byHand = Object.values(inputs).some(({ target }) => target !== undefined);
  return [
    `<!-- Generated from workflows/${name}/ by "npm run stopbath -- docs". Change it there. -->`,
    `# ${title}\n`,
    `${description}\n`,
    `Acts on: ${targets.join(', ')}. Mode unless told: ${defaultMode}. ATT&CK: ${attack.join(', ')}.`,
    ...section('Inputs', Object.entries(inputs).map(([input, what]) => `- ${inputLine(input, what)}`), 'None beside the target.'),
    ...(byHand ? [`\nBy hand: \`stopbath plan ${name} ${exampleOf(inputs)}\` shows what it would do, \`stopbath start\` does it.`] : ['\nIt is not started by hand.']),
    ...levels.flatMap(([input, { values = {} }]) => section(`Levels: \`${input}\``, ['| level | what it means |', '|---|---|', ...Object.entries(values).map(([value, means]) => `| \`${value}\` | ${cell(means)} |`)])),
    ...section('Triggers', triggers.length === 0 ? [] : ['| trigger | mode | when | why |', '|---|---|---|---|', ...triggers.map((trigger) => `| ${trigger.name} | ${trigger.again ? 'contains again' : trigger.mode} | ${trigger.when.join(', ') || 'always'} | ${cell(trigger.why)} |`)], 'None: it is started by hand, or by another playbook.'),
    ...section('What it changes, and how that is taken back', Object.keys(changes).length === 0 ? [] : ['| setting | what is done | how it is undone |', '|---|---|---|', ...Object.entries(changes).map(([setting, { what, undoes }]) => `| \`${setting}\` | ${cell(what)} | ${cell(undoes)} |`)], 'Nothing.'),
    ...section('What it never touches', never.map((one) => `- ${one}`), 'Not said yet.'),
    ...section('Permissions', permissions(tree, name, workflow)),
    ...section('Workflow', ['```mermaid', 'flowchart TD', ...picture(workflow), '```']),
    ...(notes.length > 0 ? section('Notes', notes.map((note) => `- ${note}`)) : []),
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[], otherwise = ''): readonly string[] {
  return [`\n## ${title}\n`, ...(lines.length > 0 ? lines : [otherwise])];
}

function inputLine(name: string, input: PlaybookInput): string {
  const notes = [
    input.description,
    ...(input.target ? ['Names the target.'] : []),
    ...(input.with ? [`Only with ${input.with.map((other) => `\`${other}\``).join(' or ')}.`] : []),
    ...(input.without ? [`Not with ${input.without.map((other) => `\`${other}\``).join(' or ')}.`] : []),
    ...(input.default === undefined ? [] : [`Unless told \`${JSON.stringify(input.default).replaceAll('"', '')}\`.`]),
    ...(input.example ? [`Example: \`${input.example}\`.`] : []),
  ];
  return `\`${name}\`: ${notes.join(' ')}`;
}

function exampleOf(inputs: Playbook['inputs']): string {
  const [name, input] = Object.entries(inputs).find(([, { target }]) => target !== undefined) ?? [];
  return name === undefined ? '' : `--${dashed(name)} ${input?.example ?? '…'}`;
}

/** What every function that the workflow calls may do, from its `role.yml`; and what the workflow calls by itself. */
function permissions(tree: Tree, playbook: string, workflow: unknown): readonly string[] {
  const tasks = tasksOf(workflow);
  const called = new Set(tasks.map((task) => textOf(task.arguments['FunctionName'])));
  const functions = tree.list('functions').filter((name) => called.has(`\${${pascalOf(name)}Arn}`));
  const rows = functions.flatMap((name) => statementsOf(tree, name).map((statement, index) => `| ${index === 0 ? `\`${name}\`` : ''} | ${[statement.Action].flat().map((action) => `\`${action}\``).join(' ')} | ${resourcesOf(statement.Resource)}${partitionsOf(statement)} |`));
  const direct = [...new Set(tasks.map(({ resource }) => resource).filter((resource) => !resource.includes(':lambda:')))].map((resource) => `\`${resource.split(':::')[1] ?? resource}\``);
  const own = functions.filter((name) => name.startsWith(`${playbook}-`)).length;
  return [
    '| function | may | on |',
    '|---|---|---|',
    ...rows,
    `\nThe workflow itself calls these functions${direct.length > 0 ? ` and ${direct.join(', ')}` : ''}, and nothing else.${own > 0 ? ' Functions that plan or verify have no permission to change anything but the suite’s own records.' : ''}`,
  ];
}

function statementsOf(tree: Tree, name: string): readonly PolicyStatement[] {
  const [properties, role] = ['function.yml', 'role.yml'].map((file) => parseYaml(tree.read(`functions/${name}/${file}`) ?? ''));
  return readFunctionFolder(name, properties, role).statements;
}

/** `{ 'Fn::GetAtt': ['Table', 'Arn'] }` → the suite's Table; an ARN as it stands in the file. */
function resourcesOf(resource: unknown): string {
  return [resource].flat().map((one: unknown) => {
    if (typeof one === 'string') return one === '*' ? 'everything: AWS has no narrower resource' : `\`${one}\``;
    const [[kind, value] = ['', '']]: (readonly [string, unknown])[] = Object.entries(Object(one));
    if (kind === 'Fn::GetAtt') return `the suite’s ${String([value].flat()[0]).split('.')[0]}`;
    return kind === 'Config' ? `\`${String(value)}\` of stopbath.config.json` : `\`${String(value).replace('${file(deploy/stack.cjs):config.', '${config.')}\``;
  }).join('<br>');
}

/** Where a statement is about a part of the table alone. */
function partitionsOf({ Condition }: PolicyStatement): string {
  const named = Object.entries(Condition ?? {}).flatMap(([operator, about]: readonly [string, unknown]): readonly unknown[] => (operator.startsWith('ForAllValues:') ? [Reflect.get(Object(about), 'dynamodb:LeadingKeys')].flat() : []));
  const partitions = named.filter((key) => typeof key === 'string').map((key) => `\`${key}\``);
  return partitions.length === 0 ? '' : `: ${partitions.join(' ')}`;
}

interface State {
  readonly Type: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly { readonly Next: string }[];
  readonly Branches?: readonly Scope[];
  readonly ItemProcessor?: Scope;
}

interface Scope {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

function picture(workflow: unknown): readonly string[] {
  return drawn(workflow as Scope, 's', '  ');
}

/** States of a Map or a Parallel stand in a box of their own. */
function drawn({ StartAt, States }: Scope, prefix: string, indent: string): readonly string[] {
  const names = Object.keys(States);
  const id = (name: string) => `${prefix}${names.indexOf(name)}`;
  return [
    `${indent}${prefix}x(( )) --> ${id(StartAt)}`,
    ...Object.entries(States).flatMap(([name, state]) => {
      const inner = [...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])];
      if (inner.length === 0) return [`${indent}${box(id(name), name, state)}`];
      return [`${indent}subgraph ${id(name)}["${name}"]`, ...inner.flatMap((scope, index) => drawn(scope, `${id(name)}b${index}s`, `${indent}  `)), `${indent}end`];
    }),
    ...Object.entries(States).flatMap(([name, state]) => {
      const ways = [state.Next, state.Default, ...(state.Choices ?? []).map(({ Next }) => Next)].filter((next) => next !== undefined);
      const failures = new Set((state.Catch ?? []).map(({ Next }) => Next).filter((next) => !ways.includes(next)));
      return [...[...new Set(ways)].map((next) => `${indent}${id(name)} --> ${id(next)}`), ...[...failures].map((next) => `${indent}${id(name)} -. fails .-> ${id(next)}`)];
    }),
  ];
}

function box(id: string, name: string, { Type }: State): string {
  if (Type === 'Choice') return `${id}{"${name}"}`;
  return Type === 'Succeed' || Type === 'Fail' ? `${id}(["${name}"])` : `${id}["${name}"]`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
