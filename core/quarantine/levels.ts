import { byKey, type BucketState, type Json, type Lifecycle, type PublicAccessBlock, type Tag } from '../bucket.ts';
import { canonicalJson } from '../canonical.ts';
import { exposuresOf } from '../exposure.ts';
import type { Change } from '../incident.ts';
import { policyText, settledPolicy, withoutDeleted } from '../policy.ts';
import { listed, plain } from '../text.ts';
import { leftIn } from './left.ts';

/** How much a quarantine stops: the public, everybody outside the account, or everybody but the responders. */
export type Level = 'public' | 'external' | 'full';
export const LEVELS = ['public', 'external', 'full'] as const satisfies readonly Level[];

/** The level that an incident asks for. */
export function levelOf(inputs: Readonly<Record<string, unknown>>): Level {
  return LEVELS.find((level) => level === inputs['level']) ?? 'public';
}

export interface QuarantineOptions {
  readonly incident: string;
  readonly level: Level;
  /** ARNs (wildcards allowed) of the principals that keep access at `full`: responder roles and the suite's own. */
  readonly exempt: readonly string[];
  /** `o-…`; `null` where the account stands alone: then the account itself is the inside. */
  readonly organizationId: string | null;
}

export interface PlannedChanges {
  /** The level that the changes reach: lower than asked where the policy has no room for a deny. */
  readonly level: Level;
  readonly changes: readonly Change[];
  /** What is kept or cannot be done, and why. */
  readonly notes: readonly string[];
}

/**
 * S3 refuses a larger bucket policy.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html ("20 KB in size")
 */
export const POLICY_LIMIT_BYTES = 20 * 1024;
/** Of lifecycle rules as JSON: with its before and after compressed, a plan fits an item of 400 KB, whatever the rules say. */
export const LIFECYCLE_LIMIT_BYTES = 380_000;
/** @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html (50 tags a bucket) */
const TAG_LIMIT = 50;

export const BLOCK_ALL: PublicAccessBlock = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true };
/** What can be on while a policy is still to be written: S3 refuses public statements under `BlockPublicPolicy`. */
const BLOCK_BUT_POLICY: PublicAccessBlock = { ...BLOCK_ALL, BlockPublicPolicy: false };

