import { InvalidEventPatternError } from './error.ts';
import { readAddress, readNetwork, sameAddress } from './address.ts';
import { readWildcard } from './wildcard.ts';

/** Whether one value of an event (never an object or an array) is what one alternative of a pattern asks for. */
export type Matcher = (value: Scalar) => boolean;

type Scalar = string | number | boolean | null;

/**
 * Read the alternatives of one field.
 *
 * @returns the matchers for values, and whether `exists: false` is among the alternatives, which no value can answer
 * @throws {InvalidEventPatternError} in AWS's words
 * @see https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/JsonRuleCompiler.java
 */
export function readMatchers(alternatives: readonly unknown[]): { readonly matchers: readonly Matcher[]; readonly absent: boolean } {
  const read = alternatives.map(readAlternative);
  return { matchers: read.filter((matcher) => matcher !== 'absent'), absent: read.includes('absent') };
}

function readAlternative(alternative: unknown): Matcher | 'absent' {
  if (typeof alternative === 'object' && alternative !== null && !Array.isArray(alternative)) return readOperator(alternative);
  if (typeof alternative === 'string') return equals(alternative);
  if (alternative === null || typeof alternative === 'number' || typeof alternative === 'boolean') return (value) => value === alternative;
  throw new InvalidEventPatternError('Match value must be String, number, true, false, or null');
}

function readOperator(expression: object): Matcher | 'absent' {
  const [name, operand, more] = onlyEntry(expression, 'Match expression name not found');
  const read = OPERATORS[name];
  if (!read) throw new InvalidEventPatternError(`Unrecognized match type ${name}`);
  const matcher = read(operand);
  if (more) {
    const message = name === 'numeric' || name === 'anything-but' ? 'Too many elements in numeric expression' : 'Only one key allowed in match expression';
    throw new InvalidEventPatternError(message);
  }
  return matcher;
}

const OPERATORS: Readonly<Record<string, (operand: unknown) => Matcher | 'absent'>> = Object.assign(Object.create(null), {
  exactly: (operand) => equals(text(operand, 'exact match pattern must be a string')),
  prefix: (operand) => affix('Prefix', operand, (value, wanted) => value.startsWith(wanted)),
  suffix: (operand) => affix('Suffix', operand, (value, wanted) => value.endsWith(wanted)),
  'equals-ignore-case': (operand) => ignoringCase(text(operand, 'equals-ignore-case match pattern must be a string')),
  wildcard: (operand) => ofStrings(readWildcard(text(operand, 'wildcard match pattern must be a string'))),
  'anything-but': readAnythingBut,
  exists: (operand) => {
    if (typeof operand !== 'boolean') throw new InvalidEventPatternError('exists match pattern must be either true or false.');
    return operand ? () => true : 'absent';
  },
  numeric: readNumeric,
  // The wording is AWS's.
  cidr: (operand) => ofStrings(readNetwork(text(operand, 'prefix match pattern must be a string'))),
} satisfies Record<string, (operand: unknown) => Matcher | 'absent'>);

/** An address matches its other spellings too. */
function equals(wanted: string): Matcher {
  const address = readAddress(wanted);
  if (!address) return (value) => value === wanted;
  return ofStrings((value) => value === wanted || sameAddress(address, readAddress(value)));
}

function ignoringCase(wanted: string): Matcher {
  const folded = fold(wanted);
  return ofStrings((value) => fold(value) === folded);
}

function affix(title: 'Prefix' | 'Suffix', operand: unknown, test: (value: string, wanted: string) => boolean): Matcher {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [name, inner, more] = onlyEntry(operand, `${title} expression name not found`);
    if (name !== 'equals-ignore-case') throw new InvalidEventPatternError(`Unsupported ${title.toLowerCase()} pattern: ${name}`);
    const wanted = fold(text(inner, 'equals-ignore-case match pattern must be a string'));
    if (more) throw new InvalidEventPatternError('Only one key allowed in match expression');
    return ofStrings((value) => test(fold(value), wanted));
  }
  const wanted = text(operand, `${title.toLowerCase()} match pattern must be a string`);
  return ofStrings((value) => test(value, wanted));
}

function readAnythingBut(operand: unknown): Matcher {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) return readAnythingButObject(operand);
  const values = listOf(operand);
  const strings = values.filter((value) => typeof value === 'string');
  const numbers = values.filter((value) => typeof value === 'number').map(inRange);
  if (strings.length + numbers.length < values.length) {
    throw new InvalidEventPatternError('Inside anything but list, start|null|boolean is not supported.');
  }
  if (strings.length > 0 === numbers.length > 0) {
    throw new InvalidEventPatternError('Inside anything but list, either all values are number or string, mixed type is not supported');
  }
  const unwanted = new Set<Scalar>(values.filter((value) => typeof value === 'string' || typeof value === 'number'));
  return (value) => !unwanted.has(value);
}

