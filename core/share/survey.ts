import type { Json } from '../bucket.ts';
import { PARTS } from './parts.ts';

/** What a plan knows of a scope's links without having loaded them. */
export interface Survey {
  /** Counted by DynamoDB, dead ones included. */
  readonly count: number;
  /** False where there are more than were counted. */
  readonly counted: boolean;
  /** Links whose keys were read: the oldest and the newest. */
  readonly read: readonly { readonly linkId: string; readonly albumId: string; readonly ownerId: string; readonly issuedAt: string; readonly bucket: string; readonly objectKey: string }[];
  /** Links that were looked at one by one, spread over those that were read. */
  readonly sampled: readonly { readonly linkId: string; readonly issuedAt: string; readonly verdict: 'live' | 'revoked' | 'ended' | 'expired' }[];
  /** Links of albums that contain an object of the scope and are not links to it: they stay. */
  readonly containing: number;
}

/** What a table takes in writes a second when it is new: as fast as a sweep is planned to go. */
export const RATE = 4000;
/**
 * Dollars for a million write requests and for a million read units, us-east-1, on demand, since November 2024. A sweep reads its index
 * three times (count, sweep, count again), 32 entries of 250 bytes a unit: an eighth of a unit a link is more than it takes.
 * https://airbyte.com/data-engineering-resources/dynamodb-pricing has them as of 2025
 */
const WRITES = 0.625;
const READS = 0.125;
/** Links that are fetched from outside, before and after. */
const PROBES = 5;

/**
 * The impact of a revocation in the service's own terms. Every number says how it was found: counted, or estimated from a
 * sample, or at least so many. Ids of links only: never a secret, a URL, an album or an owner.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode-max-throughput.html (new tables: 4,000 writes a second)
 * @see https://aws.amazon.com/dynamodb/pricing/on-demand/ (prices: $0.625 a million writes, $0.125 a million reads; a write of up to 1 KB is one unit)
 */
export function impactOf({ count, counted, read, sampled, containing }: Survey): { readonly [key: string]: Json } {
  const live = sampled.filter(({ verdict }) => verdict === 'live');
  const all = read.length >= count && counted;
  const whole = sampled.length >= count && counted;
  const share = sampled.length === 0 ? 0 : live.length / sampled.length;
  const times = read.map(({ issuedAt }) => issuedAt).filter((time) => time !== '').toSorted();
  const dead = sampled.length - live.length;
  return {
    links: number(count, counted ? 'counted' : 'at least'),
    liveLinks: number(whole ? live.length : Math.round(share * count), whole ? 'counted' : `estimated from ${sampled.length} links`),
    linksThatStay: [
      ...(dead === 0 ? [] : [`${whole ? dead : `about ${count - Math.round(share * count)}`} that do not work already`]),
      ...(containing === 0 ? [] : [`${containing} links to albums that contain it: the object itself is denied, they go on working for the rest`]),
      'links made from now on',
    ],
    albums: number(new Set(read.map(({ albumId }) => albumId)).size, all ? 'counted' : `at least, from ${read.length} links`),
    owners: number(new Set(read.map(({ ownerId }) => ownerId)).size, all ? 'counted' : `at least, from ${read.length} links`),
    oldest: times.at(0) ?? null,
    newest: times.at(-1) ?? null,
    ...effort(count),
    sampledLinks: probesOf(live.map(({ linkId }) => linkId)),
  };
}

/**
 * The impact of the way back.
 *
 * @param revoked - links that this incident revoked, as its sweeps counted them; `null` where none was finished
 * @param probes - ids of the links that were fetched before the containment
 */
export function restoreImpactOf({ count, counted }: Survey, revoked: number | null, probes: readonly string[]): { readonly [key: string]: Json } {
  return {
    links: number(count, counted ? 'counted' : 'at least'),
    givenBack: number(revoked ?? count, `${revoked === null ? 'at most' : 'revoked by this incident'}; what its owner ended, what expired and what another incident revokes stays dead`),
    ...effort(count),
    sampledLinks: [...probes],
  };
}

function effort(count: number): { readonly [key: string]: Json } {
  const seconds = Math.max(1, Math.ceil(count / RATE));
  const dollars = Math.ceil((count * WRITES + (count / 8) * READS) / 10_000) / 100;
  return {
    sweepTakes: `about ${seconds.toLocaleString('en')} s, at ${RATE.toLocaleString('en')} links a second by up to ${PARTS} workers; what the table does not take, it takes later`,
    costs: count === 0 ? 'nothing' : `less than $${dollars.toFixed(2)} of DynamoDB`,
  };
}

/** A few of many, spread evenly: the first and the last among them. */
export function probesOf<T>(of: readonly T[], most = PROBES): readonly T[] {
  if (of.length <= most) return of;
  return Array.from({ length: most }, (_, index) => of[Math.round((index * (of.length - 1)) / (most - 1))]).filter((entry) => entry !== undefined);
}

/** The links that a plan's impact names. */
export function sampledLinks(impact: { readonly [key: string]: Json }): readonly string[] {
  const ids = impact['sampledLinks'];
  return Array.isArray(ids) ? ids.map(String) : [];
}

/** How many links a plan is about; what the budget counts. */
export function linksIn(impact: { readonly [key: string]: Json }): number {
  const links = impact['links'];
  return typeof links === 'object' && links !== null && 'value' in links ? Number(links['value']) : 0;
}

function number(value: number, how: string): Json {
  return { value, how };
}
