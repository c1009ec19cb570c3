import { DeleteRolePolicyCommand, GetRolePolicyCommand, ListRolePoliciesCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import { z } from 'zod';
import { settled } from '../ahead.ts';
import { readPolicy } from '../bucket.ts';
import { iamOf, s3Of, ssmOf } from '../clients.ts';
import type { Json } from '../../core/bucket.ts';
import { othersRefusing } from '../../core/denials.ts';
import { same } from '../../core/quarantine/levels.ts';
import { AHEAD_SECONDS, isDenialOfOthers, plannedSessionPolicy, ROLE_POLICIES_LIMIT, sessionPolicy, sessionPolicyName } from '../../core/share/sessions.ts';
import { codeOf } from '../errors.ts';
import type { Tools } from '../function.ts';
import { memberTools, type Purpose } from '../member.ts';
import type { Seen, ShareAhead, ShareAim, ShareContext, ShareKind, SignerState } from './kind.ts';
import { askUrl, presigned, sampleOf, sessionOf } from './outside.ts';

type Signer = Tools['settings']['STOPBATH_SHARES']['signers'][number];

/** The older sessions of the roles that sign URLs: they are denied everything, and the service assumes the role again. */
export const signerKind: ShareKind = {
  kind: 'signer',
  plan: async (context, tools) => {
    const wanted = signersOf(context, tools);
    const able = await revocableSigners(context, tools);
    const changes = await Promise.all(
      rolesOf(able).map(async (role) => {
        const setting = `signer:${role}`;
        const { denial: before } = await stateOf(role, context, tools);
        // Again in a second containment: what was signed since the first dies too. What somebody else wrote under the name stays.
        return { setting, title: `Deny the sessions of ${nameOf(role)} from before the change`, before, after: isOurs(before) || before === null ? sessionPolicy() : before };
      }),
    );
    const full = rolesOf(wanted).filter((role) => !rolesOf(able).includes(role));
    return {
      changes: changes.filter(({ before, after }) => !same(before, after)),
      notes: [
        ...(changes.length === 0 ? [] : [`Every URL that ${rolesOf(able).map(nameOf).join(', ')} signed before, of whatever picture, is dead. The service assumes the role again; in the first ${AHEAD_SECONDS} seconds it is refused.`]),
        ...full.map((role) => `The inline policies of ${nameOf(role)} have no room (${ROLE_POLICIES_LIMIT} characters): its older sessions go on, and so its URLs are denied at the bucket instead.`),
      ],
    };
  },
  read: (setting, tools, aim) => denialOf(roleOf(setting), aim, tools),
  write: async ({ setting, after }, context, tools) => {
    const named = { RoleName: nameOf(roleOf(setting)), PolicyName: sessionPolicyName(context.incident.id) };
    const iam = iamAt(roleOf(setting), 'contain-signers', context, tools);
    if (after === null) {
      await absentAsNull(iam.send(new DeleteRolePolicyCommand(named)));
      return;
    }
    await keepOldSession(roleOf(setting), context, tools);
    const at = new Date(Date.parse(tools.now()) + AHEAD_SECONDS * 1000).toISOString();
    await iam.send(new PutRolePolicyCommand({ ...named, PolicyDocument: JSON.stringify(sessionPolicy(at)) }));
  },
  // The moment is the change's own: any other than the one before it is the one that was asked for.
  isDone: ({ before, after }, present) => isOurs(present) && same(after, sessionPolicy()) && !same(present, before),
  holds: ({ after }, present) => isOurs(present) && same(after, sessionPolicy()),
  takeBack: (entry, present) => {
    // Before an incident's first containment nobody has its policy.
    if (isOurs(present) || present === null) return { value: null, note: null };
    return { value: present, note: `The policy of ${nameOf(roleOf(entry.setting))} that denies older sessions was changed since: it is kept as it is.` };
  },
  beside: async ({ setting }, _, aim, tools) => {
    const RoleName = nameOf(roleOf(setting));
    const { PolicyNames = [] } = await iamAt(roleOf(setting), 'read', aim, tools).send(new ListRolePoliciesCommand({ RoleName }));
    const others = PolicyNames.filter((name) => isDenialOfOthers(name, sessionPolicyName(aim.incident.id)));
    return { refused: null, notes: others.length === 0 ? [] : [`What another incident denies ${RoleName} stays, and so do the URLs that die by it, until that one is restored: ${others.join(', ')}.`] };
  },
  look: async (plan, context, tools) => {
    // Sessions from before a containment have ended by the time of most restores: there is nothing to ask.
    if (context.direction === 'restore') return [];
    const roles = plan.changes.filter(({ setting }) => setting.startsWith('signer:')).map(({ setting }) => roleOf(setting));
    return (await Promise.all(roles.map((role) => lookAtSigner(role, context, tools)))).flat();
  },
  done: async (plan, context, tools) => {
    const roles = plan.changes.filter(({ setting }) => setting.startsWith('signer:')).map(({ setting }) => roleOf(setting));
    await Promise.all(roles.map((role) => ssmOf(tools.clients).send(new DeleteParameterCommand({ Name: parameterOf(role, context, tools) })).catch(parameterAbsent)));
  },
};

/** Signers of the affected buckets, or the one that issued the URLs, whose role has room for one more policy. */
export async function revocableSigners(context: ShareContext, tools: Tools): Promise<readonly Signer[]> {
  const wanted = signersOf(context, tools);
  const states = new Map(await Promise.all(rolesOf(wanted).map(async (role) => [role, await stateOf(role, context, tools)] as const)));
  return wanted.filter(({ role }) => states.get(role)?.hasRoom === true);
}

/** Begins to read every signer that links of a scope may have to do with, while the links are looked for. */
export function readSigners(aim: ShareAim, tools: Tools): ShareAhead['signers'] {
  const { scope } = aim;
  const { signers } = tools.settings.STOPBATH_SHARES;
  const near = scope.kind === 'objects' ? [] : 'bucket' in scope ? signers.filter(({ bucket }) => bucket === scope.bucket) : signers;
  return new Map(rolesOf(near).map((role) => [role, settled(readSigner(role, aim, tools))]));
}

/** Of single objects no URL has to go on: they are denied to every signature, and the signers are left alone. */
function signersOf({ scope, reach }: ShareContext, { settings }: Tools): readonly Signer[] {
  if (scope.kind === 'objects') return [];
  const { signers } = settings.STOPBATH_SHARES;
  const buckets = new Set(reach.filter(({ prefixes, keys }) => prefixes.length + keys.length > 0).map(({ bucket }) => bucket));
  return signers.filter(({ role, bucket }) => buckets.has(bucket) || (scope.kind === 'issuer' && scope.principal === role));
}

async function stateOf(role: string, context: ShareContext, tools: Tools): Promise<SignerState> {
  const begun = context.ahead?.signers.get(role);
  return begun ? (await begun)() : await readSigner(role, context, tools);
}

async function readSigner(role: string, aim: ShareAim, tools: Tools): Promise<SignerState> {
  const [room, denial] = await Promise.all([hasRoom(role, aim, tools), denialOf(role, aim, tools)]);
  return { hasRoom: room, denial };
}

async function hasRoom(role: string, aim: ShareAim, tools: Tools): Promise<boolean> {
  const own = sessionPolicyName(aim.incident.id);
  const RoleName = nameOf(role);
  const iam = iamAt(role, 'read', aim, tools);
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  if (PolicyNames.includes(own)) return true;
  const sizes = await Promise.all(PolicyNames.map(async (PolicyName) => decodeURIComponent((await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))).PolicyDocument ?? '').replaceAll(/\s/g, '').length));
  return sizes.reduce((sum, size) => sum + size, JSON.stringify(sessionPolicy(new Date(0).toISOString())).length) <= ROLE_POLICIES_LIMIT;
}

