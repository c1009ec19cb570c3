/** One call of AWS's on its way: `dynamodb:PutItem`, and when it began and ended, ms. */
export interface Interval {
  readonly what: string;
  readonly begin: number;
  readonly end: number;
}

/**
 * The longest chain of calls in which each began after the one before it had ended: what nothing but fewer or other calls makes shorter. Of
 * chains that are as long, the one that took longest.
 *
 * @param last - the call that it ends with; unless told, whichever makes it longest
 */
export function longestChain<T extends Interval>(calls: readonly T[], last?: T): readonly T[] {
  const inOrder = calls.toSorted((a, b) => a.end - b.end);
  const best = new Map<T, { readonly chain: readonly T[]; readonly took: number }>();
  const longer = (a: { readonly chain: readonly T[]; readonly took: number }, b: typeof a) => a.chain.length > b.chain.length || (a.chain.length === b.chain.length && a.took > b.took);
  for (const call of inOrder) {
    let before: { readonly chain: readonly T[]; readonly took: number } = { chain: [], took: 0 };
    for (const [earlier, found] of best) if (earlier.end <= call.begin && longer(found, before)) before = found;
    best.set(call, { chain: [...before.chain, call], took: before.took + call.end - call.begin });
  }
  if (last !== undefined) return best.get(last)?.chain ?? [];
  return [...best.values()].reduce((a, b) => (longer(b, a) ? b : a), { chain: [] as readonly T[], took: 0 }).chain;
}
