import { describe, expect, it } from 'vitest';
import { type Found, MAX_VALUE_BYTES, valuesIn } from './values.ts';

/** All values, with the text cut into pieces of some size. */
async function read(text: string, size = text.length): Promise<readonly Found[]> {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const found: Found[] = [];
  for await (const one of valuesIn(chunks())) found.push(one);
  return found;
}

const ok = (...values: readonly unknown[]): readonly Found[] => values.map((value) => ({ value }));

describe('the values of a stream', () => {
  const cases: readonly (readonly [string, string, readonly Found[]])[] = [
    ['one value', '{"a":[1,{"b":"}]"}]}', ok({ a: [1, { b: '}]' }] })],
    ['one value over many lines', '{\n  "a": {\n    "b": "\\"}"\n  }\n}\n', ok({ a: { b: '"}' } })],
    ['NDJSON', '{"a":1}\n{"a":2}\r\n\n{"a":3}', ok({ a: 1 }, { a: 2 }, { a: 3 })],
    ['values in a row', '{"a":1}{"a":2} {"a":3}', ok({ a: 1 }, { a: 2 }, { a: 3 })],
    ['an array', ' [ {"a":1} , {"a":[2]},\n3, "x,]", null ] ', ok({ a: 1 }, { a: [2] }, 3, 'x,]', null)],
    ['an empty array', '[]', []],
    ['arrays in arrays', '[[1,2],[3]]', ok([1, 2], [3])],
    ['a log file', '{"Records":[{"a":1},{"a":{"b":[]}}]}', ok({ a: 1 }, { a: { b: [] } })],
    ['findings with what follows them', '{ "Findings" : [ {"a":1} ], "NextToken": "x]}", "More": {"y": [1]} }\n{"a":2}', ok({ a: 1 }, { a: 2 })],
    ['two log files', '{"Records":[{"a":1}]}\n{"Records":[{"a":2}]}', ok({ a: 1 }, { a: 2 })],
    ['a byte order mark', '\ufeff{"a":1}', ok({ a: 1 })],
    ['letters beyond ASCII', '[{"a":"ä€😀"}]', ok({ a: 'ä€😀' })],
    ['nothing', ' \n ', []],
    ['scalars', '1\ntrue\n"x"', ok(1, true, 'x')],
  ];
  it.each(cases)('%s, however it is cut', async (_, text, expected) => {
    for (const size of [text.length + 10, 7, 3, 1]) expect(await read(text, size)).toEqual(expected);
  });
});

describe('what is broken costs nothing else', () => {
  it('in a line', async () => expect(await read('{"a":1}\n{"b":{\nnot json\n{"a":2}\n')).toEqual([{ value: { a: 1 } }, { broken: 'not JSON: {"b":{' }, { broken: 'not JSON: not json' }, { value: { a: 2 } }]));
  it('in an array', async () => expect(await read('[{"a":1},{a},x,{"a":2}]')).toEqual([{ value: { a: 1 } }, { broken: 'not JSON: {a}' }, { broken: 'not JSON: x' }, { value: { a: 2 } }]));
  it('in the first line', async () => expect(await read('{"b":\n{"a":2}\n')).toEqual([{ broken: 'not JSON: {"b":' }, { value: { a: 2 } }]));
  it('at the end', async () => expect(await read('[{"a":1},{"b":')).toEqual([{ value: { a: 1 } }, { broken: 'the input ends within a value: {"b":' }]));
  it('where it is longer than any event', async () => {
    const long = `{"a":"${'x'.repeat(MAX_VALUE_BYTES)}"}`;
    const [first, second, ...more] = await read(`[${long},{"a":2}]`, 1024 * 1024);
    expect(first).toMatchObject({ broken: expect.stringContaining('is no event') });
    expect(second).toEqual({ value: { a: 2 } });
    expect(more).toEqual([]);
  });
});
