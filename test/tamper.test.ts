import { describe, expect, it } from 'vitest';
import { RECORD_KINDS, recordText } from '../core/evidence.ts';
import { withDigest, withRecordedDigests } from '../core/plan.ts';
import { replacing } from '../core/redact.ts';
import { nextSeal, readSeal, sealKey, type Seal, type SealHead } from '../core/seal.ts';
import { verifyEvidence, type ProblemKind, type Verdict } from '../core/verify.ts';
import { BEGIN, BUCKET, chainFiles, filesIn, HOUR, makeKey, signed } from './evidence/chain.ts';

/**
 * Somebody with write access to every file, and without the key. Three days: hourly seals, records of every kind in every tenth
 * hour, one of each kind alone in between, and empty hours. Each row is one thing that is done to the files.
 */
const SEALS = 72;
const [ours, theirs] = [makeKey(), makeKey()];
const original = new Map(chainFiles({ seals: SEALS, signers: () => [ours], kinds: (seal) => (seal % 10 === 0 ? RECORD_KINDS : seal % 3 === 0 ? [RECORD_KINDS[seal % RECORD_KINDS.length] ?? 'outcome'] : []) }));
const UNTIL = new Date(BEGIN + (SEALS + 1) * HOUR).toISOString();

type Files = Map<string, string>;
const text = (files: Files, key: string): string => files.get(key) ?? '';
const of = (kind: string, number = 40): string => [...original.keys()].find((key) => key.startsWith(`records/${kind}/r-${number}-`)) ?? '';
/** Another letter in the middle; the file stays as long as it was. */
const flip = (files: Files, key: string, at = Math.floor(text(files, key).length / 2)) => {
  const before = text(files, key);
  files.set(key, before.slice(0, at) + String.fromCodePoint((before.codePointAt(at) ?? 0) ^ 1) + before.slice(at + 1));
};
const swap = (files: Files, one: string, other: string) => {
  const [a, b] = [text(files, one), text(files, other)];
  files.set(one, b).set(other, a);
};
const sealOf = (files: Files, number: number): Seal => readSeal(text(files, sealKey(number))).seal;
/** Writes a seal anew, and all that follow with it, as somebody does who has a key of their own. */
const reseal = (files: Files, from: number, change: (seal: Seal) => Seal, key = theirs) => {
  let previous = from === 1 ? null : readSeal(text(files, sealKey(from - 1))).sha256;
  for (let number = from; files.has(sealKey(number)); number++) {
    const seal = { ...(number === from ? change(sealOf(files, number)) : sealOf(files, number)), previous, keys: [key.fingerprint] };
    files.set(sealKey(number), signed(seal, [key]));
    previous = readSeal(text(files, sealKey(number))).sha256;
  }
};
const dayOf = (key: string, from: number, to: number): boolean => {
  const number = Number(/(?:r-|seals\/0*)(\d+)/.exec(key)?.[1]);
  return number > from && number <= to;
};

interface Row {
  readonly what: string;
  readonly do: (files: Files) => void;
  readonly kind: ProblemKind;
  readonly place: string;
  readonly until?: string;
}

const eachKind: readonly Row[] = RECORD_KINDS.flatMap((kind): readonly Row[] => [
  { what: `a byte of a ${kind} record is flipped`, do: (files) => flip(files, of(kind)), kind: 'altered', place: of(kind) },
  { what: `a ${kind} record is deleted`, do: (files) => files.delete(of(kind)), kind: 'missing', place: of(kind) },
  { what: `a ${kind} record is truncated`, do: (files) => files.set(of(kind), text(files, of(kind)).slice(0, -7)), kind: 'altered', place: of(kind) },
  { what: `a ${kind} record is emptied`, do: (files) => files.set(of(kind), ''), kind: 'altered', place: of(kind) },
  { what: `a ${kind} record is back-dated`, do: (files) => files.set(of(kind), text(files, of(kind)).replace('2026-11-02', '2026-11-01')), kind: 'altered', place: of(kind) },
  { what: `a ${kind} record becomes a drill`, do: (files) => files.set(of(kind), text(files, of(kind)).replace('"drill":false', '"drill":true')), kind: 'altered', place: of(kind) },
  { what: `a ${kind} record is inserted`, do: (files) => insert(files, kind, BEGIN + 5 * HOUR), kind: 'extra', place: `records/${kind}/forged.json` },
  { what: `a ${kind} record is copied to another name`, do: (files) => files.set(`records/${kind}/copy.json`, text(files, of(kind))), kind: 'extra', place: `records/${kind}/copy.json` },
  { what: `a ${kind} record and one of its seal are swapped`, do: (files) => swap(files, of(kind), of(kind === 'snapshot' ? 'outcome' : 'snapshot')), kind: 'reordered', place: of('snapshot') },
  { what: `a ${kind} record and one of another seal are swapped`, do: (files) => swap(files, of(kind, 40), of(kind, 50)), kind: 'altered', place: of(kind, 40) },
]);

