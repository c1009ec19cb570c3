import { DeployError, pascalOf } from '../../deploy/names.ts';
import { playbookTemplate, type Surroundings } from '../../deploy/playbooks.ts';
import { readDefinition } from '../../sandbox/services/stepfunctions/schema.ts';
import { isRecord, pathOf, textOf, type Path, type Source } from './source.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface StateAt {
  readonly name: string;
  readonly path: Path;
  readonly state: Fields;
  /** The states around it, by name. */
  readonly scope: Fields;
  /** Whether it stands in a Map or a Parallel: what it catches may end its branch only. */
  readonly inner: boolean;
  /** Whether the Map or Parallel around it catches everything. */
  readonly caught: boolean;
}

/** Everything about `workflow.asl.json` alone. @returns its states, those inside Map and Parallel too */
export function checkWorkflow(source: Source, playbook: string, surroundings: Surroundings): readonly StateAt[] {
  if (!isRecord(source.value)) return [];
  const states = statesOf(source.value, []);
  const { report, at } = source;
  if (source.value['QueryLanguage'] !== 'JSONata') report(at(['QueryLanguage']), 'asl', `QueryLanguage is ${JSON.stringify(source.value['QueryLanguage'] ?? null)}: must be "JSONata"`);
  if (source.value['TimeoutSeconds'] === undefined) report(at([]), 'timeout', 'the workflow has no TimeoutSeconds: an execution that hangs holds its target for a year');
  checkDefinition(source);
  checkPlaceholders(source, playbook, surroundings);
  for (const state of states) {
    checkName(source, state);
    if (state.state['Type'] === 'Task') checkTask(source, state, playbook);
  }
  return states;
}

/** As AWS's ValidateStateMachineDefinition says it; placeholders stand for a number, which is valid wherever one is used. */
function checkDefinition({ text, at, report }: Source): void {
  const { problems } = readDefinition(text.replaceAll(/\$\{\w+\}/g, '1'));
  for (const { code, message, location } of problems) {
    if (message.startsWith('The resource provided')) continue;
    report(at(pathOf(location)), code.includes('JSONATA') ? 'jsonata' : 'asl', message);
  }
}

