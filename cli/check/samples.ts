import { FINDING_TYPES } from './finding-types.ts';
import { isRecord } from './source.ts';

type Sample = Readonly<Record<string, unknown>>;

/** More than any trigger has; one with more alternatives is sampled as far as this. */
const MOST = 400;

/** Events that an EventBridge pattern matches: every alternative of every field once, beside the first of the others. */
export function samplesOf(pattern: Sample): readonly Sample[] {
  const text = JSON.stringify(pattern);
  const samples = MADE.get(text) ?? unique(objects(pattern, [])).slice(0, MOST);
  MADE.set(text, samples);
  return samples;
}

/** Every trigger is held against every other one. */
const MADE = new Map<string, readonly Sample[]>();

function objects(pattern: Sample, path: readonly string[]): readonly Sample[] {
  const branches = Array.isArray(pattern['$or']) ? pattern['$or'].filter(isRecord) : null;
  if (branches) {
    const { $or: _, ...rest } = pattern;
    return branches.flatMap((branch) => objects({ ...rest, ...branch }, path));
  }
  const fields = Object.entries(pattern).map(([name, inner]): readonly [string, readonly unknown[]] => [name, isRecord(inner) ? objects(inner, [...path, name]) : valuesOf(inner, [...path, name])]);
  const base = fields.map(([name, [first]]): readonly [string, unknown] => [name, first]);
  const varied = fields.flatMap(([name, values]) => values.slice(1).map((value) => made([...base.filter(([other]) => other !== name), [name, value]])));
  return [made(base), ...varied];
}

function made(fields: readonly (readonly [string, unknown])[]): Sample {
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** Values that one of the alternatives takes; `undefined` where the field has to be absent. */
function valuesOf(alternatives: unknown, path: readonly string[]): readonly unknown[] {
  const values = (Array.isArray(alternatives) ? alternatives : []).flatMap((one: unknown) => valueOf(one, path));
  return values.length === 0 ? ['x'] : values;
}

function valueOf(alternative: unknown, path: readonly string[]): readonly unknown[] {
  if (!isRecord(alternative)) return [alternative];
  const [[operator, operand] = ['', null]] = Object.entries(alternative);
  switch (operator) {
    case 'exists':
      return [operand === true ? 'x' : undefined];
    case 'prefix': {
      const known = path.join('.') === 'detail.type' ? FINDING_TYPES.filter((type) => type.startsWith(String(operand))) : [];
      return known.length > 0 ? known : [`${String(operand)}${path.at(-1) === 'source' || path.at(-1) === 'eventSource' ? '' : 'x'}`];
    }
    case 'suffix':
      return [`x${String(operand)}`];
    case 'wildcard':
      return [String(operand).replaceAll('*', 'x')];
    case 'equals-ignore-case':
      return [operand];
    case 'numeric':
      return [Array.isArray(operand) ? numberIn(operand) : 0];
    default:
      return ['something else'];
  }
}

/** `['>', 3, '<=', 8]` → a number between. */
function numberIn(operand: readonly unknown[]): number {
  const bounds = operand.filter((entry) => typeof entry === 'number');
  const [first = 0, second] = bounds;
  if (second !== undefined) return (first + second) / 2;
  return operand[0] === '<' ? first - 1 : operand[0] === '>' ? first + 1 : first;
}

function unique(samples: readonly Sample[]): readonly Sample[] {
  return [...new Map(samples.map((sample) => [JSON.stringify(sample), sample])).values()];
}
