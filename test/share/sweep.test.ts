import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSwitch } from '../../aws/guard.ts';
import { markLink, unmarkLink } from '../../aws/share/marks.ts';
import { divide, sweepPart, sweepState } from '../../aws/share/sweep.ts';
import type { Incident, Target } from '../../core/incident.ts';
import type { Cutoff } from '../../core/share/revocation.ts';
import { NOTHING } from '../../core/share/tally.ts';
import type { StoredLink } from '../../sandbox/photos/share-tables.ts';
import { aLink, startShareStage, sweepOf, type ShareStage } from './stage.ts';

let stage: ShareStage;
beforeAll(async () => {
  stage = await startShareStage();
});
afterAll(async () => await stage.stop());

const TABLE = 'photo-share-links';
const EPOCH = { kind: 'album', through: 0, since: '2026-01-01T00:05:00.000Z' } as const;
let next = 0;
/** Links nobody else in this file uses. */
async function links(...changes: readonly Partial<StoredLink>[]): Promise<readonly string[]> {
  const made = changes.map((change) => aLink(900_000 + next++, { albumId: 'single', ...change }));
  await stage.put(made);
  return made.map(({ linkId }) => linkId);
}
const link = async (linkId: string) => (await stage.all()).find((item) => item['linkId'] === linkId);
const endByOwner = async (linkId: string) => await stage.tools.clients.dynamo.send(new UpdateCommand({ TableName: TABLE, Key: { linkId }, UpdateExpression: 'SET endedAt = :now', ExpressionAttributeValues: { ':now': stage.tools.now() } }));

