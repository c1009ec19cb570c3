/** A seal as the table lists it: what it says of itself. Whether that is true, `stopbath verify` tells. */
export interface SealEntry {
  readonly number: number;
  readonly key: string;
  readonly sha256: string;
  readonly at: string;
  readonly from: string | null;
  /** When the next seal must be there at the latest. */
  readonly due: string;
  /** Records in it. */
  readonly count: number;
  /** Announced records that never came to lie in the bucket. */
  readonly lost: number;
}

/** A record that was announced and is in no seal yet. */
export interface WaitingRecord {
  readonly key: string;
  readonly at: string;
}

export interface SealGap {
  readonly gap: 'sealMissing' | 'unsealed';
  readonly id: string;
  readonly what: string;
}

/**
 * What the list of seals shows to be missing. A record that is newer than the seal before the last is not late.
 *
 * @param seals - those of a period and all that follow, by number
 * @param now - ISO 8601
 */
export function sealGaps(seals: readonly SealEntry[], waiting: readonly WaitingRecord[], now: string): readonly SealGap[] {
  const last = seals.at(-1);
  if (!last) return [{ gap: 'sealMissing', id: 'seals', what: 'there is no seal since then' }];
  const jumps = seals.flatMap((seal, index): readonly SealGap[] => {
    const before = seals[index - 1]?.number ?? seal.number - 1;
    return seal.number === before + 1 ? [] : [{ gap: 'sealMissing', id: `seal ${before + 1}`, what: before + 2 === seal.number ? `between ${before} and ${seal.number}` : `${before + 1} to ${seal.number - 1} are not there` }];
  });
  const cut: readonly SealGap[] = last.due < now ? [{ gap: 'sealMissing', id: `seal ${last.number + 1}`, what: `was due at ${last.due}` }] : [];
  const lost = seals.filter((seal) => seal.lost > 0).map((seal): SealGap => ({ gap: 'unsealed', id: `seal ${seal.number}`, what: `${seal.lost} announced and never written` }));
  const late = waiting.filter(({ at }) => last.from !== null && at < last.from).map(({ key, at }): SealGap => ({ gap: 'unsealed', id: key, what: `made at ${at}` }));
  return [...jumps, ...cut, ...lost, ...late];
}
