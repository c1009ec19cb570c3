import { createHash } from 'node:crypto';
import { ConditionalCheckFailedException, DynamoDBClient, QueryCommand, UpdateItemCommand, type QueryCommandInput, type UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import { DeleteRolePolicyCommand, IAMClient, type DeleteRolePolicyCommandInput } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetBucketPolicyCommand, PutBucketPolicyCommand, S3Client, type PutBucketPolicyCommandInput } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, DescribeStateMachineCommand, RedriveExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand, UpdateStateMachineCommand } from '@aws-sdk/client-sfn';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIncident, viewIncident } from '../../aws/incidents.ts';
import type { Table } from '../../aws/records.ts';
import type { Direction, Incident, IncidentView, Plan, Target } from '../../core/incident.ts';
import type { PlanResult } from '../../core/next.ts';
import { settledPolicy } from '../../core/policy.ts';
import { undoSteps, type UndoStep } from '../../core/undo.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { skippingClock } from '../../sandbox/clock.ts';
import type { Deployment } from '../../sandbox/deploy.ts';
import { seedPhotos, type Photos } from '../../sandbox/photos/seed.ts';
import { putShareLinks, type StoredLink } from '../../sandbox/photos/share-tables.ts';
import { seedShares, type Shares } from '../../sandbox/photos/shares.ts';
import { takeAway } from '../../sandbox/scenario/failures.ts';
import { fetchSigned } from '../../sandbox/scenario/signed.ts';
import { incidentAbout } from './stage.ts';

/** The playbook on its own workflow, engine and functions, and people who fetch links over HTTP: one account for all cases. */
let account: Account;
let photos: Photos;
let shares: Shares;
let deployment: Deployment;
let table: Table;
let dynamo: DynamoDBClient;
let sfn: SFNClient;
let lambda: LambdaClient;
let iam: IAMClient;
let s3: S3Client;

beforeAll(async () => {
  account = await startAccount({ clock: skippingClock() });
  photos = await seedPhotos(account, () => account.s3.settle());
  shares = await seedShares(account, photos);
  deployment = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 6, verifyLooks: 2, verifyMaxLooks: 5, responderRoles: [photos.roles.responder], shares: shares.config } });
  const client = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  dynamo = new DynamoDBClient(client);
  sfn = new SFNClient(client);
  lambda = new LambdaClient(client);
  iam = new IAMClient(client);
  s3 = new S3Client(client);
  table = { settings: { STOPBATH_TABLE: deployment.name }, clients: { dynamo: DynamoDBDocumentClient.from(dynamo) } };
});
afterAll(async () => {
  for (const one of [dynamo, sfn, lambda, iam, s3]) one.destroy();
  await shares.close();
  await account.stop();
});

const status = async (...ids: readonly string[]) => await Promise.all(ids.map(async (id) => (await shares.open(shares.urlOf(id))).status));
const machine = () => `arn:aws:states:us-east-1:${account.accounts.home}:stateMachine:${deployment.name}-revoke-share-links`;

/** Links that nobody else in this file uses. Their secret is the one of `urlOf`. */
async function put(...links: readonly (Partial<StoredLink> & { readonly linkId: string })[]): Promise<void> {
  const place = { albumId: 'mine', ownerId: 'owner-of-mine', bucket: photos.family, issuedBy: photos.roles.service };
  await putShareLinks(dynamo, links.map((link) => ({ tokenHash: createHash('sha256').update('filled').digest('hex'), ...place, objectKey: `albums/${link.albumId ?? place.albumId}/`, issuedAt: '2026-02-01T00:00:00.000Z', status: 'active', epochs: { album: 0, owner: 0, bucket: 0 }, ...link })));
}

/** As a responder's start would: an incident about a target. */
async function incidentOf(id: string, target: Partial<Target>, inputs: Incident['inputs'] = {}): Promise<string> {
  await createIncident(table, incidentAbout(id, target, inputs));
  return id;
}
const album = async (id: string, albumId: string) => await incidentOf(id, { kind: 'album', name: albumId, arn: `share:111122223333:album/${albumId}` }, { albumId });

async function begin(incident: string, direction: Direction, n = 1): Promise<string> {
  const { executionArn = '' } = await sfn.send(new StartExecutionCommand({ stateMachineArn: machine(), name: `${incident}-${direction}-${n}`, input: JSON.stringify({ incident, direction }) }));
  return executionArn;
}