function readAnythingButObject(operand: object): Matcher {
  const [name, inner, more] = onlyEntry(operand, 'Anything-But expression name not found');
  const form = ANYTHING_BUT_FORMS[name];
  if (!form) throw new InvalidEventPatternError(`Unsupported anything-but pattern: ${name}`);
  const unwanted = listOf(inner).map((value) => {
    const wanted = text(value, form.wrongType);
    if (wanted === '' && (name === 'prefix' || name === 'suffix')) throw new InvalidEventPatternError('Null prefix/suffix not allowed');
    return form.read(wanted);
  });
  if (more) throw new InvalidEventPatternError('Too many elements in numeric expression');
  return (value) => !unwanted.some((matches) => matches(value));
}

const ANYTHING_BUT_FORMS: Readonly<Record<string, { readonly wrongType: string; readonly read: (wanted: string) => Matcher }>> = Object.assign(
  Object.create(null),
  {
    prefix: { wrongType: 'prefix/suffix match pattern must be a string', read: (wanted: string) => ofStrings((value) => value.startsWith(wanted)) },
    suffix: { wrongType: 'prefix/suffix match pattern must be a string', read: (wanted: string) => ofStrings((value) => value.endsWith(wanted)) },
    wildcard: { wrongType: 'wildcard match pattern must be a string', read: (wanted: string) => ofStrings(readWildcard(wanted)) },
    'equals-ignore-case': {
      wrongType: 'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
      read: ignoringCase,
    },
  },
);

function listOf(operand: unknown): readonly unknown[] {
  if (Array.isArray(operand)) return operand;
  if (typeof operand === 'string' || typeof operand === 'number') return [operand];
  throw new InvalidEventPatternError('Value of anything-but must be an array or single string/number value.');
}

function readNumeric(operand: unknown): Matcher {
  if (!Array.isArray(operand)) throw new InvalidEventPatternError('Value of numeric must be an array.');
  const terms: readonly unknown[] = operand;
  const [operator, first, second, last] = terms;
  if (typeof operator !== 'string') throw new InvalidEventPatternError(`Invalid member in numeric match: ${JSON.stringify(operator) ?? ']'}`);
  const compare = COMPARISONS[operator];
  if (!compare) throw new InvalidEventPatternError(`Unrecognized numeric range operator: ${operator}`);
  const bound = number(first, operator === '=' ? 'equals' : operator);
  const lower = ofNumbers((value) => compare(value, bound));
  if (terms.length === 2) return lower;
  if (operator !== '>' && operator !== '>=') throw new InvalidEventPatternError('Too many elements in numeric expression');
  if (typeof second !== 'string') throw new InvalidEventPatternError(`Bad value in numeric range: ${JSON.stringify(second) ?? ']'}`);
  const compareTop = second === '<' || second === '<=' ? COMPARISONS[second] : undefined;
  if (!compareTop) throw new InvalidEventPatternError(`Bad numeric range operator: ${second}`);
  const top = number(last, second);
  if (terms.length > 4) throw new InvalidEventPatternError('Too many terms in numeric range expression');
  if (bound >= top) throw new InvalidEventPatternError('Bottom must be less than top');
  return ofNumbers((value) => compare(value, bound) && compareTop(value, top));
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = Object.assign(Object.create(null), {
  '=': (value: number, bound: number) => value === bound,
  '<': (value: number, bound: number) => value < bound,
  '<=': (value: number, bound: number) => value <= bound,
  '>': (value: number, bound: number) => value > bound,
  '>=': (value: number, bound: number) => value >= bound,
});

function number(value: unknown, operator: string): number {
  if (typeof value !== 'number') throw new InvalidEventPatternError(`Value of ${operator} must be numeric`);
  return inRange(value);
}

function inRange(value: number): number {
  if (Math.abs(value) > 5e9) throw new InvalidEventPatternError('Value must be between -5.0E9 and 5.0E9, inclusive');
  return value;
}

function text(value: unknown, otherwise: string): string {
  if (typeof value !== 'string') throw new InvalidEventPatternError(otherwise);
  return value;
}

function onlyEntry(object: object, whenEmpty: string): readonly [name: string, value: unknown, more: boolean] {
  const entries: readonly (readonly [string, unknown])[] = Object.entries(object);
  const [first] = entries;
  if (!first) throw new InvalidEventPatternError(whenEmpty);
  return [first[0], first[1], entries.length > 1];
}

function ofStrings(test: (value: string) => boolean): Matcher {
  return (value) => typeof value === 'string' && test(value);
}

function ofNumbers(test: (value: number) => boolean): Matcher {
  return (value) => typeof value === 'number' && test(value);
}

function fold(value: string): string {
  return value.toLowerCase();
}