function checkPlaceholders(source: Source, playbook: string, surroundings: Surroundings): void {
  for (const [written] of source.text.matchAll(/arn:aws[a-z-]*:(?!states:::)[a-z0-9-]*:[a-z0-9-]*:(?:\d{12})?:[^"]*/g)) source.report(source.find(written), 'placeholder', `${written} is written out: an ARN comes in by a placeholder`);
  try {
    playbookTemplate(playbook, source.value, surroundings);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const message = error.message.replace(/^workflows\/[^:]+: /, '');
    const [, state] = /^state "([^"]+)"/.exec(message) ?? [];
    const [placeholder] = /\$\{\w+\}/.exec(message) ?? [];
    const where = state !== undefined ? source.find(`"${state}": {`) : source.find(placeholder ?? '');
    source.report(where, /permissions are not known/.test(message) ? 'permissions' : 'placeholder', message);
  }
}

function checkName({ at, report }: Source, { name, path, state }: StateAt): void {
  if (state['Type'] === 'Choice') {
    if (!name.endsWith('?')) report(at(path), 'names', `the Choice ${JSON.stringify(name)} is no question: end it with ?`);
  } else if (!/^[A-Z]/.test(name) || name.endsWith('?')) report(at(path), 'names', `the state ${JSON.stringify(name)} must be a Title Case imperative, as in "Open Ticket"`);
}

/** What a lost answer or a crowded service looks like to Step Functions, by the resource that is called. */
const TRANSIENT: readonly (readonly [resource: RegExp, errors: readonly string[]])[] = [
  [/:lambda:invoke/, ['TransientError', 'Lambda.ServiceException', 'Lambda.SdkClientException', 'Lambda.TooManyRequestsException']],
  [/:states:startExecution/, ['Sfn.SfnException']],
  [/:aws-sdk:dynamodb:/, ['DynamoDb.ThrottlingException']],
];

function checkTask({ at, report }: Source, { name, path, state, scope, inner, caught }: StateAt, playbook: string): void {
  const resource = textOf(state['Resource']);
  const waits = resource.includes('.waitForTaskToken');
  if (state['TimeoutSeconds'] === undefined) report(at(path), 'timeout', `the Task ${JSON.stringify(name)} ${waits ? 'waits for a token and' : ''} has no TimeoutSeconds`.replace('  ', ' '));
  const retried = errorsOf(state['Retry']);
  const wanted = TRANSIENT.find(([pattern]) => pattern.test(resource))?.[1] ?? [];
  const missing = retried.includes('States.ALL') ? [] : wanted.filter((error) => !retried.includes(error));
  if (retried.length === 0) report(at(path), 'retry', `the Task ${JSON.stringify(name)} has no Retry: what is transient ends it`);
  else if (missing.length > 0) report(at([...path, 'Retry']), 'retry', `the Task ${JSON.stringify(name)} is not tried again for ${missing.join(', ')}`);
  const catchers = Array.isArray(state['Catch']) ? state['Catch'].filter(isRecord) : [];
  if (!caught && !errorsOf(catchers).includes('States.ALL')) report(at(catchers.length > 0 ? [...path, 'Catch'] : path), 'catch', `the Task ${JSON.stringify(name)} does not catch States.ALL: an error would end the execution without a record`);
  if (inner || isRecorder(state, playbook)) return;
  catchers.forEach(({ Next }, index) => {
    if (typeof Next === 'string' && !recordsFrom(Next, scope, playbook)) report(at([...path, 'Catch', index]), 'catch', `what ${JSON.stringify(name)} catches goes to ${JSON.stringify(Next)}, from where nothing is put on record`);
  });
}

function errorsOf(rules: unknown): readonly string[] {
  return (Array.isArray(rules) ? rules.filter(isRecord) : []).flatMap(({ ErrorEquals }) => (Array.isArray(ErrorEquals) ? ErrorEquals.map(String) : []));
}

/** Whether some state that can be reached puts something on record. */
function recordsFrom(start: string, scope: Fields, playbook: string, seen = new Set<string>()): boolean {
  const state = scope[start];
  if (seen.has(start) || !isRecord(state)) return false;
  seen.add(start);
  return isRecorder(state, playbook) || nextOf(state).some((next) => recordsFrom(next, scope, playbook, seen));
}

function isRecorder({ Resource, Arguments }: Fields, playbook: string): boolean {
  const called = isRecord(Arguments) ? textOf(Arguments['FunctionName']) : '';
  const own = pascalOf(playbook);
  return /:aws-sdk:dynamodb:(?:put|update)Item/.test(String(Resource)) || /:sqs:sendMessage/.test(String(Resource)) || called === '${RecordArn}' || called === `\${${own}RecordArn}`;
}

/** Where a state may go, whatever happens in it. */
export function nextOf(state: Fields): readonly string[] {
  const rules = [state['Choices'], state['Catch']].flatMap((list) => (Array.isArray(list) ? list.filter(isRecord) : []));
  return [state['Next'], state['Default'], ...rules.map(({ Next }) => Next)].filter((next) => typeof next === 'string');
}

function statesOf(scope: Fields, path: Path, around: { readonly inner: boolean; readonly caught: boolean } = { inner: false, caught: false }): readonly StateAt[] {
  const states = isRecord(scope['States']) ? scope['States'] : {};
  return Object.entries(states).flatMap(([name, state]): readonly StateAt[] => {
    if (!isRecord(state)) return [];
    const at = [...path, 'States', name];
    const within = { inner: true, caught: around.caught || errorsOf(state['Catch']).includes('States.ALL') };
    const branches = Array.isArray(state['Branches']) ? state['Branches'] : [];
    return [
      { name, path: at, state, scope: states, ...around },
      ...branches.flatMap((branch, index) => (isRecord(branch) ? statesOf(branch, [...at, 'Branches', index], within) : [])),
      ...(isRecord(state['ItemProcessor']) ? statesOf(state['ItemProcessor'], [...at, 'ItemProcessor'], within) : []),
    ];
  });
}
