import { describe, expect, it } from 'vitest';
import { madeView, RESPONDER } from './made.ts';
import { startTally, type AuditNumbers } from '../../core/audit-numbers.ts';
import { spreadOf } from '../../core/audit-numbers/measure.ts';
import type { Entry, Incident, IncidentView } from '../../core/incident.ts';
import { sealGaps, type SealEntry } from '../../core/seal-gaps.ts';

const RAVI = RESPONDER.replace('rosa', 'ravi');
const AT = '2026-11-02T10:00:00.000Z';
const later = (seconds: number) => new Date(Date.parse(AT) + seconds * 1000).toISOString();

function view(index: number, change: Partial<Incident>, entries: readonly Omit<Entry, 'incident'>[] = []): IncidentView {
  const made = madeView(index, AT, { drill: false, ...change });
  return { ...made, entries: entries.map((entry) => ({ incident: made.incident.id, ...entry })) };
}

function numbersOf(...views: readonly IncidentView[]): AuditNumbers {
  const tally = startTally(null);
  for (const one of views) tally.incident(one, one.incident.executions.map((execution) => ({ key: `records/execution/${execution}.json`, kind: 'execution', sha256: '', at: AT, seal: 1 })));
  return tally.numbers();
}

const approval = (by: string, act: string, more: object = {}) => ({ at: AT, kind: 'approval' as const, text: `${act} by ${by}`, by, detail: { act, digest: 'd1', ...more } });
const request = (by: string, act: string, more: object = {}) => ({ at: AT, kind: 'request' as const, text: `${act} asked for`, by, detail: { act, ...more } });

