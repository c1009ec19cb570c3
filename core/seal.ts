import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from './canonical.ts';
import { sha256Of } from './evidence.ts';

/** A record as a seal names it. */
export interface SealedRecord {
  /** When the record was made. */
  readonly at: string;
  readonly key: string;
  readonly sha256: string;
  /** S3's, of the version that is sealed: Object Lock protects versions, a key may get newer ones. */
  readonly versionId: string;
}

/**
 * A seal covers all records since the one before it, and none: silence is sealed too. Its digest is signed, and it carries the
 * hash of the file before it, so that nothing in the chain can be changed, taken out or put in.
 */
export interface Seal {
  readonly schemaVersion: 1;
  /** The bucket that it seals: a seal of another installation is none here. */
  readonly bucket: string;
  /** 1, 2, 3 … without a gap. */
  readonly number: number;
  /** SHA-256 of the whole file of the seal before; `null` for the first. */
  readonly previous: string | null;
  /** When it was made; the period that it seals ends here and begins at `from`, the `at` of the seal before. */
  readonly at: string;
  readonly from: string | null;
  /** When the next seal must be there at the latest: what shows that the tail was cut off. */
  readonly due: string;
  /** How many records, and the earliest and the latest of their times. */
  readonly count: number;
  readonly first: string | null;
  readonly last: string | null;
  /** By time, then key. */
  readonly records: readonly SealedRecord[];
  /** What was announced and never came to lie in the bucket: gaps, said so. */
  readonly lost: readonly Omit<SealedRecord, 'versionId'>[];
  /** Fingerprints of the keys that sign it: one, or the old and the new one where the key changes. */
  readonly keys: readonly string[];
}

/** One signature over a seal: its own line of the file. */
export interface SealSignature {
  readonly algorithm: 'ECDSA_SHA_256';
  /** SHA-256 of the public key (SubjectPublicKeyInfo, DER), 64 hexadecimal characters. */
  readonly key: string;
  /** The public key itself, base64 of the DER: whether it is to be trusted, its fingerprint tells. */
  readonly publicKey: string;
  /** base64 of the DER form, as KMS returns it and openssl takes it. */
  readonly signature: string;
}

/**
 * The file of a seal: the seal as canonical JSON on the first line, then a line for each signature. What is signed is the
 * first line with its line feed, so that `head -n 1 | openssl dgst -sha256 -verify` checks it.
 */
export interface SealFile {
  readonly seal: Seal;
  readonly signatures: readonly SealSignature[];
  /** SHA-256 of the whole file: the next seal's `previous`. */
  readonly sha256: string;
  /** The bytes that the signatures are over. */
  readonly signed: string;
}

/** More records than this go into further seals of the same moment, so that a seal can be held in memory. */
export const RECORDS_PER_SEAL = 1_000;

/** Seals made together say a time each; a writer's clock may be off by this, ms. */
export const CLOCK_TOLERANCE_MS = 5 * 60_000;

export function sealKey(number: number): string {
  return `seals/${String(number).padStart(10, '0')}.jsonl`;
}

