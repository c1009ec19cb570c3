import { AwsError } from './service.ts';
import type { Caller, Fault } from './service.ts';

/** The failures that scenarios script, each counting the calls that match it. */
export interface Faults {
  readonly inject: (fault: Fault) => void;
  readonly clear: () => void;
  /** @throws {AwsError} the scripted one, where one is due instead of the effect */
  readonly before: (service: string, operation: string, caller: Caller) => void;
  /** @throws {AwsError} the scripted one, where one is due although the call took effect */
  readonly after: (service: string, operation: string, caller: Caller) => void;
}

export function createFaults(): Faults {
  let faults: { readonly fault: Fault; seen: number }[] = [];
  const strike = (when: 'before' | 'after', service: string, operation: string, caller: Caller): void => {
    for (const entry of faults) {
      const { fault } = entry;
      if ((fault.when ?? 'before') !== when || fault.service !== service || fault.operation !== operation) continue;
      if (fault.role !== undefined && roleName(caller) !== fault.role) continue;
      entry.seen++;
      const from = fault.from ?? 1;
      if (entry.seen < from || entry.seen >= from + (fault.times ?? 1)) continue;
      throw new AwsError(fault.code, fault.message ?? 'Scripted failure', fault.status ?? 400);
    }
  };
  return {
    inject: (fault) => void faults.push({ fault, seen: 0 }),
    clear: () => {
      faults = [];
    },
    before: (...args) => strike('before', ...args),
    after: (...args) => strike('after', ...args),
  };
}

function roleName(caller: Caller): string | null {
  return caller.kind === 'role' ? (caller.principalArn.split('/').at(-1) ?? null) : null;
}
