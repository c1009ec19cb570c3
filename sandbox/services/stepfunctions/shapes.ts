import { NormalizedSchema } from '@smithy/core/schema';
import type { Json } from '../../../core/bucket.ts';
import { runtimeFailure } from './failure.ts';
import type { TaskService } from './resource.ts';

/** Between a Task's JSON, whose members are PascalCase in every service, and the SDK's types. */
export interface Shapes {
  /** @throws {StateFailure} `States.Runtime` for a member that the operation does not have */
  readonly toInput: (parameters: Json) => unknown;
  readonly toOutput: (output: unknown) => Promise<Json>;
}

/**
 * The shapes of an operation. Only the SDK's schema tells a member (`startDate` becomes `StartDate`) from data (a key of
 * a DynamoDB item stays).
 */
export async function shapesOf(service: TaskService, operation: string): Promise<Shapes> {
  const sdk = await service.sdk();
  const schema = sdk[`${operation}$`];
  const [, , , , input, output] = (Array.isArray(schema) ? schema : []) as readonly SchemaRef[];
  if (input === undefined || output === undefined) throw runtimeFailure(`The action ${operation} is not supported by ${service.prefix}: correct the state's Resource.`);
  return {
    toInput: (parameters) => toSdk(parameters, NormalizedSchema.of(input)),
    toOutput: (value) => fromSdk(value, NormalizedSchema.of(output)),
  };
}

/**
 * Whether the SDK models an error: only modelled errors have a name of their own in Step Functions. A missing permission
 * never has one, though some single operations of S3 and EventBridge model it.
 */
export async function modelled(service: TaskService, code: string): Promise<boolean> {
  if (/^AccessDenied(Exception)?$/.test(code)) return false;
  const sdk = await service.sdk();
  return [code, `${code}Exception`].some((name) => {
    const candidate = sdk[name];
    return typeof candidate === 'function' && candidate.prototype instanceof Error;
  });
}

type SchemaRef = Parameters<typeof NormalizedSchema.of>[0];

function toSdk(value: Json, schema: NormalizedSchema): unknown {
  if (value === null) return undefined;
  if (schema.isBlobSchema()) return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  if (schema.isTimestampSchema()) return new Date(typeof value === 'number' ? value * 1000 : JSON.stringify(value).slice(1, -1));
  if (Array.isArray(value)) return schema.isListSchema() ? value.map((entry: Json) => toSdk(entry, schema.getValueSchema())) : value;
  if (typeof value !== 'object') return value;
  if (schema.isMapSchema()) return mapValues(value as Entries, (entry) => toSdk(entry, schema.getValueSchema()));
  if (!schema.isStructSchema()) return value;
  const members = new Map([...schema.structIterator()].map(([name, member]) => [pascal(name), { name, member }]));
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => {
      const found = members.get(key);
      if (!found) throw runtimeFailure(`The field "${key}" is not supported by Step Functions: it takes ${[...members.keys()].join(', ')}.`);
      return [found.name, toSdk(entry, found.member)];
    }),
  );
}

async function fromSdk(value: unknown, schema: NormalizedSchema): Promise<Json> {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return Promise.all(value.map((entry) => fromSdk(entry, schema.isListSchema() ? schema.getValueSchema() : schema)));
  if (isStream(value)) return readAll(value);
  if (typeof value !== 'object') return value as Json;
  const inMap = schema.isMapSchema();
  const members = schema.isStructSchema() ? new Map(schema.structIterator()) : null;
  const entries = Object.entries(value).filter(([key, entry]) => entry !== undefined && key !== '$metadata');
  return Object.fromEntries(
    await Promise.all(
      entries.map(async ([key, entry]): Promise<[string, Json]> => {
        const member = inMap ? schema.getValueSchema() : members?.get(key);
        return [inMap ? key : pascal(key), member ? await fromSdk(entry, member) : (entry as Json)];
      }),
    ),
  );
}

type Entries = { readonly [key: string]: Json };

function mapValues(value: Entries, change: (entry: Json) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, change(entry)]));
}

function isStream(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
