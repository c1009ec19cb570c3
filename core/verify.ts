import { CLOCK_TOLERANCE_MS, readSeal, SealError, sealKey, sealNumber, signatureHolds, type SealedRecord, type SealFile } from './seal.ts';
import { sha256Of } from './evidence.ts';
import { recordHolds } from './plan.ts';
import { KeySet } from './verify/key-set.ts';

/** The files of an evidence bucket, wherever they lie: a folder, or the suite's own reading side. */
export interface EvidenceFiles {
  /** Keys under `seals/`, in the order of their names. */
  readonly seals: () => AsyncIterable<string> | Iterable<string>;
  readonly readSeal: (key: string) => Promise<string | null>;
  /** The bytes of a sealed version; `null` where it is not there. */
  readonly readRecord: (record: Pick<SealedRecord, 'key' | 'versionId'>) => Promise<Uint8Array | null>;
  /** Everything under `records/`, in any order; a folder has no versions. */
  readonly records: () => AsyncIterable<ListedRecord> | Iterable<ListedRecord>;
}

export interface ListedRecord {
  readonly key: string;
  /** `null` in a folder. */
  readonly versionId: string | null;
  /** When it came to lie there, or says that it did; ISO 8601. Asked only of what no seal names. */
  readonly at: () => string | null | Promise<string | null>;
}

export interface VerifyOptions {
  /** Fingerprints of the keys that are trusted: kept outside the account. */
  readonly trusted: readonly string[];
  /** Up to when the record must be complete: now, or when the files were taken. ISO 8601. */
  readonly until: string;
  /** When this is asked, ISO 8601; `until` where it is not said. */
  readonly now?: string;
  /** Records that were sealed before are not read again; the chain of seals is checked whole. */
  readonly since?: string | undefined;
  /** Called with each problem as it is found; the verdict keeps the first hundred. */
  readonly onProblem?: (problem: Problem) => void;
}

/**
 * `missing` · `altered` · `reordered` it lies where another belongs · `extra` no seal names it · `late` sealed later than it should be ·
 * `foreign-key` signed by a key that is not trusted, or no longer · `unsealed` newer than the last seal: the next one will name it.
 */
export type ProblemKind = 'missing' | 'altered' | 'reordered' | 'extra' | 'late' | 'foreign-key' | 'unsealed';

export interface Problem {
  readonly kind: ProblemKind;
  /** The key of the file. */
  readonly place: string;
  /** The seal that shows it. */
  readonly seal: number | null;
  /** One sentence. */
  readonly text: string;
}

export interface Verdict {
  /** `intact`: complete, and nobody has changed it · `late`: the same, but sealed later than it should have been · `broken`. */
  readonly verdict: 'intact' | 'late' | 'broken';
  readonly seals: number;
  /** Records that were read and are as they were sealed. */
  readonly records: number;
  /** Records that seals name, those that were not read because of `since` too. */
  readonly sealed: number;
  readonly unsealed: number;
  /** The period that the seals cover. */
  readonly from: string | null;
  readonly until: string | null;
  /** The fingerprint of the key that signs now. */
  readonly signer: string | null;
  readonly counts: Readonly<Partial<Record<ProblemKind, number>>>;
  /** In the order in which they were found, the first hundred: the first is the first bad place. */
  readonly problems: readonly Problem[];
}

/** How many records are read at once. */
const AT_ONCE = 64;
const PROBLEMS_KEPT = 100;
/** A writer announces a record before it writes it, and may take as long as a Lambda function may run. */
export const WRITING_MS = 15 * 60_000;

/**
 * Recomputes everything: each seal's signature, the chain of their hashes, the hash of each record, and that there is nothing else.
 * Streams: it holds one seal at a time, and sixteen bytes for each record (its key, with and without its version).
 */
