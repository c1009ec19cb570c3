/** Like `Promise.all`, but ends when all have ended: where one fails, nothing is left under way. */
export async function allOrThrow<T extends readonly unknown[]>(all: readonly [...T]): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(all);
  return await Promise.all(all);
}

/** How many are asked at once: fast, and far below what S3 throttles. */
const AT_ONCE = 8;

/** Does something for each of many, a few at once; results in their order. The first failure ends it. */
export async function inTurns<T, R>(items: readonly T[], act: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(from, from + AT_ONCE).map(act))));
  }
  return results;
}
