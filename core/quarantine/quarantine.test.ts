import { describe, expect, it } from 'vitest';
import type { BucketState, Json } from '../bucket.ts';
import type { Change, LedgerEntry } from '../incident.ts';
import { remaining, StateMovedError } from '../apply.ts';
import { BLOCK_ALL, POLICY_LIMIT_BYTES, quarantine, type Level } from './levels.ts';
import { policyText } from '../policy.ts';
import { driftOf, judge } from './look.ts';
import { reopenings, restoration, settingOf } from './restore.ts';
import { standing } from '../outcome.ts';

const OPEN = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };
const PUBLIC_POLICY = '{ "Version": "2012-10-17",\n  "Statement": [{ "Sid": "World", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::family/*" }] }';

const bucket: BucketState = {
  bucket: 'family',
  account: '111122223333',
  region: 'us-east-1',
  publicAccessBlock: OPEN,
  accountPublicAccessBlock: null,
  policy: PUBLIC_POLICY,
  acl: null,
  ownership: 'ObjectWriter',
  lifecycle: {
    Rules: [
      { ID: 'expire', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 30 } },
      { ID: 'move', Status: 'Enabled', Filter: { Prefix: '' }, Transitions: [{ Days: 90, StorageClass: 'GLACIER' }] },
    ],
    TransitionDefaultMinimumObjectSize: null,
  },
  replication: null,
  website: null,
  cors: null,
  tagging: [{ Key: 'team', Value: 'albums' }],
  versioning: 'Enabled',
  objectLock: null,
  notifications: null,
  accessPoints: [],
};

const options = (level: Level, organizationId: string | null = null) => ({ incident: 'inc-1', level, exempt: ['arn:aws:iam::111122223333:role/responder'], organizationId });

