import { InvalidEventPatternError } from './error.ts';

/** An IP address: 4 or 16 bytes. */
export type Address = readonly number[];

/** An address literal's bytes; `null` where the text is none. */
export function readAddress(value: string): Address | null {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(value)) {
    const bytes = value.split('.').map(Number);
    return bytes.every((byte) => byte <= 255) ? bytes : null;
  }
  return value.length <= 39 && /^[0-9a-f:]*:[0-9a-f:]*$/i.test(value) ? readVersion6(value) : null;
}

function readVersion6(value: string): Address | null {
  const halves = value.split('::');
  if (halves.length > 2) return null;
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  const groups = [...head, ...Array.from({ length: missing }, () => '0'), ...tail];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return null;
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
}

export function sameAddress(one: Address, other: Address | null): boolean {
  return other !== null && one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/**
 * A network as a test for addresses in it.
 *
 * @throws {InvalidEventPatternError} in AWS's words
 * @see https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/CIDR.java
 */
export function readNetwork(cidr: string): (value: string) => boolean {
  const [base = '', mask, ...more] = cidr.split('/');
  if (mask === undefined || more.length > 0) throw new InvalidEventPatternError("Malformed CIDR, one '/' required");
  if (!/^[+-]?\d{1,9}$/.test(mask)) throw new InvalidEventPatternError('Malformed CIDR, mask bits must be an integer');
  const bits = Number(mask);
  if (bits < 0) throw new InvalidEventPatternError('Malformed CIDR, mask bits must not be negative');
  const network = readAddress(base);
  if (!network) throw new InvalidEventPatternError(`Nonstandard IP address: ${base}`);
  if (bits >= network.length * 8) {
    const version = network.length === 4 ? 'IPv4' : 'IPv6';
    throw new InvalidEventPatternError(`${version} mask bits must be < ${network.length * 8}`);
  }
  return (value) => {
    const address = readAddress(value);
    return address !== null && address.length === network.length && sharesBits(address, network, bits);
  };
}

/** Whether every address of a range (or the one address) is in another range: `10.1.0.0/16` in `10.0.0.0/8`. `false` where one of them is none. */
export function covers(outer: string, inner: string): boolean {
  const [one, other] = [rangeOf(outer), rangeOf(inner)];
  return one !== null && other !== null && one.address.length === other.address.length && one.bits <= other.bits && sharesBits(other.address, one.address, one.bits);
}

function rangeOf(text: string): { readonly address: Address; readonly bits: number } | null {
  const [base = '', mask, ...more] = text.split('/');
  const address = readAddress(base);
  if (!address || more.length > 0 || (mask !== undefined && !/^\d{1,3}$/.test(mask))) return null;
  return { address, bits: mask === undefined ? address.length * 8 : Number(mask) };
}

function sharesBits(one: Address, other: Address, bits: number): boolean {
  return one.every((byte, index) => {
    const ignored = Math.min(8, Math.max(0, (index + 1) * 8 - bits));
    return byte >> ignored === (other[index] ?? 0) >> ignored;
  });
}
