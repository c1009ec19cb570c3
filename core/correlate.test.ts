import { describe, expect, it } from 'vitest';
import type { BucketState } from './bucket.ts';
import { incidentOf, joins, MAX_ACTORS, type Opening } from './correlate.ts';
import type { Response } from './decide.ts';
import type { Incident, LedgerEntry } from './incident.ts';
import { BLOCK_ALL, quarantine, type Level } from './quarantine/levels.ts';
import { undone } from './quarantine/undone.ts';
import { readSignal, type Signal } from './signal.ts';

const NOW = '2026-11-24T10:00:00.000Z';
const target = { kind: 'bucket', arn: 'arn:aws:s3:::family', name: 'family', account: '111122223333', region: 'us-east-1' } as const;

const open: BucketState = {
  bucket: 'family',
  account: '111122223333',
  region: 'us-east-1',
  publicAccessBlock: null,
  accountPublicAccessBlock: null,
  policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'World', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*' }] }),
  acl: null,
  ownership: 'BucketOwnerEnforced',
  lifecycle: { Rules: [{ ID: 'expire', Status: 'Enabled', Expiration: { Days: 30 } }], TransitionDefaultMinimumObjectSize: null },
  replication: null,
  website: null,
  cors: null,
  tagging: null,
  versioning: 'Enabled',
  objectLock: null,
  notifications: null,
  accessPoints: [],
};
const closed: BucketState = { ...open, publicAccessBlock: BLOCK_ALL };

function signalBy(actor: { readonly principal?: string; readonly accessKey?: string; readonly address?: string } | null, more: Partial<Signal> = {}): Signal {
  const read = readSignal({ type: 'Exfiltration:S3/AnomalousBehavior', id: 'f-1', severity: 8, resource: {}, service: {}, schemaVersion: '2.0' }, NOW);
  if ('rejected' in read) throw new Error(read.rejected);
  return { ...read, actor: actor && { principal: actor.principal ?? 'somebody unknown', type: null, account: null, accessKey: actor.accessKey ?? null, address: actor.address ?? null }, ...more };
}

function opening(more: { readonly signal?: Signal; readonly response?: Partial<Response>; readonly state?: BucketState; readonly cap?: Opening['cap']; readonly drill?: boolean } = {}): Opening {
  const response: Response = { target, verdict: 'contain', recommended: 'contain', playbook: 'quarantine-bucket', installed: true, again: null, inputs: { level: 'external' }, levels: ['public', 'external', 'full'], severity: 8, trigger: 'quarantine-bucket/x', suppressedBy: null, because: 'pictures are being taken', ...more.response };
  return { response, signal: more.signal ?? signalBy({ principal: 'mallory' }), state: more.state ?? closed, receivedAt: NOW, decidedAt: NOW, drill: more.drill ?? false, cap: more.cap ?? 'contain' };
}

function incident(more: Partial<Incident> = {}): Incident {
  const made = incidentOf(opening());
  if (!made) throw new Error('opens none');
  return { ...made, status: 'contained', ...more };
}