async function denialOf(role: string, aim: ShareAim, tools: Tools): Promise<Json> {
  const found = await absentAsNull(iamAt(role, 'read', aim, tools).send(new GetRolePolicyCommand({ RoleName: nameOf(role), PolicyName: sessionPolicyName(aim.incident.id) })));
  return found?.PolicyDocument === undefined ? null : (JSON.parse(decodeURIComponent(found.PolicyDocument)) as Json);
}

/** IAM where the signer is: in a member account through that account's role for a purpose. */
function iamAt(role: string, purpose: Purpose, { incident }: ShareAim, tools: Tools): ReturnType<typeof iamOf> {
  return iamOf(memberTools(tools, accountOf(role), purpose, incident.id).clients);
}

function isOurs(document: Json): boolean {
  return same(plannedSessionPolicy(document), sessionPolicy());
}

/** What is kept between the change and the looks: as little as can show that the change works. */
const keptSchema = z.strictObject({
  session: z.strictObject({ accessKeyId: z.string(), secretAccessKey: z.string(), sessionToken: z.string(), expiresAt: z.string() }),
  bucket: z.string(),
  key: z.string(),
  served: z.boolean(),
});
/** Long enough for the sweep's neighbours and the looks; a session that a session assumed lasts no longer. */
const KEPT_SECONDS = 3_600;

/**
 * Keeps a session from before the change, which nobody can make afterwards: encrypted in Parameter Store, able to read one
 * object, and dead with the change that it proves. The first try's is kept. Containment does not wait for it. The looks delete it;
 * where none ever ends, Parameter Store does, when the session has ended too.
 *
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html (Expiration; of the advanced tier, which costs cents a month)
 */
