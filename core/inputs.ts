import type { Json } from './bucket.ts';
import { digestOf } from './canonical.ts';
import type { Target } from './incident.ts';
import type { Playbook, PlaybookInput } from './playbook.ts';
import { withoutPath } from './signal/target.ts';

/** What a responder said is not what the playbook takes. Names the input, its value and what to do. */
export class PlaybookInputError extends Error {
  override readonly name = 'PlaybookInputError';
}

export interface ReadInputs {
  readonly target: Target;
  /** What the incident is started with: the inputs beside the target, defaults filled in. */
  readonly inputs: { readonly [key: string]: Json };
}

/** An S3 key is the longest text there is (1,024 bytes); an incident with its inputs must fit an item of 400 KB. */
const TEXT_LIMIT = 2048;
const LIST_LIMIT = 100;
/** Half of a character beyond U+FFFF: no UTF-8 can say it, so no key, table or URL has it. */
const ILL_FORMED = 'it has half a character';

/**
 * Check what somebody starts a playbook with by hand, before anything is read: `playbook.json` says which inputs there are,
 * which of them names the target, and which go together.
 *
 * @param given - by input name; lists as arrays or as text with commas
 * @param place - the account and region that the suite acts in
 * @throws {PlaybookInputError}
 */
export function readInputs(playbook: Pick<Playbook, 'name' | 'inputs'>, given: Readonly<Record<string, unknown>>, place: { readonly account: string; readonly region: string }): ReadInputs {
  const declared = Object.entries(playbook.inputs);
  const said = new Set(Object.keys(given).filter((name) => given[name] !== undefined));
  for (const name of said) if (!Object.hasOwn(playbook.inputs, name)) throw new PlaybookInputError(`${playbook.name} has no input ${JSON.stringify(name)}: it takes ${declared.map(([known]) => known).join(', ')}`);

  const targets = declared.filter(([, input]) => input.target !== undefined).map(([name]) => name);
  const named = targets.filter((name) => said.has(name));
  const [targetName] = named;
  if (targetName === undefined) throw new PlaybookInputError(`nothing says what ${playbook.name} acts on: give ${one(targets)}`);
  if (named.length > 1) throw new PlaybookInputError(`${named.join(' and ')} are given: ${playbook.name} acts on one thing, give ${one(targets)}`);

  const values = new Map<string, Json>();
  for (const [name, input] of declared) {
    const applies = input.target === undefined && (input.with === undefined || input.with.some((other) => said.has(other)));
    if (said.has(name)) {
      const against = input.without?.find((other) => said.has(other));
      if (against !== undefined) throw new PlaybookInputError(`${against} and ${name} are given: give one of them`);
      if (input.target === undefined && !applies) throw new PlaybookInputError(`${name} is given without ${one(input.with ?? [])}: give it too, or leave ${name} out`);
      values.set(name, valueOf(name, input, given[name]));
    } else if (applies && input.required) throw new PlaybookInputError(`${name} is missing: give it${input.example === undefined ? '' : `, for example ${input.example}`}`);
    else if (applies && input.default !== undefined) values.set(name, input.default);
  }
  const whole = targetOf(playbook.inputs[targetName]?.target ?? 'other', values.get(targetName) ?? null, place);
  const narrow = declared.flatMap(([name, input]) => (input.narrows && values.has(name) ? [values.get(name) ?? null] : []));
  const part = narrow.length > 0 ? partOf(narrow) : playbook.inputs[targetName]?.contents === true ? '*' : null;
  return { target: part === null ? whole : { ...whole, arn: `${whole.arn}/${part}` }, inputs: Object.fromEntries(values) };
}

/** As a resource of a policy names it: everything under a prefix, one object, or by a digest several. */
function partOf(values: readonly Json[]): string {
  const [value, ...more] = values;
  if (typeof value === 'string' && more.length === 0) return `${value}*`;
  return Array.isArray(value) && value.length === 1 && more.length === 0 ? String(value[0]) : digestOf(values.map((one) => (Array.isArray(one) ? one.map(String).toSorted() : one))).slice(0, 16);
}

function one(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `one of ${names.join(', ')}`;
}

function valueOf(name: string, input: PlaybookInput, value: unknown): Json {
  const wrong = (what: string): PlaybookInputError => new PlaybookInputError(`${name} is ${JSON.stringify(value)?.slice(0, 200) ?? 'nothing'}: ${what}${input.example === undefined ? '' : `, for example ${input.example}`}`);
  if (input.type === 'list') {
    const items: readonly unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',').map((item) => item.trim()) : [];
    const texts = items.filter((item) => typeof item === 'string' && item !== '');
    if (texts.length === 0 || texts.length !== items.length) throw wrong('it must be a list of texts');
    if (texts.some((text) => !String(text).isWellFormed())) throw wrong(ILL_FORMED);
    if (texts.length > LIST_LIMIT || texts.some((text) => String(text).length > TEXT_LIMIT)) throw wrong(`at most ${LIST_LIMIT} items of ${TEXT_LIMIT} characters`);
    return [...new Set(texts.map(String))];
  }
  if (typeof value !== 'string' || value.trim() === '') throw wrong('it must be a text');
  if (!value.isWellFormed()) throw wrong(ILL_FORMED);
  if (value.length > TEXT_LIMIT) throw wrong(`at most ${TEXT_LIMIT} characters`);
  if (input.values && !Object.hasOwn(input.values, value)) throw wrong(`it must be one of ${Object.keys(input.values).join(', ')}`);
  if (input.type === 'arn' && !/^arn:aws[\w-]*:[a-z0-9-]+:[\w-]*:\d{12}:\S+$/.test(value)) throw wrong('it must be an ARN, with the account in it');
  if (input.type === 'instant') {
    if (!/^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/.test(value) || Number.isNaN(Date.parse(value))) throw wrong('it must be an ISO 8601 time with its offset');
    return new Date(value).toISOString();
  }
  return value;
}

function targetOf(kind: Target['kind'], value: Json, { account, region }: { readonly account: string; readonly region: string }): Target {
  const list = Array.isArray(value) ? value.map(String) : null;
  const name = list === null ? (typeof value === 'string' ? value : '') : list.length === 1 ? (list[0] ?? '') : `${list.length} ${kind}s`;
  const id = list && list.length > 1 ? digestOf(list.toSorted()).slice(0, 16) : name;
  const arn = arnOf(kind, id, account);
  // What is named by its ARN says itself whose it is.
  return { kind, arn, name, account: (namedByArn(kind) ? /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/.exec(arn)?.[1] : undefined) ?? account, region };
}

function namedByArn(kind: Target['kind']): boolean {
  return kind === 'principal' || kind === 'trail' || kind === 'other';
}

function arnOf(kind: Target['kind'], id: string, account: string): string {
  if (kind === 'bucket' || kind === 'object') return `arn:aws:s3:::${id}`;
  if (namedByArn(kind)) return kind === 'principal' ? withoutPath(id) : id;
  return kind === 'account' ? `arn:aws:iam::${id}:root` : `share:${account}:${kind}/${id}`;
}
