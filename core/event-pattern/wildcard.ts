import { InvalidEventPatternError } from './error.ts';

/**
 * A wildcard pattern as a test: `*` is any number of characters, `\*` and `\\` are the characters themselves.
 * Each piece between two stars is looked for once, from left to right, so no value makes it backtrack.
 *
 * @throws {InvalidEventPatternError} for `**`, for other escapes, and for patterns too complex
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html#eb-filtering-wildcard-matching
 */
export function readWildcard(pattern: string): (value: string) => boolean {
  const pieces = piecesOf(pattern);
  const [first = '', ...rest] = pieces;
  const last = rest.pop();
  if (last === undefined) return (value) => value === first;
  if (isTooComplex(rest.concat(last))) {
    throw new InvalidEventPatternError(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
    );
  }
  return (value) => {
    if (!value.startsWith(first)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = value.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return value.length - last.length >= at && value.endsWith(last);
  };
}

function piecesOf(pattern: string): string[] {
  const pieces = [''];
  for (let index = 0; index < pattern.length; index++) {
    let character = pattern.charAt(index);
    if (character === '*') {
      if (pattern.charAt(index + 1) === '*') throw new InvalidEventPatternError(`Consecutive wildcard characters at pos ${index + 1}`);
      pieces.push('');
      continue;
    }
    if (character === '\\') {
      character = pattern.charAt(++index);
      if (character !== '*' && character !== '\\') throw new InvalidEventPatternError(`Invalid escape character at pos ${index}`);
    }
    pieces[pieces.length - 1] += character;
  }
  return pieces;
}

/**
 * AWS counts how many prefixes of the rule one value can match at once and does not say where it stops. This refuses
 * what AWS is known to refuse (five stars followed by the same character, as in `*:*:*:*:*:event-bus/*`).
 */
function isTooComplex(afterStars: readonly string[]): boolean {
  const heads = new Map<string, number>();
  for (const piece of afterStars) if (piece !== '') heads.set(piece.charAt(0), (heads.get(piece.charAt(0)) ?? 0) + 1);
  return [...heads.values()].some((count) => count >= 5);
}
