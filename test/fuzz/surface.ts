import fc from 'fast-check';

/** A place where bad input comes in. */
export interface Surface {
  /** `events`: as `--surface` takes it. */
  readonly name: string;
  readonly about: string;
  readonly open: () => Promise<Opened>;
}

export interface Opened {
  /** Plays cases; where one violates something, the smallest such is found. */
  readonly check: (how: Cases) => Promise<Found>;
  readonly close: () => Promise<void>;
}

export interface Found {
  readonly cases: number;
  readonly violation: { readonly case: unknown; readonly why: string; readonly path: string } | null;
}

export interface Cases {
  readonly seed: number;
  readonly numRuns: number;
  /** Where a violation was found before: replays it alone. */
  readonly path?: string;
  /** Called before each case. */
  readonly onCase?: () => void;
}

/** What the suite never does, whatever it is given: it crashed, it hung, it told a secret, it acted. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

interface Making<T> {
  readonly cases: fc.Arbitrary<T>;
  /** Rejects where the case shows something wrong. */
  readonly holds: (value: T) => void | Promise<void>;
  readonly close?: () => Promise<void>;
}

export function surface<T>(name: string, about: string, make: () => Making<T> | Promise<Making<T>>): Surface {
  return {
    name,
    about,
    open: async () => {
      const { cases, holds, close } = await make();
      return {
        check: async ({ seed, numRuns, path, onCase }) => {
          const property = fc.asyncProperty(cases, async (value) => {
            onCase?.();
            await holds(value);
          });
          const { failed, numRuns: played, counterexample, counterexamplePath, errorInstance: why } = await fc.check(property, { seed, numRuns, ...(path === undefined ? {} : { path }) });
          return { cases: played, violation: failed ? { case: counterexample?.[0], why: why instanceof Error ? (why.stack ?? why.message) : String(why), path: counterexamplePath ?? '' } : null };
        },
        close: async () => await close?.(),
      };
    },
  };
}

/** Text that is planted where secrets are, and must never be told. */
export const SECRET = 'PLANTEDSECRET0123456789abcdef';

/**
 * Runs something and gives what the process wrote meanwhile.
 *
 * @throws {Violation} where the secret that was planted is in it
 */
export async function overheard<T>(run: () => Promise<T>): Promise<{ readonly result: T; readonly out: string; readonly err: string }> {
  const [out, err] = [hear(process.stdout), hear(process.stderr)];
  try {
    const result = await run();
    const heard = { result, out: out.text(), err: err.text() };
    if (heard.out.includes(SECRET) || heard.err.includes(SECRET)) throw new Violation('a secret was written out');
    return heard;
  } finally {
    out.stop();
    err.stop();
  }
}

function hear(stream: NodeJS.WriteStream): { readonly text: () => string; readonly stop: () => void } {
  const write = Object.getOwnPropertyDescriptor(stream, 'write');
  let text = '';
  stream.write = (chunk: string | Uint8Array, ...rest: readonly unknown[]) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
    for (const done of rest) if (typeof done === 'function') done();
    return true;
  };
  return {
    text: () => text,
    stop: () => {
      if (write) Object.defineProperty(stream, 'write', write);
      else Reflect.deleteProperty(stream, 'write');
    },
  };
}
