import { BlockList, isIP } from 'node:net';
import type { Condition } from '../../core/policy.ts';
import type { ConditionContext } from '../service.ts';
import { matchesGlob, textOf } from './glob.ts';
import type { Glob } from './glob.ts';
import { resolveVariables } from './variables.ts';

/**
 * Whether one condition of a statement holds in a request's context.
 *
 * Several values of a condition are alternatives; under a negated operator none of them may match. An absent key
 * fails a condition, except under a negated operator, `…IfExists`, `ForAllValues` and `Null`. A condition with an
 * operator that IAM does not have, or with a variable that the request cannot fill, never holds.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
 */
export function conditionHolds(condition: Condition, context: ConditionContext, version: string): boolean {
  const { set, base, ifExists } = readOperator(condition.operator);
  const present = valuesOf(context, condition.key);
  if (base === 'null') return condition.values.some((value) => (value.toLowerCase() === 'true') === (present === null));
  const operator = OPERATORS[base];
  if (!operator) return false;
  if (present === null && ifExists) return true;
  const wanted = condition.values.map((value) => resolveVariables(value, context, version));
  if (!wanted.every((glob) => glob !== null)) return false;
  const matches = (value: string) => {
    const hit = wanted.some((glob) => operator.test(value, glob));
    return operator.negated ? !hit : hit;
  };
  if (set === 'forallvalues') return (present ?? []).every(matches);
  if (set === 'foranyvalue') return (present ?? []).some(matches);
  if (present === null) return operator.negated;
  // A multivalued key without a set operator: a positive operator wants one match, a negated one no match at all.
  return operator.negated ? present.every(matches) : present.some(matches);
}

interface Operator {
  readonly negated: boolean;
  readonly test: (value: string, wanted: Glob) => boolean;
}

function readOperator(text: string): { readonly set: string | null; readonly base: string; readonly ifExists: boolean } {
  const [first = '', second] = text.toLowerCase().split(':');
  const operator = second ?? first;
  const ifExists = operator.endsWith('ifexists');
  return { set: second === undefined ? null : first, base: ifExists ? operator.slice(0, -'ifexists'.length) : operator, ifExists };
}

function valuesOf(context: ConditionContext, key: string): readonly string[] | null {
  const value = Object.hasOwn(context, key) ? context[key] : undefined;
  return value === undefined ? null : typeof value === 'string' ? [value] : value;
}

/** For operators without wildcards, to which `*` is a letter like others. */
const text = (test: (value: string, wanted: string) => boolean): Operator['test'] => {
  return (value, wanted) => test(value, textOf(wanted));
};

const like: Operator['test'] = (value, wanted) => matchesGlob(wanted, value);

/** Each of the six parts of an ARN is matched on its own, so that a `*` does not cross a colon outside the last. */
const arnLike: Operator['test'] = (value, wanted) => {
  if (textOf(wanted) === '*') return true;
  const parts = value.split(':');
  const patterns: (string | symbol)[][] = [[]];
  for (const piece of wanted) {
    if (piece === ':' && patterns.length < 6) patterns.push([]);
    else patterns.at(-1)?.push(piece);
  }
  if (parts.length < 6 || patterns.length < 6) return false;
  return patterns.every((pattern, index) => matchesGlob(pattern, index < 5 ? (parts[index] ?? '') : parts.slice(5).join(':')));
};

const numeric = (test: (value: number, wanted: number) => boolean): Operator['test'] => {
  return text((value, wanted) => value.trim() !== '' && wanted.trim() !== '' && test(Number(value), Number(wanted)));
};

/** Dates are ISO 8601 or seconds since the epoch, on either side. */
const date = (test: (value: number, wanted: number) => boolean): Operator['test'] => {
  const parse = (written: string) => (/^\d+(\.\d+)?$/.test(written) ? Number(written) * 1000 : Date.parse(written));
  return text((value, wanted) => {
    const [left, right] = [parse(value), parse(wanted)];
    return !Number.isNaN(left) && !Number.isNaN(right) && test(left, right);
  });
};

const inRange = text((value, wanted) => {
  const [address = '', bits] = wanted.split('/');
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const width = Number(bits ?? (family === 'ipv6' ? 128 : 32));
  if (isIP(address) === 0 || isIP(value) === 0 || !(width >= 0 && width <= (family === 'ipv6' ? 128 : 32))) return false;
  const range = new BlockList();
  range.addSubnet(address, width, family);
  return range.check(value, isIP(value) === 6 ? 'ipv6' : 'ipv4');
});

const yes = (test: Operator['test']): Operator => ({ negated: false, test });
const no = (test: Operator['test']): Operator => ({ negated: true, test });
const equal = text((value, wanted) => value === wanted);
const equalIgnoringCase = text((value, wanted) => value.toLowerCase() === wanted.toLowerCase());
const numbersEqual = numeric((value, wanted) => value === wanted);
const datesEqual = date((value, wanted) => value === wanted);

const OPERATORS: Readonly<Record<string, Operator>> = {
  stringequals: yes(equal),
  stringnotequals: no(equal),
  stringequalsignorecase: yes(equalIgnoringCase),
  stringnotequalsignorecase: no(equalIgnoringCase),
  stringlike: yes(like),
  stringnotlike: no(like),
  numericequals: yes(numbersEqual),
  numericnotequals: no(numbersEqual),
  numericlessthan: yes(numeric((value, wanted) => value < wanted)),
  numericlessthanequals: yes(numeric((value, wanted) => value <= wanted)),
  numericgreaterthan: yes(numeric((value, wanted) => value > wanted)),
  numericgreaterthanequals: yes(numeric((value, wanted) => value >= wanted)),
  dateequals: yes(datesEqual),
  datenotequals: no(datesEqual),
  datelessthan: yes(date((value, wanted) => value < wanted)),
  datelessthanequals: yes(date((value, wanted) => value <= wanted)),
  dategreaterthan: yes(date((value, wanted) => value > wanted)),
  dategreaterthanequals: yes(date((value, wanted) => value >= wanted)),
  bool: yes(equalIgnoringCase),
  binaryequals: yes(equal),
  ipaddress: yes(inRange),
  notipaddress: no(inRange),
  // `ArnEquals` and `ArnLike` behave the same.
  arnequals: yes(arnLike),
  arnlike: yes(arnLike),
  arnnotequals: no(arnLike),
  arnnotlike: no(arnLike),
};