describe('a link', () => {
  it.each<[string, Partial<StoredLink>, Cutoff, string]>([
    ['is revoked', {}, null, 'changed'],
    ['is revoked by its epoch', { epochs: { album: 3, owner: 0, bucket: 0 } }, { ...EPOCH, through: 3 }, 'changed'],
    ['of a newer epoch stays', { epochs: { album: 4, owner: 0, bucket: 0 } }, { ...EPOCH, through: 3 }, 'newer'],
    ['issued later stays', { issuedAt: '2026-02-01T00:00:00.001Z' }, { issuedUntil: '2026-02-01T00:00:00.000Z' }, 'newer'],
    ['issued at that moment is revoked', { issuedAt: '2026-02-01T00:00:00.000Z' }, { issuedUntil: '2026-02-01T00:00:00.000Z' }, 'changed'],
    ['that says it will be issued is revoked', { issuedAt: '2099-01-01T00:00:00.000Z' }, { issuedUntil: '2026-02-01T00:00:00.000Z' }, 'changed'],
    ['that says so, and carries an epoch that nobody has reached, is revoked', { issuedAt: '2099-01-01T00:00:00.000Z', epochs: { album: 1e9, owner: 0, bucket: 0 } }, { ...EPOCH, through: 3 }, 'changed'],
    ['that carried the next epoch before that had begun is revoked', { issuedAt: '2025-12-31T23:59:59.999Z', epochs: { album: 4, owner: 0, bucket: 0 } }, { ...EPOCH, through: 3 }, 'changed'],
    ['that its owner ended stays ended', { endedAt: '2026-01-01T00:00:00.000Z' }, null, 'ended'],
    ['in a status of the service stays in it', { status: 'draft' }, null, 'other'],
    ['that the service revoked itself stays the service\'s', { status: 'revoked' }, null, 'other'],
  ])('%s', async (_, change, cutoff, outcome) => {
    const [id = ''] = await links(change);
    const before = await link(id);
    expect(await markLink(stage.tools, id, 'inc-1', cutoff)).toBe(outcome);
    const after = await link(id);
    if (outcome === 'changed') expect(after).toMatchObject({ status: 'revoked', revokedFrom: 'active', revocations: new Set(['inc-1']), revokedAt: expect.any(String) });
    else expect(after).toEqual(before);
  });

  it('without epochs is of epoch 0', async () => {
    const { epochs: _, ...old } = aLink(800_000, { albumId: 'single' });
    await stage.put([old]);
    expect(await markLink(stage.tools, old.linkId, 'inc-1', EPOCH)).toBe('changed');
  });

  it.each([{ issuedUntil: '2026-02-01T00:00:00.000Z' }, { ...EPOCH, through: 3 }])('without a time is revoked: %j', async (cutoff) => {
    const { issuedAt: _, ...timeless } = aLink(800_001 + next++, { albumId: 'single', epochs: { album: 4, owner: 0, bucket: 0 } });
    await stage.put([timeless as StoredLink]);
    expect(await markLink(stage.tools, timeless.linkId, 'inc-1', cutoff)).toBe('changed');
  });

  it('that does not exist is gone, and is not made', async () => {
    expect(await markLink(stage.tools, 'nobody', 'inc-1', null)).toBe('gone');
    expect(await unmarkLink(stage.tools, 'nobody', 'inc-1')).toBe('gone');
    expect(await link('nobody')).toBeUndefined();
  });

  it('is given back exactly as it was', async () => {
    const [id = ''] = await links({});
    const before = await link(id);
    await markLink(stage.tools, id, 'inc-1', null);
    expect(await unmarkLink(stage.tools, id, 'inc-1')).toBe('changed');
    expect(await link(id)).toEqual(before);
    expect(await unmarkLink(stage.tools, id, 'inc-1')).toBe('untouched');
  });

  it.each([[['inc-1', 'inc-2']], [['inc-2', 'inc-1']]])('revoked by two incidents needs both restored: %j', async (order) => {
    const [id = ''] = await links({});
    const before = await link(id);
    expect(await markLink(stage.tools, id, 'inc-1', null)).toBe('changed');
    expect(await markLink(stage.tools, id, 'inc-2', null)).toBe('changed');
    expect(await unmarkLink(stage.tools, id, order[0] ?? '')).toBe('held');
    expect(await link(id)).toMatchObject({ status: 'revoked', revocations: new Set([order[1]]) });
    expect(await unmarkLink(stage.tools, id, order[1] ?? '')).toBe('changed');
    expect(await link(id)).toEqual(before);
  });

  it('restored by two incidents at the same moment is given back by exactly one of them', async () => {
    const [id = ''] = await links({});
    const before = await link(id);
    await markLink(stage.tools, id, 'inc-1', null);
    await markLink(stage.tools, id, 'inc-2', null);
    const outcomes = await Promise.all(['inc-1', 'inc-2'].map((incident) => unmarkLink(stage.tools, id, incident)));
    expect(outcomes.toSorted()).toEqual(['changed', 'held']);
    expect(await link(id)).toEqual(before);
  });

  it('that its owner ended meanwhile stays dead', async () => {
    const [id = ''] = await links({});
    await markLink(stage.tools, id, 'inc-1', null);
    await endByOwner(id);
    expect(await unmarkLink(stage.tools, id, 'inc-1')).toBe('ended');
    expect(await link(id)).toMatchObject({ status: 'revoked', endedAt: expect.any(String) });
    expect(await stage.verdicts([id])).toEqual({ [id]: 'ended' });
    expect(await unmarkLink(stage.tools, id, 'inc-1')).toBe('untouched');
  });

  it('whose status the service changed meanwhile keeps that', async () => {
    const [id = ''] = await links({});
    await markLink(stage.tools, id, 'inc-1', null);
    await stage.tools.clients.dynamo.send(new UpdateCommand({ TableName: TABLE, Key: { linkId: id }, UpdateExpression: 'SET #s = :s', ExpressionAttributeNames: { '#s': 'status' }, ExpressionAttributeValues: { ':s': 'deleted' } }));
    expect(await unmarkLink(stage.tools, id, 'inc-1')).toBe('other');
    expect(await link(id)).toMatchObject({ status: 'deleted' });
  });
});

