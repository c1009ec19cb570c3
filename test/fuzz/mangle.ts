import fc from 'fast-check';

/** Values that have broken parsers: names of prototypes, text that is nearly a number, a date, a policy or an address, and what terminals and markup obey. */
const BAD = [
  '__proto__', 'constructor', 'toString', '%', '%7B', '{"Statement":{}}', '9'.repeat(400), '1e400', '2026-13-45', '0.0.0.0/99', 'arn:', ':::', '\ud800', '*'.repeat(300), '', null, -0, [], {}, [[]],
  '\u001b]8;;https://evil.example\u0007x', '\u202egpj.exe', 'a\r\nx-injected: 1', '<script>alert(1)</script>', '=HYPERLINK("https://evil.example")', '@everyone', '../../etc/passwd', '${jndi:ldap://x}', '$states.input', '#{}', '\u0000', 'x'.repeat(5000), 2 ** 53, true,
] as const;

const nasty = fc.oneof(fc.constantFrom<unknown>(...BAD), fc.jsonValue());
export const nastyText = fc.oneof(fc.constantFrom(...BAD.filter((value) => typeof value === 'string')), fc.string({ unit: 'binary', maxLength: 40 }));
const keys = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', 'length', 'hasOwnProperty', 'detail', 'Statement', 'policy', 'resource', 'service', 'incident', 'reason'), fc.string());

/** The shape of a value with other values at some of its places, keys left out and keys put in. */
export function mangled(value: unknown, depth = 0): fc.Arbitrary<unknown> {
  const self = fc.constant(value);
  if (depth > 8 || typeof value !== 'object' || value === null) return fc.oneof({ weight: 5, arbitrary: self }, { weight: 1, arbitrary: nasty });
  const inner: fc.Arbitrary<unknown> = Array.isArray(value)
    ? fc.tuple(...value.map((entry) => mangled(entry, depth + 1)))
    : fc.tuple(fc.record(Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mangled(entry, depth + 1)])), { requiredKeys: [] }), fc.dictionary(keys, nasty, { maxKeys: 1 })).map(([kept, added]) => ({ ...kept, ...added }));
  return fc.oneof({ weight: 8, arbitrary: inner }, { weight: 1, arbitrary: nasty });
}

/** One of some real values, mangled; each one's shape is made once. */
export function mangledOneOf(values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof(...values.map((value) => mangled(value)));
}
