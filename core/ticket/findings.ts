import type { IncidentView } from '../incident.ts';

/** A GuardDuty finding of the suite's own account, and the detector that has it. */
export interface Finding {
  readonly id: string;
  readonly detector: string;
}

/** The findings that an incident came from, without repeats; samples are GuardDuty's own and stay. */
export function findingsOf({ entries }: IncidentView): readonly Finding[] {
  const found = entries.flatMap(({ kind, detail }): Finding[] => {
    if (kind !== 'signal' || typeof detail !== 'object' || detail === null || !('detector' in detail) || !('id' in detail)) return [];
    const { id, detector } = detail;
    return typeof id === 'string' && typeof detector === 'string' ? [{ id, detector }] : [];
  });
  return [...new Map(found.map((finding) => [finding.id, finding])).values()];
}