describe('the numbers of an audit', () => {
  it('are zero for nothing, and none of them is made up', () => {
    const numbers = numbersOf();
    expect(numbers.incidents).toEqual({ total: 0, byStatus: {}, byPlaybook: {}, byMode: {}, bySeverity: {} });
    expect(numbers.times.sinceEvent.contained).toEqual({ count: 0, p50: null, p90: null, max: null });
    expect(numbers.drills).toMatchObject({ held: 0, last: null });
  });

  it('count incidents by status, playbook, mode and GuardDuty’s bands', () => {
    const { incidents } = numbersOf(view(1, { status: 'contained', severity: 9 }), view(2, { status: 'restored', severity: 8.9 }), view(3, { status: 'observed', severity: 4 }), view(4, { status: 'contained', severity: 3.9 }));
    expect(incidents).toEqual({ total: 4, byStatus: { observed: 1, contained: 2, restored: 1 }, byPlaybook: { 'open-ticket': 1, 'quarantine-bucket': 3 }, byMode: { contain: 3, observe: 1 }, bySeverity: { critical: 1, high: 1, medium: 1, low: 1 } });
  });

  it('measure from the event and from its arrival, by the nearest rank', () => {
    const views = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((seconds) => view(seconds, { status: 'contained', eventTime: later(-10), decidedAt: AT, containedAt: later(seconds), verifiedAt: seconds > 8 ? null : later(seconds * 10) }));
    const { times } = numbersOf(...views);
    expect(times.sinceEvent.contained).toEqual({ count: 10, p50: 15_000, p90: 19_000, max: 20_000 });
    expect(times.sinceArrival.contained).toEqual({ count: 10, p50: 5000, p90: 9000, max: 10_000 });
    expect(times.sinceArrival.verified).toEqual({ count: 8, p50: 40_000, p90: 80_000, max: 80_000 });
  });

  it('leave out times that contradict each other, and say how many', () => {
    const { times } = numbersOf(view(1, { status: 'contained', containedAt: later(-60) }), view(2, { status: 'contained', containedAt: later(5) }));
    expect(times).toMatchObject({ notMeasurable: 1, sinceEvent: { contained: { count: 1 } } });
  });

  it('tell approvals by person, and refused words by the reason', () => {
    const { approvals } = numbersOf(
      view(1, {}, [approval('stopbath', 'asked', { gates: ['mode'] }), approval(RESPONDER, 'refused', { why: 'self' }), approval(RAVI, 'approved')]),
      view(2, {}, [approval('stopbath', 'asked', { gates: ['mode'] }), approval(RAVI, 'rejected'), approval(RESPONDER, 'refused', { why: 'expired' })]),
      view(3, {}, [approval('stopbath', 'asked', { gates: ['mode'] }), { at: AT, kind: 'outcome', text: 'expired', by: 'record', detail: { act: 'expired', status: 'expired' } }]),
    );
    expect(approvals).toEqual({ asked: 3, approved: 1, rejected: 1, expired: 1, refused: { self: 1, expired: 1 }, byPerson: { [RAVI]: { approved: 1, rejected: 1, refused: 0 }, [RESPONDER]: { approved: 0, rejected: 0, refused: 2 } } });
  });

  it('count what else was refused, on an incident or before there was one', () => {
    const tally = startTally(null);
    tally.incident(view(1, {}, [request(RESPONDER, 'refused', { asked: 'start' })]), []);
    tally.decision({ event: 'request:1', type: 'start', decision: 'refused', reason: 'there is no such plan', deliveries: 1, drill: false });
    expect(tally.numbers()).toMatchObject({ refusedRequests: { start: 2 }, events: { decided: 0 } });
  });

  it('call it an override where a person lifted a guard, and not where the mode asks for a person', () => {
    const { overrides } = numbersOf(
      view(1, {}, [approval('stopbath', 'asked', { gates: ['mode'] }), approval(RAVI, 'approved')]),
      view(2, {}, [approval('stopbath', 'asked', { gates: ['mode', 'protected'] }), approval(RAVI, 'approved')]),
      view(3, {}, [request(RESPONDER, 'release')]),
      view(4, {}, [request(RESPONDER, 'restore', { override: 'newer' })]),
    );
    expect(overrides).toMatchObject({ count: 3, byPerson: { [RAVI]: 1, [RESPONDER]: 2 } });
    expect(overrides.first.map(({ what }) => what)).toEqual([expect.stringContaining('in spite of: protected'), expect.stringContaining('release'), expect.stringContaining('newer')]);
  });

  it('count restores that were asked for, and those that were proven', () => {
    const { restores } = numbersOf(view(1, {}, [request(RAVI, 'restore'), { at: AT, kind: 'outcome', text: '', by: 'record', detail: { status: 'restored' } }]), view(2, {}, [request(RAVI, 'restore'), { at: AT, kind: 'outcome', text: '', by: 'record', detail: { status: 'unverified' } }]));
    expect(restores).toEqual({ asked: 2, verified: 1, byPerson: { [RAVI]: 2 } });
  });

  it('name what is not proven, and every gap', () => {
    const made = view(1, { status: 'unverified', outcome: 'contained, but not proven: somebody still gets in' });
    const half: IncidentView = { ...view(2, { status: 'failed' }), ledger: madeView(2, AT).ledger.map((entry) => ({ ...entry, result: 'intended', doneAt: null })) };
    const tally = startTally(null);
    tally.incident(made, [{ key: `records/execution/${made.incident.executions[0]}.json`, kind: 'execution', sha256: '', at: AT, seal: 4 }]);
    tally.incident(half, []);
    tally.incident(view(3, { ticket: { tracker: 'opscenter', id: null, state: 'pending', since: AT, reason: 'the tracker is down', url: null, nextAt: null } }), []);
    tally.incident(view(5, { status: 'observed', ticketGap: 'gave up after a day' }), []);
    tally.incident(view(6, { status: 'containing' }), []);
    tally.incident(view(8, { status: 'failed', executions: [] }, [{ at: AT, kind: 'failure', text: 'contain ended by PermissionError', by: 'record', detail: {} }]), []);
    tally.decision({ event: 'e-1', type: 'undecided', decision: 'rejected', reason: 'triage failed for good', deliveries: 1, drill: false });
    for (const { gap, id, what } of sealGaps([], [], AT)) tally.gap(gap, id, what);
    const { gaps, unverified } = tally.numbers();
    expect(unverified).toEqual({ count: 1, first: [{ id: made.incident.id, what: 'contained, but not proven: somebody still gets in' }] });
    expect(gaps.ticketPending.first.map(({ what }) => what)).toEqual(['the tracker is down', 'gave up after a day']);
    expect(gaps.undecided.first).toEqual([{ id: 'e-1', what: 'triage failed for good' }]);
    expect(gaps.failed.count).toBe(1);
    expect(gaps.unacknowledged.count).toBe(half.ledger.length > 0 ? 1 : 0);
    expect(gaps.unrecorded.first.map(({ id }) => id)).toContain(half.incident.id);
    expect(gaps.unrecorded.first.map(({ id }) => id)).not.toContain(made.incident.id);
    expect(gaps.sealMissing.count).toBe(1);
  });

  it('do not call it a gap that the next seal is not there yet, nor what is still under way', () => {
    const unrecorded = (change: Partial<Incident>, sealedUntil: string | null) => {
      const tally = startTally(sealedUntil);
      tally.incident(view(7, change, [{ at: later(30), kind: 'outcome', text: '', by: 'record', detail: {} }]), []);
      return tally.numbers().gaps.unrecorded.count;
    };
    expect([unrecorded({ status: 'contained' }, later(20)), unrecorded({ status: 'contained' }, later(40)), unrecorded({ status: 'contained' }, null)]).toEqual([0, 1, 1]);
    expect((['open', 'containing', 'restoring', 'waiting'] as const).map((status) => unrecorded({ status, executions: ['x'] }, later(40)))).toEqual([0, 0, 0, 0]);
  });

  it('keep drills apart from everything', () => {
    const drill = madeView(0, AT, { drill: true, status: 'contained', containedAt: later(1), verifiedAt: later(4) });
    const tally = startTally(null);
    tally.incident({ ...drill, entries: [{ incident: drill.incident.id, ...request(RAVI, 'release') }] }, []);
    tally.decision({ event: 'e-1', type: 'x', decision: 'contain', reason: '', deliveries: 3, drill: true });
    const numbers = tally.numbers();
    expect(numbers.drills).toMatchObject({ held: 1, byStatus: { contained: 1 }, last: AT, sinceEvent: { verified: { count: 1, max: 6000 } } });
    expect(numbers).toMatchObject({ incidents: { total: 0 }, events: { decided: 0 }, overrides: { count: 0 }, gaps: { unrecorded: { count: 0 } }, times: { sinceEvent: { verified: { count: 0 } } } });
  });

  it('name the first twenty of a kind and count them all', () => {
    const { unverified } = numbersOf(...Array.from({ length: 30 }, (_, index) => view(index, { status: 'unverified' })));
    expect([unverified.count, unverified.first.length]).toEqual([30, 20]);
  });
});

