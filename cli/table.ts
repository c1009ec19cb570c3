import Table from 'cli-table3';
import { ink, line } from './terminal.ts';

/** No frames: columns line up on a terminal, and `awk` can read them in a pipe. */
const BARE = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'].map((part) => [part, '']),
);

/**
 * Rows under a head, two spaces apart and indented by two. Cells are event text: they are made harmless here.
 *
 * @param paint - colours for a cell that is already harmless
 */
export function table(head: readonly string[], rows: readonly (readonly string[])[], paint: (text: string, column: number) => string = (text) => text): string {
  const layout = new Table({ head: head.map((text) => ink.dim(text)), chars: BARE, style: { head: [], border: [], 'padding-left': 2, 'padding-right': 0 } });
  for (const row of rows) layout.push(row.map((cell, column) => paint(line(cell), column)));
  return layout.toString().replaceAll(/[ \t]+$/gm, '');
}

/** `Label   text`, labels in a column of their own; lines without a text are left out. */
export function facts(pairs: readonly (readonly [label: string, text: string | null])[]): readonly string[] {
  const present = pairs.flatMap(([label, text]) => (text === null || text === '' ? [] : [{ label, text }]));
  const width = Math.max(...present.map(({ label }) => label.length));
  return present.map(({ label, text }) => `  ${ink.dim(label.padEnd(width))}  ${line(text)}`);
}