describe('a further signal', () => {
  it('attaches where it says nothing new', () => {
    expect(joins(incident(), opening())).toMatchObject({ act: 'attach', tell: false, change: { severity: 8, actors: ['mallory'] } });
  });

  it.each([
    ['the severity rose', opening({ response: { severity: 9 } }), 'severity rose from 8 to 9', { severity: 9 }],
    ['another principal is named', opening({ signal: signalBy({ principal: 'eve' }) }), 'another actor, eve', { actors: ['mallory', 'eve'] }],
    ['a user comes with another key of its own', opening({ signal: signalBy({ principal: 'mallory', accessKey: 'AKIAIOSFODNN7EXAMPLE' }) }), 'another actor', {}],
    ['nobody is named and the address is another', opening({ signal: signalBy({ address: '198.51.100.9' }) }), 'another actor, 198.51.100.9', {}],
  ])('is decided again where %s', (_, given, because, change) => {
    const joined = joins(incident(), given);
    expect(joined).toMatchObject({ act: 'again', change: { ...change, status: 'open' } });
    expect(joined.because).toContain(because);
  });

  it.each([
    ['the address of a known principal', signalBy({ principal: 'mallory', address: '203.0.113.7' })],
    ['the session key of a known role', signalBy({ principal: 'mallory', accessKey: 'ASIAIOSFODNN7EXAMPLE' })],
    ['nobody', signalBy(null)],
  ])('is no other actor’s for %s', (_, signal) => {
    expect(joins(incident(), opening({ signal }))).toMatchObject({ act: 'attach', change: { actors: ['mallory'] } });
  });

  it('of a crowd changes nothing any more, so that changing names cannot keep the suite busy', () => {
    const crowd = Array.from({ length: MAX_ACTORS }, (_, n) => `actor-${n}`);
    expect(joins(incident({ actors: crowd }), opening({ signal: signalBy({ principal: 'one more' }) }))).toMatchObject({ act: 'attach', tell: false, change: { actors: crowd } });
  });

  it('waits for nothing where only actor or severity grew while containment is under way: apply reads them', () => {
    expect(joins(incident({ status: 'containing' }), opening({ response: { severity: 9.5 } }))).toMatchObject({ act: 'attach', tell: true, change: { severity: 9.5 } });
  });

  it('that asks for a higher level contains again, and waits while something is under way', () => {
    expect(joins(incident(), opening({ response: { inputs: { level: 'full' } } }))).toMatchObject({ act: 'again', change: { inputs: { level: 'full' } } });
    expect(joins(incident({ status: 'containing' }), opening({ response: { inputs: { level: 'full' } } }))).toMatchObject({ act: 'wait' });
  });

  it('that asks for a lower level takes nothing back', () => {
    expect(joins(incident(), opening({ response: { inputs: { level: 'public' } }, state: open }))).toMatchObject({ act: 'again', because: 'somebody opened it again', change: { inputs: { level: 'external' } } });
  });

  it.each(['observed', 'held', 'failed'] as const)('that grew gives an incident that is %s another chance', (status) => {
    expect(joins(incident({ status, mode: 'contain' }), opening({ response: { severity: 9.5 } }))).toMatchObject({ act: 'again' });
  });

  const later = '2026-11-24T11:00:00.000Z';
  const repeated = (more: Parameters<typeof opening>[0] = {}) => ({ ...opening({ ...more, signal: signalBy({ principal: 'mallory' }, { ...more.signal, time: '2026-11-24T10:59:00.000Z' }) }), decidedAt: later });

  it.each(['held', 'failed', 'expired'] as const)('of the same act by the same actor tries again what is %s, so that no target becomes immune', (status) => {
    expect(joins(incident({ status, mode: 'contain' }), repeated())).toMatchObject({ act: 'again', because: `it was ${status}, and is reported again`, change: { mode: 'contain', heededAt: later } });
  });

  it('tries again once in five minutes at most, and not for an event that is older than the decision', () => {
    expect(joins(incident({ status: 'failed', mode: 'contain', heededAt: '2026-11-24T10:57:00.000Z' }), repeated())).toMatchObject({ act: 'attach' });
    expect(joins(incident({ status: 'failed', mode: 'contain', decidedAt: '2026-11-24T10:59:30.000Z' }), { ...repeated(), decidedAt: '2026-11-24T11:10:00.000Z' })).toMatchObject({ act: 'attach' });
  });

  it('asks again about what was rejected where somebody did it again, and never acts by itself', () => {
    const rejected = incident({ status: 'rejected', mode: 'contain' });
    expect(joins(rejected, repeated({ signal: signalBy(null, { source: 'cloudtrail' }) }))).toMatchObject({ act: 'again', change: { mode: 'approve' } });
    expect(joins(rejected, repeated({ response: { severity: 9.5 } }))).toMatchObject({ act: 'again', change: { mode: 'approve' } });
    expect(joins(rejected, repeated())).toMatchObject({ act: 'attach', tell: true });
  });

  it('of what is only observed tells the ticket, once an hour', () => {
    const observed = incident({ status: 'observed', mode: 'observe' });
    expect(joins(observed, { ...repeated(), cap: 'observe' })).toMatchObject({ act: 'attach', tell: true, because: 'attached to the open incident: it is reported again, and is observed', change: { heededAt: later } });
    expect(joins({ ...observed, heededAt: '2026-11-24T10:30:00.000Z' }, { ...repeated(), cap: 'observe' })).toMatchObject({ act: 'attach', tell: false });
  });

  describe('while somebody is asked for more than stands', () => {
    const wish = opening({ response: { verdict: 'approve', inputs: { level: 'external' } } });
    const stood = incident({ mode: 'contain', inputs: { level: 'public' }, verifiedAt: NOW });
    const asked: Incident = { ...stood, ...joins(stood, wish).change, status: 'waiting' };

    it('keeps what stands', () => {
      expect(asked).toMatchObject({ mode: 'approve', inputs: { level: 'external' }, was: { mode: 'contain', inputs: { level: 'public' } }, verifiedAt: NOW });
    });

    it('contains at once what somebody undid, as it was', () => {
      expect(joins(asked, opening({ response: { verdict: 'ignore' } }), ['publicAccessBlock'])).toMatchObject({ act: 'again', change: { mode: 'contain', inputs: { level: 'public' }, was: null, verifiedAt: null } });
      expect(joins(asked, opening({ response: { inputs: { level: 'public' } }, state: open }))).toMatchObject({ act: 'again', change: { mode: 'contain', inputs: { level: 'public' } } });
    });

    it('does not act at the level that is still to be approved', () => {
      expect(joins(asked, opening({ response: { inputs: { level: 'public' } } }))).toMatchObject({ act: 'attach' });
      expect(joins(incident({ status: 'waiting', mode: 'approve', inputs: { level: 'external' } }), opening({ response: { inputs: { level: 'public' } } }))).toMatchObject({ act: 'again', change: { mode: 'contain', inputs: { level: 'public' } } });
    });

    it('asks once', () => {
      expect(joins(asked, wish)).toMatchObject({ act: 'attach' });
    });
  });

  it('that says it was undone takes the proof away', () => {
    expect(joins(incident({ verifiedAt: NOW }), opening(), ['policy'])).toMatchObject({ act: 'again', change: { verifiedAt: null } });
  });

  it('asks for no more than configuration allows', () => {
    expect(joins(incident({ status: 'observed', mode: 'observe' }), opening({ cap: 'observe', response: { severity: 9.5 } }))).toMatchObject({ act: 'attach', tell: true, change: { severity: 9.5 } });
  });

  it('reopens what somebody undid, whatever the signal by itself asks for', () => {
    const asksNothing = opening({ response: { verdict: 'ignore', playbook: null, installed: false, inputs: null, severity: 0 } });
    expect(joins(incident(), asksNothing, ['policy'])).toMatchObject({ act: 'again', because: 'somebody undid the quarantine: policy', change: { status: 'open' } });
    expect(joins(incident(), asksNothing)).toMatchObject({ act: 'attach' });
  });

  it('that says so again and again within an hour contains each time, and makes it critical', () => {
    const undoneAt = (time: string, more: Partial<Incident> = {}) => joins(incident({ severity: 8, ...more }), { ...opening(), decidedAt: `2026-11-24T${time}:00.000Z` }, ['policy']);
    const first = undoneAt('10:00');
    expect(first.change).toMatchObject({ severity: 8, contested: { since: '2026-11-24T10:00:00.000Z', times: 1 } });
    const fourth = { contested: { since: '2026-11-24T10:00:00.000Z', times: 4 } };
    expect(undoneAt('10:30', fourth)).toMatchObject({ act: 'again', because: expect.stringMatching(/5 times since .*: somebody fights back$/), change: { severity: 9, contested: { times: 5 } } });
    // An hour later it begins to count anew; while it is being contained, what is reported of before counts nothing.
    expect(undoneAt('11:00', fourth)).toMatchObject({ act: 'again', change: { severity: 8, contested: { times: 1 } } });
    expect(undoneAt('10:30', { ...fourth, status: 'containing' }).change).not.toHaveProperty('contested');
  });

  it.each([
    ['a sample', { sample: true }],
    ['a replay', { replayed: true }],
  ])('that is %s reopens nothing, but in a drill', (_, more) => {
    const signal = signalBy({ principal: 'eve' }, more);
    expect(joins(incident(), opening({ signal, response: { verdict: 'observe', severity: 10 } }), ['policy'])).toMatchObject({ act: 'attach', tell: false });
    expect(joins(incident(), opening({ signal, drill: true }), ['policy'])).toMatchObject({ act: 'again' });
  });

  it("goes by the levels of the playbook that answers, whatever they are called", () => {
    const other = { playbook: 'contain-principal', levels: ['sessions', 'everything'], inputs: { level: 'everything' } };
    expect(joins(incident({ playbook: 'contain-principal', inputs: { level: 'sessions' } }), opening({ response: other }))).toMatchObject({ act: 'again', because: 'a signal asks for level everything' });
    expect(joins(incident({ playbook: 'contain-principal', inputs: { level: 'everything' } }), opening({ response: { ...other, inputs: { level: 'sessions' } } }))).toMatchObject({ act: 'attach' });
  });

  it('waits where it stands open to the public while it is being restored: the restore ends the incident', () => {
    expect(joins(incident({ status: 'restoring' }), opening({ state: open }))).toMatchObject({ act: 'wait' });
    expect(joins(incident({ status: 'restoring' }), opening())).toMatchObject({ act: 'attach' });
  });

  it('of the time before a person gave the target back contains nothing, also where the incident is open again', () => {
    const reopened = incident({ status: 'observed', mode: 'contain', inputs: { level: 'public' }, restoredAt: '2026-11-24T11:00:00.000Z' });
    expect(joins(reopened, opening())).toMatchObject({ act: 'attach' });
    expect(joins(reopened, opening({ signal: signalBy({ principal: 'mallory' }, { time: '2026-11-24T11:00:01.000Z' }) }))).toMatchObject({ act: 'again' });
  });

  it('that somebody accepted reopens nothing', () => {
    expect(joins(incident(), opening({ response: { verdict: 'record' } }))).toMatchObject({ act: 'attach', tell: false });
    expect(joins(incident(), opening({ response: { verdict: 'record', because: 'suppressed by site' } }), ['policy'])).toMatchObject({ act: 'attach', tell: true, because: expect.stringContaining('undid the quarantine (policy), and that is left as it is: suppressed by site') });
  });
});

