/** Predicates about who can reach the pictures, and about what keeps them. */
import { type Answer, type Predicate, holds, no } from './answer.ts';
import { type Facts, bucketsOf, opennessOf, stateOf } from './facts.ts';
import { aclInRequest, blockInRequest } from './content.ts';
import { at, isObject, listOf, textOf } from '../signal/envelope.ts';
import { exposuresOf, isPublicAcl, isPublicPolicy, publicGrants, strictest } from '../exposure.ts';
import { listed, plain } from '../text.ts';
import { outsiders, policyIn } from './outside.ts';
import { ALL_USERS } from '../exposure/acl.ts';
import type { Target } from '../incident.ts';

/** An expiry within this many days counts as soon: whoever destroys evidence does not wait for weeks. */
const SOON_DAYS = 7;

export const exposure = {
  /** The public can reach the bucket, as far as is known. */
  exposed: (facts, target) => exposed(facts, target, false),
  /** The public can reach the bucket, or nothing is known that says it cannot. */
  'exposed-or-unknown': (facts, target) => exposed(facts, target, true),
  shared,
  'object-exposed': objectExposed,
  'block-lifted': ({ signal, request }) => {
    if (signal.type.startsWith('Delete')) return holds(true, 'the block was removed');
    const block = blockInRequest(signal.type, request);
    // A request without a block says nothing; an access point without one gets all four from S3.
    if (!block) return no;
    const off = Object.entries(block).flatMap(([key, on]) => (on ? [] : [key]));
    return holds(off.length > 0, `${listed(off)} ${off.length === 1 ? 'is' : 'are'} off`);
  },
  'acls-enabled': ({ signal, request }) => {
    if (signal.type.startsWith('Delete')) return holds(true, 'its ownership controls were removed');
    const rules = listOf(at(request, 'OwnershipControls', 'Rule')).map((rule) => textOf(at(rule, 'ObjectOwnership')) ?? '');
    const enabling = rules.find((ownership) => ownership !== '' && ownership !== 'BucketOwnerEnforced');
    return holds(enabling !== undefined, `its ownership is ${plain(enabling ?? '', 32)}`);
  },
  'website-set': ({ request }) => holds(isObject(at(request, 'WebsiteConfiguration'))),
  'replicates-outside': (facts) => {
    const outside = destinationsOf(facts).filter((destination) => facts.isOutside(textOf(at(destination, 'Account')) ?? facts.signal.account));
    const names = outside.slice(0, 3).map((entry) => `${plain(textOf(at(entry, 'Bucket')) ?? 'a bucket', 80)} of account ${plain(textOf(at(entry, 'Account')) ?? '', 12)}`);
    return holds(outside.length > 0, `its objects are replicated to ${listed(names)}`);
  },
  /** S3 copies across accounts without being told whose the destination is, so that silence is no comfort. */
  'replicates-somewhere': (facts) => {
    const own = new Set((facts.knowledge.bucketsOf?.(facts.signal.account) ?? []).map((bucket) => bucket.name));
    const unknown = destinationsOf(facts).flatMap((destination) => {
      const name = textOf(at(destination, 'Bucket'))?.split(':::').at(-1);
      return name !== undefined && textOf(at(destination, 'Account')) === null && !own.has(name) && !facts.knowledge.stateOf?.(name) ? [plain(name, 64)] : [];
    });
    return holds(unknown.length > 0, `its objects are replicated to ${listed(unknown.slice(0, 3))}`);
  },
  'versioning-weakened': ({ request }) => {
    const configuration = at(request, 'VersioningConfiguration');
    if (at(configuration, 'Status') === 'Suspended') return holds(true, 'versioning is suspended');
    return holds(at(configuration, 'MfaDelete') === 'Disabled', 'deleting versions no longer needs a second factor');
  },
  'expires-soon': ({ signal, request }) => {
    const rules = listOf(at(request, 'LifecycleConfiguration', 'Rule')).filter((rule) => at(rule, 'Status') !== 'Disabled');
    const soonest = rules.flatMap((rule) => expiries(rule, Date.parse(signal.time))).reduce((least, days) => Math.min(least, days), Infinity);
    return holds(soonest <= SOON_DAYS, `something expires within ${Math.max(0, Math.ceil(soonest))} days`);
  },
  'logging-off': ({ request }) => {
    const status = at(request, 'BucketLoggingStatus');
    // CloudTrail writes an empty element as an empty text, or as an object with its namespace alone.
    return holds(status === '' || (isObject(status) && !isObject(at(status, 'LoggingEnabled'))));
  },
} satisfies Record<string, Predicate>;

function destinationsOf({ request }: Facts): readonly unknown[] {
  return listOf(at(request, 'ReplicationConfiguration', 'Rule'))
    .filter((rule) => at(rule, 'Status') !== 'Disabled')
    .map((rule) => at(rule, 'Destination'));
}

