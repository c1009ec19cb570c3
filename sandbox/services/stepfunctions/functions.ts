import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import type { Json } from '../../../core/bucket.ts';

/** What an expression may see of the world: sandbox time and the sandbox's randomness, never the machine's own. */
export interface Surroundings {
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * The functions that Step Functions adds to JSONata, and those of JSONata that read the clock or chance.
 *
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn
 */
export function awsFunctions({ now, random }: Surroundings): Readonly<Record<string, unknown>> {
  return {
    // AWS leaves $eval out. Its $parse reads JSON and nothing else.
    eval: undefined,
    parse: (text: string): Json => JSON.parse(text) as Json,
    uuid: () => uuid(random),
    random: (seed?: number) => (seed === undefined ? random() : seeded(seed)),
    hash,
    range,
    partition,
    millis: () => now(),
    now: (picture?: string, timezone?: string) => timeFormat.evaluate(undefined, { ms: now(), picture, timezone }) as Promise<string>,
  };
}

const timeFormat = jsonata('$fromMillis($ms, $picture, $timezone)');

const ALGORITHMS: Readonly<Record<string, string>> = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };

function hash(text: string, algorithm: string): string {
  const name = ALGORITHMS[algorithm];
  if (typeof text !== 'string' || name === undefined) {
    throw new TypeError(`$hash takes a string and one of ${Object.keys(ALGORITHMS).join(', ')}, not ${JSON.stringify(algorithm)}`);
  }
  return createHash(name).update(text).digest('hex');
}

/** From `start` to `end`, the end included where a step lands on it. */
function range(start: number, end: number, step: number): number[] {
  if (![start, end, step].every(Number.isFinite) || step === 0) throw new TypeError('$range takes three numbers; the step is not 0');
  const length = Math.max(0, Math.floor((end - start) / step) + 1);
  // States.ArrayRange, which this replaces, stops at 1,000: longer ones are JSONata's [a..b].
  if (length > 1_000_000) throw new RangeError(`$range would make ${length} numbers; make fewer`);
  return Array.from({ length }, (_, index) => start + index * step);
}

function partition(values: readonly Json[], size: number): Json[][] {
  if (!Array.isArray(values) || !Number.isInteger(size) || size < 1) throw new TypeError('$partition takes an array and a chunk size of at least 1');
  return Array.from({ length: Math.ceil(values.length / size) }, (_, index) => values.slice(index * size, (index + 1) * size));
}

/** A version 4 UUID out of a given source of chance. */
export function uuid(random: () => number): string {
  const hex = Array.from({ length: 32 }, (_, index) => {
    const digit = Math.floor(random() * 16);
    if (index === 12) return '4';
    return (index === 16 ? (digit & 3) | 8 : digit).toString(16);
  }).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The same number for the same seed. AWS's own generator is not documented, so its numbers differ. */
function seeded(seed: number): number {
  return Number.parseInt(hash(String(seed), 'SHA-256').slice(0, 12), 16) / 2 ** 48;
}