/**
 * The changes that bring a bucket to a level, in the order in which they must happen; settings that are already
 * there are left out, so a contained bucket gives none.
 *
 * @throws {SyntaxError} where the policy is not JSON; S3 accepts none such
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 */
export function quarantine(state: BucketState, options: QuarantineOptions): PlannedChanges {
  const notes: string[] = [];
  const steps: Omit<Change, 'seq'>[] = [];
  const unread = new Set(state.unread);
  const step = (setting: keyof BucketState, title: string, before: unknown, after: unknown) => {
    // What was not seen could not be given back.
    if (!unread.has(setting) && !same(before, after)) steps.push({ setting, title, before: asJson(before), after: asJson(after) });
  };

  const stopExpiry = () => {
    const stopped = withoutExpiry(state.lifecycle);
    const rules = Buffer.byteLength(JSON.stringify(state.lifecycle ?? null));
    if (rules <= LIFECYCLE_LIMIT_BYTES || same(state.lifecycle, stopped)) return step('lifecycle', 'Stop lifecycle rules that expire evidence', state.lifecycle, stopped);
    notes.push(`The lifecycle rules have ${rules} bytes, more than a plan keeps for a restore (${LIFECYCLE_LIMIT_BYTES}): they go on, and those that expire objects destroy evidence. Switch them off by hand.`);
  };
  if (unread.size > 0) notes.push(`${capitalised(listed([...unread]))} could not be read: a policy refuses ${unread.size === 1 ? 'it' : 'them'} to the suite. What could not be read is neither saved nor changed${options.level !== 'public' && unread.has('policy') ? `: the public is blocked, level ${options.level} is not reached` : ''}.`);
  const whole = options.level === 'public' || unread.has('policy') ? state.policy : withDeny(state.policy, options, state);
  const { policy: base, ids } = state.policy === null || whole === state.policy ? { policy: state.policy, ids: [] } : withoutDeleted(state.policy);
  const policy = ids.length === 0 ? whole : withDeny(base, options, state);
  const fits = policy === null || Buffer.byteLength(policy) <= POLICY_LIMIT_BYTES;
  if (!fits) {
    notes.push(
      `The bucket policy has ${Buffer.byteLength(state.policy ?? '')} bytes and the deny for level ${options.level} would bring it over S3's ${POLICY_LIMIT_BYTES}: the public is blocked, level ${options.level} is not reached. Shorten the policy and start again.`,
    );
  }
  const deny = fits && policy !== state.policy;
  if (deny) {
    step('publicAccessBlock', 'Block public ACLs and ignore those there are; restrict a public policy to this account', state.publicAccessBlock, BLOCK_BUT_POLICY);
    // Before the one write that S3 may refuse for what somebody else put into the policy.
    stopExpiry();
    step('policy', options.level === 'full' ? 'Deny everyone but responders' : 'Deny everyone outside', state.policy, policy);
    step('publicAccessBlock', 'Refuse new public policies', BLOCK_BUT_POLICY, BLOCK_ALL);
  } else {
    step('publicAccessBlock', 'Block public access: ACLs and policies', state.publicAccessBlock, BLOCK_ALL);
    stopExpiry();
  }
  if (deny && ids.length > 0) notes.push(deletedNote(ids));

  const level = fits && !unread.has('policy') ? options.level : 'public';
  const tags = withTags(state.tagging, options.incident, level);
  if (tags.length > TAG_LIMIT) notes.push(`The bucket has ${state.tagging?.length ?? 0} tags of ${TAG_LIMIT}: it is not tagged with the incident.`);
  else step('tagging', 'Tag the bucket with the incident', state.tagging, tags);

  const doors = state.accessPoints.filter((point) => exposuresOf({ accessPoints: [point] }).length > 0).map(({ name }) => plain(name, 50));
  if (doors.length > 0) {
    const one = doors.length === 1;
    notes.push(`The access point${one ? '' : 's'} ${listed(doors.slice(0, 10))}${doors.length > 10 ? ` and ${doors.length - 10} more` : ''} would let anyone in by ${one ? 'its' : 'their'} own policy. The bucket's block closes ${one ? 'it' : 'them'} too: S3 takes the strictest of account, bucket and access point. ${one ? 'It stays' : 'They stay'} as ${one ? 'it is' : 'they are'}.`);
  }
  const left = leftIn(state, level, options.organizationId);
  if (left.length > 0) notes.push(`Level ${level} leaves in ${listed(left.slice(0, 10))}${left.length > 10 ? ` and ${left.length - 10} more` : ''}, whom the bucket's own policy lets in: ${level === 'public' ? 'S3 does not call that public. Level external stops it' : 'these services do not say for whom they act. Take the statement out of the policy by hand'}.`);
  if (state.website) notes.push('The website configuration stays: its endpoint serves nobody while public access is blocked.');
  if (state.replication) notes.push('Replication stays on: copies already made elsewhere are not contained here.');
  return { level, changes: steps.map((entry, index) => ({ seq: index + 1, ...entry })), notes };
}

