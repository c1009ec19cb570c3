/**
 * Text of an event, made fit for a sentence, a log line and a terminal: control characters (terminal escapes, line
 * breaks, direction marks that reorder what is read) become spaces, and what is long is cut.
 */
export function plain(text: string, limit = 128): string {
  // Cut first: an event's text may be as long as the event.
  const cut = text.slice(0, limit + 1).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ');
  return cut.length > limit ? `${clipped(cut, limit - 1)}…` : cut;
}

/** The first characters of a text, and never half of one that takes two code units. */
export function clipped(text: string, limit: number): string {
  return text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, '');
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

/**
 * Text of an event for somebody else's program (a tracker, a chat, a mail): plain, and with a zero-width space in what such
 * programs turn into a mention, a reference or a link. It reads the same and does nothing.
 *
 * @see https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */
export function inert(text: string, limit = 512): string {
  return plain(text, limit)
    .replaceAll(/@(?=\S)/g, `@${GAP}`)
    .replaceAll(/:(?=\/\/)/g, `:${GAP}`)
    .replaceAll(/\b(mailto|javascript|data|file|tel|xmpp|git):/gi, `$1${GAP}:`)
    .replaceAll(/\bwww\./gi, (www) => `${www.slice(0, 3)}${GAP}.`)
    .replaceAll(/#(?=\w)/g, `#${GAP}`)
    .replaceAll(/\bGH-(?=\d)/gi, `GH${GAP}-`);
}

/** ZERO WIDTH SPACE. */
export const GAP = '\u200B';

/** What is shown as it is, line by line (a command, a policy): line breaks stay, every other control character becomes a space. */
export function verbatim(text: string, limit = 65_536): string {
  const cut = text.slice(0, limit + 1).replaceAll(/\r\n?/g, '\n').replaceAll(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu, ' ');
  return cut.length > limit ? `${clipped(cut, limit - 1)}…` : cut;
}
