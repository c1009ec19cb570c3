/**
 * Whether a pattern of IAM and S3 (`*` any run of characters, `?` one character) matches a whole text.
 * Takes time of pattern × text at worst, never more: there is no regular expression in it to run away.
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let index = 0;
  while (index < text.length) {
    const token = pattern[at];
    if (token === '*') {
      star = at++;
      resume = index;
    } else if (token !== undefined && (token === text[index] || (token === '?' && text[index] !== '*'))) {
      at++;
      index++;
    } else if (star >= 0) {
      at = star + 1;
      index = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}

/** Beyond this a pattern is nobody's honest pattern, and comparing two of them would take time that an attacker chooses. */
const MAX_PATTERN = 2048;

/**
 * Whether everything that `narrow` matches is matched by `wide` too. May say no where the answer is yes, never the
 * other way round: a `*` in `narrow` counts as a character that only a `*` in `wide` stands for.
 */
export function globCovers(wide: string, narrow: string): boolean {
  return wide.length <= MAX_PATTERN && narrow.length <= MAX_PATTERN && globMatches(wide, narrow);
}
