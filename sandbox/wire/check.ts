import { NumericValue } from '@smithy/core/serde';
import type { NormalizedSchema } from '@smithy/core/schema';
import { requiredMembers } from './model.ts';

/**
 * Check what a client sent against the schema, so that operations may trust their input's type. The SDK's own
 * readers pass on whatever JSON holds, and a client that is not an SDK can leave out what is required.
 *
 * @throws {ShapeError} at the first member that is absent or of another type
 */
export function checkShape(shape: NormalizedSchema, value: unknown, path = ''): void {
  if (shape.isUnitSchema() || shape.isDocumentSchema()) return;
  if (shape.isStructSchema()) {
    if (!isRecord(value)) throw new ShapeError('type', path);
    for (const name of requiredMembers(shape)) {
      if (value[name] === undefined) throw new ShapeError('missing', join(path, name));
    }
    for (const [name, member] of shape.structIterator()) {
      if (value[name] !== undefined && value[name] !== null) checkShape(member, value[name], join(path, name));
    }
  } else if (shape.isListSchema()) {
    if (!Array.isArray(value)) throw new ShapeError('type', path);
    const member = shape.getValueSchema();
    value.forEach((entry, index) => checkShape(member, entry, `${path}.${index + 1}.member`));
  } else if (shape.isMapSchema()) {
    if (!isRecord(value)) throw new ShapeError('type', path);
    const member = shape.getValueSchema();
    for (const [key, entry] of Object.entries(value)) checkShape(member, entry, join(path, key));
  } else if (!isScalar(shape, value)) {
    throw new ShapeError('type', path);
  }
}

/** What is wrong with a request's shape. `path` is in the words of AWS's validation messages: `notifications.1.member`. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  readonly kind: 'missing' | 'type';
  readonly path: string;

  constructor(kind: 'missing' | 'type', path: string) {
    super(
      kind === 'missing'
        ? `1 validation error detected: Value null at '${path}' failed to satisfy constraint: Member must not be null`
        : `'${path}' is not of the type that the operation takes`,
    );
    this.kind = kind;
    this.path = path;
  }
}

function isScalar(shape: NormalizedSchema, value: unknown): boolean {
  if (shape.isStringSchema()) return typeof value === 'string' || value instanceof String;
  if (shape.isBooleanSchema()) return typeof value === 'boolean';
  if (shape.isNumericSchema()) return typeof value === 'number' && !Number.isNaN(value);
  if (shape.isBigIntegerSchema()) return typeof value === 'bigint' || typeof value === 'number';
  if (shape.isBigDecimalSchema()) return value instanceof NumericValue || typeof value === 'number';
  if (shape.isTimestampSchema()) return value instanceof Date && !Number.isNaN(value.getTime());
  if (shape.isBlobSchema()) return value instanceof Uint8Array;
  return true;
}

/** Members read `stateMachineArn` in the messages, whatever their case in the request. */
function join(path: string, name: string): string {
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  return path ? `${path}.${member}` : member;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
