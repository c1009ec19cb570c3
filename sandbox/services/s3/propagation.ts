/** A setting that reaches the data plane some time after it was written. */
export interface Lagging<T> {
  /** Oldest first. The first one has arrived; the last is what reading the setting returns. */
  readonly writes: readonly Write<T>[];
}

interface Write<T> {
  readonly value: T;
  /** ms since the epoch; `-Infinity` for what the bucket was created with. */
  readonly at: number;
}

export function settled<T>(value: T): Lagging<T> {
  return { writes: [{ value, at: Number.NEGATIVE_INFINITY }] };
}

/** What reading the setting returns: the last write, at once. */
export function latest<T>(setting: Lagging<T>): T {
  return lastOf(setting.writes).value;
}

/** @param lag - ms until the data plane has it; writes that have arrived by now are forgotten but for the newest of them */
export function written<T>(setting: Lagging<T>, value: T, now: number, lag: number): Lagging<T> {
  const arrived = setting.writes.findLastIndex((write) => now >= write.at + lag);
  return { writes: [...setting.writes.slice(Math.max(0, arrived)), { value, at: now }] };
}

/**
 * What one request is judged by. A write is unseen for the first two thirds of the lag; in the last third each
 * request meets a server that has it or one that has not, so that a lucky refusal comes before the change has
 * settled; then all have it.
 *
 * @param random - draws once for each write that is under way, [0, 1)
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel ("Bucket configurations have an eventual consistency model")
 */
export function effective<T>(setting: Lagging<T>, now: number, lag: number, random: () => number): T {
  for (const write of setting.writes.toReversed()) {
    const age = now - write.at;
    if (age >= lag || (age >= (lag * 2) / 3 && random() < 0.5)) return write.value;
  }
  return firstOf(setting.writes).value;
}

function lastOf<T>(writes: readonly Write<T>[]): Write<T> {
  return writes.at(-1) ?? firstOf(writes);
}

function firstOf<T>(writes: readonly Write<T>[]): Write<T> {
  const [first] = writes;
  if (!first) throw new RangeError('a setting has no value at all');
  return first;
}