export async function verifyEvidence(files: EvidenceFiles, options: VerifyOptions): Promise<Verdict> {
  const found = new Findings(options.onProblem);
  const chain = new Chain(found, new Set(options.trusted));
  const sealed = new KeySet();
  const lost: { readonly key: string; readonly at: string; readonly seal: number }[] = [];
  let [records, named] = [0, 0];

  for await (const key of files.seals()) {
    const file = chain.next(key, await files.readSeal(key));
    if (!file) continue;
    named += file.seal.records.length;
    for (const { key: record, versionId } of file.seal.records) {
      sealed.add(record);
      sealed.add(`${record}\n${versionId}`);
    }
    for (const one of file.seal.lost) lost.push({ ...one, seal: file.seal.number });
    if (options.since === undefined || file.seal.at >= options.since) records += await checkRecords(file, files, found);
  }
  for (const { key, at, seal } of lost) {
    const came = sealed.has(key);
    found.add(came ? 'late' : 'missing', key, seal, `was announced at ${at} and ${came ? `came to lie in the bucket only after seal ${seal}` : `never came to lie in the bucket, or something else lies in its place, says seal ${seal}`}`);
  }
  const last = chain.end(options.until);

  let unsealed = 0;
  for await (const { key, versionId, at: since } of files.records()) {
    if (sealed.has(versionId === null ? key : `${key}\n${versionId}`)) continue;
    const at = await since();
    // In a bucket it is S3 that says when; in a folder the record itself does, and one from the future would be newer than every seal.
    const isAhead = versionId === null && at !== null && Date.parse(at) > Date.parse(options.now ?? options.until) + CLOCK_TOLERANCE_MS;
    const isNewer = !isAhead && (chain.length === 0 || (last !== null && at !== null && Date.parse(at) > Date.parse(last.at) - WRITING_MS));
    const second = versionId !== null && sealed.has(key);
    if (isNewer && !second) unsealed++;
    found.add(isNewer && !second ? 'unsealed' : 'extra', key, null, unnamed(isNewer, second, versionId, isAhead ? at : null));
  }

  const counts = found.counts();
  const broken = Object.keys(counts).some((kind) => kind !== 'late' && kind !== 'unsealed');
  return {
    verdict: broken ? 'broken' : counts.late === undefined ? 'intact' : 'late',
    seals: chain.length,
    records,
    sealed: named,
    unsealed,
    from: chain.begin,
    until: last?.at ?? null,
    signer: chain.signer,
    counts,
    problems: found.first,
  };
}

function unnamed(isNewer: boolean, second: boolean, versionId: string | null, ahead: string | null): string {
  if (second) return `has another version than the sealed one (${versionId}): written over, or hidden by a delete marker`;
  if (ahead !== null) return `is named by no seal and says that it was made at ${ahead}, when nobody could have written it yet`;
  return isNewer ? 'is newer than the last seal: the next one will name it' : 'is named by no seal';
}

/** @returns how many are as they were sealed */
async function checkRecords({ seal }: SealFile, files: EvidenceFiles, found: Findings): Promise<number> {
  const homes = new Map(seal.records.map(({ sha256, key }) => [sha256, key]));
  const late = seal.from === null ? '' : new Date(Date.parse(seal.from) - (Date.parse(seal.due) - Date.parse(seal.at)) / 2).toISOString();
  let good = 0;
  for (let start = 0; start < seal.records.length; start += AT_ONCE) {
    const some = seal.records.slice(start, start + AT_ONCE);
    const contents = await Promise.all(some.map(async (record) => await files.readRecord(record)));
    for (const [index, record] of some.entries()) {
      const content = contents[index] ?? null;
      const hash = content === null ? null : sha256Of(content);
      if (hash === null) found.add('missing', record.key, seal.number, `is not there; seal ${seal.number} names it`);
      else if (hash === record.sha256) {
        good++;
        if (!plansHold(record.key, content)) found.add('altered', record.key, seal.number, 'holds a plan that is not what its digest says: it was altered before it was recorded');
      }
      else if (homes.has(hash)) found.add('reordered', record.key, seal.number, `holds what belongs in ${homes.get(hash)}`);
      else found.add('altered', record.key, seal.number, `is not what was sealed: SHA-256 is ${hash}, seal ${seal.number} says ${record.sha256}`);
      if (record.at < late) found.add('late', record.key, seal.number, `was made at ${record.at} and sealed only at ${seal.at}`);
      else if (Date.parse(record.at) > Date.parse(seal.at) + CLOCK_TOLERANCE_MS) found.add('late', record.key, seal.number, `is dated ${record.at}, after its seal of ${seal.at}`);
    }
  }
  return good;
}

/** Whether the plan in a snapshot is the one that its digest names; a snapshot is written before anybody approves it. */
function plansHold(key: string, content: Uint8Array | null): boolean {
  if (content === null || !key.startsWith('records/snapshot/')) return true;
  try {
    const record: unknown = JSON.parse(Buffer.from(content).toString('utf8'));
    return recordHolds(Reflect.get(Object(Reflect.get(Object(record), 'body')), 'plan'));
  } catch {
    return false;
  }
}

/** The seals one after the other: what each must be, given those before it. */
class Chain {
  length = 0;
  begin: string | null = null;
  signer: string | null = null;
  readonly #found: Findings;
  readonly #trusted: ReadonlySet<string>;
  #last: SealFile | null = null;
  /** Whether the last one was as it should be; only then does its hash say anything about the next. */
  #lastHeld = true;
  #expected = 1;

  constructor(found: Findings, trusted: ReadonlySet<string>) {
    this.#found = found;
    this.#trusted = trusted;
  }

