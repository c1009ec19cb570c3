import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { IncidentView } from '../../core/incident.ts';
import { startStage, type Stage } from '../../sandbox/faults/stage.ts';
import { differences, readRawSettings, type RawSettings } from '../../sandbox/scenario/settings.ts';
import { fetchSigned } from '../../sandbox/scenario/signed.ts';

/** An album's links are revoked, and its bucket or its signer is contained beside that: incidents of their own, each with its own way back. */
let stage: Stage;
let before: RawSettings;
beforeAll(async () => {
  stage = await startStage();
  before = await settings();
});
afterAll(() => stage.stop());

const settings = async () => await stage.account.clock.work(() => readRawSettings({ endpoint: stage.account.endpoint, region: stage.account.world.region, credentials: stage.account.admin, now: stage.account.clock.now() }, stage.photos.family));
const changed = async () => differences(before, await settings());
const rolePolicies = async () => ((await stage.call('iam:ListRolePolicies', { RoleName: 'photo-signer' })) as { readonly PolicyNames: readonly string[] }).PolicyNames;
const link = async () => (await stage.shares.open(stage.shares.links.album.url)).status;
/** What the print lab, of another account, gets of the family's picture. */
const outsider = async () =>
  await stage.account.clock.work(async () => (await fetchSigned({ service: 's3', region: stage.account.world.region, credentials: await stage.photos.credentialsOf('print-lab'), method: 'GET', url: new URL(`${stage.account.endpoint}/${stage.photos.family}/${stage.photos.picture}`), now: stage.account.clock.now() })).status);

/** Asks, approves what waits for that, and is there when the run has ended. */
async function run(path: string, body: object): Promise<IncidentView> {
  const answer = await stage.ask('rosa', path, { reason: 'a test', ...body });
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 });
  const [incident, execution] = [String(answer.body['incident']), String(answer.body['execution'])];
  for (let looks = 0; looks < 600; looks++) {
    const view = await stage.read(incident);
    const digest = view?.approvals.find((one) => one.state === 'waiting' && one.execution === execution)?.digest;
    if (digest !== undefined) expect(await stage.ask('ravi', '/approve', { incident, digest })).toMatchObject({ status: 200 });
    else if (view && view.incident.executions.at(-1) === execution && !(await stage.running()).includes(execution)) return view;
    await stage.account.clock.sleep(1000);
  }
  throw new Error(`${execution} does not end`);
}
const start = async (playbook: string, inputs: object) => (await run('/start', { playbook, inputs, mode: 'contain' })).incident;
const revoke = async () => await start('revoke-share-links', { albumId: 'summer-2026' });
const quarantine = async (level: string) => await start('quarantine-bucket', { bucket: stage.photos.family, level });

/** What a restore came to, and what its plan says. */
async function restore({ id }: { readonly id: string }) {
  const { incident, plans } = await run('/restore', { incident: id });
  const plan = plans.findLast(({ direction }) => direction === 'restore');
  return { status: incident.status, outcome: incident.outcome, notes: (plan?.notes ?? []).join(' '), drift: (plan?.drift ?? []).map(({ setting }) => setting) };
}

describe('a revocation and a quarantine in one policy', () => {
  it('are taken back in the order they came: what a quarantine of level full still refuses, URLs and whoever serves them, is not the first restore’s fault', async () => {
    const [revoked, closed] = [await revoke(), await quarantine('full')];
    expect([revoked.status, closed.status]).toEqual(['contained', 'contained']);

    const links = await restore(revoked);
    expect(links).toMatchObject({ status: 'restored', notes: expect.stringMatching(/^What another incident denies in the policy stays, until that one is restored: StopbathFull\w+\.$/) as unknown });
    expect([await link(), await outsider()]).toEqual([503, 403]);

    expect(await restore(closed)).toMatchObject({ status: 'restored', drift: [], notes: expect.not.stringContaining('was changed after') as unknown });
    expect([await outsider(), await changed(), await rolePolicies()]).toEqual([200, [], ['photo-signer']]);
  });

  it('are taken back with the quarantine first: what the revocation denies stays until its own restore', async () => {
    const [closed, revoked] = [await quarantine('external'), await revoke()];
    expect([closed.status, revoked.status]).toEqual(['contained', 'contained']);

    expect(await restore(closed)).toMatchObject({ status: 'restored', drift: [], notes: expect.stringMatching(/^What another incident denies in the policy stays, until that one is restored: StopbathUrls\w+Presigned, StopbathUrls\w+Cdn\.$/) as unknown });
    expect([await link(), await outsider(), await changed()]).toEqual([410, 200, ['policy']]);

    expect(await restore(revoked)).toMatchObject({ status: 'restored', notes: '' });
    expect([await link(), await changed(), await rolePolicies()]).toEqual([200, [], ['photo-signer']]);
  });
});

it('a revocation of a signer that is contained, too: each restore lifts its own denial, and says that another one stands', async () => {
  const contained = await start('contain-principal', { principal: stage.photos.roles.signer, level: 'sessions' });
  // For ten seconds every new session counts as old: none is served that could be seen to die.
  await stage.account.clock.sleep(11_000);
  const revoked = await revoke();
  expect([contained, revoked]).toMatchObject([{ status: 'contained' }, { outcome: expect.stringMatching(/^verified/) as unknown }]);

  expect(await restore(contained)).toMatchObject({ status: 'restored', outcome: expect.stringMatching(/nothing of this incident denies any more, and another one does \(StopbathRevokeOlderSessions-/) as unknown });
  expect([await link(), await rolePolicies()]).toEqual([410, ['photo-signer', `StopbathRevokeOlderSessions-${revoked.id}`]]);
  expect((await restore(revoked)).status).toBe('restored');
  expect([await link(), await changed(), await rolePolicies()]).toEqual([200, [], ['photo-signer']]);
});

it('links come back while a quarantine lets nobody write a public policy; what is denied beside them says so, and comes back after it', async () => {
  await stage.photos.attacks['make-public'](stage.photos.family);
  before = await settings();
  const [revoked, closed] = [await revoke(), await quarantine('external')];

  const links = await restore(revoked);
  expect(links).toMatchObject({ status: 'unverified', outcome: expect.stringMatching(/the policy has this incident's denial still.*lets nobody write such a policy/) as unknown, notes: expect.stringContaining('Restore this again once the block is off') as unknown });
  expect([await link(), await outsider()]).toEqual([200, 403]);

  expect(await restore(closed)).toMatchObject({ status: 'restored', drift: [] });
  expect(await changed()).toEqual(['policy']);
  expect(await restore(revoked)).toMatchObject({ status: 'restored', notes: '' });
  expect([await link(), await outsider(), await changed(), await rolePolicies()]).toEqual([200, 200, [], ['photo-signer']]);
});
