/** Verifies a chain of a million records that are made as they are read, and prints what it took: `node bench/audit/verify.ts <records> [<folder>]`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generateKeyPairSync, sign } from 'node:crypto';
import { folderFiles } from '../../cli/evidence/folder.ts';
import { recordKey, recordText, type EvidenceRecord } from '../../core/evidence.ts';
import { fingerprintOf, nextSeal, readSeal, RECORDS_PER_SEAL, sealKey, sealText, signedText, type SealHead, type SealedRecord } from '../../core/seal.ts';
import { verifyEvidence, type EvidenceFiles } from '../../core/verify.ts';

export interface Verified {
  readonly ok: boolean;
  readonly records: number;
  readonly seals: number;
  readonly seconds: number;
  /** The most memory it ever had, 10^6 bytes. */
  readonly megabytes: number;
}

const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');
const HOUR = 3_600_000;
/** As large as a record of a contained incident is on the average. */
const FILLER = 'what was seen, decided, done and not done, and why. '.repeat(20);
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const der = publicKey.export({ format: 'der', type: 'spki' });
const trusted = fingerprintOf(der);

function recordOf(index: number): EvidenceRecord {
  return { schemaVersion: 1, kind: 'outcome', id: `${index % 1000}/${index}`, incident: `inc-${index}`, at: new Date(BEGIN + index).toISOString(), drill: false, body: { index, text: FILLER } };
}

function sealed(head: SealHead | null, count: number, at: number): { readonly head: SealHead; readonly text: string } {
  const first = (head?.number ?? 0) * RECORDS_PER_SEAL;
  const records = Array.from({ length: count }, (_, offset): SealedRecord => {
    const record = recordOf(first + offset);
    const { key, sha256 } = recordText(record);
    return { at: record.at, key, sha256, versionId: 'v' };
  });
  const seal = nextSeal(head, { bucket: 'bench', at: new Date(at).toISOString(), keys: [trusted], records, lost: [], everySeconds: 3600 });
  const text = sealText(seal, [{ algorithm: 'ECDSA_SHA_256', key: trusted, publicKey: der.toString('base64'), signature: sign('sha256', Buffer.from(signedText(seal)), privateKey).toString('base64') }]);
  return { head: { ...seal, sha256: readSeal(text).sha256 }, text };
}

/** Made when they are asked for: what is measured is verifying, and the making of them. */
function madeFiles(total: number): EvidenceFiles {
  const seals = Math.ceil(total / RECORDS_PER_SEAL);
  let head: SealHead | null = null;
  return {
    seals: function* () {
      for (let number = 1; number <= seals; number++) yield sealKey(number);
    },
    readSeal: async () => {
      const number: number = (head?.number ?? 0) + 1;
      const made = sealed(head, Math.min(RECORDS_PER_SEAL, total - (number - 1) * RECORDS_PER_SEAL), BEGIN + total + number * HOUR);
      head = made.head;
      return made.text;
    },
    readRecord: async ({ key }) => Buffer.from(recordText(recordOf(Number(/(\d+)\.json$/.exec(key)?.[1]))).text),
    records: function* () {
      for (let index = 0; index < total; index++) yield { key: recordKey('outcome', `${index % 1000}/${index}`), versionId: null, at: () => null };
    },
  };
}

/** The same on a disk. */
async function written(total: number, folder: string): Promise<EvidenceFiles> {
  const files = madeFiles(total);
  for await (const key of files.seals()) write(join(folder, key), (await files.readSeal(key)) ?? '');
  for (let index = 0; index < total; index++) {
    const { key, text } = recordText(recordOf(index));
    write(join(folder, key), text);
  }
  return folderFiles(folder);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (import.meta.main) {
  const [total = '1000000', folder] = process.argv.slice(2);
  const files = folder === undefined ? madeFiles(Number(total)) : await written(Number(total), folder);
  const start = performance.now();
  const verdict = await verifyEvidence(files, { trusted: [trusted], until: new Date(BEGIN).toISOString() });
  const took: Verified = {
    ok: verdict.verdict !== 'broken' && verdict.records === Number(total),
    records: verdict.records,
    seals: verdict.seals,
    seconds: (performance.now() - start) / 1000,
    megabytes: Math.round((process.resourceUsage().maxRSS * 1024) / 1e6),
  };
  if (process.send) process.send(took, () => process.exit());
  else console.log(took);
}