describe('a sweep', () => {
  const cutoff: Cutoff = EPOCH;
  /** 75 links of an album: 60 live, 5 ended, 5 drafts, 5 newer. */
  async function album(name: string): Promise<Incident> {
    const change = (n: number): Partial<StoredLink> => (n % 15 === 1 ? { endedAt: '2026-01-02T00:00:00.000Z' } : n % 15 === 4 ? { status: 'draft' } : n % 15 === 7 ? { epochs: { album: 1, owner: 0, bucket: 0 } } : {});
    await stage.put(Array.from({ length: 75 }, (_, n) => aLink(n, { linkId: `${name}-${n}`, albumId: name, ...change(n) })));
    return await stage.incident(`inc-${name}`, { name, arn: `share:111122223333:album/${name}` });
  }
  const ofAlbum = async (name: string) => (await stage.all()).filter((item) => item['albumId'] === name);

  it('marks every old link once and says what stays', async () => {
    const incident = await album('whole');
    const of = sweepOf(incident);
    const division = await divide(stage.tools, of, incident, 'contain', cutoff);
    expect(division).toMatchObject({ total: 75, parts: [{ lane: 0, from: null, to: null }] });
    expect(await sweepPart(stage.tools, of, incident, 0, { pageSize: 20 })).toEqual({ more: false, tally: { changed: 60, ended: 5, other: 5, newer: 5, held: 0, untouched: 0, gone: 0 } });
    expect((await ofAlbum('whole')).filter((item) => item['status'] === 'revoked')).toHaveLength(60);
    expect(await sweepState(stage.tools, of)).toMatchObject({ open: [], tally: { changed: 60 } });
  });

  it('does nothing a second time, and keeps its division', async () => {
    const incident = await album('twice');
    const of = sweepOf(incident);
    await divide(stage.tools, of, incident, 'contain', cutoff);
    const first = await sweepPart(stage.tools, of, incident, 0);
    await stage.put([aLink(1000, { linkId: 'twice-late', albumId: 'twice' })]);
    const calls = stage.sandbox.calls.length;
    expect(await divide(stage.tools, of, incident, 'contain', cutoff)).toMatchObject({ total: 75 });
    expect(await sweepPart(stage.tools, of, incident, 0)).toEqual(first);
    expect(stage.sandbox.calls.slice(calls).filter(({ operation }) => operation === 'UpdateItem')).toEqual([]);
  });

  it('stops before its time is over and goes on where it was', async () => {
    const incident = await album('slices');
    const of = sweepOf(incident);
    await divide(stage.tools, of, incident, 'contain', cutoff);
    const hurried = { ...stage.tools, remainingMs: () => 0 };
    let result = await sweepPart(hurried, of, incident, 0, { pageSize: 12 });
    let invocations = 1;
    for (; result.more; invocations++) result = await sweepPart(hurried, of, incident, 0, { pageSize: 12 });
    expect(invocations).toBeGreaterThanOrEqual(6);
    expect(result.tally).toMatchObject({ changed: 60, ended: 5, other: 5, newer: 5 });
  });

  it('slows down where DynamoDB throttles, and leaves nothing out', async () => {
    const incident = await album('throttled');
    const of = sweepOf(incident);
    await divide(stage.tools, of, incident, 'contain', cutoff);
    stage.sandbox.inject({ service: 'dynamodb', operation: 'UpdateItem', times: 60, code: 'ThrottlingException', status: 400 });
    const waits: number[] = [];
    const result = await sweepPart(stage.tools, of, incident, 0, { sleep: async (ms) => void waits.push(ms), random: () => 0.5 });
    stage.sandbox.clearFaults();
    expect(result.tally).toMatchObject({ changed: 60, ended: 5, other: 5, newer: 5 });
    expect(waits.length).toBeGreaterThan(0);
  });

  it('stops at the next page where somebody pauses containment, counts what it has done, and goes on when that is lifted; a way back is not held', async () => {
    const incident = await album('paused');
    const of = sweepOf(incident);
    await divide(stage.tools, of, incident, 'contain', cutoff);
    const turn = async (paused: boolean) => await writeSwitch(stage.tools, { paused, by: 'rosa', at: stage.tools.now(), reason: 'the wrong album' });
    // The switch is thrown while the second page is written.
    const pausing = { ...stage.tools, now: () => (pages++ === 40 && void turn(true), stage.tools.now()) };
    let pages = 0;
    await expect(sweepPart(pausing, of, incident, 0, { pageSize: 20 })).rejects.toThrow(expect.objectContaining({ name: 'HeldError', message: expect.stringMatching(/paused since .* by rosa: the wrong album; \d+ links of part 0 were swept until then/) }));
    const { tally = NOTHING, open = [] } = (await sweepState(stage.tools, of)) ?? {};
    const marked = (await ofAlbum('paused')).filter((item) => item['status'] === 'revoked').length;
    expect({ open, changed: tally.changed }).toEqual({ open: [0], changed: marked });
    expect(marked).toBeLessThan(60);

    const back = { ...of, execution: `${incident.id}-restore-1` };
    await divide(stage.tools, back, incident, 'restore', null);
    expect((await sweepPart(stage.tools, back, incident, 0)).tally.changed).toBe(marked);
    await turn(false);
    // The same sweep again: what was given back meanwhile stays counted, and is not marked a second time.
    expect((await sweepPart(stage.tools, of, incident, 0, { pageSize: 20 })).more).toBe(false);
    expect((await ofAlbum('paused')).filter((item) => item['status'] === 'revoked')).toHaveLength(60 - marked);
  });

  it('is given back whole, but for what the owner ended meanwhile', async () => {
    const incident = await album('back');
    const before = await ofAlbum('back');
    const of = sweepOf(incident);
    await divide(stage.tools, of, incident, 'contain', cutoff);
    await sweepPart(stage.tools, of, incident, 0);
    await endByOwner('back-0');
    await stage.put([aLink(2000, { linkId: 'back-new', albumId: 'back', epochs: { album: 1, owner: 0, bucket: 0 } })]);
    const back = { ...of, execution: `${incident.id}-restore-1` };
    await divide(stage.tools, back, incident, 'restore', cutoff);
    expect((await sweepPart(stage.tools, back, incident, 0)).tally).toEqual({ changed: 59, ended: 1, other: 0, newer: 0, held: 0, untouched: 16, gone: 0 });
    const after = await ofAlbum('back');
    expect(after.filter((item) => !['back-0', 'back-new'].includes(String(item['linkId'])))).toEqual(before.filter((item) => item['linkId'] !== 'back-0'));
  });
});