async function ended(executionArn: string, incident: string): Promise<IncidentView> {
  for (;;) {
    await account.idle(3_600_000);
    if ((await sfn.send(new DescribeExecutionCommand({ executionArn }))).status !== 'RUNNING') return await viewIncident(table, incident);
  }
}
const contain = async (incident: string) => await ended(await begin(incident, 'contain'), incident);

/** A restore of links waits for a second person, who says yes here. */
async function restore(incident: string): Promise<IncidentView> {
  const execution = await begin(incident, 'restore');
  for (;;) {
    // At work, so that the clock does not skip to the end of the wait meanwhile.
    const isApproved = await account.clock.work(async () => {
      const digest = (await viewIncident(table, incident)).approvals.find(({ state }) => state === 'waiting')?.digest;
      if (digest === undefined) return false;
      const url = new URL('approve', deployment.urls['respond']);
      const answer = await fetchSigned({ service: 'lambda', region: account.world.region, credentials: await photos.credentialsOf('ravi'), method: 'POST', url, body: JSON.stringify({ incident, digest }), now: account.clock.now() });
      expect(answer.status, await answer.text()).toBe(200);
      return true;
    });
    if (isApproved) return await ended(execution, incident);
    await account.clock.sleep(500);
  }
}

async function preview(incident: string): Promise<{ readonly plan: Plan; readonly result: PlanResult }> {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: `${deployment.name}-revoke-share-links-plan`, Payload: JSON.stringify({ incident, direction: 'contain', execution: 'preview', preview: { draft: null, newer: 'keep' } }) }));
  expect(FunctionError).toBeUndefined();
  return JSON.parse(Buffer.from(Payload ?? []).toString('utf8')) as { readonly plan: Plan; readonly result: PlanResult };
}

/** An undo as an SDK sends it; what a condition refuses is left as it is. */
async function send({ operation, input, each }: NonNullable<UndoStep['request']>): Promise<void> {
  const refused = (error: unknown) => (error instanceof ConditionalCheckFailedException ? null : Promise.reject(error));
  if (each) {
    const pages = await Promise.all(each.queries.map((query) => dynamo.send(new QueryCommand(query as unknown as QueryCommandInput))));
    const ids = [...each.ids, ...pages.flatMap(({ Items = [] }) => Items.map((item) => item[each.key]?.S ?? ''))];
    const one = async (id: string, of: object) => await dynamo.send(new UpdateItemCommand({ ...of, Key: { [each.key]: { S: id } } } as UpdateItemCommandInput)).catch(refused);
    for (const id of ids) if ((await one(id, input)) === null) await one(id, each.otherwise);
    return;
  }
  if (operation === 'UpdateItem') await dynamo.send(new UpdateItemCommand(input as unknown as UpdateItemCommandInput));
  else if (operation === 'DeleteRolePolicy') await iam.send(new DeleteRolePolicyCommand(input as unknown as DeleteRolePolicyCommandInput));
  else await s3.send(new PutBucketPolicyCommand(input as unknown as PutBucketPolicyCommandInput));
}

const revoked = async (albumId: string) => ((await table.clients.dynamo.send(new ScanCommand({ TableName: 'photo-share-links' }))).Items ?? []).filter((item) => item['albumId'] === albumId && item['status'] === 'revoked');

