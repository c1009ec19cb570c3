/** What stands where a secret stood. */
const REMOVED = '(not kept)';

/** Strings of a value that are data of their own: JSON in a history's parameters. */
type Change = (text: string, key: string) => string;

/**
 * A value without what is a power by itself: task tokens, link tokens, the signatures of presigned URLs. They should not be there;
 * a locked record cannot be cleaned later.
 */
export function withoutSecrets(value: unknown): unknown {
  return changed(value, (text, key) => (/token$/i.test(key) ? REMOVED : text.replaceAll(/(X-Amz-(?:Signature|Security-Token|Credential)=)[^&\s"\\]+/gi, `$1${REMOVED}`)));
}

/** A pseudonym as `pseudonymOf` makes them: nothing that is to be replaced again. */
const PSEUDONYM = /^owner-[0-9a-f]{24}$/;

export function isPseudonym(name: string): boolean {
  return PSEUDONYM.test(name);
}

/** A target's own name of an owner, where a text is nothing else. */
const OWNER_ARN = /^share:\d{12}:owner\/(.+)$/su;

/** Every owner that a value names: under `ownerId`, `ownerIds`, as a target of kind `owner`, and by such a target's ARN. */
export function ownersIn(value: unknown, found = new Set<string>()): ReadonlySet<string> {
  changed(value, (text, key) => {
    const owner = /^ownerIds?$/i.test(key) ? text : OWNER_ARN.exec(text)?.[1];
    if (owner !== undefined && !isPseudonym(owner)) found.add(owner);
    return text;
  }, (record) => {
    if (record['kind'] === 'owner' && typeof record['name'] === 'string' && !isPseudonym(record['name'])) found.add(record['name']);
  });
  return found;
}

/**
 * A value in which each of these names stands as another, wherever it stands as a whole word: an owner called `a` must not
 * change every other word of a record that nobody can mend.
 */
export function replacing(value: unknown, texts: ReadonlyMap<string, string>): unknown {
  if (texts.size === 0) return value;
  const words = [...texts].map(([from, to]) => [new RegExp(`(?<![\\w-])${RegExp.escape(from)}(?![\\w-])`, 'gu'), to] as const);
  return changed(value, (text) => words.reduce((result, [word, to]) => result.replaceAll(word, () => to), text));
}

function changed(value: unknown, change: Change, visit: (record: Readonly<Record<string, unknown>>) => void = () => {}, key = ''): unknown {
  if (typeof value === 'string') return changedText(value, change, visit, key);
  if (Array.isArray(value)) return value.map((entry) => changed(entry, change, visit, key));
  if (typeof value !== 'object' || value === null) return value;
  const record = Object.fromEntries(Object.entries(value));
  visit(record);
  // DynamoDB's own form of a value, `{ "S": … }`, is what its attribute is.
  const inherits = /token$/i.test(key) || /^ownerIds?$/i.test(key);
  return Object.fromEntries(Object.entries(record).map(([name, entry]) => [name, changed(entry, change, visit, inherits ? key : name.replace(/^:/, ''))]));
}

function changedText(text: string, change: Change, visit: (record: Readonly<Record<string, unknown>>) => void, key: string): string {
  const inner = /^\s*[[{]/.test(text) ? parsed(text) : undefined;
  if (inner === undefined) return change(text, key);
  // The text stays byte for byte where nothing in it is to be changed.
  const before = JSON.stringify(inner);
  const after = JSON.stringify(changed(inner, change, visit, key));
  return before === after ? text : after;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
