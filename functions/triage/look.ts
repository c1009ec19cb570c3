import { s3ControlOf, s3Of, type Clients } from '../../aws/clients.ts';
import { bucketBehind } from '../../aws/access-points.ts';
import { listBuckets, readAccountBlock } from '../../aws/account.ts';
import { NoSuchBucketError, readAccess, readReach } from '../../aws/bucket.ts';
import { inTurns } from '../../aws/concurrently.ts';
import type { Tools } from '../../aws/function.ts';
import { memberTools } from '../../aws/member.ts';
import type { PublicAccessBlock } from '../../core/bucket.ts';
import type { Decision } from '../../core/decide.ts';
import type { Knowledge, NamedBucket } from '../../core/decide/facts.ts';
import type { KnownState } from '../../core/exposure.ts';
import type { Target } from '../../core/incident.ts';
import { plain } from '../../core/text.ts';

/** What was found where an event points. */
export interface Seen extends Required<Pick<Knowledge, 'stateOf' | 'bucketOfAccessPoint'>>, Pick<Knowledge, 'bucketsOf'> {
  /** Whether anything was looked at. */
  readonly any: boolean;
  /** Whether a bucket that the event names does not exist. */
  readonly isMissing: (bucket: string) => boolean;
  /** What could not be read, a sentence each: then the event's own content decided. */
  readonly unread: readonly string[];
}

/**
 * Looks at everything that a trigger asks about: buckets, the bucket behind an access point, and where the account's
 * own block was touched every bucket of the account. What cannot be read is decided by what the event says.
 */
export async function look(blind: Decision, tools: Tools): Promise<Seen> {
  const asked = new Set(blind.checks.map((check) => check.target));
  const targets = blind.responses.map(({ target }) => target).filter(({ arn }) => asked.has(arn));
  const seen = sight(tools);
  const doors = new Map<string, string>();
  await Promise.all(targets.filter(isAccessPoint).map(async (point) => {
    const bucket = await seen.attempt(`access point ${plain(point.name)}`, () => bucketBehind(s3ControlOf(inside(tools, point.account), point.region), point.account, point.name));
    if (bucket) doors.set(point.arn, bucket);
  }));
  // Of a strange account nothing can be listed from here: its buckets are not these.
  const reachable = [tools.settings.STOPBATH_ACCOUNT, ...tools.settings.STOPBATH_ACCOUNTS];
  const account = targets.find(({ kind, arn, account: owner }) => kind === 'account' && reachable.includes(owner) && blind.checks.some(({ target, predicates }) => target === arn && predicates.some(({ name }) => name.startsWith('exposed'))));
  const buckets = new Map(targets.flatMap((target): readonly (readonly [string, Target])[] => {
    const name = bucketOf(target) ?? doors.get(target.arn) ?? null;
    return name === null ? [] : [[name, target]];
  }));
  const [all] = await Promise.all([
    account ? lookAtAll(account, seen, tools) : null,
    inTurns([...buckets], async ([bucket, { account: owner, region }]) => await seen.at(bucket, () => readReach(inside(tools, owner), { bucket, account: owner, region }))),
  ]);
  return {
    any: buckets.size > 0 || account !== undefined,
    stateOf: (bucket) => seen.states.get(bucket),
    bucketOfAccessPoint: (arn) => doors.get(arn),
    ...(all && { bucketsOf: () => all }),
    isMissing: (bucket) => seen.missing.has(bucket),
    unread: seen.unread,
  };
}

/** There is no incident yet to name the session after. */
function inside(tools: Tools, account: string): Clients {
  return memberTools(tools, account, 'read', 'triage').clients;
}

/** `null` for what is about no bucket. */
export function bucketOf(target: Target): string | null {
  if (target.kind === 'bucket') return target.name;
  return target.kind === 'object' ? (target.arn.split(':::')[1]?.split('/')[0] ?? null) : null;
}

function isAccessPoint({ kind, arn }: Target): boolean {
  return kind === 'other' && arn.includes(':accesspoint/');
}

/** Every bucket of the account; most have a block of their own, and of these nothing else is read. */
async function lookAtAll({ account, region }: Target, seen: Sight, tools: Tools): Promise<readonly NamedBucket[] | null> {
  const known = await seen.attempt(`account ${plain(account)}`, async () => {
    const [block, buckets] = await Promise.all([readAccountBlock(s3ControlOf(inside(tools, account), region), account), listBuckets(s3Of(inside(tools, account)))]);
    return { block, buckets };
  });
  if (!known) return null;
  await inTurns(known.buckets, async (bucket) => await seen.at(bucket.name, () => access(bucket, { account, region }, known.block, tools)));
  return known.buckets;
}

async function access(bucket: NamedBucket, place: { readonly account: string; readonly region: string }, block: PublicAccessBlock | null, tools: Tools): Promise<KnownState> {
  return await readAccess(inside(tools, place.account), { bucket: bucket.name, account: place.account, region: bucket.region ?? place.region }, block);
}

interface Sight {
  readonly states: ReadonlyMap<string, KnownState>;
  readonly missing: ReadonlySet<string>;
  readonly unread: readonly string[];
  readonly at: (bucket: string, read: () => Promise<KnownState>) => Promise<void>;
  /** `null` where it could not be read, which is on record then. */
  readonly attempt: <T>(what: string, read: () => Promise<T>) => Promise<T | null>;
}

function sight(tools: Tools): Sight {
  const states = new Map<string, KnownState>();
  const missing = new Set<string>();
  const unread: string[] = [];
  const attempt: Sight['attempt'] = async (what, read) => {
    try {
      return await read();
    } catch (error) {
      if (error instanceof NoSuchBucketError) throw error;
      const why = error instanceof Error ? error.message : String(error);
      tools.log.warn(`${what} cannot be read; the event decides`, { error: why });
      unread.push(`${what.charAt(0).toUpperCase()}${what.slice(1)} could not be read, so the event alone decided: ${plain(why, 512)}.`);
      return null;
    }
  };
  return {
    states,
    missing,
    unread,
    attempt,
    at: async (bucket, read) => {
      try {
        const state = await attempt(`bucket ${plain(bucket)}`, read);
        if (state) states.set(bucket, state);
      } catch {
        // `attempt` lets one error through: there is no such bucket.
        missing.add(bucket);
      }
    },
  };
}