/** The number in the name of a seal's file; `null` where it is no seal's name. */
export function sealNumber(key: string): number | null {
  const digits = /^seals\/(\d{10})\.jsonl$/.exec(key)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** What the next seal must know of the one before it. */
export interface SealHead extends Pick<Seal, 'number' | 'at' | 'due' | 'keys'> {
  /** Of the whole file. */
  readonly sha256: string;
}

/**
 * The seal that follows another.
 *
 * @param after - the seal before; `null` for the first
 * @param found - what is to be sealed, in any order; at most `RECORDS_PER_SEAL`
 * @param everySeconds - how often seals are made
 */
export function nextSeal(
  after: SealHead | null,
  found: Pick<Seal, 'bucket' | 'at' | 'keys' | 'records' | 'lost'> & { readonly everySeconds: number },
): Seal {
  const records = found.records.toSorted((a, b) => order(a.at, b.at) || order(a.key, b.key));
  return {
    schemaVersion: 1,
    bucket: found.bucket,
    number: (after?.number ?? 0) + 1,
    previous: after?.sha256 ?? null,
    at: found.at,
    from: after?.at ?? null,
    due: new Date(Date.parse(found.at) + 2 * found.everySeconds * 1000).toISOString(),
    count: records.length,
    first: records[0]?.at ?? null,
    last: records.at(-1)?.at ?? null,
    records,
    lost: found.lost.toSorted((a, b) => order(a.key, b.key)),
    keys: found.keys,
  };
}

/** By UTF-16 code units, as canonical JSON orders: never by a locale. */
function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What of a seal is signed: the first line of its file. */
export function signedText(seal: Seal): string {
  return `${canonicalJson(seal)}\n`;
}

/** What KMS signs (`MessageType: DIGEST`): 32 bytes. */
export function signedDigest(seal: Seal): Uint8Array {
  return createHash('sha256').update(signedText(seal)).digest();
}

export function sealText(seal: Seal, signatures: readonly SealSignature[]): string {
  return signedText(seal) + signatures.map((signature) => `${canonicalJson(signature)}\n`).join('');
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime({ precision: 3 });
const record = z.strictObject({ at: time, key: z.string(), sha256, versionId: z.string() });
const SealSchema = z.strictObject({
  schemaVersion: z.literal(1),
  bucket: z.string(),
  number: z.int().min(1),
  previous: sha256.nullable(),
  at: time,
  from: time.nullable(),
  due: time,
  count: z.int().min(0),
  first: time.nullable(),
  last: time.nullable(),
  records: z.array(record),
  lost: z.array(record.omit({ versionId: true })),
  keys: z.array(sha256).min(1),
});
const SignatureSchema = z.strictObject({ algorithm: z.literal('ECDSA_SHA_256'), key: sha256, publicKey: z.base64(), signature: z.base64() });

/** A file that is no seal, with what is wrong with it. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/**
 * Reads the file of a seal: its form, not yet its truth.
 *
 * @throws {SealError}
 */
export function readSeal(text: string): SealFile {
  const [first = '', ...rest] = text.split('\n');
  if (rest.pop() !== '') throw new SealError('it does not end with a line feed: it was cut off');
  const seal = SealSchema.safeParse(json(first));
  if (!seal.success) throw new SealError(`its first line is no seal: ${problemOf(seal.error)}`);
  if (canonicalJson(seal.data) !== first) throw new SealError('its first line is not in canonical form');
  if (seal.data.count !== seal.data.records.length) throw new SealError(`it says ${seal.data.count} records and lists ${seal.data.records.length}`);
  const signatures = rest.map((line) => {
    const signature = SignatureSchema.safeParse(json(line));
    if (!signature.success) throw new SealError(`a signature line is none: ${problemOf(signature.error)}`);
    return signature.data;
  });
  return { seal: seal.data, signatures, sha256: sha256Of(text), signed: `${first}\n` };
}

function problemOf({ issues: [issue] }: z.ZodError): string {
  return `${issue?.path.map(String).join('.') || 'the line'}: ${issue?.message ?? 'not valid'}`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** SHA-256 of a public key: what is kept outside the account. @param der - SubjectPublicKeyInfo, as `kms:GetPublicKey` returns it */
export function fingerprintOf(der: Uint8Array): string {
  return sha256Of(der);
}

/** @param text - PEM, or base64 of the DER @throws {SealError} where it is no public key on P-256 */
export function publicKeyOf(text: string): { readonly key: KeyObject; readonly fingerprint: string } {
  let key: KeyObject;
  try {
    key = text.includes('-----BEGIN') ? createPublicKey(text) : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new SealError('it is no public key: a PEM file, or base64 of the DER that KMS returns', { cause });
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new SealError('it is a key of another kind: seals are signed on the curve P-256');
  return { key, fingerprint: fingerprintOf(key.export({ format: 'der', type: 'spki' })) };
}

/** Whether a signature is over this seal and by the key that it names; says nothing about whether that key is to be trusted. */
export function signatureHolds(file: Pick<SealFile, 'signed'>, { key: named, publicKey, signature }: SealSignature): boolean {
  try {
    const { key, fingerprint } = publicKeyOf(publicKey);
    return fingerprint === named && verify('sha256', Buffer.from(file.signed), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}
