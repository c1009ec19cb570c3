import { createInterface } from 'node:readline/promises';
import picocolors from 'picocolors';
import { plain } from '../core/text.ts';
import { CliError, EXIT } from './exit.ts';

/**
 * Everything that a verb prints goes through here: colour only where somebody looks at a terminal, and event text
 * that cannot move the cursor, recolour lines or reorder what is read.
 *
 * @see https://no-color.org and Node's FORCE_COLOR; picocolors alone would colour a pipe where `CI` is set
 */
export const ink = picocolors.createColors(colours(process.env, process.stdout.isTTY === true));

export function colours(environment: NodeJS.ProcessEnv, isTerminal: boolean): boolean {
  if ((environment['NO_COLOR'] ?? '') !== '') return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTerminal && environment['TERM'] !== 'dumb';
}

/** Lines to stdout: the answer. */
export function say(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

/** Lines to stderr: what a pipe should not see. */
export function tell(...lines: readonly string[]): void {
  for (const line of lines) process.stderr.write(`${line}\n`);
}

/** One JSON value on stdout. Characters that a terminal would obey are escaped: the value stays the same. */
export function sayJson(value: unknown): void {
  say(jsonText(value));
}

export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  // JSON escapes C0 control characters; C1 and direction marks can only stand inside strings.
  return text.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()].map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''),
  );
}

/**
 * Asks whoever sits at the terminal.
 *
 * @param otherwise - what to do where there is none
 * @throws {CliError} where there is none
 */
export async function question(text: string, otherwise: string): Promise<string> {
  if (!process.stdin.isTTY) throw new CliError(EXIT.usage, `there is no terminal to type on: ${otherwise}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return await terminal.question(text);
  } finally {
    terminal.close();
  }
}

/** Event text as one line, in full. */
export function line(text: string): string {
  return plain(text, Number.MAX_SAFE_INTEGER);
}

/**
 * Text in a column that begins at `indent`: on a terminal, what does not fit goes on below itself; in a pipe a line
 * stays a line, so that `grep` finds all of it.
 */
export function hang(text: string, indent: number, width: number | undefined = process.stdout.columns): string {
  const room = (width ?? Infinity) - indent;
  if (room < 20 || text.length <= room) return text;
  const rows: string[] = [''];
  for (const word of text.split(' ')) {
    const row = rows.at(-1) ?? '';
    if (row !== '' && row.length + 1 + word.length > room) rows.push(word);
    else rows[rows.length - 1] = row === '' ? word : `${row} ${word}`;
  }
  return rows.join(`\n${' '.repeat(indent)}`);
}

/** Lines at the foot of what is printed, drawn anew in their place. */
export interface Foot {
  readonly draw: (lines: readonly string[]) => void;
  /** Takes them away, for what is printed next. */
  readonly lift: () => void;
}

type Screen = Pick<NodeJS.WriteStream, 'write' | 'isTTY' | 'columns'>;

/** On a terminal they are redrawn, and cut to its width so that a line stays one row; elsewhere each change is a line more. */
export function foot(screen: Screen = process.stderr): Foot {
  let drawn: readonly string[] = [];
  let said = '';
  const lift = () => {
    // Up to the first of them, and all below away: https://en.wikipedia.org/wiki/ANSI_escape_code#CSI_(Control_Sequence_Introducer)_sequences
    if (drawn.length > 0) screen.write(`\u001B[${drawn.length}A\u001B[0J`);
    drawn = [];
  };
  return {
    lift,
    draw: (lines) => {
      if (screen.isTTY) {
        lift();
        drawn = lines.map((text) => text.slice(0, Math.max(1, (screen.columns ?? 80) - 1)));
        for (const text of drawn) screen.write(`${text}\n`);
        return;
      }
      const text = lines.join('\n');
      if (text !== said && text !== '') screen.write(`${text}\n`);
      said = text;
    },
  };
}

export function heading(text: string): string {
  return `\n${ink.bold(text)}`;
}
