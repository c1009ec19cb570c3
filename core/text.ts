/**
 * Text of an event, made fit for a sentence, a log line and a terminal: control characters (terminal escapes, line
 * breaks, direction marks that reorder what is read) become spaces, and what is long is cut.
 */
export function plain(text: string, limit = 128): string {
  // Cut first: an event's text may be as long as the event.
  const cut = text.slice(0, limit + 1).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ');
  return cut.length > limit ? `${cut.slice(0, limit - 1)}…` : cut;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}
