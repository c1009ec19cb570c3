import { describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../incident.ts';
import type { Json } from '../bucket.ts';
import { sessionPolicy } from '../share/sessions.ts';
import { containment, DENY, denyPolicy, keySetting, keysSince, levelOf, momentOf, restoration, settingFor } from './contain.ts';
import { driftedSince, judgePrincipal } from './look.ts';
import { forbids, principalOf, runnersOf, type PrincipalState, type PrincipalWithRoom } from './principal.ts';

const ACCOUNT = '111122223333';
const user = principalOf(`arn:aws:iam::${ACCOUNT}:user/ops/deploy-bot`);
const role = principalOf(`arn:aws:iam::${ACCOUNT}:role/photo-service`);
const state: PrincipalWithRoom = { arn: 'arn', path: '/', keys: { AKIA1: 'Active', AKIA2: 'Inactive' }, hasPassword: true, deny: null, room: 2048, trust: null };

describe('a principal', () => {
  it('is a user or a role, by its name without the path', () => expect(user).toEqual({ kind: 'user', account: ACCOUNT, name: 'deploy-bot' }));
  it.each([
    [`arn:aws:sts::${ACCOUNT}:assumed-role/photo-service/i-0123`, `give arn:aws:iam::${ACCOUNT}:role/photo-service`],
    [`arn:aws:iam::${ACCOUNT}:root`, 'only a user or a role'],
    ['deploy-bot', 'only a user or a role'],
    [`arn:aws:iam::${ACCOUNT}:user/x"; rm -rf /`, 'only a user or a role'],
  ])('is not %s', (arn, says) => expect(() => principalOf(arn)).toThrow(says));

  const never = { own: 'stopbath-prod', accounts: [ACCOUNT, '222233334444'], roles: [`arn:aws:iam::${ACCOUNT}:role/glass/break-glass`] };
  it.each([
    ["the suite's own", 'stopbath-prod-triage', '/', 'a role of the suite itself'],
    ["the suite's own, in capitals", 'Stopbath-Prod-Triage', '/', 'a role of the suite itself'],
    ['a break-glass role', 'break-glass', '/', 'break-glass'],
    ['a service-linked role', 'AWSServiceRoleForSupport', '/aws-service-role/support.amazonaws.com/', 'service-linked'],
    ['a role of Identity Center', 'AWSReservedSSO_x', '/aws-reserved/sso.amazonaws.com/', 'Identity Center'],
  ])('is never touched: %s', (_, name, path, says) => expect(forbids({ kind: 'role', account: ACCOUNT, name }, { path }, never)).toContain(says));
  it('of another account is out of reach', () => expect(forbids({ ...role, account: '444455556666' }, state, never)).toContain('444455556666'));
  it('may be anybody else, of a member account too', () => {
    for (const account of never.accounts) expect(forbids({ ...role, account }, state, never)).toBeNull();
  });
  it("is never touched: the suite's own role in a member account", () => expect(forbids({ kind: 'role', account: '222233334444', name: 'stopbath-prod-contain' }, state, never)).toContain('a role of the suite itself'));
  it('runs what its trust policy lets in: services, and pods of EKS by their provider', () => {
    const oidc = `arn:aws:iam::${ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE`;
    expect(runnersOf({ Statement: [{ Principal: { Service: ['lambda.amazonaws.com', 'ecs-tasks.amazonaws.com'], AWS: 'x' } }] })).toEqual(['ecs-tasks.amazonaws.com', 'lambda.amazonaws.com']);
    const condition = { StringEquals: { 'oidc.eks.us-east-1.amazonaws.com/id/EXAMPLE:aud': 'sts.amazonaws.com' } };
    expect(runnersOf({ Statement: [{ Effect: 'Allow', Principal: { Federated: oidc }, Action: 'sts:AssumeRoleWithWebIdentity', Condition: condition }] })).toContain(oidc);
    expect(runnersOf({ Statement: [{ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }] })).toEqual([]);
  });
});

const incident = { id: 'inc-1', inputs: {} };

describe('a containment', () => {
  it('denies first, then switches active keys off, each with what takes it back', () => {
    const { changes, notes } = containment(user, state, levelOf(undefined, user), incident);
    expect(changes.map(({ setting, before, after, undo }) => [setting, before, after, undo?.operation])).toEqual([
      [DENY, null, denyPolicy('everything'), 'DeleteUserPolicy'],
      ['key:AKIA1', 'Active', 'Inactive', 'UpdateAccessKey'],
    ]);
    expect(notes.join(' ')).toContain('password stays as it is');
    expect(notes.join(' ')).toMatch(/Sessions of other roles that \S+ assumed before the change live on, up to 12 hours/);
  });
  it('of a role leaves new sessions, unless told', () => {
    expect(containment(role, { ...state, keys: {} }, levelOf(undefined, role), incident).changes[0]?.after).toEqual(denyPolicy('sessions'));
    expect(levelOf('everything', role)).toBe('everything');
  });
  it('done twice has nothing to do', () => expect(containment(user, { ...state, deny: denyPolicy('everything'), keys: { AKIA1: 'Inactive' } }, 'everything', incident).changes).toEqual([]));
  it('of sessions moves the moment on each time, says that it is not the first, and is undone to the moment before', () => {
    const before = sessionPolicy('2026-07-31T10:00:10.000Z');
    const { changes: [deny, ...more], notes } = containment(role, { ...state, keys: {}, deny: before }, 'sessions', incident);
    if (!deny) throw new Error('nothing is denied');
    expect([deny.before, deny.after, more]).toEqual([before, denyPolicy('sessions'), []]);
    expect(JSON.stringify(deny.undo)).toContain('2026-07-31T10:00:10.000Z');
    expect(notes.join(' ')).toContain('the next step is level everything');
    // Not yet moved; moved; taken away by somebody.
    const now = (deny: Json) => settingFor({ ...state, deny }, { setting: DENY, before, after: denyPolicy('sessions') });
    expect([now(before), now(sessionPolicy('2026-07-31T11:00:10.000Z')), now(null)]).toEqual([before, deny.after, null]);
  });
  it('denies sessions until ten seconds after it was acknowledged, and at level everything has no moment', () => {
    const entry = (after: Json): LedgerEntry => ({ seq: 1, setting: DENY, title: '', before: null, after, incident: 'inc-1', direction: 'contain', execution: 'e', digest: 'd', intendedAt: '2026-07-31T10:00:00.000Z', doneAt: '2026-07-31T10:00:01.000Z', result: 'done' });
    expect([momentOf([]), momentOf([entry(denyPolicy('sessions'))]), momentOf([entry(denyPolicy('sessions')), entry(denyPolicy('everything'))])]).toEqual([null, '2026-07-31T10:00:11.000Z', null]);
  });
  it('switches off what was made since the plan, too, once however often it is tried; what was deleted is off', () => {
    const { changes } = containment(user, state, 'everything', incident);
    const now: PrincipalState = { ...state, keys: { AKIA2: 'Active', AKIA3: 'Active' } };
    const since = keysSince({ changes }, now, user, []);
    expect(since.map(({ seq, setting, before, after, undo }) => [seq, setting, before, after, undo?.input])).toEqual(['AKIA2', 'AKIA3'].map((id, index) => [3 + index, keySetting(id), 'Active', 'Inactive', { UserName: 'deploy-bot', AccessKeyId: id, Status: 'Active' }]));
    const [, written] = since.map((change): LedgerEntry => ({ ...change, incident: 'inc-1', direction: 'contain', execution: 'e', digest: 'd', intendedAt: '', doneAt: null, result: 'intended' }));
    expect(keysSince({ changes }, { ...now, keys: { AKIA3: 'Active', AKIA4: 'Active' } }, user, written ? [written] : []).map(({ seq, setting }) => [seq, setting])).toEqual([[4, 'key:AKIA3'], [6, 'key:AKIA4']]);
    expect(settingFor(now, { setting: 'key:AKIA1', before: 'Active', after: 'Inactive' })).toBe('Inactive');
  });
  it('never asks for less than what stands; once that is restored, it does', () => {
    const entry = (direction: 'contain' | 'restore', after: Json): LedgerEntry => ({ seq: 1, setting: DENY, title: '', before: null, after, incident: 'inc-1', direction, execution: direction, digest: 'd', intendedAt: '', doneAt: '', result: 'done' });
    const stands = entry('contain', denyPolicy('everything'));
    expect([levelOf('sessions', role), levelOf('sessions', role, [stands]), levelOf('sessions', role, [stands, entry('restore', null), entry('contain', denyPolicy('sessions'))])]).toEqual(['sessions', 'everything', 'sessions']);
    expect(containment(role, { ...state, keys: {}, deny: denyPolicy('everything') }, 'everything', { id: 'inc-1', inputs: { level: 'sessions' } })).toMatchObject({ changes: [], notes: expect.arrayContaining([expect.stringContaining('stays there')]) });
  });
  it('says where there is no room for a deny', () => {
    const { changes, notes } = containment(user, { ...state, room: 10 }, 'everything', incident);
    expect(changes.map(({ setting }) => setting)).toEqual(['key:AKIA1']);
    expect(notes.join(' ')).toContain('no room');
  });
});

describe('a restore', () => {
  const done = (setting: string, before: LedgerEntry['before'], after: LedgerEntry['after']): LedgerEntry => ({ seq: 1, setting, title: '', before, after, incident: 'inc-1', direction: 'contain', execution: 'e', digest: 'd', intendedAt: '', doneAt: '', result: 'done' });
  const ledger = [done(DENY, null, denyPolicy('everything')), done('key:AKIA1', 'Active', 'Inactive'), done(DENY, { other: true }, denyPolicy('everything'))];
  const now = { ...state, deny: denyPolicy('everything'), keys: { AKIA1: 'Inactive' } } as const;

  it('lifts the deny to what was there first, and leaves the key off', () => {
    const { changes, notes } = restoration(ledger, now, user, 'keep');
    expect(changes.map(({ setting, after }) => [setting, after])).toEqual([[DENY, null]]);
    expect(notes.join(' ')).toContain('AKIA1 stays off');
  });
  it('never switches on what was made after the incident began, whoever asks', () => {
    const [since] = keysSince({ changes: [] }, { ...state, keys: { AKIA7: 'Active' } }, user, []);
    const later = [...ledger, { ...done('key:AKIA7', 'Active', 'Inactive'), ...since }, { ...done('key:AKIA8', 'Active', 'Inactive'), execution: 'e-2' }];
    const { changes, notes } = restoration(later, { ...now, keys: { AKIA1: 'Inactive', AKIA7: 'Inactive', AKIA8: 'Inactive' } }, user, 'overwrite');
    expect(changes.map(({ setting }) => setting)).toEqual(['key:AKIA1', DENY]);
    expect(notes.filter((note) => note.includes('after the incident began'))).toHaveLength(2);
  });
  it('names every key that works, and whether this incident had switched it off', () => {
    const { notes } = restoration(ledger, { ...now, keys: { AKIA1: 'Active', AKIA9: 'Active' } }, user, 'keep');
    expect(notes.filter((note) => note.includes(' is on,')).map((note) => /AKIA\d|never|had/g[Symbol.match](note))).toEqual([['AKIA1', 'had'], ['AKIA9', 'never']]);
  });
  it('of which only the intent is written is asked for again', () => {
    const half: LedgerEntry = { ...done(DENY, denyPolicy('everything'), null), direction: 'restore', execution: 'r', doneAt: null, result: 'intended' };
    expect(restoration([...ledger, half], now, user, 'keep').changes.map(({ setting, after }) => [setting, after])).toEqual([[DENY, null]]);
  });
  it('switches the key on where that was asked for, before the deny is lifted', () => expect(restoration(ledger, now, user, 'overwrite').changes.map(({ setting, after }) => [setting, after])).toEqual([['key:AKIA1', 'Active'], [DENY, null]]));
});

describe('a look', () => {
  it('finds every key that works after a containment, whoever made it, and none that was deleted', () => {
    const off: LedgerEntry = { seq: 1, setting: 'key:AKIA1', title: '', before: 'Active', after: 'Inactive', incident: 'inc-1', direction: 'contain', execution: 'e', digest: 'd', intendedAt: '', doneAt: '', result: 'done' };
    const drift = (keys: PrincipalState['keys'], direction: 'contain' | 'restore' = 'contain') => driftedSince([off], direction, { ...state, keys });
    expect([drift({ AKIA1: 'Inactive' }), drift({}), drift({ AKIA1: 'Active' }), drift({ AKIA9: 'Active' }), drift({ AKIA9: 'Active' }, 'restore')]).toEqual([[], [], ['key:AKIA1'], ['key:AKIA9'], []]);
  });

  const limits = { needed: 2, allowed: 3 };
  const denied = { tried: [{ what: 's3', answer: 'denied' as const }], drifted: [] };
  it('proves by denials in a row', () => expect([judgePrincipal(denied, 'contain', limits, 0, 1).verdict, judgePrincipal(denied, 'contain', limits, 1, 2).verdict]).toEqual(['pending', 'verified']));
  it("does not take another incident's denial for its own that was not lifted", () => {
    const by = { tried: [{ what: 's3', answer: 'denied' as const, by: 'StopbathRevokeOlderSessions-inc-2' }], drifted: [] };
    expect(judgePrincipal(by, 'restore', limits, 1, 2)).toMatchObject({ verdict: 'verified', reason: expect.stringContaining('another one does (StopbathRevokeOlderSessions-inc-2)') });
    expect([judgePrincipal(denied, 'restore', limits, 1, 3).verdict, judgePrincipal(by, 'contain', limits, 1, 2).verdict]).toEqual(['unverified', 'verified']);
  });
  it.each([
    ['an old session that is let in', { tried: [{ what: 's3', answer: 'open' as const }], drifted: [] }],
    ['no answer', { tried: [{ what: 's3', answer: 'unknown' as const }], drifted: [] }],
    ['a key that is on again', { ...denied, drifted: ['key:AKIA1'] }],
  ])('proves nothing by %s', (_, look) => expect(judgePrincipal(look, 'contain', limits, 1, 3)).toMatchObject({ verdict: 'unverified', streak: 0 }));
});
