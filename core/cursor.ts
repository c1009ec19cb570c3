import type { Json } from './bucket.ts';
import { digestOf } from './canonical.ts';
import { plain } from './text.ts';

/**
 * Where a page ended, as text that a client hands back unread. It grants nothing (whoever may ask may ask for any
 * page); the check behind the dot is there so that a damaged cursor, or one of another question, is an error and never
 * a silent jump over rows.
 */
export function writeCursor(position: string, question: Json): string {
  return `${Buffer.from(position).toString('base64url')}.${checkOf(position, question)}`;
}

/** @throws {CursorError} where it is not what `writeCursor` made for this question */
export function readCursor(text: string, question: Json): string {
  const position = Buffer.from(text.slice(0, text.indexOf('.')), 'base64url').toString('utf8');
  if (writeCursor(position, question) === text) return position;
  throw new CursorError(`cursor is ${JSON.stringify(plain(text))}: it was changed, or is of another question; take it as the page before gave it, with the same filters, or ask without it`);
}

export class CursorError extends Error {
  override readonly name = 'CursorError';
}

function checkOf(position: string, question: Json): string {
  return digestOf({ position, question }).slice(0, 16);
}
