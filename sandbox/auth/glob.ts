/**
 * Whether a text matches a pattern with `*` (any run) and `?` (any one character), as IAM matches actions, ARNs
 * and `StringLike` values. Time is at most pattern × text, whatever the pattern.
 */
export function matchesGlob(pattern: string | Glob, text: string): boolean {
  const glob = typeof pattern === 'string' ? globOf(pattern) : pattern;
  let at = 0;
  let token = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    const expected = glob[token];
    if (expected === ANY_RUN) {
      star = token++;
      resume = at;
    } else if (expected === ANY_ONE || (expected !== undefined && expected === text[at])) {
      token++;
      at++;
    } else if (star >= 0) {
      // Let the last star take one character more.
      token = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (glob[token] === ANY_RUN) token++;
  return token === glob.length;
}

/** A pattern in pieces: characters that stand for themselves, and the two wildcards. */
export type Glob = readonly (string | symbol)[];

export const ANY_RUN = Symbol('*');
export const ANY_ONE = Symbol('?');

const globs = new Map<string, Glob>();
const MOST_GLOBS = 5000;

/** Policies ask the same few patterns of every call. */
export function globOf(pattern: string): Glob {
  const known = globs.get(pattern) ?? piecesOf(pattern);
  if (globs.size > MOST_GLOBS) globs.clear();
  globs.set(pattern, known);
  return known;
}

function piecesOf(pattern: string): Glob {
  return Array.from({ length: pattern.length }, (_, index) => {
    const character = pattern.charAt(index);
    return character === '*' ? ANY_RUN : character === '?' ? ANY_ONE : character;
  });
}

/** A pattern as it is written. */
export function textOf(glob: Glob): string {
  return glob.map((piece) => (typeof piece === 'string' ? piece : piece.description)).join('');
}