describe('a percentile', () => {
  it.each([[[5], { count: 1, p50: 5, p90: 5, max: 5 }], [[2, 1], { count: 2, p50: 1, p90: 2, max: 2 }], [[30, 10, 20], { count: 3, p50: 20, p90: 30, max: 30 }]])('of %j is one of them', (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });
});

describe('what a list of seals shows to be missing', () => {
  const seal = (number: number, change: Partial<SealEntry> = {}): SealEntry => ({ number, key: `seals/${number}.jsonl`, sha256: 'a', at: later(number * 3600), from: later((number - 1) * 3600), due: later((number + 2) * 3600), count: 1, lost: 0, ...change });
  it.each<[name: string, seals: readonly SealEntry[], waiting: readonly string[], now: number, gaps: readonly string[]]>([
    ['nothing, where each follows the one before and the last is young', [seal(7), seal(8), seal(9)], [], 9.5, []],
    ['one in the middle', [seal(7), seal(9)], [], 9.5, ['seal 8']],
    ['several', [seal(3), seal(7)], [], 7.5, ['seal 4']],
    ['the tail', [seal(7)], [], 30, ['seal 8']],
    ['all', [], [], 1, ['seals']],
    ['a record that was announced and never came', [seal(7, { lost: 2 })], [], 7.5, ['seal 7']],
    ['a record that two seals passed by, and not one that waits for the next', [seal(7), seal(8)], [later(6.9 * 3600), later(7.9 * 3600)], 8.5, [`at ${later(6.9 * 3600)}`]],
  ])('%s', (_, seals, waiting, now, gaps) => {
    expect(sealGaps(seals, waiting.map((at) => ({ key: `at ${at}`, at })), later(now * 3600)).map(({ id }) => id)).toEqual(gaps);
  });
});
