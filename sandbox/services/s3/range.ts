import { AwsError } from '../../service.ts';

/**
 * The part of an object that a request asks for; `null` for the whole, which is also what a range gets that S3
 * cannot read or that names several parts.
 *
 * @param size - of the object, bytes
 * @returns first and last byte, both included
 * @throws {AwsError} InvalidRange, 416, where it lies outside
 */
export function rangeOf(header: string | undefined, size: number): { readonly start: number; readonly end: number } | null {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || to === undefined || (from === '' && to === '')) return null;
  const last = from === '' ? Number(to) : null;
  const start = last === null ? Number(from) : Math.max(0, size - last);
  const end = last === null && to !== '' ? Math.min(Number(to), size - 1) : size - 1;
  if (last === null && to !== '' && Number(to) < Number(from)) return null;
  if (start >= size || last === 0) throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416, { ActualObjectSize: String(size), RangeRequested: header ?? '' });
  return { start, end };
}