async function keepOldSession(role: string, context: ShareContext, tools: Tools): Promise<void> {
  try {
    const place = await placeOf(role, context, tools);
    const session = place && (await sessionOf(tools, role, place, KEPT_SECONDS));
    if (!place || !session) return;
    const isServed = async () => (await askUrl(await presigned(session, tools.settings.AWS_REGION, place))) === 'served';
    // An answer that is lost would leave nothing to prove the change by: it is asked for twice.
    const served = (await isServed()) || (await isServed());
    const Policies = JSON.stringify([{ Type: 'Expiration', Version: '1.0', Attributes: { Timestamp: session.expiresAt } }]);
    await ssmOf(tools.clients).send(new PutParameterCommand({ Name: parameterOf(role, context, tools), Type: 'SecureString', Tier: 'Advanced', Policies, Value: JSON.stringify({ session, ...place, served }) }));
  } catch (error) {
    if (codeOf(error) !== 'ParameterAlreadyExists') tools.log.warn(`no session of ${nameOf(role)} is kept to look with: ${error instanceof Error ? error.name : 'error'}`);
  }
}

async function lookAtSigner(role: string, context: ShareContext, tools: Tools): Promise<readonly Seen[]> {
  const old = `a URL that an older session of ${nameOf(role)} signs`;
  const kept = await keptSession(role, context, tools);
  if (!kept) return [{ what: `${old} (none could be kept: does the role let the probe in?)`, answer: 'unknown' }];
  const region = tools.settings.AWS_REGION;
  const isUsable = kept.served && Date.parse(kept.session.expiresAt) > Date.parse(tools.now());
  const fresh = await sessionOf(tools, role, kept, 900).catch(() => null);
  const [before, after] = await Promise.all([isUsable ? presigned(kept.session, region, kept).then(askUrl) : ('unknown' as const), fresh ? presigned(fresh, region, kept).then(askUrl) : ('unknown' as const)]);
  const { presigned: by } = othersRefusing(await readPolicy(s3Of(tools.clients), { ...kept, account: tools.settings.STOPBATH_ACCOUNT, region }), context.incident.id, `arn:aws:s3:::${kept.bucket}/${kept.key}`);
  const why = [...(isUsable ? [] : ['it was not served before, or has ended']), ...(by === null || after === 'served' ? [] : [`${by} of another incident refuses it`])];
  return [
    { what: why.length === 0 ? old : `${old} (${why.join('; ')})`, answer: before, expected: 'refused' },
    { what: `a URL that ${nameOf(role)} signs now`, answer: after, expected: 'served' },
  ];
}

async function keptSession(role: string, context: ShareContext, tools: Tools): Promise<z.infer<typeof keptSchema> | null> {
  const found = await ssmOf(tools.clients).send(new GetParameterCommand({ Name: parameterOf(role, context, tools), WithDecryption: true })).catch(parameterAbsent);
  return found?.Parameter?.Value === undefined ? null : keptSchema.parse(JSON.parse(found.Parameter.Value));
}

/** An object that the signer signs for; one of the scope, where it has any there. */
async function placeOf(role: string, context: ShareContext, tools: Tools): Promise<{ readonly bucket: string; readonly key: string } | null> {
  const signers = signersOf(context, tools).filter((signer) => signer.role === role);
  const affected = context.reach.find(({ bucket }) => signers.some((signer) => signer.bucket === bucket));
  const sample = affected && (await sampleOf(tools, affected));
  if (sample) return sample;
  const [signer] = signers;
  return signer ? await sampleOf(tools, { bucket: signer.bucket, prefixes: [signer.prefix], keys: [] }) : null;
}

function parameterOf(role: string, { execution }: ShareContext, { settings }: Tools): string {
  return `/${settings.STOPBATH_NAME}/probe/${execution}/${accountOf(role)}/${nameOf(role)}`;
}

function rolesOf(signers: readonly Signer[]): readonly string[] {
  return [...new Set(signers.map(({ role }) => role))];
}

function roleOf(setting: string): string {
  return setting.slice(setting.indexOf(':') + 1);
}

function accountOf(role: string): string {
  return role.split(':')[4] ?? '';
}

function nameOf(role: string): string {
  return role.split('/').at(-1) ?? role;
}

async function absentAsNull<T>(call: Promise<T>): Promise<T | null> {
  return await call.catch((error: unknown) => {
    if (codeOf(error) === 'NoSuchEntityException' || codeOf(error) === 'NoSuchEntity') return null;
    throw error;
  });
}

function parameterAbsent(error: unknown): null {
  if (codeOf(error) === 'ParameterNotFound') return null;
  throw error;
}