function insert(files: Files, kind: (typeof RECORD_KINDS)[number], at: number): void {
  files.set(`records/${kind}/forged.json`, recordText({ schemaVersion: 1, kind, id: 'forged', incident: null, at: new Date(at).toISOString(), drill: false, body: {} }).text);
}

/** That the last one is gone shows once its successor is due. */
const OVERDUE = new Date(BEGIN + (SEALS + 1) * HOUR + 1).toISOString();

/** With records and without, the first and the last. */
const eachSeal: readonly Row[] = Object.entries({ full: 40, empty: 41, first: 1, last: SEALS }).flatMap(([which, number]): readonly Row[] => [
  { what: `a byte of the ${which} seal is flipped`, do: (files) => flip(files, sealKey(number), 20), kind: 'altered', place: sealKey(number) },
  { what: `a byte of the ${which} seal's signature is flipped`, do: (files) => flip(files, sealKey(number), text(files, sealKey(number)).length - 12), kind: 'altered', place: sealKey(number) },
  { what: `the ${which} seal is deleted`, do: (files) => files.delete(sealKey(number)), kind: 'missing', place: sealKey(number), ...(number === SEALS ? { until: OVERDUE } : {}) },
  { what: `the ${which} seal is truncated`, do: (files) => files.set(sealKey(number), text(files, sealKey(number)).slice(0, -1)), kind: 'altered', place: sealKey(number) },
  { what: `the ${which} seal is emptied`, do: (files) => files.set(sealKey(number), ''), kind: 'altered', place: sealKey(number) },
  { what: `the ${which} seal is back-dated`, do: (files) => files.set(sealKey(number), text(files, sealKey(number)).replace(/"at":"2026-11-0(\d)/, '"at":"2026-10-0$1')), kind: 'altered', place: sealKey(number) },
  { what: `the ${which} seal is back-dated and signed again, with all that follow`, do: (files) => reseal(files, number, (seal) => ({ ...seal, at: '2026-10-31T00:00:00.000Z' })), kind: 'foreign-key', place: sealKey(number) },
  { what: `the ${which} seal is signed again with another key`, do: (files) => files.set(sealKey(number), signed({ ...sealOf(files, number), keys: [theirs.fingerprint] }, [theirs])), kind: 'foreign-key', place: sealKey(number) },
  { what: `the ${which} seal and its neighbour are swapped`, do: (files) => swap(files, sealKey(number), sealKey(number === SEALS ? number - 1 : number + 1)), kind: 'reordered', place: sealKey(number === SEALS ? number - 1 : number) },
  { what: `the ${which} seal is inserted once more`, do: (files) => files.set(`seals/${number}.jsonl`, text(files, sealKey(number))), kind: 'extra', place: `seals/${number}.jsonl` },
]);

const seals: readonly Row[] = [
  { what: 'a time in a seal is changed', do: (files) => files.set(sealKey(40), text(files, sealKey(40)).replace('2026-11-02T16', '2026-11-02T15')), kind: 'altered', place: sealKey(40) },
  { what: 'a signature is taken off', do: (files) => files.set(sealKey(41), `${text(files, sealKey(41)).split('\n')[0]}\n`), kind: 'altered', place: sealKey(41) },
  { what: 'a signature is put on another seal', do: (files) => files.set(sealKey(41), [text(files, sealKey(41)).split('\n')[0], ...text(files, sealKey(42)).split('\n').slice(1)].join('\n')), kind: 'altered', place: sealKey(41) },
  { what: 'a second, foreign signature is added', do: (files) => files.set(sealKey(41), text(files, sealKey(41)) + (signed(sealOf(files, 41), [theirs]).split('\n')[1] ?? '') + '\n'), kind: 'altered', place: sealKey(41) },
  { what: 'a seal is deleted and the others are renumbered', do: (files) => shift(files), kind: 'reordered', place: sealKey(40) },
  { what: 'a record is taken out of a seal', do: (files) => reseal(files, 40, (seal) => ({ ...seal, count: seal.count - 1, records: seal.records.slice(1) })), kind: 'foreign-key', place: sealKey(40) },
  { what: 'a record is put into a seal', do: (files) => { insert(files, 'outcome', BEGIN + 40 * HOUR - 5); reseal(files, 40, (seal) => ({ ...seal, count: seal.count + 1, records: [...seal.records, { at: new Date(BEGIN + 40 * HOUR - 5).toISOString(), key: 'records/outcome/forged.json', sha256: recordText({ schemaVersion: 1, kind: 'outcome', id: 'forged', incident: null, at: '', drill: false, body: {} }).sha256, versionId: 'v' }] })); }, kind: 'foreign-key', place: sealKey(40) },
  { what: 'everything is signed again with another key', do: (files) => reseal(files, 1, (seal) => seal), kind: 'foreign-key', place: sealKey(1) },
  { what: 'a seal claims a new key that the old one never vouched for', do: (files) => files.set(sealKey(SEALS), signed({ ...sealOf(files, SEALS), keys: [ours.fingerprint, theirs.fingerprint] }, [theirs])), kind: 'altered', place: sealKey(SEALS) },
  { what: 'a forged seal is put after the last', do: (files) => forge(files), kind: 'foreign-key', place: sealKey(SEALS + 1) },
];

const whole: readonly Row[] = [
  { what: 'a whole day is dropped', do: (files) => [...files.keys()].filter((key) => dayOf(key, 24, 48)).forEach((key) => files.delete(key)), kind: 'missing', place: sealKey(25) },
  { what: "a day's records are dropped and its seals stay", do: (files) => [...files.keys()].filter((key) => key.startsWith('records/') && dayOf(key, 24, 48)).forEach((key) => files.delete(key)), kind: 'missing', place: [...original.keys()].find((key) => key.startsWith('records/') && dayOf(key, 24, 48)) ?? '' },
  { what: "a day's seals are dropped and its records stay", do: (files) => [...files.keys()].filter((key) => key.startsWith('seals/') && dayOf(key, 24, 48)).forEach((key) => files.delete(key)), kind: 'missing', place: sealKey(25) },
  { what: 'the first day is dropped', do: (files) => [...files.keys()].filter((key) => dayOf(key, 0, 24)).forEach((key) => files.delete(key)), kind: 'missing', place: sealKey(1) },
  { what: 'the tail is cut', do: (files) => [...files.keys()].filter((key) => dayOf(key, 60, SEALS)).forEach((key) => files.delete(key)), kind: 'missing', place: sealKey(61) },
  { what: 'everything is dropped', do: (files) => files.clear(), kind: 'missing', place: sealKey(1) },
  { what: 'an older state is shown as the present', do: () => undefined, until: new Date(BEGIN + (SEALS + 3) * HOUR).toISOString(), kind: 'missing', place: sealKey(SEALS + 1) },
];

/** Takes out seal 40 and closes the gap. */
function shift(files: Files): void {
  for (let number = 40; number < SEALS; number++) files.set(sealKey(number), text(files, sealKey(number + 1)));
  files.delete(sealKey(SEALS));
}

function forge(files: Files): void {
  const { seal, sha256 } = readSeal(text(files, sealKey(SEALS)));
  const next = nextSeal({ ...seal, sha256 }, { bucket: BUCKET, at: new Date(BEGIN + (SEALS + 1) * HOUR).toISOString(), keys: [theirs.fingerprint], records: [], lost: [], everySeconds: 3600 });
  files.set(sealKey(SEALS + 1), signed(next, [theirs]));
}

describe('verify', () => {
  it('finds nothing where nothing was done', async () => {
    expect(await verdictOf(new Map(original))).toMatchObject({ verdict: 'intact', seals: SEALS, sealed: 7 * RECORD_KINDS.length + 22, problems: [] });
  });

  it.each([...eachKind, ...eachSeal, ...seals, ...whole])('names it where $what', async ({ do: tamper, kind, place, until }) => {
    const files: Files = new Map(original);
    tamper(files);
    const verdict = await verdictOf(files, until);
    expect(verdict.verdict).toBe('broken');
    expect(`${verdict.problems[0]?.kind} ${verdict.problems[0]?.place}`).toBe(`${kind} ${place}`);
  });

  it.each(eachKind.filter(({ kind }) => kind !== 'reordered' && kind !== 'extra').slice(0, 6))('names nothing beside it where $what', async ({ do: tamper, kind, place }) => {
    const files: Files = new Map(original);
    tamper(files);
    expect((await verdictOf(files)).problems.map((problem) => `${problem.kind} ${problem.place}`)).toEqual([`${kind} ${place}`]);
  });
});

describe('a key that changes', () => {
  const rotated = (after: (seal: number) => readonly (typeof ours)[]) => new Map(chainFiles({ seals: 6, kinds: () => ['outcome'], signers: (seal) => (seal < 3 ? [ours] : seal === 3 ? [ours, theirs] : after(seal)) }));
  const until = new Date(BEGIN + 7 * HOUR).toISOString();

  it('is trusted from the seal on that both signed', async () => {
    expect(await verdictOf(rotated(() => [theirs]), until)).toMatchObject({ verdict: 'intact', seals: 6, signer: theirs.fingerprint });
  });

  it('is not trusted without that seal', async () => {
    const files = new Map(chainFiles({ seals: 6, kinds: () => ['outcome'], signers: (seal) => (seal < 3 ? [ours] : [theirs]) }));
    expect(await verdictOf(files, until)).toMatchObject({ verdict: 'broken', counts: { 'foreign-key': 4 }, problems: [{ place: sealKey(3) }, {}, {}, {}] });
  });

  it.each<[what: string, tamper: (files: Files) => void, kind: ProblemKind]>([
    ['a byte of it is flipped', (files) => flip(files, sealKey(3), 20), 'altered'],
    ['it is deleted', (files) => files.delete(sealKey(3)), 'missing'],
    ['it is truncated', (files) => files.set(sealKey(3), text(files, sealKey(3)).slice(0, -1)), 'altered'],
    ["the old key's signature is taken off", (files) => files.set(sealKey(3), text(files, sealKey(3)).split('\n').filter((_, line) => line !== 1).join('\n')), 'altered'],
    ['the new key vouches for itself', (files) => files.set(sealKey(3), signed({ ...sealOf(files, 3), keys: [theirs.fingerprint] }, [theirs])), 'foreign-key'],
    ['it is swapped with the one before', (files) => swap(files, sealKey(2), sealKey(3)), 'reordered'],
  ])('is named, at the seal that both signed, where %s', async (_, tamper, kind) => {
    const files = rotated(() => [theirs]);
    tamper(files);
    expect(await verdictOf(files, until)).toMatchObject({ verdict: 'broken', problems: expect.arrayContaining([expect.objectContaining({ kind, place: sealKey(kind === 'reordered' ? 2 : 3) })]) });
  });

  it('ends the trust in the old one', async () => {
    expect(await verdictOf(rotated((seal) => (seal === 5 ? [ours] : [theirs])), until)).toMatchObject({ verdict: 'broken', problems: [{ kind: 'foreign-key', place: sealKey(5) }] });
  });
});

describe('a plan on record', () => {
  const plan = withDigest({ incident: 'inc-1', playbook: 'p', direction: 'contain', target: { kind: 'owner', name: 'anna', arn: 'share:1:owner/anna', account: '1', region: 'x' }, level: null, changes: [{ seq: 1, setting: 's', title: 't', before: null, after: 'for anna' }], notes: [], impact: {}, plannedAt: new Date(BEGIN).toISOString() });
  const verdictAbout = async (recorded: unknown) => {
    const { key, text: content, sha256 } = recordText({ schemaVersion: 1, kind: 'snapshot', id: 'x', incident: null, at: new Date(BEGIN).toISOString(), drill: false, body: { plan: recorded } });
    const seal = nextSeal(null, { bucket: BUCKET, at: new Date(BEGIN + HOUR).toISOString(), keys: [ours.fingerprint], records: [{ at: new Date(BEGIN).toISOString(), key, sha256, versionId: 'v' }], lost: [], everySeconds: 3600 });
    return await verdictOf(new Map([[key, content], [sealKey(1), signed(seal, [ours])]]), seal.due);
  };
  const replaced = replacing(plan, new Map([['anna', 'owner-0']]));

  it('is what its digest says', async () => {
    expect(await verdictAbout(plan)).toMatchObject({ verdict: 'intact' });
  });

  it('is named where it was altered before it was recorded', async () => {
    expect(await verdictAbout(replaced)).toMatchObject({ verdict: 'broken', problems: [{ kind: 'altered', place: 'records/snapshot/x.json' }] });
  });

  it('has a digest of its own beside the approved one where an owner stands under a pseudonym', async () => {
    const recorded = withRecordedDigests({ plan: replaced });
    expect(recorded).toMatchObject({ plan: { digest: plan.digest, recordedDigest: expect.not.stringMatching(plan.digest) } });
    expect(await verdictAbout(Reflect.get(Object(recorded), 'plan'))).toMatchObject({ verdict: 'intact' });
  });
});

describe('time', () => {
  it('shows a seal that came late, and says that the record is intact', async () => {
    const files: Files = new Map();
    let head: SealHead | null = null;
    for (const hour of [1, 2, 5, 6]) {
      const seal: Seal = nextSeal(head, { bucket: BUCKET, at: new Date(BEGIN + hour * HOUR).toISOString(), keys: [ours.fingerprint], records: [], lost: [], everySeconds: 3600 });
      files.set(sealKey(seal.number), signed(seal, [ours]));
      head = { ...seal, sha256: readSeal(text(files, sealKey(seal.number))).sha256 };
    }
    expect(await verdictOf(files, new Date(BEGIN + 7 * HOUR).toISOString())).toMatchObject({ verdict: 'late', counts: { late: 1 }, problems: [{ kind: 'late', place: sealKey(3) }] });
  });

  it('shows a record that was sealed long after it was made', async () => {
    const { key, text: content, sha256 } = recordText({ schemaVersion: 1, kind: 'outcome', id: 'old', incident: null, at: new Date(BEGIN).toISOString(), drill: false, body: {} });
    const first = nextSeal(null, { bucket: BUCKET, at: new Date(BEGIN + 9 * HOUR).toISOString(), keys: [ours.fingerprint], records: [], lost: [], everySeconds: 3600 });
    const head = { ...first, sha256: readSeal(signed(first, [ours])).sha256 };
    const second = nextSeal(head, { bucket: BUCKET, at: new Date(BEGIN + 10 * HOUR).toISOString(), keys: [ours.fingerprint], records: [{ at: new Date(BEGIN).toISOString(), key, sha256, versionId: 'v' }], lost: [], everySeconds: 3600 });
    const files: Files = new Map([[key, content], [sealKey(1), signed(first, [ours])]]);
    // The first file's signature differs each time it is made, and so does its hash: it is made once.
    files.set(sealKey(2), signed({ ...second, previous: readSeal(text(files, sealKey(1))).sha256 }, [ours]));
    expect(await verdictOf(files, second.due)).toMatchObject({ verdict: 'late', problems: [{ kind: 'late', place: key }] });
  });

  it('counts what is newer than the last seal, and calls it no problem', async () => {
    const files: Files = new Map(original);
    insert(files, 'outcome', BEGIN + SEALS * HOUR + 60_000);
    expect(await verdictOf(files)).toMatchObject({ verdict: 'intact', unsealed: 1, problems: [{ kind: 'unsealed', place: 'records/outcome/forged.json' }] });
  });

  it('does not take for new what says that it was made later than now', async () => {
    const files: Files = new Map(original);
    insert(files, 'outcome', Date.parse('2099-01-01T00:00:00.000Z'));
    expect(await verdictOf(files)).toMatchObject({ verdict: 'broken', unsealed: 0, problems: [{ kind: 'extra', place: 'records/outcome/forged.json', text: expect.stringContaining('2099') }] });
  });

  it('reads nothing again that was sealed before --since, and still checks the chain', async () => {
    const files: Files = new Map(original);
    flip(files, of('outcome', 10));
    const since = new Date(BEGIN + 24 * HOUR).toISOString();
    expect(await verdictOf(files, UNTIL, since)).toMatchObject({ verdict: 'intact', seals: SEALS });
    flip(files, sealKey(10), 20);
    expect(await verdictOf(files, UNTIL, since)).toMatchObject({ verdict: 'broken', counts: { altered: 1 } });
  });

  it('says what was announced and never came to lie there', async () => {
    const seal = nextSeal(null, { bucket: BUCKET, at: new Date(BEGIN).toISOString(), keys: [ours.fingerprint], records: [], lost: [{ at: new Date(BEGIN - HOUR).toISOString(), key: 'records/outcome/lost.json', sha256: 'a'.repeat(64) }], everySeconds: 3600 });
    expect(await verdictOf(new Map([[sealKey(1), signed(seal, [ours])]]), seal.due)).toMatchObject({ verdict: 'broken', problems: [{ kind: 'missing', place: 'records/outcome/lost.json' }] });
  });
});

async function verdictOf(files: Files, until = UNTIL, since?: string): Promise<Verdict> {
  return await verifyEvidence(filesIn(files), { trusted: [ours.fingerprint], until, since });
}
