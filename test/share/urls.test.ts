import { Logger } from '@aws-lambda-powertools/logger';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetBucketPolicyCommand, GetObjectCommand, PutBucketPolicyCommand, PutObjectTaggingCommand } from '@aws-sdk/client-s3';
import { GetRolePolicyCommand } from '@aws-sdk/client-iam';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settled } from '../../aws/ahead.ts';
import { createClients, iamOf, s3Of, ssmOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { createIncident, savePlan } from '../../aws/incidents.ts';
import { complete } from '../../aws/ledger.ts';
import { readSettings } from '../../aws/settings.ts';
import type { Seen, ShareContext } from '../../aws/share/kind.ts';
import { listDistributions } from '../../aws/share/distributions.ts';
import { AFTER_SWEEP, kindOf, presentFor } from '../../aws/share/kinds.ts';
import { readSigners } from '../../aws/share/signers.ts';
import type { Json } from '../../core/bucket.ts';
import { remaining, StateMovedError } from '../../core/apply.ts';
import type { Change, LedgerEntry, Plan } from '../../core/incident.ts';
import { settledPolicy } from '../../core/policy.ts';
import type { Shares as SharesConfig } from '../../core/share/config.ts';
import { lookAtRevocation } from '../../functions/revoke-share-links-verify/look.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { seedPhotos, type Photos } from '../../sandbox/photos/seed.ts';
import { DISTRIBUTION, seedShares, type Opened, type Shares } from '../../sandbox/photos/shares.ts';
import { incidentAbout } from './stage.ts';

/** The kinds of change that close URLs, on an account in a box over HTTP: planned, made, looked at and taken back. */
let account: Account;
let photos: Photos;
let shares: Shares;
let tools: Tools;
const saved = { ...process.env };

beforeEach(async () => {
  // Date alone: sandbox, SDK and tools agree on it, and timers go on.
  vi.useFakeTimers({ toFake: ['Date'] });
  account = await startAccount({ invalidationMs: 5_000 });
  photos = await seedPhotos(account, () => account.s3.settle());
  shares = await seedShares(account, photos);
  await makeProbe();
  tools = await toolsWith(shares.config);
});
afterEach(async () => {
  process.env = { ...saved };
  await shares.close();
  await account.stop();
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);
const status = async (url = ''): Promise<number> => (await fetch(url)).status;
const policy = async () => settledPolicy((await s3Of(tools.clients).send(new GetBucketPolicyCommand({ Bucket: photos.family }))).Policy ?? '');

async function makeProbe(): Promise<void> {
  const arn = account.createRole('stopbath-test-probe', {
    trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account.accounts.home}:user/admin` }, Action: 'sts:AssumeRole' }] },
    policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket'], Resource: 'arn:aws:s3:::*' }, { Effect: 'Allow', Action: 'sts:AssumeRole', Resource: photos.roles.signer }] },
  });
  process.env['STOPBATH_PROBE_ROLE_ARN'] = arn;
}

async function toolsWith(config: SharesConfig): Promise<Tools> {
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: account.endpoint, AWS_ACCESS_KEY_ID: account.admin.accessKeyId, AWS_SECRET_ACCESS_KEY: account.admin.secretAccessKey,
    AWS_LAMBDA_FUNCTION_NAME: 'test', STOPBATH_NAME: 'stopbath-test', STOPBATH_ACCOUNT: account.accounts.home, STOPBATH_TABLE: 'stopbath-test', STOPBATH_EVIDENCE_BUCKET: 'evidence', STOPBATH_SHARES: JSON.stringify(config),
  });
  const dynamo = new DynamoDBClient({});
  const key = (name: string, type: 'HASH' | 'RANGE') => ({ AttributeName: name, KeyType: type });
  await dynamo
    .send(new CreateTableCommand({ TableName: 'stopbath-test', BillingMode: 'PAY_PER_REQUEST', AttributeDefinitions: ['pk', 'sk'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })), KeySchema: [key('pk', 'HASH'), key('sk', 'RANGE')] }))
    .catch((error: unknown) => (error instanceof Error && error.name === 'ResourceInUseException' ? null : Promise.reject(error)));
  dynamo.destroy();
  return { settings: readSettings(process.env), clients: createClients('us-east-1'), log: new Logger({ serviceName: 'test', logLevel: 'SILENT' }), now: () => new Date().toISOString(), remainingMs: () => 900_000 };
}

const contextOf = (more: Partial<ShareContext> = {}): ShareContext => ({
  incident: incidentAbout('inc-1', {}, {}),
  direction: 'contain',
  execution: 'inc-1-contain-1',
  scope: { kind: 'album', albumId: 'summer-2026' },
  reach: [{ bucket: photos.family, prefixes: ['albums/summer-2026/'], keys: [] }],
  reachComplete: true,
  ...more,
});

interface Made {
  readonly plan: Plan;
  readonly ledger: readonly LedgerEntry[];
}

async function planOf(context: ShareContext): Promise<Plan> {
  const planned: { changes: Change[]; notes: string[] } = { changes: [], notes: [] };
  for (const kind of AFTER_SWEEP) {
    const { changes, notes } = await kind.plan(context, tools);
    planned.changes.push(...changes.map((change, index) => ({ seq: planned.changes.length + index + 1, ...change })));
    planned.notes.push(...notes);
  }
  const { incident, direction } = context;
  return { incident: incident.id, playbook: 'revoke-share-links', direction, target: incident.target, level: null, digest: 'd', impact: {}, plannedAt: tools.now(), ...planned };
}

async function make(context: ShareContext, plan: Plan): Promise<readonly LedgerEntry[]> {
  for (const change of plan.changes) await kindOf(change.setting).write(change, context, tools);
  return plan.changes.map((change) => ({ ...change, incident: context.incident.id, direction: context.direction, execution: context.execution, digest: plan.digest, intendedAt: tools.now(), doneAt: tools.now(), result: 'done' as const }));
}

async function contain(context = contextOf()): Promise<Made> {
  const plan = await planOf(context);
  return { plan, ledger: await make(context, plan) };
}

async function restore({ ledger }: Made): Promise<{ readonly notes: readonly string[]; readonly seen: readonly Seen[] }> {
  const context = contextOf({ direction: 'restore', execution: 'inc-1-restore-1' });
  const changes: Change[] = [];
  const notes: string[] = [];
  for (const entry of ledger.toReversed()) {
    const kind = kindOf(entry.setting);
    const before = await kind.read(entry.setting, tools, context);
    const { value, note } = kind.takeBack(entry, before);
    if (note !== null) notes.push(note);
    if (JSON.stringify(value) !== JSON.stringify(before)) changes.push({ seq: changes.length + 1, setting: entry.setting, title: `Undo: ${entry.title}`, before, after: value });
  }
  const plan: Plan = { ...(await planOf(contextOf({ reach: [] }))), direction: 'restore', changes };
  await make(context, plan);
  return { notes, seen: await looks(context, plan) };
}

async function looks(context: ShareContext, plan: Plan): Promise<readonly Seen[]> {
  return (await Promise.all(AFTER_SWEEP.map(async (kind) => (await kind.look?.(plan, context, tools)) ?? []))).flat();
}

const wrong = (seen: readonly Seen[], right: 'refused' | 'served') => seen.filter(({ answer, expected = right }) => answer !== expected);
const completed = async ({ plan }: Made): Promise<readonly (string | null)[]> => await Promise.all(plan.changes.map(async (change) => (await kindOf(change.setting).pending?.(change, tools, contextOf())) ?? null));
const first = ({ pictures }: Opened) => pictures[0];

describe('URLs already handed out', () => {
  it('die, each kind for its own reason, while the rest of the service goes on; and live again after the restore', async () => {
    const [album, other, before] = [first(await shares.open(shares.links.album.url)), first(await shares.open(shares.links.other.url)), await policy()];
    expect(await Promise.all([album?.original, album?.preview, other?.original, other?.preview].map(status))).toEqual([200, 200, 200, 200]);
    pass(1);

    const made = await contain();
    expect(made.plan.changes.map(({ setting }) => setting)).toEqual([`signer:${photos.roles.signer}`, `policy:${photos.family}`, `cdn:${DISTRIBUTION}`]);
    // The origin denies by now; the cache still serves, until the invalidation is through.
    expect([await status(album?.original), await status(album?.preview)]).toEqual([403, 200]);
    expect((await completed(made)).filter((why) => why !== null)).toEqual([expect.stringContaining(`of ${DISTRIBUTION} is in progress`)]);
    pass(5);
    expect((await completed(made)).filter((why) => why !== null)).toEqual([]);
    expect([await status(album?.preview), await status(other?.preview)]).toEqual([403, 200]);

    // A signed header goes on: the service itself is not locked out.
    const service = await photos.s3('photo-service');
    await service.send(new GetObjectCommand({ Bucket: photos.family, Key: album?.key ?? '' }));
    service.destroy();
    // Within the seconds ahead of the change the signer's new sessions count as old; then its new URLs live.
    expect((await shares.open(shares.links.other.url)).status).toBe(503);
    pass(6);
    const again = first(await shares.open(shares.links.album.url));
    expect([await status(again?.original), await status(again?.preview)]).toEqual([200, 403]);

    const seen = await looks(contextOf(), made.plan);
    expect(seen.map(({ what }) => what)).toEqual(['a URL that an older session of photo-signer signs', 'a URL that photo-signer signs now', `a presigned URL of a picture in ${photos.family}`, `a CloudFront URL of ${DISTRIBUTION}`]);
    expect(wrong(seen, 'refused')).toEqual([]);

    const restored = await restore(made);
    expect(restored.notes).toEqual([]);
    expect(wrong(restored.seen, 'served')).toEqual([]);
    expect(await Promise.all([album?.original, album?.preview, again?.preview].map(status))).toEqual([200, 200, 200]);
    expect(await policy()).toBe(before);
  });

  it('keep no secret but one session that can read one object, where only the looks find it, until nobody looks', async () => {
    pass(1);
    const { plan } = await contain();
    const Name = '/stopbath-test/probe/inc-1-contain-1/111122223333/photo-signer';
    const kept = JSON.parse((await ssmOf(tools.clients).send(new GetParameterCommand({ Name, WithDecryption: true }))).Parameter?.Value ?? '{}') as { readonly session?: { readonly sessionToken: string }; readonly served?: boolean };
    expect(kept.served).toBe(true);
    expect(JSON.stringify(plan)).not.toContain(kept.session?.sessionToken);
    expect(JSON.stringify(plan)).not.toMatch(/X-Amz-|Signature=/);
    await Promise.all(AFTER_SWEEP.map(async (kind) => await kind.done?.(plan, contextOf(), tools)));
    await expect(ssmOf(tools.clients).send(new GetParameterCommand({ Name }))).rejects.toThrow(expect.objectContaining({ name: 'ParameterNotFound' }));
    expect((await looks(contextOf(), plan))[0]).toMatchObject({ answer: 'unknown', what: expect.stringContaining('none could be kept') });
  });

  it('of a compromised signer die although no link is affected', async () => {
    const stolen = first(await shares.open(shares.links.other.url))?.original;
    pass(1);
    const context = contextOf({ scope: { kind: 'issuer', principal: photos.roles.signer, since: '2026-01-01T00:00:00.000Z' }, reach: [] });
    const { plan } = await contain(context);
    expect(plan.changes.map(({ setting }) => setting)).toEqual([`signer:${photos.roles.signer}`]);
    pass(11);
    const fresh = first(await shares.open(shares.links.other.url))?.original;
    expect([await status(stolen), await status(fresh)]).toEqual([403, 200]);
    expect(wrong(await looks(context, plan), 'refused')).toEqual([]);
    // Where no look ever ends (the execution was stopped), the kept session is not left behind.
    const Name = '/stopbath-test/probe/inc-1-contain-1/111122223333/photo-signer';
    await ssmOf(tools.clients).send(new GetParameterCommand({ Name }));
    pass(3_600);
    await expect(ssmOf(tools.clients).send(new GetParameterCommand({ Name }))).rejects.toThrow(expect.objectContaining({ name: 'ParameterNotFound' }));
  });

  it('are planned alike by what was read before it was known where the links lead to, and no signer of another bucket has to be readable', async () => {
    const gone = 'arn:aws:iam::111122223333:role/long-gone';
    tools = await toolsWith({ ...shares.config, signers: [...shares.config.signers, { role: gone, bucket: 'elsewhere', prefix: 'albums/' }] });
    const ahead = { distributions: settled(listDistributions(tools)), signers: readSigners(contextOf(), tools) };
    expect((await planOf(contextOf({ ahead }))).changes).toEqual((await planOf(contextOf())).changes);
    expect(await ahead.signers.get(gone)).toThrow(expect.objectContaining({ name: 'NoSuchEntityException' }));
    const near = readSigners(contextOf({ scope: { kind: 'prefix', bucket: photos.family, prefix: 'albums/' } }), tools);
    expect([...near.keys()]).not.toContain(gone);
    await Promise.all(near.values());
  });

  it('that were handed out since die in a second containment, and a restore of both lets the role be as it was', async () => {
    const first = await contain();
    pass(11);
    const between = (await shares.open(shares.links.album.url)).pictures[0]?.original;
    expect(await status(between)).toBe(200);
    pass(1);
    const again = contextOf({ execution: 'inc-1-contain-2' });
    const second = await contain(again);
    expect(second.plan.changes[0]?.setting).toBe(`signer:${photos.roles.signer}`);
    pass(11);
    const after = (await shares.open(shares.links.album.url)).pictures[0]?.original;
    expect([await status(between), await status(after)]).toEqual([403, 200]);
    expect(wrong((await looks(again, second.plan)).filter(({ what }) => what.includes('photo-signer')), 'refused')).toEqual([]);

    const { notes } = await restore({ plan: second.plan, ledger: [...first.ledger, ...second.ledger] });
    expect(notes).toEqual([]);
    expect(await status(between)).toBe(200);
    await expect(iamOf(tools.clients).send(new GetRolePolicyCommand({ RoleName: 'photo-signer', PolicyName: 'StopbathRevokeOlderSessions-inc-1' }))).rejects.toThrow();
  });

  it('are all denied at the bucket where no signer is known, and the plan says what that costs', async () => {
    tools = await toolsWith({ ...shares.config, signers: [] });
    const { plan } = await contain();
    expect(plan.notes.join(' ')).toContain('also those that the service hands out from now on');
    const now = first(await shares.open(shares.links.album.url));
    expect(await status(now?.original)).toBe(403);
    expect(await status(first(await shares.open(shares.links.other.url))?.original)).toBe(200);
  });

  it('of a signer in a bucket that another incident closes to everybody are dead, and why that cannot be seen is said', async () => {
    const document = JSON.parse(await policy()) as { readonly Statement: readonly object[] };
    const full = { Sid: 'StopbathFullinc9', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: [`arn:aws:s3:::${photos.family}`, `arn:aws:s3:::${photos.family}/*`], Condition: { ArnNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${account.accounts.home}:user/admin` } } };
    await s3Of(tools.clients).send(new PutBucketPolicyCommand({ Bucket: photos.family, Policy: JSON.stringify({ ...document, Statement: [...document.Statement, full] }) }));
    const { plan } = await contain();
    pass(11);
    expect((await looks(contextOf(), plan))[0]).toMatchObject({ answer: 'unknown', what: expect.stringContaining('StopbathFullinc9 of another incident refuses it') });
  });

  it('of a single object are denied to every signature, and nobody else notices', async () => {
    const key = 'albums/summer-2026/0001.jpg';
    const before = await shares.open(shares.links.album.url);
    const context = contextOf({ scope: { kind: 'objects', bucket: photos.family, objectKeys: [key] }, reach: [{ bucket: photos.family, prefixes: [], keys: [key] }], reachComplete: false });
    const { plan } = await contain(context);
    expect(plan.changes.map(({ setting }) => setting)).toEqual([`policy:${photos.family}`, `cdn:${DISTRIBUTION}`]);
    expect(plan.notes.join(' ')).not.toContain('Not every link');
    pass(5);
    const now = await shares.open(shares.links.album.url);
    expect(now.status).toBe(200);
    const urls = [...before.pictures.slice(0, 2), ...now.pictures.slice(0, 2)].flatMap(({ original, preview }) => [original, preview]);
    expect(await Promise.all(urls.map(status))).toEqual([403, 403, 200, 200, 403, 403, 200, 200]);
    expect(wrong(await looks(context, plan), 'refused')).toEqual([]);
  });

  it('stay denied by what somebody else wrote since, and what they wrote stays after a restore', async () => {
    const made = await contain();
    const theirs = { Sid: 'Theirs', Effect: 'Allow', Principal: { AWS: photos.roles.printLab }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${photos.family}/prints/*` };
    const document = JSON.parse(await policy()) as { readonly Statement: readonly object[] };
    await s3Of(tools.clients).send(new PutBucketPolicyCommand({ Bucket: photos.family, Policy: JSON.stringify({ ...document, Statement: [...document.Statement, theirs] }) }));
    const { notes } = await restore(made);
    expect(notes).toEqual([expect.stringContaining('the newer one is kept, and only the denials of this incident are taken out')]);
    const after = JSON.parse(await policy()) as { readonly Statement: readonly { readonly Sid: string }[] };
    expect(after.Statement.map(({ Sid }) => Sid)).toEqual(['Cdn', 'PhotoService', 'PrintLab', 'Theirs']);
  });

  it('die beside what another incident has denied since the plan: it is not written over; nor is what somebody else wrote', async () => {
    const { changes } = await planOf(contextOf());
    const change = changes.find(({ setting }) => setting.startsWith('policy:'));
    const put = async (Sid: string) => {
      const document = JSON.parse(await policy()) as { readonly Statement: readonly object[] };
      const Statement = [...document.Statement, { Sid, Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${photos.family}/*`, Condition: { StringEquals: { 'aws:PrincipalAccount': '999988887777' } } }];
      await s3Of(tools.clients).send(new PutBucketPolicyCommand({ Bucket: photos.family, Policy: JSON.stringify({ ...document, Statement }) }));
    };
    const sids = async () => (JSON.parse(await policy()) as { readonly Statement: readonly { readonly Sid: string }[] }).Statement.map(({ Sid }) => Sid);
    if (!change) throw new Error('the plan has no change of the policy');
    await put('StopbathExternalinc9');
    await kindOf(change.setting).write(change, contextOf(), tools);
    expect(await sids()).toEqual(expect.arrayContaining(['StopbathUrlsinc1Presigned', 'StopbathExternalinc9']));
    await put('Theirs');
    await expect(kindOf(change.setting).write(change, contextOf(), tools)).rejects.toThrow(StateMovedError);
    expect(await sids()).toContain('Theirs');
  });

  it('of a bucket that no fetched link leads to: a restore that has left their denial is not called right', async () => {
    const context = contextOf({ direction: 'restore', execution: 'inc-1-restore-1' });
    const { incident } = context;
    await createIncident(tools, incident);
    for (const entry of (await contain()).ledger.filter(({ setting }) => setting.startsWith('policy:'))) await complete(tools, entry);
    const plan: Plan = { ...(await planOf(contextOf({ reach: [] }))), direction: 'restore', changes: [], impact: { sampledLinks: [] }, notes: [] };
    await savePlan(tools, plan);
    const look = async () => await lookAtRevocation({ incident: incident.id, direction: 'restore', execution: context.execution, streak: 0, looks: tools.settings.STOPBATH_VERIFY_MAX_LOOKS - 1 }, tools);
    expect(await look()).toMatchObject({ verdict: 'unverified', reason: expect.stringContaining(`The policy of ${photos.family} has this incident's denial still`) });
  });

  it('are changed once, however often a try is repeated', async () => {
    const context = contextOf();
    const made = await contain(context);
    const now = new Map<string, Json>();
    for (const change of made.plan.changes) now.set(change.setting, await presentFor(change, context, tools));
    expect(remaining(made.plan.changes, (setting) => now.get(setting) ?? null)).toEqual([]);
    await make(context, made.plan);
    expect(account.calls.filter(({ operation, error }) => operation === 'CreateInvalidation' && error === null)).toHaveLength(2);
    pass(20);
    expect(await completed(made)).toEqual([null, null, null]);
    // A second containment moves the moment of the sessions on, and empties the cache again; the policy says all of it already.
    expect((await planOf(context)).changes.map(({ setting }) => setting)).toEqual([`signer:${photos.roles.signer}`, `cdn:${DISTRIBUTION}`]);
  });

  it('are denied by the objects\' tag where the places do not fit the policy: what carries the album\'s tag dies, and nothing else', async () => {
    const [mine, other] = ['albums/summer-2026/0001.jpg', 'albums/summer-2026/0002.jpg'];
    await s3Of(tools.clients).send(new PutObjectTaggingCommand({ Bucket: photos.family, Key: mine, Tagging: { TagSet: [{ Key: 'album', Value: 'summer-2026' }] } }));
    const urls = (await shares.open(shares.links.album.url)).pictures;
    const of = (key: string) => urls.find((picture) => picture.key === key)?.original;
    tools = await toolsWith({ ...shares.config, signers: [], objectTag: 'album' });
    const context = contextOf({ reach: [{ bucket: photos.family, prefixes: [], keys: [mine, ...Array.from({ length: 500 }, (_, n) => `albums/summer-2026/some-long-name-of-a-picture-${n}.jpg`)] }] });
    const { plan } = await contain(context);
    expect(plan.notes.join(' ')).toContain('501 places do not fit the bucket policy: objects are denied by their tag album instead, and those without it are not.');
    expect([await status(of(mine)), await status(of(other))]).toEqual([403, 200]);
  });

  it('in a cache whose invalidation never completes are not called dead: the outcome says which one it is', async () => {
    const context = contextOf();
    const { incident } = context;
    const plan = { ...(await planOf(context)), impact: { sampledLinks: [] } };
    await createIncident(tools, incident);
    await savePlan(tools, plan);
    for (const entry of await make(context, plan)) await complete(tools, entry);
    pass(1);
    const judgement = await lookAtRevocation({ incident: incident.id, direction: 'contain', execution: context.execution, streak: 0, looks: tools.settings.STOPBATH_VERIFY_MAX_LOOKS - 1 }, tools);
    expect(judgement).toMatchObject({ verdict: 'unverified', reason: expect.stringMatching(new RegExp(`invalidation \\w+ of ${DISTRIBUTION} is in progress`)) });
  });

  it('of an owner go by tag, and the plan does not say who that is', async () => {
    const context = contextOf({ scope: { kind: 'owner', ownerId: 'owner-anna' } });
    const made = await contain(context);
    expect(JSON.stringify(made.plan)).not.toContain('owner-anna');
    expect(made.plan.changes.at(-1)?.after).toEqual({ items: ['#owner:{ownerId}'] });
    pass(6);
    expect(wrong((await looks(context, made.plan)).filter(({ what }) => what.includes('CloudFront')), 'refused')).toEqual([]);
  });

  it('are not called dead where nobody can ask: a distribution without a way in, a role that lets no probe in', async () => {
    tools = await toolsWith({ ...shares.config, cdn: { ...shares.config.cdn, distributions: {} } });
    const { plan } = await contain();
    expect((await looks(contextOf(), plan)).filter(({ answer }) => answer === 'unknown')).toEqual([expect.objectContaining({ what: expect.stringContaining('does not say how to ask it') })]);
  });
});

