import type { Incident } from '../incident.ts';

export type Counts = Readonly<Record<string, number>>;

/** How many, and the first of them by name. */
export interface Listed {
  readonly count: number;
  readonly first: readonly { readonly id: string; readonly what: string }[];
}

export interface Times {
  readonly decided: Spread;
  /** AWS acknowledged the changes. */
  readonly contained: Spread;
  /** Proven from outside. */
  readonly verified: Spread;
}

/** By the nearest rank: a value that was measured, never one between two. `null` where nothing was. */
export interface Spread {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly max: number | null;
}

/** As many of a kind are named; the rest are counted. */
const NAMED = 20;

/** Counts by name. */
export class Counter {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** @param order - names that come first, in this order; the others follow by name */
  counts(order: readonly string[] = []): Counts {
    const known = order.filter((name) => this.#counts.has(name));
    const others = [...this.#counts.keys()].filter((name) => !order.includes(name)).toSorted();
    return Object.fromEntries([...known, ...others].map((name) => [name, this.#counts.get(name) ?? 0]));
  }
}

/** A list that names the first and counts all. */
export function startList(): { readonly add: (id: string, what: string) => void; readonly listed: () => Listed } {
  const first: { readonly id: string; readonly what: string }[] = [];
  let count = 0;
  return {
    add: (id, what) => {
      count += 1;
      if (first.length < NAMED) first.push({ id, what });
    },
    listed: () => ({ count, first: [...first] }),
  };
}

export interface Measured {
  readonly decided: number[];
  readonly contained: number[];
  readonly verified: number[];
}

export function startTimes(): Measured {
  return { decided: [], contained: [], verified: [] };
}

/** @returns false where a time lies before its start: then none of them is taken */
export function measure({ decidedAt, containedAt, verifiedAt }: Incident, from: string, into: Measured): boolean {
  const since = (at: string | null) => (at === null ? null : Date.parse(at) - Date.parse(from));
  const times = { decided: since(decidedAt), contained: since(containedAt), verified: since(verifiedAt) };
  if (Object.values(times).some((ms) => ms !== null && !(ms >= 0))) return false;
  for (const name of ['decided', 'contained', 'verified'] as const) {
    const ms = times[name];
    if (ms !== null) into[name].push(ms);
  }
  return true;
}

export function timesOf({ decided, contained, verified }: Measured): Times {
  return { decided: spreadOf(decided), contained: spreadOf(contained), verified: spreadOf(verified) };
}

/** @param values - in any order */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = Float64Array.from(values).toSorted();
  const rank = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { count: sorted.length, p50: rank(0.5), p90: rank(0.9), max: sorted.at(-1) ?? null };
}
