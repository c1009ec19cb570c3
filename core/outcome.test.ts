import { describe, expect, it } from 'vitest';
import type { LedgerEntry } from './incident.ts';
import { outcomeOf, type Ending } from './outcome.ts';

const ending: Ending = { direction: 'contain', execution: 'inc-1-contain-2', status: 'held', judgement: null, error: null, reason: 'the suite is paused' };
const act: LedgerEntry = { incident: 'inc-1', execution: 'inc-1-contain-1', digest: 'd', direction: 'contain', seq: 1, setting: 'policy', title: 'deny', before: null, after: '{}', result: 'done', intendedAt: '2026-11-24T10:00:00.000Z', doneAt: '2026-11-24T10:00:01.000Z' };
const proven = { status: 'open', verifiedAt: '2026-11-24T10:00:05.000Z' } as const;

describe('a run that did nothing', () => {
  it.each(['held', 'rejected', 'expired'] as const)('leaves a containment that stands contained, where it was to do more: %s', (status) => {
    expect(outcomeOf({ ...ending, status }, proven, [act])).toEqual({ status: 'contained', outcome: 'the suite is paused; what was contained before stays' });
  });

  it.each(['held', 'rejected', 'expired'] as const)('never calls contained what somebody undid: %s', (status) => {
    expect(outcomeOf({ ...ending, status }, { ...proven, verifiedAt: null }, [act])).toMatchObject({ status, outcome: expect.stringContaining('nobody knows what is left') });
  });

  it('leaves what was contained, where a restore was refused', () => {
    const restore = { ...ending, direction: 'restore', status: 'rejected' } as const;
    expect(outcomeOf(restore, { ...proven, status: 'contained' }, [act])).toMatchObject({ status: 'contained' });
    expect(outcomeOf(restore, { ...proven, status: 'restoring' }, [act])).toMatchObject({ status: 'unverified' });
  });
});