/** @param ids - as `withoutDeleted` gives them */
export function deletedNote(ids: readonly string[]): string {
  return `The policy names ${listed(ids.slice(0, 10))}${ids.length > 10 ? ` and ${ids.length - 10} more` : ''}, which ${ids.length === 1 ? 'was' : 'were'} deleted: S3 takes no policy that does. ${ids.length === 1 ? 'It is' : 'They are'} left out, for good; nobody gains or loses access by that.`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Equal as JSON, whatever the order of keys. */
export function same(a: unknown, b: unknown): boolean {
  return canonicalJson(a ?? null) === canonicalJson(b ?? null);
}

/** The `Sid` prefix of statements that the suite writes: what a restore takes out again. */
export const SID_PREFIX = 'Stopbath';
/** How the `Sid`s of a quarantine's denials begin; the incident's id follows. */
export const SIDS = { full: `${SID_PREFIX}Full`, external: `${SID_PREFIX}External`, services: `${SID_PREFIX}Services` } as const;
/** The tags that the suite writes; others that begin so are somebody's: `stopbath:protected`. */
export const TAGS: ReadonlySet<string> = new Set(['stopbath:incident', 'stopbath:level']);

function withDeny(text: string | null, options: QuarantineOptions, state: BucketState): string {
  const document: unknown = text === null ? { Version: '2012-10-17', Statement: [] } : JSON.parse(text);
  const existing = isRecord(document) ? document : { Version: '2012-10-17' };
  const present = existing['Statement'];
  const statements: unknown[] = Array.isArray(present) ? present : present === undefined ? [] : [present];
  const ours = new Map<unknown, Json>(denials(options, state).map((deny) => [deny['Sid'], deny]));
  const sidIn = (entry: unknown) => (isRecord(entry) ? entry['Sid'] : undefined);
  const kept = statements.map((entry) => ours.get(sidIn(entry)) ?? entry);
  const next = policyText({ ...existing, Statement: [...kept, ...[...ours].flatMap(([sid, deny]) => (statements.some((entry) => sidIn(entry) === sid) ? [] : [deny]))] });
  return text !== null && settledPolicy(text) === next ? text : next;
}

/**
 * A deny exempts by `aws:PrincipalArn`, `aws:PrincipalAccount` or `aws:PrincipalOrgID`, never by `NotPrincipal` or a
 * tag that an attacker can set. `…IfExists` and negated operators also hold where the key is absent, and so for
 * anonymous requests, which carry none of these keys.
 *
 * AWS services act for whoever asks them to. Those that say for what (`aws:SourceArn`: CloudFront for a distribution) are refused where that
 * is no resource of the account; by the account or the organisation of the source, where they say that too, they are let in. Sources in S3
 * are spared, since their ARNs name no account: they write access logs and inventories. What says nothing stays, and the plan says so.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_examples.html (EnforceConfusedDeputyProtection)
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html (`AWS:SourceArn` of the distribution)
 */
function denials({ level, incident, exempt, organizationId }: QuarantineOptions, state: BucketState): readonly { readonly [key: string]: Json }[] {
  const arn = `arn:aws:s3:::${state.bucket}`;
  const deny = (sid: string, Condition: Json): { readonly [key: string]: Json } => ({ Sid: `${sid}${incident.replaceAll(/[^A-Za-z0-9]/g, '')}`, Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [arn, `${arn}/*`], Condition });
  if (level === 'full') return [deny(SIDS.full, { ArnNotLike: { 'aws:PrincipalArn': [...exempt] } })];
  const inside: { readonly [key: string]: Json } = organizationId === null ? { 'aws:PrincipalAccount': state.account } : { 'aws:PrincipalOrgID': organizationId };
  return [
    deny(SIDS.external, { StringNotEquals: inside, BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' } }),
    deny(SIDS.services, {
      Bool: { 'aws:PrincipalIsAWSService': 'true' },
      Null: { 'aws:SourceArn': 'false' },
      ArnNotLike: { 'aws:SourceArn': [`arn:*:*:*:${state.account}:*`, 'arn:*:s3:::*'] },
      StringNotEqualsIfExists: { 'aws:SourceAccount': state.account, ...(organizationId === null ? {} : { 'aws:SourceOrgID': organizationId }) },
    }),
  ];
}

/** Rules that delete are switched off, not rewritten: their text stays for the restore. A bucket policy does not stop lifecycle. */
export function withoutExpiry(lifecycle: Lifecycle | null): Lifecycle | null {
  if (lifecycle === null) return null;
  const deletes = (rule: Readonly<Record<string, Json>>) => 'Expiration' in rule || 'NoncurrentVersionExpiration' in rule;
  return { ...lifecycle, Rules: lifecycle.Rules.map((rule) => (deletes(rule) ? { ...rule, Status: 'Disabled' } : rule)) };
}

function withTags(tags: readonly Tag[] | null, incident: string, level: Level): readonly Tag[] {
  return byKey([
    ...(tags ?? []).filter((tag) => !TAGS.has(tag.Key)),
    { Key: 'stopbath:incident', Value: incident },
    { Key: 'stopbath:level', Value: level },
  ]);
}

function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
