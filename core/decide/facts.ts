import { type KnownState, exposuresOf, strictest } from '../exposure.ts';
import { at, listOf, textOf } from '../signal/envelope.ts';
import type { Signal } from '../signal.ts';
import type { Target } from '../incident.ts';
import { bucketTarget } from '../signal/target.ts';
import type { Inside } from './outside.ts';
import { stateInEvent } from './content.ts';

/** What the suite itself is called, so that its own acts and attacks on it are told from others. */
export interface Own {
  /** `stopbath-dev`: roles, functions, table, rules, state machines begin with it. */
  readonly prefix: string;
  /** ARNs of the suite's roles, here and in member accounts: whoever has one of them is the suite. Absent: a role's name has to do. */
  readonly roles?: readonly string[];
  /** Ids or ARNs of things that have no name of ours, such as KMS keys. */
  readonly arns?: readonly string[];
  /** Whether it archives GuardDuty's findings itself: then that a finding is archived is no person's word. */
  readonly archives?: boolean;
}

export interface NamedBucket {
  readonly name: string;
  /** Where that is known. */
  readonly region?: string;
}

/** What may be known beside the event. Nothing in it is fetched: whoever calls `decide` fetched it before. */
export interface Knowledge {
  /** What is known of a bucket; a setting that is missing is not known, one that is `null` is absent. */
  readonly stateOf?: (bucket: string) => KnownState | undefined;
  /** The account's buckets, for what happens to all of them. */
  readonly bucketsOf?: (account: string) => readonly NamedBucket[];
  /** The bucket behind an access point: events about its policy do not name it. */
  readonly bucketOfAccessPoint?: (arn: string) => string | undefined;
  /** Accounts that are not "outside", beside the resource's own. */
  readonly trustedAccounts?: readonly string[];
  /** The organisation that the account belongs to: `o-…`. */
  readonly organizationId?: string | null;
  /** What else is not outside, as a policy names it: VPCs, VPC endpoints, address ranges, organisations, user ids, ARNs, canonical ids. */
  readonly trustedSources?: readonly string[];
  /** Key ids, ARNs or aliases whose grants and policies matter; all keys where none is named. */
  readonly photoKeys?: readonly string[];
  readonly own?: Own;
}

/** An event and what is known, as predicates ask for it. */
export interface Facts extends Inside {
  readonly signal: Signal;
  readonly knowledge: Knowledge;
  /** The CloudTrail record or the finding. */
  readonly detail: Readonly<Record<string, unknown>>;
  /** `requestParameters`, where there are any. */
  readonly request: unknown;
  /** What a finding says of each of its buckets, by name. */
  readonly bucketDetails: ReadonlyMap<unknown, unknown>;
}

export function factsOf(signal: Signal, knowledge: Knowledge): Facts {
  const { detail } = signal.event;
  const bucketDetails = new Map(listOf(at(detail, 'resource', 's3BucketDetails')).map((entry) => [at(entry, 'name'), entry]));
  const inside = new Set([signal.account, ...(knowledge.trustedAccounts ?? [])]);
  return { signal, knowledge, detail, request: at(detail, 'requestParameters'), isOutside: (account) => !inside.has(account), organizationId: knowledge.organizationId ?? null, trustedSources: knowledge.trustedSources ?? [], bucketDetails };
}

export interface Openness {
  readonly phrases: readonly string[];
  /** `false` where neither policy nor ACL is known, so that an empty list says nothing. */
  readonly certain: boolean;
}

/** Who can reach a bucket, from what is known and, where that is silent, from the event itself. */
export function opennessOf(facts: Facts, bucket: string): Openness {
  const state = stateOf(facts, bucket);
  const phrases = exposuresOf(state).map((exposure) => exposure.phrase);
  if (phrases.length > 0) return { phrases, certain: true };
  const block = strictest(state.accountPublicAccessBlock, state.publicAccessBlock);
  const known = 'policy' in state || 'acl' in state || 'accessPoints' in state;
  if (known || (block.IgnorePublicAcls && block.RestrictPublicBuckets)) return { phrases, certain: true };
  return statusInFinding(facts, bucket);
}

/** What is known decides; the event fills what is not. */
export function stateOf({ signal, knowledge }: Facts, bucket: string): KnownState {
  const known = knowledge.stateOf?.(bucket) ?? {};
  const present = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return { ...stateInEvent(signal, bucket), ...present };
}

/** GuardDuty says of each bucket whether it found it public: `publicAccess.effectivePermission`. */
function statusInFinding({ bucketDetails }: Facts, bucket: string): Openness {
  const details = bucketDetails.get(bucket);
  const status = textOf(at(details, 'publicAccess', 'effectivePermission'));
  if (status === 'PUBLIC') return { phrases: [`GuardDuty found it public${waysIn(at(details, 'publicAccess', 'permissionConfiguration', 'bucketLevelPermissions'))}`], certain: true };
  return { phrases: [], certain: status === 'NOT_PUBLIC' };
}

function waysIn(permissions: unknown): string {
  const ways = (
    [
      ['accessControlList', 'ACL'],
      ['bucketPolicy', 'policy'],
    ] as const
  ).flatMap(([key, label]) => {
    const access = [at(permissions, key, 'allowsPublicReadAccess') === true ? 'read' : '', at(permissions, key, 'allowsPublicWriteAccess') === true ? 'write' : ''].filter(Boolean);
    return access.length > 0 ? [`anyone can ${access.join(' and ')} by its ${label}`] : [];
  });
  return ways.length > 0 ? `: ${ways.join(', ')}` : '';
}

/** The buckets that a target stands for: itself, the one behind an access point, all of an account; `null` where they are not known. */
export function bucketsOf({ signal, knowledge }: Facts, target: Target): readonly Target[] | null {
  if (target.kind === 'bucket') return [target];
  if (target.kind === 'other') {
    const bucket = bucketTarget(knowledge.bucketOfAccessPoint?.(target.arn), { ...target, partition: target.arn.split(':')[1] ?? 'aws' });
    return bucket && [bucket];
  }
  if (target.kind !== 'account' || !knowledge.bucketsOf) return null;
  const place = { partition: target.arn.split(':')[1] ?? 'aws', account: signal.account, region: signal.region };
  return knowledge.bucketsOf(signal.account).flatMap(({ name, region }) => bucketTarget(name, { ...place, region: region ?? place.region }) ?? []);
}
