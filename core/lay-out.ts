/** A setting as a person reads it: JSON laid out, the JSON in a policy's text too; an absent one is `(absent)`. */
export function laidOut(value: unknown): string {
  if (value === null) return '(absent)';
  if (typeof value !== 'string') return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
