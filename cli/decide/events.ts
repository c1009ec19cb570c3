import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CliError, EXIT } from '../exit.ts';
import { type Found, valuesIn } from './values.ts';

/**
 * Every event of a file (`-` for stdin), gzipped or not, in its order. What is in a value that holds several
 * (`{"Records": […]}` in an NDJSON line) comes out one by one.
 *
 * @throws {CliError} where the file cannot be read
 */
export async function* eventsIn(file: string): AsyncGenerator<Found> {
  try {
    const source: AsyncIterable<Buffer> = file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 128 * 1024 });
    for await (const found of valuesIn(unzipped(source))) yield* 'value' in found ? unwrapped(found.value) : [found];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(EXIT.usage, `${file} cannot be read: ${why}`, { cause });
  }
}

/** The first two bytes tell gzip, whatever the file is called. */
async function* unzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done === true) return;
  const rest = rejoined(first.value, chunks);
  if (first.value[0] === 0x1f && first.value[1] === 0x8b) yield* gunzipped(rest);
  else yield* rest;
}

async function* rejoined(first: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
}

async function* gunzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  const { pipeline, Readable } = await import('node:stream');
  // A failure of the source or of the archive reaches the reader as the stream's error.
  pipeline(Readable.from(source), gunzip, () => undefined);
  for await (const chunk of gunzip) yield Buffer.from(chunk);
}

const WRAPPERS = ['Records', 'Findings', 'Events'] as const;

function unwrapped(value: unknown): readonly Found[] {
  if (Array.isArray(value)) return value.map((entry) => ({ value: entry }));
  if (typeof value !== 'object' || value === null) return [{ value }];
  for (const key of WRAPPERS) {
    const inner: unknown = Object.hasOwn(value, key) ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;
    if (Array.isArray(inner)) return inner.map((entry) => ({ value: entry }));
  }
  return [{ value }];
}