  /** @returns the seal, as far as it can be read */
  next(key: string, text: string | null): SealFile | null {
    const number = sealNumber(key);
    if (number === null) return this.#bad('extra', key, null, 'is no name of a seal');
    if (number > this.#expected) this.#gap(number - 1);
    this.#expected = number + 1;
    this.length++;
    const file = this.#read(key, number, text);
    const last = this.#last;
    this.#last = file;
    this.#lastHeld = false;
    if (!file) return null;
    const before = this.#found.total;
    if (file.seal.number !== number) this.#found.add('reordered', key, number, `holds seal ${file.seal.number}`);
    this.#checkSigners(file, key);
    if (last) this.#checkLink(file, last, key);
    else if (number === 1 && file.seal.previous !== null) this.#found.add('altered', key, number, 'is the first seal and names one before it');
    this.begin ??= file.seal.from ?? file.seal.at;
    this.#lastHeld = this.#found.total === before;
    return file;
  }

  /** @returns the last seal */
  end(until: string): SealFile['seal'] | null {
    const seal = this.#last?.seal ?? null;
    const next = sealKey(this.#expected);
    if (this.length === 0) this.#found.add('missing', next, null, 'there is no seal at all: nothing was sealed yet, or all seals were taken away');
    else if (seal && Date.parse(until) > Date.parse(seal.due)) this.#found.add('missing', next, null, `was due by ${seal.due}: the tail was cut off, or sealing has stopped`);
    return seal;
  }

  #read(key: string, number: number, text: string | null): SealFile | null {
    if (text === null) return this.#bad('missing', key, number, 'cannot be read');
    try {
      return readSeal(text);
    } catch (error) {
      if (error instanceof SealError) return this.#bad('altered', key, number, error.message);
      throw error;
    }
  }

  #gap(until: number): void {
    const from = this.#expected;
    const which = from === until ? `seal ${from} is not there` : `seals ${from} to ${until} are not there: ${until - from + 1} in a row`;
    this.#found.add('missing', sealKey(from), from, which);
    this.#last = null;
  }

  /** One key signs until a seal is signed by it and by its successor, which signs from then on. */
  #checkSigners(file: SealFile, key: string): void {
    const { seal, signatures } = file;
    const named = [...seal.keys].toSorted().join();
    if (signatures.map((signature) => signature.key).toSorted().join() !== named) {
      this.#found.add('altered', key, seal.number, `should be signed by ${seal.keys.map(short).join(' and ')}, and bears the signatures of ${signatures.map((signature) => short(signature.key)).join(' and ') || 'nobody'}`);
      return;
    }
    const wrong = signatures.find((signature) => !signatureHolds(file, signature));
    if (wrong) {
      this.#found.add('altered', key, seal.number, `was changed after it was signed: the signature of ${short(wrong.key)} does not hold`);
      return;
    }
    const isTrusted = this.signer === null ? seal.keys.some((signer) => this.#trusted.has(signer)) : seal.keys.includes(this.signer);
    if (!isTrusted) {
      const wanted = this.signer === null ? [...this.#trusted].map(short).join(' or ') || 'no key' : short(this.signer);
      this.#found.add('foreign-key', key, seal.number, `is signed by ${seal.keys.map(short).join(' and ')}; trusted is ${wanted}`);
      return;
    }
    this.signer = seal.keys.at(-1) ?? this.signer;
  }

  #checkLink({ seal }: SealFile, last: SealFile, key: string): void {
    // A seal that was found bad has another hash than it had; saying so at its successor would be the second place, not the first.
    if (!this.#lastHeld && seal.previous !== last.sha256) return;
    if (seal.previous !== last.sha256) this.#found.add('altered', sealKey(last.seal.number), last.seal.number, `is not the file that seal ${seal.number} follows: its SHA-256 is ${last.sha256}, named is ${seal.previous}`);
    if (seal.bucket !== last.seal.bucket) this.#found.add('altered', key, seal.number, `is a seal of bucket ${seal.bucket}, not of ${last.seal.bucket}`);
    if (seal.from !== last.seal.at || seal.at < last.seal.at) this.#found.add('reordered', key, seal.number, `seals from ${seal.from} to ${seal.at}, and the one before ends at ${last.seal.at}`);
    if (Date.parse(seal.at) > Date.parse(last.seal.due)) this.#found.add('late', key, seal.number, `was made at ${seal.at} and was due by ${last.seal.due}`);
  }

  #bad(kind: ProblemKind, key: string, number: number | null, text: string): null {
    this.#found.add(kind, key, number, text);
    return null;
  }
}

function short(fingerprint: string): string {
  return `key ${fingerprint.slice(0, 16)}…`;
}

class Findings {
  readonly first: Problem[] = [];
  total = 0;
  readonly #counts = new Map<ProblemKind, number>();
  readonly #tell: ((problem: Problem) => void) | undefined;

  constructor(tell: ((problem: Problem) => void) | undefined) {
    this.#tell = tell;
  }

  add(kind: ProblemKind, place: string, seal: number | null, text: string): void {
    const problem: Problem = { kind, place, seal, text };
    this.total++;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (this.first.length < PROBLEMS_KEPT) this.first.push(problem);
    this.#tell?.(problem);
  }

  counts(): Readonly<Partial<Record<ProblemKind, number>>> {
    return Object.fromEntries(this.#counts);
  }
}
