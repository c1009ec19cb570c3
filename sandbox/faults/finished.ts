import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Case } from './cases.ts';
import type { FaultKind } from './strike.ts';

/** A run that ended, as a line of JSON. */
export interface Finished {
  readonly playbook: string;
  readonly direction: string;
  readonly fault: FaultKind;
  readonly call: number | string;
  readonly struck: string | null;
  readonly violations: readonly string[];
}

/** The runs that a file knows; the last word about each stands. */
export function finished(file: string | undefined): { readonly survived: (of: { readonly of: Case; readonly fault: FaultKind; readonly call: number | string }) => Finished | undefined; readonly add: (run: Finished) => void } {
  const known = new Map<string, Finished>();
  const lines = file !== undefined && existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  for (const line of lines) {
    // A process that was killed may leave half a line.
    if (!line.endsWith('}')) continue;
    const run = JSON.parse(line) as Finished;
    known.set(keyOf(run), run);
  }
  return {
    survived: ({ of, fault, call }) => {
      const run = known.get(keyOf({ ...of, fault, call }));
      return run?.violations.length === 0 ? run : undefined;
    },
    add: (run) => {
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(run)}\n`);
    },
  };
}

function keyOf({ playbook, direction, fault, call }: Pick<Finished, 'playbook' | 'direction' | 'fault' | 'call'>): string {
  return `${playbook} ${direction} ${fault} ${call}`;
}
