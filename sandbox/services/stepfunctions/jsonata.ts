import jsonata from 'jsonata';
import type { Json } from '../../../core/bucket.ts';
import { awsFunctions, type Surroundings } from './functions.ts';

/**
 * JSONata as Step Functions evaluates it. Only text of the definition is ever parsed; inputs, results and variables are
 * bound as values, so no event can become code. `$eval` is not there (AWS answers T1006 as well).
 *
 * The bounds are AWS's as measured with TestState: a nesting depth of 100 and 873,782 elements in a sequence.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
 * @see https://github.com/floci-io/floci/issues/2736 the texts of failed expressions, measured on AWS
 * @see https://github.com/floci-io/floci/issues/2737 the bounds
 */
const BOUNDS = { stack: 100, sequence: 873_782, timeout: 5_000 };

export interface Bindings {
  /** What the state sees, outer scopes included. */
  readonly variables: Readonly<Record<string, Json>>;
  /** `$states`: absent members are absent. */
  readonly states: { readonly input: Json; readonly context: Json; readonly result?: Json; readonly errorOutput?: Json };
  readonly surroundings: Surroundings;
}

/** An expression that failed, returned nothing, or returned the wrong type. `field` is AWS's `location`. */
export class QueryError extends Error {
  override readonly name = 'QueryError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** The expression in `{% … %}`; `null` for any other text. */
export function expressionIn(text: string): string | null {
  return text.startsWith('{%') && text.endsWith('%}') && text.length >= 4 ? text.slice(2, -2).trim() : null;
}

/**
 * Evaluate every expression in a template.
 *
 * @param field - where it stands in the state: `Output`, `Catch[0]/Assign`; keys and indices are appended
 * @throws {QueryError} for the first expression that fails, or returns nothing
 */
export async function evaluate(template: Json, field: string, bindings: Bindings): Promise<Json> {
  if (typeof template === 'string') {
    const expression = expressionIn(template);
    return expression === null ? template : evaluateExpression(expression, field, bindings);
  }
  if (Array.isArray(template)) {
    const values: Json[] = [];
    for (const [index, entry] of template.entries()) values.push(await evaluate(entry, `${field}[${index}]`, bindings));
    return values;
  }
  if (template === null || typeof template !== 'object') return template;
  const entries: [string, Json][] = [];
  for (const [key, entry] of Object.entries(template)) entries.push([key, await evaluate(entry, `${field}/${key}`, bindings)]);
  return Object.fromEntries(entries);
}

/** The same for a field that must have a type. @throws {QueryError} with AWS's text where it has another */
export async function evaluateAs<Type extends keyof Types>(type: Type, template: Json, field: string, bindings: Bindings): Promise<Types[Type]> {
  const value = await evaluate(template, field, bindings);
  if (isType(type, value)) return value;
  const found = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const expression = typeof template === 'string' ? (expressionIn(template) ?? template) : JSON.stringify(template);
  throw new QueryError(
    field,
    `The JSONata expression '${expression}' specified for the field '${field}' returned an unexpected result type. Expected '${type}', but was '${found}' for value: ${JSON.stringify(value)}`,
  );
}

interface Types {
  readonly array: readonly Json[];
  readonly boolean: boolean;
  readonly number: number;
  readonly string: string;
}

function isType<Type extends keyof Types>(type: Type, value: Json): value is Json & Types[Type] {
  return type === 'array' ? Array.isArray(value) : typeof value === type;
}

const compiled = new Map<string, jsonata.Expression>();

async function evaluateExpression(expression: string, field: string, { variables, states, surroundings }: Bindings): Promise<Json> {
  const where = `The JSONata expression '${expression}' specified for the field '${field}'`;
  let value: unknown;
  try {
    const program = compiled.get(expression) ?? jsonata(expression, BOUNDS);
    compiled.set(expression, program);
    value = await program.evaluate(undefined, { ...awsFunctions(surroundings), ...variables, states });
  } catch (error) {
    throw new QueryError(field, `${where} threw an error during evaluation${reasonOf(error)}`);
  }
  const json = toJson(value);
  if (json === undefined) throw new QueryError(field, `${where} returned nothing (undefined).`);
  return json;
}

/** Codes are followed by JSONata's own text; the memory bound has AWS's, without a code. */
function reasonOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : null;
  const message = typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  if (code === 'D2015' || code === 'D2014') return ': Expression evaluation memory limit exceeded: Check for excessive memory usage';
  return code === null ? `: ${message}` : `. ${code}: ${message}`;
}

/** Plain data: JSONata's sequences carry flags, and lambdas are objects. */
function toJson(value: unknown): Json | undefined {
  if (value === undefined || typeof value === 'function') return undefined;
  const text = JSON.stringify(value, (_key, entry: unknown) => (isLambda(entry) ? undefined : entry)) as string | undefined;
  return text === undefined ? undefined : (JSON.parse(text) as Json);
}

function isLambda(value: unknown): boolean {
  return typeof value === 'object' && value !== null && ('_jsonata_lambda' in value || '_jsonata_function' in value);
}
