import { s3Of } from '../clients.ts';
import type { Json } from '../../core/bucket.ts';
import { denialTakenBack, othersIn, othersNote, othersRefusing, sameButOthers } from '../../core/denials.ts';
import { isPublicPolicy } from '../../core/exposure.ts';
import { parsePolicy, withoutDeleted } from '../../core/policy.ts';
import { deletedNote, same } from '../../core/quarantine/levels.ts';
import { hasUrlDenial, withUrlDenial } from '../../core/share/url-denial.ts';
import { readPolicy, refusesPublicPolicies, writePolicy, type BucketAddress } from '../bucket.ts';
import type { Tools } from '../function.ts';
import { lookAtCdn, primeCdn } from './cdn-look.ts';
import { distributionsOf, type CdnOrigin } from './distributions.ts';
import type { Planned, Reach, Seen, ShareContext, ShareKind } from './kind.ts';
import { askUrl, presigned, probeSession, sampleOf } from './outside.ts';
import { revocableSigners } from './signers.ts';

/**
 * URLs already handed out, at the bucket: presigned ones are denied there, and the distributions' reads. One write for both; an
 * invalidation comes after it.
 */
export const policyKind: ShareKind = {
  kind: 'policy',
  plan: async (context, tools) => {
    const planned = await Promise.all(context.reach.filter(leads).map((reach) => planBucket(reach, context, tools)));
    const isPlace = context.scope.kind === 'bucket' || context.scope.kind === 'prefix' || context.scope.kind === 'objects';
    const incomplete = isPlace || context.reachComplete || planned.length === 0 ? [] : ['Not every link of the scope was read: URLs of pictures that only the others lead to are not denied.'];
    return { changes: planned.flatMap(({ changes }) => changes), notes: [...planned.flatMap(({ notes }) => notes), ...incomplete] };
  },
  read: (setting, tools) => readPolicy(s3Of(tools.clients), addressOf(setting, tools)),
  write: async (change, context, tools) => {
    // What was in the caches before is what an invalidation has to take away: so it is put there, as viewers did.
    if (context.direction === 'contain') await primeCdn(context, tools);
    await writePolicy(s3Of(tools.clients), addressOf(change.setting, tools), { setting: change.setting, before: change.before, after: change.after, incident: context.incident.id });
  },
  takeBack: (entry, present) => {
    const { value, isNewer } = denialTakenBack(entry, present);
    if (same(value, present)) return { value: present, note: null };
    return { value: writable(textOf(value)).policy, note: isNewer ? `The policy of ${bucketOf(entry.setting)} was changed since: the newer one is kept, and only the denials of this incident are taken out.` : null };
  },
  beside: async ({ setting, incident }, value, _, tools) => {
    const policy = textOf(value);
    const notes = othersNote(othersIn(value, incident));
    if (policy === null || !isPublicPolicy(parsePolicy(policy)) || !(await refusesPublicPolicies(tools.clients, addressOf(setting, tools)))) return { refused: null, notes };
    return { refused: refusedNote(setting), notes };
  },
  stays: async ({ setting, incident }, { notes }, tools) => {
    if (!hasUrlDenial(await readPolicy(s3Of(tools.clients), addressOf(setting, tools)), incident)) return null;
    return notes.find((note) => note === refusedNote(setting)) ?? `The policy of ${bucketOf(setting)} has this incident's denial still.`;
  },
  holds: ({ after, incident }, present) => sameButOthers(present, after, incident),
  look: async (plan, context, tools) => {
    const changed = new Set(plan.changes.map(({ setting }) => setting));
    if (context.direction === 'contain') return (await Promise.all(context.reach.filter(({ bucket }) => changed.has(`policy:${bucket}`)).map((reach) => lookAtPresigned(reach, tools)))).flat();
    return (await Promise.all(context.reach.map((reach) => lookAtRestored(reach, changed, context, tools)))).flat();
  },
};

function refusedNote(setting: string): string {
  return `The policy of ${bucketOf(setting)} has a public statement, and its Block Public Access (a quarantine’s, perhaps) lets nobody write such a policy: what this incident denies there stays. Restore this again once the block is off.`;
}

