import { structuredPatch } from 'diff';
import type { Json } from '../core/bucket.ts';
import type { Change } from '../core/incident.ts';
import { laidOut } from '../core/lay-out.ts';
import { plain } from '../core/text.ts';

export interface DiffLine {
  readonly sign: '-' | '+' | ' ';
  /** One line, harmless to a terminal; not escaped for HTML. */
  readonly text: string;
}

/** A diff of two texts of thousands of different lines takes seconds: beyond this, all of before and all of after. */
const MOST_EDITS = 2_000;
const CONTEXT_LINES = 2;

/**
 * The before and after of a change as lines a person reads: JSON is laid out, a policy's text too; an absent setting
 * is `(absent)`. Unchanged lines further than two from a change are left out (`⋮`).
 */
export function diffOf({ before, after }: Pick<Change, 'before' | 'after'>): readonly DiffLine[] {
  const [old, next] = texts(before, after);
  const patch = structuredPatch('', '', `${old}\n`, `${next}\n`, '', '', { context: CONTEXT_LINES, maxEditLength: MOST_EDITS });
  if (!patch) return [...old.split('\n').map((text) => diffLine('-', text)), ...next.split('\n').map((text) => diffLine('+', text))];
  return patch.hunks.flatMap((hunk, index) => [...(index > 0 ? [diffLine(' ', '⋮')] : []), ...hunk.lines.map((text) => diffLine(text.slice(0, 1), text.slice(1)))]);
}

function diffLine(sign: string, text: string): DiffLine {
  return { sign: sign === '-' || sign === '+' ? sign : ' ', text: plain(text, Number.MAX_SAFE_INTEGER) };
}

function texts(before: Json, after: Json): readonly [string, string] {
  const pretty: readonly [string, string] = [laidOut(before), laidOut(after)];
  // Two texts of one policy that differ in white space alone.
  if (pretty[0] === pretty[1] && typeof before === 'string' && typeof after === 'string') return [before, after];
  return pretty;
}
