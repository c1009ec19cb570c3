import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * The one text of a value (RFC 8785), whatever order its keys were written in.
 *
 * @throws {TypeError} where the value has no JSON (a function, a cycle, `undefined`)
 * @see https://www.rfc-editor.org/rfc/rfc8785
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('value has no JSON form');
  return text;
}

/** SHA-256 of the canonical JSON, 64 hexadecimal characters. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
