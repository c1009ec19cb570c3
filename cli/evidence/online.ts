import { z } from 'zod';
import { readSeal, sealNumber } from '../../core/seal.ts';
import type { EvidenceFiles } from '../../core/verify.ts';
import { readAudit, type Person } from '../api.ts';
import { CliError, EXIT } from '../exit.ts';

const keysAnswer = z.object({ keys: z.array(z.object({ fingerprint: z.string(), publicKey: z.base64() })) });
const filesAnswer = z.object({
  files: z.array(z.object({ key: z.string(), versionId: z.string(), at: z.string().nullable(), deleted: z.boolean() })),
  next: z.object({ key: z.string(), version: z.string() }).nullable(),
});
const fileAnswer = z.object({ base64: z.base64() });
const recordsAnswer = z.object({ records: z.array(z.object({ base64: z.base64().nullable() })), next: z.number().nullable() });

export type RemoteFile = z.infer<typeof filesAnswer>['files'][number];

/** The bucket as the `audit` URL hands it out. */
export interface RemoteEvidence extends EvidenceFiles {
  /** The public keys as KMS says them, oldest first. */
  readonly keys: () => Promise<z.infer<typeof keysAnswer>['keys']>;
  /** Every version and delete marker under a prefix. */
  readonly list: (prefix: 'records/' | 'seals/') => AsyncIterable<RemoteFile>;
  readonly readFile: (key: string, versionId?: string) => Promise<Uint8Array | null>;
}

export function remoteEvidence(person: Person): RemoteEvidence {
  const readFile: RemoteEvidence['readFile'] = async (key, version) => {
    try {
      return Buffer.from((await readAudit(fileAnswer, '/evidence/file', { key, ...(version === undefined ? {} : { version }) }, person)).base64, 'base64');
    } catch (error) {
      if (error instanceof CliError && error.code === EXIT.no) return null;
      throw error;
    }
  };
  async function* list(prefix: 'records/' | 'seals/'): AsyncGenerator<RemoteFile> {
    let next: z.infer<typeof filesAnswer>['next'] = null;
    do {
      const page: z.infer<typeof filesAnswer> = await readAudit(filesAnswer, '/evidence/files', { prefix, ...next }, person);
      yield* page.files;
      next = page.next;
    } while (next !== null);
  }
  // The records of a seal come in pages, in its order, which is the order in which they are asked for.
  let page: Page = { seal: 0, begin: 0, contents: [], names: [] };
  const readRecord: EvidenceFiles['readRecord'] = async ({ key, versionId }) => {
    const index = page.names.indexOf(`${key}\n${versionId}`);
    if (index === -1) return await readFile(key, versionId);
    while (index >= page.begin + page.contents.length) {
      const begin = page.begin + page.contents.length;
      const { records } = await readAudit(recordsAnswer, '/evidence/records', { seal: String(page.seal), from: String(begin) }, person);
      if (records.length === 0) return await readFile(key, versionId);
      page = { ...page, begin, contents: records.map(({ base64 }) => (base64 === null ? null : Buffer.from(base64, 'base64'))) };
    }
    return index < page.begin ? await readFile(key, versionId) : (page.contents[index - page.begin] ?? null);
  };
  // Asked for many at once; pages are fetched one after the other.
  let turn: Promise<unknown> = Promise.resolve();
  return {
    keys: async () => (await readAudit(keysAnswer, '/evidence/keys', {}, person)).keys,
    list,
    readFile,
    seals: async function* () {
      let last = '';
      for await (const { key } of list('seals/')) {
        // A second version of a seal has the same name; the one that counts is the latest, which is what is read.
        if (key !== last) yield key;
        last = key;
      }
    },
    readSeal: async (key) => {
      const bytes = await readFile(key);
      if (bytes === null) return null;
      const text = Buffer.from(bytes).toString('utf8');
      page = { seal: sealNumber(key) ?? 0, begin: 0, contents: [], names: namesIn(text) };
      return text;
    },
    readRecord: (record) => {
      const mine = turn.then(() => readRecord(record));
      turn = mine.catch(() => undefined);
      return mine;
    },
    records: async function* () {
      for await (const { key, versionId, at } of list('records/')) yield { key, versionId, at: () => at };
    },
  };
}

interface Page {
  readonly seal: number;
  /** The index, in the seal, of the first content that is held. */
  readonly begin: number;
  readonly contents: readonly (Uint8Array | null)[];
  readonly names: readonly string[];
}

function namesIn(text: string): readonly string[] {
  try {
    return readSeal(text).seal.records.map(({ key, versionId }) => `${key}\n${versionId}`);
  } catch {
    // What is no seal names nothing; the verifier says so.
    return [];
  }
}
