/** How many writes a sweep has under way at once, as DynamoDB lets it. */
export interface Pace {
  readonly limit: number;
  /** Batches in a row without a throttle. */
  readonly calm: number;
}

export const START: Pace = { limit: 16, calm: 0 };
/** The SDK keeps 50 connections to an endpoint. */
const MOST = 48;

/**
 * Additive increase, multiplicative decrease: what a table takes is not known beforehand and changes as DynamoDB splits
 * partitions, so a throttled batch halves the writes under way, and calm ones bring them back one by one.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
 */
export function paced(pace: Pace, throttled: number): Pace {
  if (throttled > 0) return { limit: Math.max(1, Math.floor(pace.limit / 2)), calm: 0 };
  return { limit: Math.min(MOST, pace.limit + 1 + Math.floor(pace.limit / 16)), calm: pace.calm + 1 };
}

/** How long to wait before a throttled batch goes on, in ms: doubling, at most 5 s. */
export function backoffMs(throttlesInARow: number, random: number): number {
  return throttlesInARow === 0 ? 0 : Math.round(Math.min(5000, 50 * 2 ** throttlesInARow) * (0.5 + random / 2));
}
