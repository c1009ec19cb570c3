import type { Json } from './bucket.ts';

/** One number or fact of a plan's impact, in words: `10,004 (counted)`, `a, b`, `none`. */
export function impactText(value: Json): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return value.toLocaleString('en');
  if (value === null) return 'none';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((one: Json) => impactText(one)).join(', ');
  if (typeof value === 'object' && 'value' in value && 'how' in value) return `${impactText(value['value'] ?? null)} (${impactText(value['how'] ?? null)})`;
  return JSON.stringify(value);
}
