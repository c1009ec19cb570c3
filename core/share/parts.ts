import type { Lane } from './scope.ts';

/** A part of a sweep: a run of one lane between two values of its range key. `from` exclusive, `to` inclusive; `null` is the lane's own end. */
export interface Part {
  readonly lane: number;
  readonly from: string | null;
  readonly to: string | null;
}

/** Counts of a lane, with the range key's value at some places on the way, and how many links lie up to there. */
export interface LaneCount {
  readonly count: number;
  readonly marks: readonly { readonly at: string; readonly upTo: number }[];
}

/** How many parts are worked on at once: `MaxConcurrency` of the workflow's Map. */
export const PARTS = 8;
/** Fewer links than that are not worth another worker. */
const SMALLEST = 2000;

/**
 * Cut lanes into parts of about the same size, at places where a count has been: together they cover every link, and no
 * link lies in two.
 */
export function partsOf(lanes: readonly LaneCount[], smallest = SMALLEST): readonly Part[] {
  const total = lanes.reduce((sum, { count }) => sum + count, 0);
  const size = Math.max(smallest, total / PARTS);
  return lanes.flatMap(({ marks }, lane) => {
    const cuts: string[] = [];
    let next = size;
    for (const { at, upTo } of marks) {
      if (upTo < next || at === cuts.at(-1)) continue;
      cuts.push(at);
      next = upTo + size;
    }
    return [...cuts, null].map((to, index) => ({ lane, from: index === 0 ? null : (cuts[index - 1] ?? null), to }));
  });
}

/** Whether a link that a query gave belongs to a part, or lies beyond it, so that the part is done. */
export function placeIn(part: Part, lane: Lane, rangeKey: string): 'before' | 'in' | 'beyond' {
  if (part.to !== null && compare(rangeKey, part.to) > 0) return 'beyond';
  if ('prefix' in lane.range && !rangeKey.startsWith(lane.range.prefix)) return 'beyond';
  return part.from !== null && compare(rangeKey, part.from) <= 0 ? 'before' : 'in';
}

/** As DynamoDB orders strings: by their UTF-8 bytes. */
function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
