import jsonata from 'jsonata';
import type { Json } from '../../../core/bucket.ts';
import { innerScopes, type Machine, type Scope, type State } from './definition.ts';
import { expressionIn } from './jsonata.ts';
import { parseResource } from './resource.ts';

/** One diagnostic. `location` is a path from the machine: `/States/Plan/Next`. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly location: string;
}

/**
 * What AWS refuses in a definition whose fields are right: transitions that lead nowhere, states that nothing leads to,
 * scopes that never end, resources it does not know, and expressions that cannot work.
 *
 * @see https://github.com/localstack/localstack/issues/11978 AWS's texts for transitions
 * @see https://github.com/floci-io/floci/issues/2670 and /2745 AWS's texts for expressions
 */
export function problemsOf(machine: Machine): readonly Problem[] {
  return [...scopeProblems(machine, ''), ...duplicateNames(machine, '', new Map())];
}

function scopeProblems(scope: Scope, path: string): Problem[] {
  const states = Object.entries(scope.States);
  const missing = (field: string, target: string, location: string): Problem => ({
    code: 'MISSING_TRANSITION_TARGET',
    message: `Missing '${field}' target: ${target}`,
    location,
  });
  const problems: Problem[] = [];
  const reached = new Set([scope.StartAt]);
  if (scope.States[scope.StartAt] === undefined) problems.push(missing('StartAt', scope.StartAt, `${path}/StartAt`));
  for (const [name, state] of states) {
    for (const { field, at, target } of transitionsOf(state)) {
      reached.add(target);
      if (scope.States[target] === undefined) problems.push(missing(field, target, `${path}/States/${name}${at}`));
    }
  }
  for (const [name] of states) {
    if (!reached.has(name)) problems.push({ code: 'MISSING_TRANSITION_TARGET', message: `State "${name}" is not reachable.`, location: `${path}/States/${name}` });
  }
  if (!states.some(([, state]) => isEnd(state))) problems.push({ code: 'MISSING_END_STATE', message: 'there is no terminal state', location: `${path}/States` });
  for (const [name, state] of states) {
    const at = `${path}/States/${name}`;
    problems.push(...stateProblems(state, at));
    for (const inner of innerScopes(state)) problems.push(...scopeProblems(inner.scope, at + inner.path));
  }
  return problems;
}

function transitionsOf(state: State): readonly { readonly field: string; readonly at: string; readonly target: string }[] {
  const next = 'Next' in state && state.Next !== undefined ? [{ field: 'Next', at: '/Next', target: state.Next }] : [];
  const caught = 'Catch' in state ? (state.Catch ?? []).map(({ Next }, index) => ({ field: 'Next', at: `/Catch[${index}]/Next`, target: Next })) : [];
  if (state.Type !== 'Choice') return [...next, ...caught];
  const rules = state.Choices.map(({ Next }, index) => ({ field: 'Next', at: `/Choices[${index}]/Next`, target: Next }));
  return state.Default === undefined ? rules : [...rules, { field: 'Default', at: '/Default', target: state.Default }];
}

function isEnd(state: State): boolean {
  return state.Type === 'Succeed' || state.Type === 'Fail' || ('End' in state && state.End === true);
}

