import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import type { Asked } from './loopback.ts';

/** What a vendor publishes of its API, as far as Stopbath calls it: `github.api.json`, `jira.api.json`. */
interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly { readonly name: string; readonly in: 'path' | 'query'; readonly required: boolean; readonly schema: object }[];
  readonly body?: object;
  readonly statuses: readonly string[];
}

/** A request that the vendor does not describe, or not so. */
export class NotDescribedError extends Error {
  override readonly name = 'NotDescribedError';
}

/**
 * Holds requests against a vendor's description: the path, every parameter, and the body.
 *
 * @returns a function that names the operation of a request
 * @throws {NotDescribedError} by it
 */
export function described(file: string): (asked: Asked) => string {
  const { paths } = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8')) as Described;
  const ajv = new Ajv({ strict: false, validateFormats: false, coerceTypes: 'array', allErrors: true });
  const bodies = new Map<Operation, ValidateFunction>();
  return (asked) => {
    for (const [template, methods] of Object.entries(paths)) {
      const found = new RegExp(`^${template.replaceAll('.', String.raw`\.`).replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`).exec(asked.path);
      const operation = methods[asked.method.toLowerCase()];
      if (!found || !operation) continue;
      const values = { path: found.groups ?? {}, query: Object.fromEntries(asked.query) };
      for (const { name, in: place, required, schema } of operation.parameters) {
        const value = values[place][name];
        if (value === undefined && required) throw new NotDescribedError(`${operation.operationId}: ${place} ${name} is missing`);
        if (value !== undefined && !ajv.validate({ type: 'object', properties: { value: schema } }, { value: decodeURIComponent(value) })) throw new NotDescribedError(`${operation.operationId}: ${place} ${name} is ${value}: ${ajv.errorsText()}`);
      }
      const unknown = Object.keys(values.query).filter((name) => !operation.parameters.some((one) => one.in === 'query' && one.name === name));
      if (unknown.length > 0) throw new NotDescribedError(`${operation.operationId}: takes no ${unknown.join(', ')}`);
      checkBody(operation, asked.body, ajv, bodies);
      return operation.operationId;
    }
    throw new NotDescribedError(`there is no ${asked.method} ${asked.path}`);
  };
}

function checkBody(operation: Operation, body: unknown, ajv: Ajv, known: Map<Operation, ValidateFunction>): void {
  const { operationId } = operation;
  if (operation.body === undefined) {
    if (body !== undefined) throw new NotDescribedError(`${operationId}: takes no body`);
    return;
  }
  const check = known.get(operation) ?? ajv.compile(operation.body);
  known.set(operation, check);
  // Types are not to be bent in a body.
  const before = JSON.stringify(body);
  if (!check(body) || JSON.stringify(body) !== before) throw new NotDescribedError(`${operationId}: ${ajv.errorsText(check.errors)}: ${before.slice(0, 300)}`);
  const properties: unknown = Reflect.get(operation.body, 'properties');
  const unknown = typeof properties === 'object' && properties !== null && typeof body === 'object' && body !== null ? Object.keys(body).filter((name) => !(name in properties)) : [];
  if (unknown.length > 0) throw new NotDescribedError(`${operationId}: knows no ${unknown.join(', ')}`);
}