function exposed(facts: Facts, target: Target, unknownCounts: boolean): Answer {
  const buckets = bucketsOf(facts, target);
  if (!buckets && target.kind === 'other') return exposedByItself(facts, target);
  if (!buckets) return holds(unknownCounts && target.kind === 'account', 'which buckets this opens is not known here');
  const judged = buckets.map((bucket) => ({ bucket, ...opennessOf(facts, bucket.name) }));
  const open = judged.filter(({ phrases, certain }) => phrases.length > 0 || (unknownCounts && !certain));
  if (open.length === 0) return { holds: false, because: listed(judged.slice(0, 3).map(({ bucket }) => closedBecause(facts, bucket))) };
  const ways = open.flatMap(({ bucket, phrases }) => (phrases.length > 0 ? [`${plain(bucket.name, 64)}: ${phrases.slice(0, MAX_WAYS).join('; ')}`] : []));
  const because = ways.length > 0 ? ways.slice(0, MAX_WAYS).join('; ') : 'whether it is public is not known here';
  return { ...holds(open.length > 0, because), ...(target.kind === 'bucket' ? {} : { instead: open.map(({ bucket }) => bucket) }) };
}

const MAX_WAYS = 20;

/** Why the public stays out: by itself, or only because a block keeps it out. */
function closedBecause(facts: Facts, { name }: Target): string {
  const { publicAccessBlock: _, accountPublicAccessBlock: __, ...unblocked } = stateOf(facts, name);
  const [kept] = exposuresOf(unblocked);
  return kept ? `${plain(name, 64)} is kept closed by Block Public Access: without it, ${kept.phrase}` : `the public has no way into ${plain(name, 64)}`;
}

/** An access point whose bucket nobody told: the event's own policy decides, and the access point itself is named. */
function exposedByItself(facts: Facts, target: Target): Answer {
  const phrases = exposuresOf(stateOf(facts, target.name)).map(({ phrase }) => phrase);
  return holds(phrases.length > 0, phrases.slice(0, MAX_WAYS).join('; '));
}

/**
 * Somebody outside is let in without being the public: an account by name, everybody under a condition, a service that acts for others.
 * Where the policy is public and restricted, S3 lets in nobody outside any more but services.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html (RestrictPublicBuckets)
 */
function shared(facts: Facts, target: Target): Answer {
  if (target.kind !== 'bucket' && target.kind !== 'other') return no;
  const state = stateOf(facts, target.name);
  const block = strictest(state.accountPublicAccessBlock, state.publicAccessBlock);
  const inside = { ...facts, trustedSources: [...facts.trustedSources, ...(state.acl?.owner ? [state.acl.owner] : [])] };
  const found = [{ text: state.policy, owner: 'bucket', restricts: block.RestrictPublicBuckets } as const, ...(state.accessPoints ?? []).map((point) => ({ text: point.policy, owner: 'access-point', restricts: strictest(block, point.publicAccessBlock).RestrictPublicBuckets }) as const)].flatMap(({ text, owner, restricts }) => {
    const policy = policyIn(text);
    if (!policy) return [];
    const all = outsiders(policy, inside, owner);
    return restricts && isPublicPolicy(policy, owner) ? all.filter(({ type }) => type === 'Service') : all;
  });
  const names = [...new Set(found.map(({ text }) => text))];
  if (names.length > 0) return holds(true, `its policy lets in ${listed(names.slice(0, 5))}`);
  const grants = state.ownership === 'BucketOwnerEnforced' ? [] : (state.acl?.grants ?? []);
  const others = grants.filter(({ grantee }) => 'id' in grantee && grantee.id !== state.acl?.owner);
  // Who owns the bucket is in the ACL's document only: by the header alone the owner may have named himself.
  const foreign = state.acl?.owner ? others : [];
  return holds(foreign.length > 0, 'its ACL lets in another account by canonical id');
}

function objectExposed(facts: Facts, target: Target): Answer {
  if (target.kind !== 'bucket') return no;
  const acl = aclInRequest(facts.request);
  const state = stateOf(facts, target.name);
  const ignored = strictest(state.accountPublicAccessBlock, state.publicAccessBlock).IgnorePublicAcls || state.ownership === 'BucketOwnerEnforced';
  if (!acl || !isPublicAcl(acl) || ignored) return no;
  const who = publicGrants(acl).some(({ grantee }) => 'uri' in grantee && grantee.uri === ALL_USERS) ? 'anyone' : 'anyone with an AWS account';
  return holds(true, `${who} can reach the object ${plain(textOf(at(facts.request, 'key')) ?? '', 100)} of ${plain(target.name, 64)} (object ACL)`);
}

/** Days until what a rule lets expire, for each way in which it does. */
function expiries(rule: unknown, now: number): readonly number[] {
  const days = [at(rule, 'Expiration', 'Days'), at(rule, 'NoncurrentVersionExpiration', 'NoncurrentDays')];
  const counted = days.flatMap((count) => (typeof count === 'number' ? [count] : (textOf(count) ?? '').match(/^\d{1,9}$/)?.map(Number) ?? []));
  const date = Date.parse(textOf(at(rule, 'Expiration', 'Date')) ?? '');
  return [...counted, (date - now) / 86_400_000].filter((count) => !Number.isNaN(count));
}
