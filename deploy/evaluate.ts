import { DeployError } from './names.ts';

/** What a resource answers to `Ref` and `Fn::GetAtt`. */
export interface Attributes {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What `Ref` gives of a parameter that is a list. */
  readonly list?: readonly string[];
}

export interface Scope {
  readonly account: string;
  readonly region: string;
  /** By logical id. */
  readonly resources: ReadonlyMap<string, Attributes>;
  /** Those of the template, by name; none where it has none. */
  readonly conditions?: Readonly<Record<string, unknown>>;
}

/**
 * A template's value with its intrinsic functions evaluated.
 *
 * @throws {DeployError} for a reference to nothing, or a function that is not here
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function evaluate(value: unknown, scope: Scope): unknown {
  if (Array.isArray(value)) return value.map((entry) => evaluate(entry, scope));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [[name, argument] = ['', null]] = entries;
  if (entries.length === 1 && (name === 'Ref' || name.startsWith('Fn::'))) return intrinsic(name, argument, scope);
  return Object.fromEntries(entries.map(([key, entry]) => [key, evaluate(entry, scope)]));
}

function intrinsic(name: string, argument: unknown, scope: Scope): unknown {
  if (name === 'Ref' && typeof argument === 'string') return scope.resources.get(argument)?.list ?? reference(argument, scope);
  if (name === 'Fn::GetAtt' && Array.isArray(argument)) return reference(argument.join('.'), scope);
  if (name === 'Fn::Sub' && typeof argument === 'string') return argument.replaceAll(/\$\{([\w:.]+)\}/g, (_, target: string) => reference(target, scope));
  if (name === 'Fn::Join' && Array.isArray(argument)) {
    const [separator, parts] = argument;
    const evaluated = evaluate(parts, scope);
    if (Array.isArray(evaluated)) return evaluated.join(String(separator));
  }
  if (name === 'Fn::Equals' && Array.isArray(argument)) return new Set(argument.map((side) => evaluate(side, scope))).size === 1;
  if (name === 'Fn::Not' && Array.isArray(argument)) return evaluate(argument[0], scope) === false;
  if (name === 'Fn::And' && Array.isArray(argument)) return argument.every((side) => evaluate(side, scope) === true);
  if (name === 'Fn::Condition' && typeof argument === 'string') return evaluate(scope.conditions?.[argument], scope);
  throw new DeployError(`nothing here evaluates ${name} of ${JSON.stringify(argument)}: add it to deploy/evaluate.ts`);
}

function reference(target: string, { account, region, resources }: Scope): string {
  const pseudo: Readonly<Record<string, string>> = { 'AWS::AccountId': account, 'AWS::Region': region, 'AWS::Partition': 'aws', 'AWS::URLSuffix': 'amazonaws.com' };
  const [id = '', ...rest] = target.split('.');
  const resource = resources.get(id);
  const value = target.startsWith('AWS::') ? pseudo[target] : rest.length === 0 ? resource?.ref : resource?.attributes[rest.join('.')];
  if (value === undefined) throw new DeployError(`\${${target}} refers to nothing in the template`);
  return value;
}