describe('revoke-share-links', () => {
  it('kills every link to an album, proves it, leaves the rest, and a new link works', async () => {
    await put({ linkId: 'one-a', albumId: 'one' }, { linkId: 'one-b', albumId: 'one', objectKey: 'albums/one/more/' }, { linkId: 'one-other', albumId: 'another' });
    const { incident, ledger } = await contain(await album('inc-one', 'one'));
    expect(incident.status, incident.outcome).toBe('contained');
    expect(await status('one-a', 'one-b', 'one-other')).toEqual([410, 410, 200]);
    expect(ledger.find(({ setting }) => setting === 'sweep')).toMatchObject({ result: 'done', met: { changed: 2, ended: 0, newer: 0 } });
    const fresh = await shares.share({ album: 'one' });
    expect((await shares.open(fresh.url)).status).toBe(200);
  });

  it('kills links whose maker lied about their epoch or their time, and takes none of them for a new one', async () => {
    const epochs = (album: number) => ({ album, owner: 0, bucket: 0 });
    await put(
      { linkId: 'lie-honest', albumId: 'lie' },
      { linkId: 'lie-beyond', albumId: 'lie', epochs: epochs(1e9), issuedAt: '2099-01-01T00:00:00.000Z' },
      { linkId: 'lie-later', albumId: 'lie', epochs: epochs(1), issuedAt: '2099-01-02T00:00:00.000Z' },
      { linkId: 'lie-next', albumId: 'lie', epochs: epochs(1) },
    );
    const { incident, ledger, entries } = await contain(await album('inc-lie', 'lie'));
    expect(incident.status, incident.outcome).toBe('contained');
    expect(await status('lie-honest', 'lie-beyond', 'lie-later', 'lie-next')).toEqual([410, 410, 410, 410]);
    expect(ledger.find(({ setting }) => setting === 'sweep')).toMatchObject({ met: { changed: 4, newer: 0 } });
    expect(JSON.stringify(entries.filter(({ kind }) => kind === 'look'))).not.toMatch(/link lie-\w+,? (?:was )?made since/);
    expect((await shares.open((await shares.share({ album: 'lie' })).url)).status).toBe(200);
  });

  it('revokes an album under two incidents until both are restored; what had expired or was ended stays dead all through', async () => {
    await put(
      { linkId: 'two-live', albumId: 'two', ownerId: 'owner-two' },
      { linkId: 'two-late', albumId: 'two', ownerId: 'owner-two', expiresAt: '2026-03-01T00:00:00.000Z' },
      { linkId: 'two-ended', albumId: 'two', ownerId: 'owner-two', endedAt: '2026-03-01T00:00:00.000Z' },
      { linkId: 'two-beside', albumId: 'two-beside', ownerId: 'owner-two' },
    );
    const all = ['two-live', 'two-late', 'two-ended', 'two-beside'];
    expect(await status(...all)).toEqual([200, 410, 410, 200]);
    const first = await contain(await album('inc-two-album', 'two'));
    const second = await contain(await incidentOf('inc-two-owner', { kind: 'owner', name: 'owner-two', arn: 'share:111122223333:owner/owner-two' }, { ownerId: 'owner-two' }));
    expect([first, second].map(({ incident }) => incident.status)).toEqual(['contained', 'contained']);
    expect(await status(...all)).toEqual([410, 410, 410, 410]);

    expect((await restore('inc-two-album')).incident).toMatchObject({ status: 'restored', outcome: expect.stringContaining('revoked by another incident too') });
    expect(await status(...all)).toEqual([410, 410, 410, 410]);
    expect((await restore('inc-two-owner')).incident).toMatchObject({ status: 'restored' });
    expect(await status(...all)).toEqual([200, 410, 410, 200]);
  });

  it.each<[string, Partial<Target>, Incident['inputs'], readonly number[]]>([
    ['links by their ids', { kind: 'link', name: '2 links', arn: 'share:111122223333:link/abc' }, { linkIds: ['part-0', 'part-3'] }, [410, 200, 200, 410]],
    ['links under a prefix of a bucket', { kind: 'bucket', name: 'family-photos-111122223333', arn: 'arn:aws:s3:::family-photos-111122223333/albums/part/b/*' }, { prefix: 'albums/part/b/' }, [200, 200, 410, 410]],
    ['what a principal issued since a time', { kind: 'principal', name: 'minter', arn: 'arn:aws:iam::111122223333:role/minter' }, { since: '2026-02-01T00:00:01.000Z' }, [200, 410, 200, 410]],
  ])('revokes %s, and gives back exactly these', async (name, target, inputs, dead) => {
    const ids = [0, 1, 2, 3].map((n) => `part-${n}`);
    // An issuer's links are told apart by when they were made, a prefix's by where they lead.
    await put(...ids.map((linkId, n) => ({ linkId, albumId: 'part', objectKey: n < 2 ? 'albums/part/a/' : 'albums/part/b/', issuedBy: 'arn:aws:iam::111122223333:role/minter', issuedAt: `2026-02-01T00:00:0${n % 2}.000Z` })));
    const id = `inc-part-${name.replaceAll(' ', '-')}`;
    const { incident, plans } = await contain(await incidentOf(id, target, inputs));
    expect(incident.status, incident.outcome).toBe('contained');
    expect(plans.at(-1)?.notes.join(' ')).toContain('the sweep alone revokes');
    expect(await status(...ids)).toEqual(dead);
    // Made since, and as everything that the revocation asked for: it lives, and a look has fetched it.
    await put({ linkId: `${id}-since`, albumId: 'part', objectKey: 'albums/part/b/', issuedBy: 'arn:aws:iam::111122223333:role/minter', issuedAt: new Date(account.clock.now()).toISOString() });
    expect(await status(`${id}-since`)).toEqual([200]);
    const { incident: after } = await restore(id);
    expect(after.status, after.outcome).toBe('restored');
    expect(await status(...ids, `${id}-since`)).toEqual([200, 200, 200, 200, 200]);
  });

  it('fetches the newest link that was made since, also where links are found by what they lead to', async () => {
    await put({ linkId: 'since-old', albumId: 'since', objectKey: 'albums/since/b/' });
    const id = await incidentOf('inc-since', { kind: 'bucket', name: photos.family, arn: 'arn:aws:s3:::family-photos-111122223333/albums/since/*' }, { prefix: 'albums/since/' });
    let isMade = false;
    account.interrupt(async (_, operation, caller) => {
      if (isMade || operation !== 'BatchGetItem' || !('principalArn' in caller) || !caller.principalArn.endsWith('revoke-share-links-verify')) return;
      isMade = true;
      await put({ linkId: 'since-new', albumId: 'since', objectKey: 'albums/since/a/', issuedAt: new Date(account.clock.now()).toISOString() });
    });
    const { incident, entries } = await contain(id);
    expect(incident.status, incident.outcome).toBe('contained');
    expect(JSON.stringify(entries.findLast(({ kind }) => kind === 'look')?.detail)).toContain('link since-new, made since');
  });

  it('waits where CloudFront is busy with other invalidations, and does not call it contained before its own is through', async () => {
    await put({ linkId: 'busy-a', albumId: 'busy' });
    account.inject({ service: 'cloudfront', operation: 'CreateInvalidation', times: 4, code: 'TooManyInvalidationsInProgress', status: 400 });
    const { incident, ledger } = await contain(await album('inc-busy', 'busy'));
    account.clearFaults();
    expect(incident.status, incident.outcome).toBe('contained');
    expect(ledger.every(({ result }) => result === 'done')).toBe(true);
  });

  it('is unverified where CloudFront stays busy, and says which change is missing; the links are dead all the same', async () => {
    await put({ linkId: 'stuck-a', albumId: 'stuck' });
    account.inject({ service: 'cloudfront', operation: 'CreateInvalidation', times: 1000, code: 'TooManyInvalidationsInProgress', status: 400 });
    const { incident } = await contain(await album('inc-stuck', 'stuck'));
    account.clearFaults();
    expect(incident).toMatchObject({ status: 'unverified', outcome: expect.stringMatching(/cdn:\w+ was not changed: Invalidate/) });
    expect(await status('stuck-a')).toEqual([410]);
  });

  it('is taken back without the suite by the requests that show and ticket carry: links, epoch, URLs and sessions', async () => {
    const policy = async () => settledPolicy((await s3.send(new GetBucketPolicyCommand({ Bucket: photos.family }))).Policy ?? '');
    const before = await policy();
    await put({ linkId: 'undo-a', albumId: 'undo', ownerId: 'owner-undo' }, { linkId: 'undo-b', albumId: 'undo-more', ownerId: 'owner-undo' }, { linkId: 'undo-ended', albumId: 'undo', ownerId: 'owner-undo', endedAt: '2026-03-01T00:00:00.000Z' });
    const view = await contain(await incidentOf('inc-undo', { kind: 'owner', name: 'owner-undo', arn: 'share:111122223333:owner/owner-undo' }, { ownerId: 'owner-undo' }));
    expect(await status('undo-a', 'undo-b')).toEqual([410, 410]);
    // Another incident's mark stays.
    await contain(await incidentOf('inc-undo-other', { kind: 'link', name: 'undo-b', arn: 'share:111122223333:link/undo-b' }, { linkIds: ['undo-b'] }));
    const undone = undoSteps(view);
    expect(JSON.stringify(view.plans)).not.toContain('#owner-undo');
    expect(undone.map(({ request }) => request?.operation ?? null)).toEqual([null, 'PutBucketPolicy', 'DeleteRolePolicy', 'UpdateItem', 'UpdateItem']);
    for (const { request } of undone) if (request) await send(request);
    expect(await policy()).toBe(before);
    expect(await status('undo-a', 'undo-b', 'undo-ended')).toEqual([200, 410, 410]);
    for (const { request } of undoSteps(await viewIncident(table, 'inc-undo-other'))) if (request) await send(request);
    expect(await status('undo-a', 'undo-b', 'undo-ended')).toEqual([200, 200, 410]);
    expect(account.directory.roles.find(account.accounts.home, 'photo-signer')?.policies.has('StopbathRevokeOlderSessions-inc-undo')).toBe(false);
  });

  it('is not closed as if there were nothing to contain where the service has deleted the links of what stands contained', async () => {
    await put({ linkId: 'gone-a', albumId: 'gone' });
    await contain(await album('inc-gone', 'gone'));
    await table.clients.dynamo.send(new DeleteCommand({ TableName: 'photo-share-links', Key: { linkId: 'gone-a' } }));
    const { plan, result } = await preview('inc-gone');
    expect([plan.impact['links'], result.next, result.status]).toEqual([{ value: 0, how: 'counted' }, 'apply', null]);
  });

  it('says in the plan where 3,100 pictures are too many for a policy and an invalidation, and what else that reaches', async () => {
    await put(...Array.from({ length: 3_100 }, (_, n) => ({ linkId: `many-${n}`, albumId: 'many', objectKey: `albums/many/${n % 3}/${n}.jpg`, issuedBy: 'arn:aws:iam::111122223333:role/many' })));
    const id = await incidentOf('inc-many', { kind: 'principal', name: 'many', arn: 'arn:aws:iam::111122223333:role/many' }, { since: '2026-01-01T00:00:00.000Z' });
    const { plan } = await preview(id);
    expect(plan.impact).toMatchObject({ links: { value: 3_100, how: 'counted' } });
    expect(plan.changes.find(({ setting }) => setting.startsWith('cdn:'))?.after).toEqual({ items: [0, 1, 2].map((n) => `/albums/many/${n}/*`) });
    expect(plan.notes.join(' ')).toMatch(/3100 paths are more than one invalidation may hold: everything under \/albums\/many\/0\/.* is evicted/);
    expect(plan.notes.join(' ')).toMatch(/3100 places do not fit the bucket policy .*: 3 whole folders are denied, and with them everything else that lies there/);
  });

  it('revokes every link once and leaves a ledger without a hole, whatever is killed: functions at ten points, the engine between them', async () => {
    await shares.fill(240, { album: 'killed' });
    const id = await album('inc-killed', 'killed');
    // Seeded: the same points at every run. https://en.wikipedia.org/wiki/Linear_congruential_generator
    let seed = 20261124;
    const random = () => (seed = (seed * 1664525 + 1013904223) % 2 ** 32) / 2 ** 32;
    // The first two while apply makes its first changes; the rest wherever they fall, the sweep's writes being the most.
    const points = [7, 12, ...Array.from({ length: 8 }, () => 15 + Math.floor(random() * 40))];
    const killed: string[] = [];
    const marks = () => account.calls.filter(({ operation, error, needs, principalArn }) => operation === 'UpdateItem' && error === null && principalArn?.endsWith('-sweep') === true && needs.some(({ resource }) => resource.endsWith('photo-share-links'))).length;
    const before = marks();
    const executionArn = await begin(id, 'contain');
    let left = points.shift() ?? 0;
    let isBusy = false;
    account.interrupt(async (service, operation, caller) => {
      if (isBusy || !('principalArn' in caller) || !/revoke-share-links-(apply|sweep)$/.test(caller.principalArn) || --left > 0) return;
      const next = points.shift();
      left = next ?? Number.POSITIVE_INFINITY;
      isBusy = true;
      killed.push(`${caller.principalArn.split('-').at(-1)} at ${service}:${operation}`);
      if (killed.length % 2 === 1) await account.killFunctions();
      else {
        // The engine loses the execution, and is told to go on with it; what it had called runs on meanwhile.
        await sfn.send(new StopExecutionCommand({ executionArn }));
        await sfn.send(new RedriveExecutionCommand({ executionArn }));
      }
      isBusy = false;
    });
    const { incident, ledger, plans, progress } = await ended(executionArn, id);
    expect(incident, killed.join(', ')).toMatchObject({ status: 'contained', outcome: expect.stringContaining('240 links revoked') });
    expect(killed).toHaveLength(10);
    expect(killed.map((point) => point.split(' ')[0])).toEqual(expect.arrayContaining(['apply', 'sweep']));
    expect(ledger.map(({ seq, result }) => ({ seq, result }))).toEqual(plans[0]?.changes.map(({ seq }) => ({ seq, result: 'done' })));
    for (const { intendedAt, doneAt } of ledger) expect(String(doneAt) >= intendedAt).toBe(true);
    expect(ledger.find(({ setting }) => setting === 'sweep')?.met).toMatchObject({ changed: 240 });
    expect(progress).toMatchObject([{ done: 240, total: 240, finishedAt: expect.any(String) }]);
    const links = await revoked('killed');
    expect(links).toHaveLength(240);
    expect(links.every((link) => link['revokedFrom'] === 'active' && link['revocations'] instanceof Set && link['revocations'].size === 1)).toBe(true);
    const { Item: scope } = await table.clients.dynamo.send(new GetCommand({ TableName: 'photo-share-epochs', Key: { scope: 'album#killed' } }));
    expect(scope).toMatchObject({ epoch: 1, revoked: [{ through: 0, incident: id }] });
    expect(marks() - before).toBe(240);
  });

  it('goes on where it was when its execution has timed out in the middle of the sweep and is redriven', async () => {
    await shares.fill(60, { album: 'slow' });
    const id = await album('inc-slow', 'slow');
    const { definition = '' } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: machine() }));
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn: machine(), definition: JSON.stringify({ ...Object(JSON.parse(definition)), TimeoutSeconds: 600 }) }));
    let isLate = false;
    account.interrupt((_, operation, caller) => {
      if (!isLate && operation === 'UpdateItem' && 'principalArn' in caller && caller.principalArn.endsWith('-sweep')) {
        isLate = true;
        account.clock.offset[0] = (account.clock.offset[0] ?? 0) + 601_000;
      }
      return Promise.resolve();
    });
    const executionArn = await begin(id, 'contain');
    await ended(executionArn, id);
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn: machine(), definition }));
    expect((await sfn.send(new DescribeExecutionCommand({ executionArn }))).status).toBe('TIMED_OUT');
    await sfn.send(new RedriveExecutionCommand({ executionArn }));
    const { incident, ledger } = await ended(executionArn, id);
    expect(incident).toMatchObject({ status: 'contained', outcome: expect.stringContaining('60 links revoked') });
    expect(ledger.map(({ result }) => result)).toEqual(ledger.map(() => 'done'));
    expect(await revoked('slow')).toHaveLength(60);
  });

  it('has said its last word where it failed: a redrive fails again, and asking again goes on', async () => {
    await shares.fill(20, { album: 'failed' });
    const id = await album('inc-failed', 'failed');
    const role = account.directory.roles.find(account.accounts.home, `${deployment.name}-revoke-share-links-sweep`);
    const policies = new Map(role?.policies);
    takeAway(account, `${deployment.name}-revoke-share-links-sweep`, 'dynamodb:UpdateItem');
    const executionArn = await begin(id, 'contain');
    const { incident: failed } = await ended(executionArn, id);
    for (const [key, policy] of policies) role?.policies.set(key, policy);
    await sfn.send(new RedriveExecutionCommand({ executionArn }));
    const { incident: again } = await ended(executionArn, id);
    expect([failed.status, (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status, again]).toEqual(['failed', 'FAILED', failed]);
    const { ledger } = await ended(await begin(id, 'contain', 2), id);
    expect(ledger.filter(({ execution, result }) => execution.endsWith('-contain-2') && result !== 'done')).toEqual([]);
    expect(await revoked('failed')).toHaveLength(20);
  });

  it.each([
    ['plan', 'dynamodb:DescribeTable', 'failed'],
    ['apply', 's3:PutBucketPolicy', 'failed'],
    ['sweep', 'dynamodb:UpdateItem', 'failed'],
    ['verify', 'dynamodb:BatchGetItem', 'failed'],
  ])('ends on record where %s lacks %s, and the record names it', async (name, action, wanted) => {
    await put({ linkId: `${name}-a`, albumId: `no-${name}` });
    const role = account.directory.roles.find(account.accounts.home, `${deployment.name}-revoke-share-links-${name}`);
    const policies = new Map(role?.policies);
    takeAway(account, `${deployment.name}-revoke-share-links-${name}`, action);
    const { incident } = await contain(await album(`inc-no-${name}`, `no-${name}`));
    for (const [key, policy] of policies) role?.policies.set(key, policy);
    expect(incident).toMatchObject({ status: wanted, outcome: expect.stringContaining(action) });
    expect(await status(`${name}-a`)).toEqual([name === 'plan' ? 200 : 410]);
  });
});