describe('undone', () => {
  const changes = (level: Level, exempt: readonly string[] = []) => quarantine(open, { incident: 'inc-1', level, exempt, organizationId: null }).changes;
  const ledger = (level: Level, direction: LedgerEntry['direction'] = 'contain') => changes(level).map((change): LedgerEntry => ({ ...change, incident: 'inc-1', direction, execution: direction, digest: 'd', intendedAt: '2026-01-01T00:00:00.000Z', doneAt: null, result: 'done' }));
  const contained = (level: Level) => changes(level).reduce<BucketState>((state, { setting, after }) => ({ ...state, [setting]: after }), open);

  it.each(['public', 'external', 'full'] as const)('is nothing of a bucket that is as level %s left it', (level) => {
    expect(undone(contained(level), ledger(level))).toEqual([]);
  });

  it('names the deny that a deployment wrote over, the rules and the block that it put back, but no tags', () => {
    expect(undone({ ...contained('external'), policy: open.policy, tagging: null }, ledger('external'))).toEqual(['policy']);
    expect(undone({ ...contained('public'), publicAccessBlock: null }, ledger('public'))).toEqual(['publicAccessBlock']);
    expect(undone({ ...contained('public'), lifecycle: open.lifecycle }, ledger('public'))).toEqual(['lifecycle']);
  });

  it('names the deny that somebody weakened', () => {
    const { policy } = contained('full');
    expect(undone({ ...contained('full'), policy: (policy ?? '').replace('s3:*', 's3:PutObject') }, ledger('full'))).toEqual(['policy']);
  });

  it("is nothing of what a restore opens again, also of one that was never proven", () => {
    expect(undone(open, [...ledger('external'), ...ledger('external', 'restore')])).toEqual([]);
  });

  it('says nothing of what is only partly known', () => {
    expect(undone({ publicAccessBlock: null }, ledger('public'))).toEqual([]);
    expect(undone(undefined, ledger('public'))).toEqual([]);
  });
});
