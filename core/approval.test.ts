import { describe, expect, it } from 'vitest';
import { isResponder, liftedGates, personOf, vote, type Approval, type Ballot, type People } from './approval.ts';

const session = (name: string, role = 'responder') => `arn:aws:sts::111122223333:assumed-role/${role}/${name}`;
const DIGEST = 'a'.repeat(64);
const people: People = { responderRoles: ['arn:aws:iam::111122223333:role/oncall/responder'], sessionNamesPinned: true };
const asked: Approval = {
  incident: 'inc-1', execution: 'inc-1-contain-1', direction: 'contain', digest: DIGEST, requestedBy: session('rosa'), gates: ['mode'], why: 'mode is approve', needed: 1,
  requestedAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-01-01T04:00:00.000Z', state: 'waiting', votes: [], endedAt: null,
};
const ballot = (by: string, more: Partial<Ballot> = {}): Ballot => ({ word: 'approve', by, at: '2026-01-01T01:00:00.000Z', reason: null, digest: DIGEST, ...more });
const refusal = (approval: Approval, cast: Ballot, who: People = people, latest = approval.execution) => {
  const result = vote(approval, cast, who, latest);
  return 'refused' in result ? result.refused.why : result.approval.state;
};

describe('a vote', () => {
  it('of another responder approves, and of the one who asked does not', () => {
    expect(refusal(asked, ballot(session('ravi')))).toBe('approved');
    expect(refusal(asked, ballot(session('rosa')))).toBe('self');
    expect(refusal({ ...asked, requestedBy: 'automatic' }, ballot(session('rosa')))).toBe('approved');
  });

  it('of a second session of the same role is the same person, unless names are pinned to users', () => {
    expect(refusal(asked, ballot(session('ravi')), { ...people, sessionNamesPinned: false })).toBe('self');
    const two = { ...asked, needed: 2, requestedBy: 'automatic', votes: [ballot(session('rosa'))] };
    expect(refusal(two, ballot(session('ravi')), { ...people, sessionNamesPinned: false })).toBe('same-person');
    expect(refusal(two, ballot(session('ravi')))).toBe('approved');
  });

  it('of the same user by another way is the same person', () => {
    const both = { ...people, responderRoles: [...people.responderRoles, 'arn:aws:iam::111122223333:role/lead'] };
    expect(refusal(asked, ballot(session('rosa', 'lead')), both)).toBe('self');
    expect(personOf('arn:aws:iam::111122223333:user/staff/rosa', true)).toBe(personOf(session('rosa'), true));
  });

  it('of the same user by a role of another account is the same person', () => {
    const both = { ...people, responderRoles: [...people.responderRoles, 'arn:aws:iam::444455556666:role/responder'] };
    const there = (name: string) => `arn:aws:sts::444455556666:assumed-role/responder/${name}`;
    expect(refusal(asked, ballot(there('rosa')), both)).toBe('self');
    expect(refusal({ ...asked, needed: 2, votes: [ballot(session('ravi'))] }, ballot(there('ravi')), both)).toBe('same-person');
    expect(refusal(asked, ballot(there('ravi')), both)).toBe('approved');
  });

  it.each([
    ['of an auditor', ballot(session('ada', 'auditor')), 'not-responder'],
    ['of the same role in another account', ballot('arn:aws:sts::999999999999:assumed-role/responder/ravi'), 'not-responder'],
    ['for another plan', ballot(session('ravi'), { digest: 'b'.repeat(64) }), 'digest'],
    ['at the moment it expires', ballot(session('ravi'), { at: asked.expiresAt }), 'expired'],
    ['to reject after it expired', ballot(session('ravi'), { word: 'reject', at: asked.expiresAt }), 'expired'],
  ])('%s is refused', (_, cast, why) => {
    expect(refusal(asked, cast)).toBe(why);
  });

  it('is refused once it ended, and for a run that was overtaken', () => {
    expect(refusal({ ...asked, state: 'approved', endedAt: '2026-01-01T00:30:00.000Z' }, ballot(session('ravi')))).toBe('ended');
    expect(refusal(asked, ballot(session('ravi')), people, 'inc-1-contain-2')).toBe('superseded');
  });

  it('to reject ends it, also of the one who asked and after a first approval', () => {
    expect(refusal(asked, ballot(session('rosa'), { word: 'reject', reason: 'no' }))).toBe('rejected');
    expect(refusal({ ...asked, needed: 2, votes: [ballot(session('ravi'))] }, ballot(session('ravi'), { word: 'reject', reason: 'no' }))).toBe('rejected');
  });
});

describe('what is lifted', () => {
  const approved: Approval = { ...asked, state: 'approved', votes: [ballot(session('ravi'))] };
  const of = { execution: asked.execution, digest: DIGEST };

  it('is lifted for this plan in this execution alone', () => {
    expect([...liftedGates([approved], of, 1, people)]).toEqual(['mode']);
    expect([...liftedGates([approved], { ...of, digest: 'b'.repeat(64) }, 1, people)]).toEqual([]);
    expect([...liftedGates([approved], { ...of, execution: 'inc-1-contain-2' }, 1, people)]).toEqual([]);
    expect([...liftedGates([{ ...approved, state: 'waiting' }], of, 1, people)]).toEqual([]);
  });

  it('is not lifted by who is no responder any more, nor by fewer than the target takes now', () => {
    expect([...liftedGates([approved], of, 1, { ...people, responderRoles: [] })]).toEqual([]);
    expect([...liftedGates([approved], of, 2, people)]).toEqual([]);
    expect([...liftedGates([{ ...approved, requestedBy: session('ravi') }], of, 1, people)]).toEqual([]);
  });
});

it('a user, a root and a session that only looks like a responder are none', () => {
  for (const arn of ['arn:aws:iam::111122223333:root', 'arn:aws:iam::111122223333:user/responder', 'arn:aws:sts::111122223333:assumed-role/responder2/ravi', 'arn:aws:sts::111122223333:federated-user/responder']) {
    expect(isResponder(arn, people.responderRoles)).toBe(false);
  }
});