describe('quarantine', () => {
  it('blocks all public access in one write at level public', () => {
    const { changes } = quarantine(bucket, options('public'));
    expect(changes.map((change) => change.setting)).toEqual(['publicAccessBlock', 'lifecycle', 'tagging']);
    expect(changes[0]).toMatchObject({ before: OPEN, after: BLOCK_ALL });
  });

  it('refuses public policies only after the deny is written, since S3 refuses to write one under that block', () => {
    const { changes } = quarantine(bucket, options('external'));
    expect(changes.slice(0, 4).map((change) => change.setting)).toEqual(['publicAccessBlock', 'lifecycle', 'policy', 'publicAccessBlock']);
    expect(changes[0]?.after).toEqual({ ...BLOCK_ALL, BlockPublicPolicy: false });
    expect(changes[3]?.after).toEqual(BLOCK_ALL);
  });

  it('lifts the block on policies for the write where it stood already', () => {
    const { changes } = quarantine({ ...bucket, publicAccessBlock: BLOCK_ALL }, options('full'));
    expect(changes[0]).toMatchObject({ setting: 'publicAccessBlock', before: BLOCK_ALL, after: { BlockPublicPolicy: false, RestrictPublicBuckets: true } });
  });

  it('keeps the statements it did not write', () => {
    const after = policyAfter(quarantine(bucket, options('full')).changes);
    expect(after.Statement).toHaveLength(2);
    expect(after.Statement[0]).toMatchObject({ Sid: 'World' });
  });

  it('exempts by principal ARN, account or organisation, never by NotPrincipal', () => {
    const full = policyAfter(quarantine(bucket, options('full')).changes).Statement[1];
    expect(full).toMatchObject({ Effect: 'Deny', Principal: '*', Condition: { ArnNotLike: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/responder' } } });
    const external = policyAfter(quarantine(bucket, options('external')).changes).Statement[1];
    expect(external).toMatchObject({ Condition: { StringNotEquals: { 'aws:PrincipalAccount': '111122223333' }, BoolIfExists: { 'aws:PrincipalIsAWSService': 'false' } } });
    const organisation = policyAfter(quarantine(bucket, options('external', 'o-photos')).changes).Statement[1];
    expect(organisation).toMatchObject({ Condition: { StringNotEquals: { 'aws:PrincipalOrgID': 'o-photos' } } });
  });

  it('shuts out services that act for other accounts, and none that act for this one or for a bucket', () => {
    const services = (organizationId: string | null) => policyAfter(quarantine(bucket, options('external', organizationId)).changes).Statement[2];
    expect(services(null)).toMatchObject({
      Effect: 'Deny',
      Condition: { Bool: { 'aws:PrincipalIsAWSService': 'true' }, Null: { 'aws:SourceArn': 'false' }, ArnNotLike: { 'aws:SourceArn': ['arn:*:*:*:111122223333:*', 'arn:*:s3:::*'] }, StringNotEqualsIfExists: { 'aws:SourceAccount': '111122223333' } },
    });
    expect(services('o-photos')).toMatchObject({ Condition: { StringNotEqualsIfExists: { 'aws:SourceAccount': '111122223333', 'aws:SourceOrgID': 'o-photos' } } });
  });

  it('names whom a level leaves in', () => {
    const allow = (more: object) => ({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*', ...more });
    const notes = (level: Level, ...Statement: readonly object[]) => quarantine({ ...bucket, policy: JSON.stringify({ Version: '2012-10-17', Statement }) }, options(level)).notes.join();
    const address = allow({ Condition: { IpAddress: { 'aws:SourceIp': '198.51.100.7/32' } } });
    const distribution = allow({ Principal: { Service: 'cloudfront.amazonaws.com' }, Condition: { StringEquals: { 'AWS:SourceArn': 'arn:aws:cloudfront::444455556666:distribution/E1' } } });
    const silent = allow({ Principal: { Service: 'appstream.amazonaws.com' } });
    expect(notes('public', address, distribution)).toContain('leaves in whoever has aws:SourceIp 198.51.100.7/32 and cloudfront.amazonaws.com for aws:SourceArn');
    expect(notes('public', allow({}), address)).toBe('');
    expect(notes('external', address, distribution)).toBe('');
    expect(notes('external', silent)).toContain('leaves in appstream.amazonaws.com for anybody who asks it to');
    expect(notes('full', silent)).toBe('');
  });

  it('switches off the rules that expire and leaves the others running', () => {
    const lifecycle = quarantine(bucket, options('public')).changes.find((change) => change.setting === 'lifecycle');
    expect(lifecycle?.after).toMatchObject({ Rules: [{ ID: 'expire', Status: 'Disabled' }, { ID: 'move', Status: 'Enabled' }] });
  });

  it('leaves out who was deleted, which S3 refuses to be given, and neither way loses the others', () => {
    const gone = 'AROA27HJSWAHEPTTLIWSO';
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [
      { Sid: 'Gone', Effect: 'Allow', Principal: { AWS: gone }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*' },
      { Sid: 'Both', Effect: 'Allow', Principal: { AWS: [gone, 'arn:aws:iam::444455556666:role/lab'] }, Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*' },
      { Sid: 'But', Effect: 'Deny', NotPrincipal: { AWS: gone }, Action: 's3:DeleteBucket', Resource: 'arn:aws:s3:::family' },
    ] });
    const before = { ...bucket, policy };
    const { changes, notes } = quarantine(before, options('full'));
    expect(policyAfter(changes).Statement).toMatchObject([{ Sid: 'Both', Principal: { AWS: 'arn:aws:iam::444455556666:role/lab' } }, { Sid: 'But', Principal: '*' }, { Effect: 'Deny' }]);
    expect(notes.join()).toContain(`${gone}, which was deleted`);
    const contained = play(before, changes);
    const undo = restoration(ledger(changes), contained);
    expect(play(contained, undo.changes).policy).not.toMatch(/AROA|Stopbath/);
    expect(undo.notes.join()).toContain('was deleted');
    expect(quarantine(before, options('public')).notes.join()).not.toContain('deleted');
  });

  it('goes on without the lifecycle rules where a plan has no room for them, and says so', () => {
    const Rules = Array.from({ length: 1000 }, (_, n) => ({ ID: `rule-${n}`, Status: 'Enabled', Filter: { Prefix: 'x'.repeat(400) }, Expiration: { Days: 1 } }));
    const planned = quarantine({ ...bucket, lifecycle: { Rules, TransitionDefaultMinimumObjectSize: null } }, options('public'));
    expect(planned.changes.map((change) => change.setting)).toEqual(['publicAccessBlock', 'tagging']);
    expect(planned.notes.join()).toContain('Switch them off by hand');
  });

  it('blocks the public and says what is missing where the policy has no room for a deny', () => {
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'x'.repeat(POLICY_LIMIT_BYTES - 200), Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/*' }] });
    const planned = quarantine({ ...bucket, policy }, options('full'));
    expect(planned.level).toBe('public');
    expect(planned.changes.map((change) => change.setting)).toEqual(['publicAccessBlock', 'lifecycle', 'tagging']);
    expect(planned.notes.join()).toContain('level full is not reached');
  });

  it('puts its deny back in its place where somebody weakened it, and adds no second one of its name', () => {
    const contained = play(bucket, quarantine(bucket, options('full')).changes);
    const weakened = { ...contained, policy: (contained.policy ?? '').replace('role/responder', 'role/*') };
    const policy = policyAfter(quarantine(weakened, options('full')).changes);
    expect(JSON.stringify(policy)).toBe(contained.policy);
  });

  it.each(['public', 'external', 'full'] as const)('has nothing to do on a bucket that is at level %s', (level) => {
    const after = play(bucket, quarantine(bucket, options(level)).changes);
    expect(quarantine(after, options(level)).changes).toEqual([]);
  });
});

describe('a look', () => {
  const look = { anonymous: 'refused', inside: 'served', open: false, drifted: [] } as const;
  const expected = { direction: 'contain', level: 'external', asked: 'external', left: [], anonymousBefore: 'served', needed: 2, allowed: 9 } as const;
  it('proves the level that was asked for, and never a lower one that the policy had room for', () => {
    expect(judge(look, expected, 1, 2).verdict).toBe('verified');
    expect(judge(look, { ...expected, level: 'public' }, 0, 1).verdict).toBe('pending');
    expect(judge(look, { ...expected, level: 'public' }, 1, 2)).toMatchObject({ verdict: 'unverified', reason: expect.stringContaining('level external was not reached') });
    expect(judge({ ...look, anonymous: 'served' }, { ...expected, level: 'public', direction: 'restore' }, 1, 2).verdict).toBe('verified');
  });

  it('says whom the level leaves in', () => {
    expect(judge(look, { ...expected, left: ['appstream.amazonaws.com for anybody who asks it to'] }, 1, 2)).toMatchObject({ verdict: 'verified', reason: expect.stringContaining('leaves in appstream.amazonaws.com for anybody') });
  });
});

describe('remaining', () => {
  it('finds nothing left after all was done, and the rest after a crash at any point', () => {
    const { changes } = quarantine(bucket, options('full'));
    for (let done = 0; done <= changes.length; done++) {
      const state = play(bucket, changes.slice(0, done));
      expect(remaining(changes, (setting) => settingOf(state, setting)).map((change) => change.seq)).toEqual(changes.slice(done).map((change) => change.seq));
    }
  });

  it('starts again where a setting ends as it began', () => {
    const blocked = { ...bucket, publicAccessBlock: BLOCK_ALL };
    const { changes } = quarantine(blocked, options('full'));
    expect(remaining(changes, (setting) => settingOf(blocked, setting))).toEqual(changes);
  });

  it('stops where somebody changed the state since the plan', () => {
    const { changes } = quarantine(bucket, options('public'));
    const moved = { ...bucket, publicAccessBlock: { ...OPEN, IgnorePublicAcls: true } };
    expect(() => remaining(changes, (setting) => settingOf(moved, setting))).toThrow(StateMovedError);
  });
});

describe('restoration', () => {
  it.each(['public', 'external', 'full'] as const)('brings back every setting byte for byte from level %s', (level) => {
    const { changes } = quarantine(bucket, options(level));
    const contained = play(bucket, changes);
    expect(play(contained, restoration(ledger(changes), contained).changes)).toEqual(bucket);
  });

  it.each([0, 1, 2, 3, 4, 5])('brings back a containment that stopped after %i changes', (done) => {
    const { changes } = quarantine(bucket, options('full'));
    const halfway = play(bucket, changes.slice(0, done));
    expect(play(halfway, restoration(ledger(changes), halfway).changes)).toEqual(bucket);
  });

  it('deletes what was absent', () => {
    const bare = { ...bucket, publicAccessBlock: null, policy: null, tagging: null, lifecycle: null };
    const { changes } = quarantine(bare, options('full'));
    const contained = play(bare, changes);
    expect(play(contained, restoration(ledger(changes), contained).changes)).toEqual(bare);
  });

  it("keeps what somebody changed since, takes out only the suite's own, and says so", () => {
    const { changes } = quarantine(bucket, options('external'));
    const contained = play(bucket, changes);
    const policy = policyAfter(changes);
    const newer: BucketState = {
      ...contained,
      policy: JSON.stringify({ ...policy, Statement: [...policy.Statement, { Sid: 'New', Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource: 'arn:aws:s3:::family/*' }] }),
      tagging: [...(contained.tagging ?? []), { Key: 'cost', Value: '42' }],
    };
    const { changes: undo, notes } = restoration(ledger(changes), newer);
    const restored = play(newer, undo);
    expect(sidsOf(restored)).toEqual(['World', 'New']);
    expect(restored.tagging).toEqual([{ Key: 'team', Value: 'albums' }, { Key: 'cost', Value: '42' }]);
    expect(restored.publicAccessBlock).toEqual(OPEN);
    expect(notes.join()).toContain('policy was changed after the containment');
  });

  it('takes no revocation of links for a change: not when it looks, and not where newer changes are overwritten', () => {
    const { changes } = quarantine(bucket, options('external'));
    const contained = play(bucket, changes);
    const links = { Sid: 'StopbathUrlsinc2Presigned', Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::family/summer/*' };
    const both = { ...contained, policy: policyText({ ...policyAfter(changes), Statement: [...policyAfter(changes).Statement, links] }) };
    expect(driftOf(ledger(changes), both)).toEqual([]);
    const { changes: undo, notes, drift } = restoration(ledger(changes), both);
    expect([drift, notes]).toEqual([[], ['What another incident denies in the policy stays, until that one is restored: StopbathUrlsinc2Presigned.']]);
    expect(sidsOf(play(both, undo))).toEqual(['World', 'StopbathUrlsinc2Presigned']);
    const newer = { ...both, policy: policyText({ ...policyAfter(changes), Statement: [{ ...links, Sid: 'New' }, links] }) };
    expect(sidsOf(play(newer, restoration(ledger(changes), newer, 'overwrite').changes))).toEqual(['World', 'StopbathUrlsinc2Presigned']);
  });

  it('takes its deny out of a policy whose statement stands by itself', () => {
    const { changes } = quarantine({ ...bucket, policy: null }, options('external'));
    const alone = play({ ...bucket, policy: null }, changes);
    const deny = (JSON.parse(alone.policy ?? '') as { Statement: readonly unknown[] }).Statement[0];
    const rewritten = { ...alone, policy: JSON.stringify({ Version: '2012-10-17', Id: 'mine', Statement: deny }) };
    expect(play(rewritten, restoration(ledger(changes), rewritten).changes).policy).toBeNull();
  });

  it.each([['public', 1], ['external', 2], ['full', 2]] as const)('opens again what level %s closed: the public, and whom its denial kept out', (level, ways) => {
    const { changes } = quarantine(bucket, options(level));
    const contained = play(bucket, changes);
    expect(reopenings(contained, restoration(ledger(changes), contained).changes)).toHaveLength(ways);
  });

  it('goes by the containment that stands, not by one that was taken back before it', () => {
    const first = quarantine(bucket, options('public')).changes;
    const restored = restoration(ledger(first), play(bucket, first)).changes;
    // Its owner closed it after the restore; then it was contained again.
    const closed = { ...bucket, publicAccessBlock: BLOCK_ALL };
    const second = quarantine(closed, options('external')).changes;
    const entries = [...ledger(first), ...restored.map((change) => ({ ...entryOf(change, 'restore', 'r1'), result: 'done' as const })), ...second.map((change) => entryOf(change, 'contain', 'c2'))];
    const contained = play(closed, second);
    expect(play(contained, restoration(standing(entries), contained).changes)).toEqual(closed);
    const half = entries.map((entry, index) => (index === first.length ? { ...entry, result: 'intended' as const } : entry));
    expect(standing(half)).toHaveLength(first.length + second.length);
  });

  it('has nothing to do a second time', () => {
    const { changes } = quarantine(bucket, options('full'));
    expect(restoration(ledger(changes), bucket).changes).toEqual([]);
  });
});

describe('a look after a restore', () => {
  const restored = { direction: 'restore', level: 'public', asked: 'public', left: [], anonymousBefore: 'served', needed: 1, allowed: 2 } as const;
  const look = { anonymous: 'refused', inside: 'served', open: false, drifted: [] } as const;

  it('takes refusals for good only where the settings themselves are closed now', () => {
    expect(judge({ ...look, open: false }, restored, 0, 1)).toMatchObject({ verdict: 'verified', reason: expect.stringContaining('its owner has closed it since') });
    expect(judge({ ...look, open: true }, restored, 0, 1)).toMatchObject({ verdict: 'pending' });
    expect(judge({ ...look, open: false }, { ...restored, direction: 'contain' }, 0, 1).reason).toBe('outside requests are refused, 1 look in a row');
  });
});

function play(state: BucketState, changes: readonly { readonly setting: string; readonly before: Json; readonly after: Json }[]): BucketState {
  return changes.reduce<BucketState>((present, change) => {
    expect(settingOf(present, change.setting)).toEqual(change.before);
    return { ...present, [change.setting]: change.after };
  }, state);
}

function ledger(changes: ReturnType<typeof quarantine>['changes']): readonly LedgerEntry[] {
  return changes.map((change) => entryOf(change, 'contain', 'x'));
}

function entryOf(change: Change, direction: LedgerEntry['direction'], execution: string): LedgerEntry {
  return { ...change, incident: 'inc-1', direction, execution, digest: 'd', intendedAt: '2026-01-01T00:00:00.000Z', doneAt: null, result: 'intended' };
}

function policyAfter(changes: ReturnType<typeof quarantine>['changes']): { readonly Statement: readonly Readonly<Record<string, unknown>>[] } {
  const change = changes.find((entry) => entry.setting === 'policy');
  return JSON.parse(typeof change?.after === 'string' ? change.after : '') as { Statement: Readonly<Record<string, unknown>>[] };
}

function sidsOf({ policy }: BucketState): readonly string[] {
  return (JSON.parse(policy ?? '') as { readonly Statement: readonly { readonly Sid: string }[] }).Statement.map(({ Sid }) => Sid);
}