function stateProblems(state: State, at: string): Problem[] {
  const problems: Problem[] = [];
  const schema = (message: string, location: string) => problems.push({ code: 'SCHEMA_VALIDATION_FAILED', message, location });
  if ('Next' in state || 'End' in state || ['Pass', 'Task', 'Wait', 'Parallel', 'Map'].includes(state.Type)) {
    const flow = state as { readonly Next?: string; readonly End?: boolean };
    if ((flow.Next === undefined) === (flow.End !== true)) schema('These fields are required: [Next or End]', at);
  }
  if (state.Type === 'Task' && parseResource(state.Resource) === null) {
    const why = 'The value is not a valid resource ARN, or the resource is not available in this region.';
    schema(`The resource provided ${state.Resource} is not recognized. ${why}`, `${at}/Resource`);
  }
  if ('Retry' in state || 'Catch' in state) {
    for (const [field, rules] of [['Retry', state.Retry ?? []], ['Catch', state.Catch ?? []]] as const) {
      rules.forEach(({ ErrorEquals }, index) => {
        if (!ErrorEquals.includes('States.ALL')) return;
        if (ErrorEquals.length > 1 || index < rules.length - 1) schema(`'States.ALL' must be alone and in the last element`, `${at}/${field}[${index}]/ErrorEquals`);
      });
    }
  }
  for (const [field, value] of Object.entries(state)) {
    if (!['Type', 'Comment', 'Resource', 'Next', 'Default', 'Retry', 'Branches', 'ItemProcessor'].includes(field)) problems.push(...expressionProblems(value as Json, `${at}/${field}`));
  }
  return problems;
}

function expressionProblems(template: Json | undefined, at: string): Problem[] {
  if (Array.isArray(template)) return template.flatMap((entry: Json, index) => expressionProblems(entry, `${at}[${index}]`));
  if (typeof template === 'object' && template !== null) return Object.entries(template).flatMap(([key, entry]) => expressionProblems(entry, `${at}/${key}`));
  const expression = typeof template === 'string' ? expressionIn(template) : null;
  if (expression === null) return [];
  try {
    const ast: unknown = jsonata(expression).ast();
    const unsupported = (message: string): Problem => ({ code: 'UNSUPPORTED_JSONATA_EXPRESSION', message, location: at });
    const names = [...topLevelNames(ast)].map((name) => unsupported(`Reference to '${name}' at the top level is not supported.`));
    return reads(ast, 'errorOutput') && !at.includes('/Catch[') ? [...names, unsupported("'$states.errorOutput' is only there in the Output and Assign of a Catch.")] : names;
  } catch (error) {
    return [{ code: 'INVALID_JSONATA_EXPRESSION', message: (error as { readonly message?: string }).message ?? String(error), location: at }];
  }
}

/** Names (and `$`, `$$`) that would be read from JSONata's context, which Step Functions does not have. */
function* topLevelNames(node: unknown): Generator<string> {
  if (Array.isArray(node)) {
    for (const entry of node) yield* topLevelNames(entry);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { type, value, steps, ...rest } = node as Readonly<Record<string, unknown>>;
  if (type === 'path' && Array.isArray(steps)) {
    const [first] = steps as readonly unknown[];
    const name = first as { readonly type?: string; readonly value?: string };
    if (name.type === 'name') yield name.value ?? '';
    else yield* topLevelNames(first);
    return;
  }
  if (type === 'variable' && (value === '' || value === '$')) yield value === '' ? '$' : '$$';
  // What stands in a predicate, a grouping, a sort or a transform has a context of its own.
  for (const [key, child] of Object.entries(rest)) {
    if (!['predicate', 'stages', 'group', 'pattern', 'update', 'delete'].includes(key)) yield* topLevelNames(child);
  }
}

/** Whether `$states.<member>` stands anywhere in an expression. */
function reads(node: unknown, member: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  const { type, steps } = node as { readonly type?: unknown; readonly steps?: readonly { readonly type?: unknown; readonly value?: unknown }[] };
  if (type === 'path' && steps?.[0]?.type === 'variable' && steps[0].value === 'states' && steps[1]?.value === member) return true;
  return Object.values(node).some((child) => reads(child, member));
}

function duplicateNames(scope: Scope, path: string, seen: Map<string, string>): Problem[] {
  return Object.entries(scope.States).flatMap(([name, state]) => {
    const location = `${path}/States/${name}`;
    const before = seen.get(name);
    seen.set(name, location);
    const inner = innerScopes(state).flatMap((entry) => duplicateNames(entry.scope, location + entry.path, seen));
    return before === undefined ? inner : [{ code: 'DUPLICATE_STATE_NAME', message: `State name '${name}' is already used at ${before}`, location }, ...inner];
  });
}
