import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticErrorSchema, StaticOperationSchema } from '@smithy/types';

/**
 * What the SDK's runtime schemas say about a service: its operations and errors, read once per SDK module.
 * The clients export a schema of each as `PutBucketPolicy$`, `NoSuchBucket$`; nothing else of a client is used.
 */
export interface Model {
  readonly operations: ReadonlyMap<string, WireOperation>;
  /** By wire code, which for the query protocol may differ from the shape's name (`NoSuchEntity`). */
  readonly errors: ReadonlyMap<string, NormalizedSchema>;
}

export interface WireOperation {
  readonly name: string;
  readonly input: NormalizedSchema;
  readonly output: NormalizedSchema;
  /** Method, path template with its fixed query, and status of a REST operation. */
  readonly http: { readonly method: string; readonly path: string; readonly status: number } | null;
}

const models = new WeakMap<object, Model>();

export function modelOf(sdk: Readonly<Record<string, unknown>>): Model {
  const known = models.get(sdk);
  if (known) return known;
  const exported = Object.values(sdk);
  const model: Model = {
    operations: new Map(exported.filter(isOperation).map((schema) => [schema[2], readOperation(schema)])),
    errors: new Map(exported.filter(isError).map((schema) => [codeOf(schema), NormalizedSchema.of(schema)])),
  };
  models.set(sdk, model);
  return model;
}

/** The members that a request must have: the schema lists them first and gives their number. */
export function requiredMembers(shape: NormalizedSchema): readonly string[] {
  const schema = shape.getSchema();
  if (!Array.isArray(schema) || schema[0] !== 3) return [];
  return schema[4].slice(0, schema[6] ?? 0);
}

function readOperation(schema: StaticOperationSchema): WireOperation {
  const traits = typeof schema[3] === 'object' ? schema[3] : {};
  const [method, path, status] = traits.http ?? [];
  return {
    name: schema[2],
    input: NormalizedSchema.of(schema[4]),
    output: NormalizedSchema.of(schema[5]),
    http: method && path ? { method, path, status: status ?? 200 } : null,
  };
}

function codeOf(schema: StaticErrorSchema): string {
  const traits = typeof schema[3] === 'object' ? schema[3] : {};
  const query = traits['awsQueryError'];
  return Array.isArray(query) && typeof query[0] === 'string' ? query[0] : schema[2];
}

function isOperation(value: unknown): value is StaticOperationSchema {
  return Array.isArray(value) && value[0] === 9;
}

function isError(value: unknown): value is StaticErrorSchema {
  return Array.isArray(value) && value[0] === -3;
}
