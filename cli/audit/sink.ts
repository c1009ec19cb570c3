import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { CliError, EXIT } from '../exit.ts';

export interface Written {
  readonly sha256: string;
  readonly bytes: number;
}

/** Short texts are put together: a stream of a million of them is slow. */
const CHUNK = 64 * 1024;

/**
 * Writes texts to a file as they come, and gives the file its name when the last is there: half a file never looks like a
 * whole one.
 *
 * @param path - `-` for stdout
 * @throws {CliError} where it cannot be written
 */
export async function writeTexts(path: string, texts: AsyncIterable<string | Buffer>): Promise<Written> {
  const hash = createHash('sha256');
  let bytes = 0;
  const measured = async function* () {
    for await (const chunk of chunks(texts)) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  };
  if (path === '-') {
    await pipeline(measured, process.stdout, { end: false });
  } else {
    const partial = `${path}.part`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await pipeline(measured, createWriteStream(partial));
      await rename(partial, path);
    } catch (cause) {
      await rm(partial, { force: true }).catch(() => undefined);
      // What the source failed with is its own to say; what the disk says names the place.
      if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
      throw unwritable(path, cause);
    }
  }
  return { sha256: hash.digest('hex'), bytes };
}

/**
 * A folder beside the file to be, for what must wait until it is written: on the same disk, and found out early where nothing
 * can be written there.
 */
export async function folderBeside(path: string): Promise<string> {
  if (path === '-') return await mkdtemp(join(tmpdir(), 'stopbath-export-'));
  try {
    await mkdir(dirname(path), { recursive: true });
    return await mkdtemp(`${path}.part-`);
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

function unwritable(path: string, cause: unknown): CliError {
  return new CliError(EXIT.usage, `${path} cannot be written (${cause instanceof Error ? cause.message : String(cause)}): choose another place with --out`, { cause });
}

async function* chunks(texts: AsyncIterable<string | Buffer>): AsyncGenerator<Buffer> {
  let waiting: string[] = [];
  let size = 0;
  for await (const text of texts) {
    if (typeof text === 'string') {
      waiting.push(text);
      size += text.length;
      if (size < CHUNK) continue;
    }
    if (size > 0) yield Buffer.from(waiting.join(''));
    [waiting, size] = [[], 0];
    if (typeof text !== 'string') yield text;
  }
  if (size > 0) yield Buffer.from(waiting.join(''));
}