/** After a restore nothing else asks the distributions. What another incident refuses says nothing of this one; what this one still denies is not restored. */
async function lookAtRestored(reach: Reach, changed: ReadonlySet<string>, { incident }: ShareContext, tools: Tools): Promise<readonly Seen[]> {
  const setting = `policy:${reach.bucket}`;
  const policy = await readPolicy(s3Of(tools.clients), addressOf(setting, tools));
  const stays = hasUrlDenial(policy, incident.id);
  if (!changed.has(setting) && !stays) return [];
  const [sample, presignedSeen, cdnSeen] = await Promise.all([sampleOf(tools, reach), lookAtPresigned(reach, tools), lookAtCdn([reach], tools)]);
  const others = othersRefusing(policy, incident.id, `arn:aws:s3:::${reach.bucket}/${sample?.key ?? ''}`);
  const told = (by: string | null) => ({ what, answer }: Seen): Seen => {
    if (stays) return { what: `${what} (the policy has this incident's denial still)`, answer };
    return by === null ? { what, answer } : { what: `${what} (${by} of another incident refuses it)`, answer, expected: answer === 'unknown' ? 'refused' : answer };
  };
  return [...presignedSeen.map(told(others.presigned)), ...cdnSeen.map(told(others.cdn))];
}

async function planBucket(reach: Reach, context: ShareContext, tools: Tools): Promise<Planned> {
  const setting = `policy:${reach.bucket}`;
  const [policy, cdns, signers] = await Promise.all([readPolicy(s3Of(tools.clients), addressOf(setting, tools)), distributionsOf(tools, reach.bucket, context.ahead?.distributions), revocableSigners(context, tools)]);
  const { objectTag } = tools.settings.STOPBATH_SHARES;
  const { policy: base, ids } = writable(policy);
  const denied = withUrlDenial(base, {
    incident: context.incident.id,
    bucket: reach.bucket,
    prefixes: reach.prefixes,
    keys: reach.keys,
    tag: objectTag !== null && context.scope.kind === 'album' ? { key: objectTag, value: context.scope.albumId } : null,
    spared: [...new Set(signers.filter(({ bucket }) => bucket === reach.bucket).map(({ role }) => role))],
    distributions: [...new Set(cdns.flatMap(({ access, arn }) => (access === 'control' ? [arn] : [])))],
    identities: [...new Set(cdns.flatMap(({ access }) => (typeof access === 'object' ? [access.identity] : [])))],
  });
  const notes = [...denied.notes, ...openNotes(cdns)];
  if (denied.policy === null || same(denied.policy, base)) return { changes: [], notes };
  if (isPublicPolicy(parsePolicy(denied.policy)) && (await refusesPublicPolicies(tools.clients, addressOf(setting, tools)))) {
    return { changes: [], notes: [`The policy of ${reach.bucket} has a public statement, and its Block Public Access (a quarantine’s, perhaps) lets nobody write such a policy: presigned URLs and CloudFront are not denied there. Level full of quarantine-bucket stops them; or start this again once the block is off.`] };
  }
  if (ids.length > 0) notes.push(deletedNote(ids));
  const title = cdns.length === 0 ? 'Deny presigned URLs of the affected pictures' : 'Deny presigned URLs of the affected pictures, and the reads of CloudFront';
  return { changes: [{ setting, title, before: policy, after: denied.policy }], notes };
}

function openNotes(cdns: readonly CdnOrigin[]): readonly string[] {
  const open = [...new Set(cdns.filter(({ access }) => access === 'none').map(({ id }) => id))];
  return open.length === 0 ? [] : [`${open.join(', ')} read the bucket as anybody does, without origin access control: they go on serving what is public. Quarantine the bucket.`];
}

/** The denial asks how a request is signed, so a URL that the probe signs now stands for all. */
async function lookAtPresigned(reach: Reach, tools: Tools): Promise<readonly Seen[]> {
  const what = `a presigned URL of a picture in ${reach.bucket}`;
  const [session, sample] = await Promise.all([probeSession(tools), sampleOf(tools, reach)]);
  // Where there is no object there is no URL to die.
  if (!sample) return [];
  if (!session) return [{ what: `${what} (there is no probe role)`, answer: 'unknown' }];
  return [{ what, answer: await askUrl(await presigned(session, tools.settings.AWS_REGION, sample)) }];
}

function leads({ prefixes, keys }: Reach): boolean {
  return prefixes.length + keys.length > 0;
}

function bucketOf(setting: string): string {
  return setting.slice(setting.indexOf(':') + 1);
}

function addressOf(setting: string, { settings }: Tools): BucketAddress {
  return { bucket: bucketOf(setting), account: settings.STOPBATH_ACCOUNT, region: settings.AWS_REGION };
}

/** What S3 takes of a policy that it gave. */
function writable(policy: string | null): ReturnType<typeof withoutDeleted> {
  return policy === null ? { policy, ids: [] } : withoutDeleted(policy);
}

function textOf(value: Json): string | null {
  return typeof value === 'string' ? value : null;
}
