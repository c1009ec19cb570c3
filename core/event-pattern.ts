/**
 * EventBridge event patterns: parsed once, matched in time linear in the event.
 *
 * Semantics, limits and wording follow AWS's own open-source matcher; what it says of arrays is the subtle part: all
 * fields of a pattern that lie under one array must be found in the same element of it, while `exists: false` looks at
 * the whole event. A key with a dot is taken as it is written (AWS joins paths by dots and asks not to rely on that).
 *
 * @see https://github.com/aws/event-ruler
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { type Matcher, readMatchers } from './event-pattern/matchers.ts';
import { InvalidEventPatternError } from './event-pattern/error.ts';

export { InvalidEventPatternError };

/** A parsed pattern: alternatives (from `$or`), one of which must match. Opaque; made by `parsePattern`. */
export interface EventPattern {
  readonly branches: readonly Branch[];
}

interface Branch {
  readonly tree: Tree;
}

type Tree = ReadonlyMap<string, Tree | Leaf>;

interface Leaf {
  readonly matchers: readonly Matcher[];
  /** Where `exists: false` is among the alternatives: the whole path, since it must be absent from the whole event. */
  readonly absentAt: readonly string[] | null;
}

type FlatBranch = ReadonlyMap<string, readonly [path: readonly string[], leaf: Leaf]>;

/** AWS refuses a rule whose `$or` arrays multiply to more branches than this. */
const MAX_BRANCHES = 1000;

/** Field names that `$or` reserves: with one of these an object is more likely a misplaced operator. */
const RESERVED = new Set(
  ('exactly equals-ignore-case prefix suffix anything-but exists wildcard numeric cidr = < <= > >= regex not-wildcard not-equals-ignore-case ' +
    'date-after date-on-or-after date-before date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range').split(' '),
);

/**
 * Parse a pattern.
 *
 * @param value - the pattern as JSON, already parsed
 * @throws {InvalidEventPatternError} with AWS's reason where it is not a pattern
 */
export function parsePattern(value: unknown): EventPattern {
  if (!isObject(value)) throw new InvalidEventPatternError('Filter is not an object');
  return { branches: readObject(value, [], [new Map()], false).map((branch) => ({ tree: treeOf(branch) })) };
}

/** Whether an event (any JSON value, hostile or not) matches. */
export function matchesPattern(pattern: EventPattern, event: unknown): boolean {
  return pattern.branches.some((branch) => matchesTree(branch.tree, event, event));
}

function readObject(object: object, path: readonly string[], branches: readonly FlatBranch[], inOr: boolean): readonly FlatBranch[] {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(object);
  if (entries.length === 0) throw new InvalidEventPatternError('Empty objects are not allowed');
  return entries.reduce((sofar, [name, value]) => {
    if (name === '$or') return readOr(value, path, sofar);
    if (inOr && RESERVED.has(name)) {
      throw new InvalidEventPatternError(`${name} is Ruler reserved fieldName which cannot be used inside $or.`);
    }
    if (Array.isArray(value)) return writeLeaf(sofar, [...path, name], value);
    if (isObject(value)) return readObject(value, [...path, name], sofar, inOr);
    throw new InvalidEventPatternError(`"${name}" must be an object or an array`);
  }, branches);
}

function readOr(value: unknown, path: readonly string[], branches: readonly FlatBranch[]): readonly FlatBranch[] {
  if (!Array.isArray(value)) throw new InvalidEventPatternError('It must be an Array followed with $or.');
  const all = value.flatMap((option: unknown) => {
    if (!isObject(option)) throw new InvalidEventPatternError('Only JSON object is allowed in array of $or relationship.');
    return readObject(option, path, branches, true);
  });
  if (value.length < 2) throw new InvalidEventPatternError('There must have at least 2 Objects in $or relationship.');
  if (all.length > MAX_BRANCHES) throw new InvalidEventPatternError(`Rule is too complex - $or makes more than ${MAX_BRANCHES} combinations`);
  return all;
}

function writeLeaf(branches: readonly FlatBranch[], path: readonly string[], values: readonly unknown[]): readonly FlatBranch[] {
  if (values.length === 0) throw new InvalidEventPatternError('Empty arrays are not allowed');
  const { matchers, absent } = readMatchers(values);
  const leaf: Leaf = { matchers, absentAt: absent ? path : null };
  return branches.map((branch) => new Map(branch).set(JSON.stringify(path), [path, leaf]));
}

/** Branches of `$or` may write into objects that other fields share, so trees are built once all paths are known. */
function treeOf(branch: FlatBranch): Tree {
  const root = new Map<string, Tree | Leaf>();
  for (const [path, leaf] of branch.values()) {
    let node = root;
    for (const name of path.slice(0, -1)) {
      const next = node.get(name);
      // A leaf and an object under one name can come from two `$or` branches; the later one stands.
      const child = next instanceof Map ? next : new Map<string, Tree | Leaf>();
      node.set(name, child);
      node = child;
    }
    node.set(path.at(-1) ?? '', leaf);
  }
  return root;
}

function matchesTree(tree: Tree, value: unknown, event: unknown): boolean {
  return elementsOf(value).some((element) => {
    for (const [name, node] of tree) {
      const field = isObject(element) && Object.hasOwn(element, name) ? Reflect.get(element, name) : undefined;
      const matched = 'matchers' in node ? matchesLeaf(node, field, event) : matchesTree(node, field, event);
      if (!matched) return false;
    }
    return true;
  });
}

function matchesLeaf(leaf: Leaf, value: unknown, event: unknown): boolean {
  if (leaf.absentAt && !hasLeaf(event, leaf.absentAt)) return true;
  return elementsOf(value).some((element) => isScalar(element) && leaf.matchers.some((matches) => matches(element)));
}

/** Whether any value (not an object) lies at the path, in any element of the arrays on the way. */
function hasLeaf(value: unknown, path: readonly string[]): boolean {
  const [name, ...rest] = path;
  return elementsOf(value).some((element) =>
    name === undefined ? isScalar(element) : isObject(element) && Object.hasOwn(element, name) && hasLeaf(Reflect.get(element, name), rest),
  );
}

/** What an array stands for: its elements, however deeply nested. Anything else stands for itself. */
function elementsOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) return [value];
  if (!value.some(Array.isArray)) return value.length === 0 ? [undefined] : value;
  // Not `flat(Infinity)`: it recurses, and an event may nest as deep as it likes.
  const elements: unknown[] = [];
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (Array.isArray(next)) for (let index = next.length - 1; index >= 0; index--) open.push(next[index]);
    else elements.push(next);
  }
  return elements.length === 0 ? [undefined] : elements;
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