describe('the parts of a sweep', () => {
  it.each<[string, Partial<Target>, Incident['inputs'], number]>([
    ['an album', { kind: 'album', name: 'cut' }, {}, 120],
    ['a bucket', { kind: 'bucket', name: 'cut' }, {}, 120],
    ['a prefix', { kind: 'bucket', name: 'cut' }, { prefix: 'albums/n0' }, 50],
    ['objects', { kind: 'bucket', name: 'cut' }, { objectKeys: ['albums/even.jpg', 'albums/n001.jpg', 'albums/none.jpg'] }, 61],
    ['an issuer', { kind: 'principal', arn: 'cut' }, { since: new Date(Date.UTC(2026, 0, 1) + 20_000).toISOString() }, 100],
  ])('of %s cover every link exactly once, wherever they are cut', async (name, target, inputs, wanted) => {
    await stage.put(Array.from({ length: 120 }, (_, n) => aLink(n, { linkId: `cut-${n}`, albumId: 'cut', bucket: 'cut', objectKey: n % 2 === 0 ? 'albums/even.jpg' : `albums/n${String(n).padStart(3, '0')}.jpg`, issuedBy: 'cut' })));
    const incident = await stage.incident(`inc-cut-${name}`, target, inputs);
    const of = sweepOf(incident);
    const { parts, total } = await divide(stage.tools, of, incident, 'contain', null, { countPage: 7, smallestPart: 10 });
    expect(parts.length).toBeGreaterThan(1);
    const done = await Promise.all(parts.map((_, part) => sweepPart(stage.tools, of, incident, part, { pageSize: 9 })));
    expect({ total, changed: done.reduce((sum, { tally }) => sum + tally.changed, 0) }).toEqual({ total: wanted, changed: wanted });
    const marked = (await stage.all()).filter((item) => item['revocations'] instanceof Set && item['revocations'].has(incident.id));
    expect(marked).toHaveLength(wanted);
  });
});
