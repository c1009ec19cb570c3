import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { startTally, type AuditNumbers, type RecordPointer } from '../../core/audit-numbers.ts';
import type { SealEntry, SealGap } from '../../core/seal-gaps.ts';
import { csvHead, csvRow } from './csv.ts';
import { htmlAfterIndex, htmlEnd, htmlHead, htmlIncident, htmlIndexRow } from './html.ts';
import { folderBeside, writeTexts, type Written } from './sink.ts';
import type { Decision, FullView } from './walk.ts';

export const FORMATS = ['ndjson', 'csv', 'html'] as const;
export type Format = (typeof FORMATS)[number];

/** What is exported: from where, in the order that it comes. */
export interface Source {
  /** The filters, as the `audit` URL took them, with both ends. */
  readonly question: Readonly<Record<string, string>>;
  readonly startedAt: string;
  readonly incidents: AsyncIterable<FullView>;
  /** None where a filter of incidents stands: decisions have no playbook and no status. */
  readonly decisions: AsyncIterable<Decision> | null;
  /** How many incidents there must be; asked once all are read. */
  readonly count: () => Promise<number>;
  /** Those made since the period began, and what is missing among them: asked before the walk, and for what is true after it again. */
  readonly seals: () => Promise<{ readonly seals: readonly SealEntry[]; readonly gaps: readonly SealGap[] }>;
}

/** How an export ended: whether it holds all there is, and what vouches for it. */
export interface Summary {
  readonly incidents: { readonly exported: number; readonly expected: number };
  /** `null` where they are not part of it. */
  readonly decisions: number | null;
  readonly complete: boolean;
  /** Records of the exported incidents in the evidence bucket, and the seals that cover them. */
  readonly records: number;
  readonly seals: readonly SealEntry[];
  /** Numbers of seals that records name and the suite does not know. */
  readonly unknownSeals: readonly number[];
  readonly numbers: AuditNumbers;
}

export interface Exported extends Summary {
  readonly file: Written;
}

/** Writes an export while it is read: what is kept in memory is the numbers. */
export async function writeExport(path: string, format: Format, source: Source): Promise<Exported> {
  const counted = counting(source, (await source.seals()).seals.at(-1)?.at ?? null);
  if (format === 'ndjson') return { file: await writeTexts(path, ndjson(source, counted)), ...(await counted.summary()) };
  if (format === 'csv') return { file: await writeTexts(path, csv(counted)), ...(await counted.summary()) };
  return await writeHtml(path, source, counted);
}

interface Counted {
  readonly incidents: AsyncIterable<FullView>;
  readonly decisions: AsyncIterable<Decision>;
  /** Once both are read to their ends. */
  readonly summary: () => Promise<Summary>;
}

function counting(source: Source, sealedUntil: string | null): Counted {
  const tally = startTally(sealedUntil);
  const sealed = new Set<number>();
  const seen = { incidents: 0, decisions: 0, records: 0 };
  const passing = async function* <T>(things: AsyncIterable<T>, note: (thing: T) => void) {
    for await (const thing of things) {
      note(thing);
      yield thing;
    }
  };
  const noteRecords = (records: readonly RecordPointer[]) => {
    seen.records += records.length;
    for (const { seal } of records) sealed.add(seal);
  };
  let made: Promise<Summary> | undefined;
  const summary = async (): Promise<Summary> => {
    const [expected, { seals, gaps }] = await Promise.all([source.count(), source.seals()]);
    const known = new Set(seals.map(({ number }) => number));
    for (const { gap, id, what } of gaps) tally.gap(gap, id, what);
    return {
      incidents: { exported: seen.incidents, expected },
      decisions: source.decisions === null ? null : seen.decisions,
      complete: seen.incidents === expected,
      records: seen.records,
      seals: seals.filter(({ number, from }) => sealed.has(number) || (from ?? '') < (source.question['until'] ?? '')),
      unknownSeals: [...sealed].filter((number) => !known.has(number)).toSorted((a, b) => a - b),
      numbers: tally.numbers(),
    };
  };
  return {
    incidents: passing(source.incidents, ({ view, records }) => {
      seen.incidents += 1;
      tally.incident(view, records);
      noteRecords(records);
    }),
    decisions: passing(source.decisions ?? nothing(), (decision) => {
      seen.decisions += 1;
      tally.decision(decision);
    }),
    summary: () => (made ??= summary()),
  };
}

async function* nothing(): AsyncGenerator<never> {}

/** One JSON value a line: what it is, then everything, then how it ended. A file without its last line was cut off. */
async function* ndjson({ question, startedAt }: Source, { incidents, decisions, summary }: Counted): AsyncGenerator<string> {
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  yield line({ line: 'export', schemaVersion: 1, startedAt, question });
  for await (const { view, records } of incidents) yield line({ line: 'incident', ...view, records });
  for await (const decision of decisions) yield line({ line: 'decision', ...decision });
  yield line({ line: 'end', ...(await summary()) });
}

async function* csv({ incidents, decisions }: Counted): AsyncGenerator<string> {
  yield csvHead();
  for await (const full of incidents) yield csvRow(full);
  // Not in the file, and yet in the numbers.
  for await (const _ of decisions);
}

/** The head says what all of it comes to: index and incidents wait on disk until it is known. */
async function writeHtml(path: string, source: Source, counted: Counted): Promise<Exported> {
  const folder = await folderBeside(path);
  const [index, body] = [join(folder, 'index'), join(folder, 'body')];
  try {
    const rows = createWriteStream(index);
    await Promise.all([writeTexts(body, bodyOf(counted, rows)), finished(rows)]);
    const summary = await counted.summary();
    return { file: await writeTexts(path, wholeOf(htmlHead(source, summary), index, body)), ...summary };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* bodyOf({ incidents, decisions }: Counted, index: WriteStream): AsyncGenerator<string> {
  for await (const full of incidents) {
    if (!index.write(htmlIndexRow(full))) await once(index, 'drain');
    yield htmlIncident(full);
  }
  index.end();
  for await (const _ of decisions);
}

async function* wholeOf(head: string, index: string, body: string): AsyncGenerator<string | Buffer> {
  yield head;
  for await (const chunk of createReadStream(index)) yield chunk as Buffer;
  yield htmlAfterIndex();
  for await (const chunk of createReadStream(body)) yield chunk as Buffer;
  yield htmlEnd();
}
