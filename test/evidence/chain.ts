import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { recordText, type EvidenceRecord, type RecordKind } from '../../core/evidence.ts';
import type { EvidenceFiles } from '../../core/verify.ts';
import { fingerprintOf, nextSeal, readSeal, sealKey, sealText, signedText, type Seal, type SealHead, type SealedRecord } from '../../core/seal.ts';

/** A key of our own that signs seals as the suite's does. */
export interface TestKey {
  readonly privateKey: KeyObject;
  /** base64 of the DER. */
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly pem: string;
}

export function makeKey(): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return { privateKey, publicKey: der.toString('base64'), fingerprint: fingerprintOf(der), pem: String(publicKey.export({ format: 'pem', type: 'spki' })) };
}

/** The file of a seal, signed by these keys. */
export function signed(seal: Seal, keys: readonly TestKey[]): string {
  return sealText(seal, keys.map(({ privateKey, publicKey, fingerprint }) => ({ algorithm: 'ECDSA_SHA_256', key: fingerprint, publicKey, signature: sign('sha256', Buffer.from(signedText(seal)), privateKey).toString('base64') })));
}

export const HOUR = 3_600_000;
export const BEGIN = Date.parse('2026-11-01T00:00:00.000Z');
export const BUCKET = 'stopbath-dev-evidence-111122223333';

export interface ChainPlan {
  readonly seals: number;
  /** The records of an hour's seal, by their kinds. */
  readonly kinds: (seal: number) => readonly RecordKind[];
  /** Who signs it. */
  readonly signers: (seal: number) => readonly TestKey[];
}

/** The files of a chain of hourly seals: hour after hour, in the order in which they came to be. */
export function* chainFiles({ seals, kinds, signers }: ChainPlan): Generator<readonly [key: string, text: string]> {
  let head: SealHead | null = null;
  for (let number = 1; number <= seals; number++) {
    const records: SealedRecord[] = [];
    for (const [index, kind] of kinds(number).entries()) {
      const at = new Date(BEGIN + (number - 1) * HOUR + index * 1_000 + 1).toISOString();
      const record: EvidenceRecord = { schemaVersion: 1, kind, id: `r-${number}-${index}`, incident: null, at, drill: false, body: { n: number, index, text: 'what was seen, decided and done' } };
      const { key, text, sha256 } = recordText(record);
      records.push({ at, key, sha256, versionId: `v-${number}-${index}` });
      yield [key, text];
    }
    const keys = signers(number);
    const seal: Seal = nextSeal(head, { bucket: BUCKET, at: new Date(BEGIN + number * HOUR).toISOString(), keys: keys.map(({ fingerprint }) => fingerprint), records, lost: [], everySeconds: 3600 });
    const text = signed(seal, keys);
    head = { number, at: seal.at, due: seal.due, keys: seal.keys, sha256: readSeal(text).sha256 };
    yield [sealKey(number), text];
  }
}

/** Files in memory, by key: what a folder or a bucket would hold. */
export function filesIn(files: ReadonlyMap<string, string>): EvidenceFiles {
  const under = (prefix: string) => [...files.keys()].filter((key) => key.startsWith(prefix)).toSorted();
  const madeAt = (key: string): string | null => {
    try {
      return String(Reflect.get(Object(JSON.parse(files.get(key) ?? '')), 'at'));
    } catch {
      return null;
    }
  };
  return {
    seals: () => under('seals/'),
    readSeal: async (key) => files.get(key) ?? null,
    readRecord: async ({ key }) => (files.has(key) ? Buffer.from(files.get(key) ?? '') : null),
    records: () => under('records/').map((key) => ({ key, versionId: null, at: () => madeAt(key) })),
  };
}
