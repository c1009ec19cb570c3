/**
 * The JSON values of a stream, one after another in constant memory: single values, NDJSON, values in a row, the
 * elements of an array, and those of `{"Records": […]}`, `{"Findings": […]}` and `{"Events": […]}`.
 *
 * It only finds where values begin and end and leaves the rest to `JSON.parse`, so that one that is broken costs no other.
 */
export type Found = { readonly value: unknown } | { readonly broken: string };

/** Far above what EventBridge and CloudTrail write (256 KB); a value that is longer is refused, not kept. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024;

const WRAPPED = /^\{\s*"(?:Records|Findings|Events)"\s*:\s*$/;

const [QUOTE, BACKSLASH, COMMA, NEWLINE] = [0x22, 0x5c, 0x2c, 0x0a];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

export async function* valuesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Found> {
  const scanner = new Scanner();
  for await (const chunk of chunks) yield* scanner.push(chunk);
  yield* scanner.end();
}

/** Holds the value that has begun and not ended yet. */
class Scanner {
  #parts: Buffer[] = [];
  #size = 0;
  /** Brackets open within the value; 0 for one that has none (a number, or no JSON at all). */
  #depth = 0;
  #inValue = false;
  #inString = false;
  #escaped = false;
  #brokeLine = false;
  /** What surrounds the values: nothing, an array, or an object around an array. */
  #around: 'nothing' | 'array' | 'object' = 'nothing';
  /** Behind the array of an object: what is there is not kept. */
  #inTail = false;
  /** Once a value ended on the line on which it began, a line break ends whatever is open. */
  #lines = false;

  *push(chunk: Buffer): Generator<Found> {
    let start = 0;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index];
      if (byte === undefined) break;
      if (!this.#inValue) {
        if (this.#begins(byte)) start = index;
        continue;
      }
      if (byte === NEWLINE && this.#lines && this.#around === 'nothing') {
        yield* this.#finish(chunk.subarray(start, index));
        continue;
      }
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (byte === BACKSLASH) this.#escaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      switch (byte) {
        case QUOTE:
          this.#inString = true;
          break;
        case OPEN_OBJECT:
          this.#depth++;
          break;
        case OPEN_ARRAY:
          if (this.#depth === 1 && this.#around === 'nothing' && this.#isWrapped(chunk.subarray(start, index))) {
            this.#around = 'object';
            this.#reset();
          } else {
            this.#depth++;
          }
          break;
        case CLOSE_OBJECT:
        case CLOSE_ARRAY:
          if (this.#depth > 1) {
            this.#depth--;
          } else if (this.#depth === 1) {
            this.#depth = 0;
            yield* this.#finish(chunk.subarray(start, index + 1));
          } else {
            // The end of a bare word, and of the array around it.
            yield* this.#finish(chunk.subarray(start, index));
            this.#begins(byte);
          }
          break;
        case NEWLINE:
          this.#brokeLine = true;
          if (this.#depth === 0) yield* this.#finish(chunk.subarray(start, index));
          break;
        case COMMA:
          if (this.#depth === 0 && this.#around !== 'nothing') yield* this.#finish(chunk.subarray(start, index));
          break;
      }
    }
    if (this.#inValue) this.#keep(chunk.subarray(start));
  }

  *end(): Generator<Found> {
    if (!this.#inValue || this.#inTail) return;
    const text = this.#text();
    const isWhole = this.#depth === 0 && !this.#inString;
    this.#reset();
    if (isWhole) return yield parsed(text);
    // A value that never closed: what follows on lines of its own may be whole.
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    if (lines.length === 1) return yield { broken: `the input ends within a value: ${lines[0]?.slice(0, 60) ?? ''}` };
    yield* lines.map(parsed);
  }

  /** Between values. @returns whether one begins here */
  #begins(byte: number): boolean {
    if (byte <= 0x20 || byte === COMMA) return false;
    // A byte order mark.
    if (byte === 0xef || byte === 0xbb || byte === 0xbf) return false;
    if (byte === CLOSE_ARRAY && this.#around === 'array') {
      this.#around = 'nothing';
      return false;
    }
    if (byte === CLOSE_ARRAY && this.#around === 'object') {
      this.#around = 'nothing';
      this.#inTail = true;
      this.#inValue = true;
      this.#depth = 1;
      return true;
    }
    if (byte === OPEN_ARRAY && this.#around === 'nothing' && !this.#lines) {
      this.#around = 'array';
      return false;
    }
    this.#inValue = true;
    this.#inString = byte === QUOTE;
    this.#depth = byte === OPEN_OBJECT || byte === OPEN_ARRAY ? 1 : 0;
    return true;
  }

  *#finish(last: Buffer): Generator<Found> {
    const size = this.#size + last.length;
    const wasTail = this.#inTail;
    const isWhole = this.#depth === 0 && !this.#inString;
    if (isWhole && !this.#brokeLine && this.#around === 'nothing' && !wasTail) this.#lines = true;
    this.#keep(last);
    const text = wasTail || size > MAX_VALUE_BYTES ? '' : this.#text();
    this.#reset();
    if (wasTail) return;
    yield size > MAX_VALUE_BYTES ? { broken: `a value of ${size} bytes: more than ${MAX_VALUE_BYTES} is no event` } : parsed(text);
  }

  #keep(part: Buffer): void {
    this.#size += part.length;
    if (this.#inTail || this.#size > MAX_VALUE_BYTES) this.#parts = [];
    // A copy: the chunk's memory is the stream's again.
    else this.#parts.push(Buffer.from(part));
  }

  #isWrapped(last: Buffer): boolean {
    return this.#size + last.length < 64 && WRAPPED.test(this.#text() + last.toString());
  }

  #text(): string {
    const [only] = this.#parts;
    return only && this.#parts.length === 1 ? only.toString() : Buffer.concat(this.#parts).toString();
  }

  #reset(): void {
    this.#parts = [];
    this.#size = 0;
    this.#depth = 0;
    this.#inValue = false;
    this.#inString = false;
    this.#escaped = false;
    this.#brokeLine = false;
    this.#inTail = false;
  }
}

function parsed(text: string): Found {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { broken: `not JSON: ${text.slice(0, 60)}` };
  }
}
