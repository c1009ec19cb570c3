import { describe, expect, it } from 'vitest';
import { viewWith } from './trackers/view.ts';
import { waitingOf } from '../cli/waiting.ts';
import type { Incident, TicketState } from '../core/incident.ts';
import { milestonesOf, newTicket, type Remote, stanceOf, stepsFor, type Ticket } from '../core/ticket/lifecycle.ts';
import { lookOf } from '../core/ticket/look.ts';
import { secondsToWait, GIVE_UP } from '../core/ticket/patience.ts';

const open: Remote = { status: 'open', severity: 'high', body: null };
const closed: Remote = { status: 'closed', severity: 'high', body: null };
const view = (more: Partial<Incident> = {}) => viewWith('holiday', more);
const restored = view({ status: 'restored', executions: ['contain-1', 'restore-1'] });
/** A ticket that says all that its incident has to say. */
const told = (of = view(), more: Partial<Ticket> = {}): Ticket => ({ ...newTicket(of.incident.id, 'jira', 'jira', '2026-07-31T10:00:00.000Z', 'mark'), id: 'SEC-1', state: 'open', status: 'open', severity: 'high', said: milestonesOf(of).map(({ key }) => key), settled: stanceOf(of.incident), ...more });
const doing = (steps: ReturnType<typeof stepsFor>) => steps.map((step) => ('what' in step ? step.what : 'severity' in step ? step.severity : step.do)).filter((name) => name !== 'rewrite');

describe('a ticket', () => {
  it('that says everything is left alone', () => {
    expect(doing(stepsFor(view(), told(), open))).toEqual([]);
  });

  it('is told each milestone once', () => {
    expect(doing(stepsFor(view(), told(view(), { said: [] }), open))).toEqual(['tell']);
    expect(new Set(milestonesOf(view()).map(({ key }) => key)).size).toBe(milestonesOf(view()).length);
  });

  it.each([['asked', 1], ['approved', 1], ['rejected', 1], ['expired', 1], ['refused', 0]])('is told of an approval that was %s: %i times', (act, times) => {
    const { entries, ...rest } = view();
    const more = { incident: 'inc-1', at: '2026-07-31T12:00:00.000Z', kind: 'approval', text: act, by: 'record', detail: { act, status: 'contained' } } as const;
    expect(milestonesOf({ ...rest, entries: [...entries, more] }).length - milestonesOf(view()).length).toBe(times);
  });

  it('is closed on a verified end, told first; and on no other end', () => {
    expect(doing(stepsFor(restored, told(view(), { said: [] }), open))).toEqual(['tell', 'close']);
    for (const status of ['contained', 'unverified', 'failed', 'held', 'observed', 'rejected', 'expired'] as const) expect(doing(stepsFor(view({ status }), told(), open))).toEqual([]);
    expect(doing(stepsFor(view({ status: 'not-exposed' }), told(), open))).toEqual(['close']);
  });

  it('is opened again when its incident is, before anything is said in it', () => {
    const again = view({ executions: ['contain-1', 'restore-1', 'contain-2'] });
    const before = told(restored, { status: 'closed', closedBy: 'us', said: [] });
    expect(doing(stepsFor(again, before, closed))).toEqual(['reopen', 'tell']);
  });

  it('that somebody closed stays closed, also when the incident goes on or opens again', () => {
    expect(doing(stepsFor(view(), told(), closed))).toEqual(['closed by hand']);
    const theirs = told(view(), { status: 'closed', closedBy: 'them' });
    expect(doing(stepsFor(view(), theirs, closed))).toEqual([]);
    expect(doing(stepsFor(view({ executions: ['contain-1', 'restore-1', 'contain-2'] }), theirs, closed))).toEqual([]);
  });

  it('that somebody opened again after the end stays open', () => {
    const ours = told(restored, { status: 'closed', closedBy: 'us' });
    expect(doing(stepsFor(restored, ours, open))).toEqual(['reopened by hand']);
    expect(doing(stepsFor(restored, { ...ours, status: 'open', closedBy: null }, open))).toEqual([]);
  });

  it('follows the severity, unless somebody has set another', () => {
    const worse = view({ severity: 9.5 });
    expect(doing(stepsFor(worse, told(), open))).toEqual(['critical']);
    expect(doing(stepsFor(worse, told(), { ...open, severity: 'low' }))).toEqual([]);
    expect(doing(stepsFor(worse, told(), { ...open, severity: null }))).toEqual([]);
  });

  it('that is gone is noticed once', () => {
    expect(doing(stepsFor(view(), told(), null))).toEqual(['gone']);
    expect(doing(stepsFor(view(), told(view(), { state: 'gone' }), null))).toEqual([]);
  });

  it('of a place that cannot be read is told, closed and opened by what is known', () => {
    expect(doing(stepsFor(restored, told(view(), { said: [] }), undefined))).toEqual(['tell', 'close']);
    expect(doing(stepsFor(restored, told(restored, { status: 'closed', closedBy: 'us' }), undefined))).toEqual([]);
  });
});

describe('patience', () => {
  const patience = { trouble: 'passing', failures: 1, retryAfter: null, elapsed: 0 } as const;
  it('never comes back before Retry-After, and spreads those that were refused together', () => {
    for (const random of [0, 0.5, 0.999]) expect(secondsToWait({ ...patience, retryAfter: 1800 }, () => random)).toBeGreaterThanOrEqual(1800);
    expect(new Set([0, 0.5, 0.999].map((random) => secondsToWait({ ...patience, retryAfter: 1800 }, () => random))).size).toBe(3);
  });
  it('waits longer each time, up to a limit', () => {
    const waits = [1, 2, 3, 20].map((failures) => secondsToWait({ ...patience, failures }, () => 1) ?? 0);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.at(-1)).toBeLessThanOrEqual(3601);
  });
  it('asks less often for what a person must put right, and looks for what may be there before the index has it', () => {
    expect(secondsToWait({ ...patience, trouble: 'standing' }, () => 0)).toBeGreaterThanOrEqual(60);
    expect(secondsToWait({ ...patience, trouble: 'unanswered' }, () => 0)).toBeGreaterThanOrEqual(30);
  });
  it('ends after twelve hours, and is no longer whatever a tracker asks for', () => {
    expect(secondsToWait({ ...patience, elapsed: GIVE_UP }, () => 0)).toBeNull();
    expect(secondsToWait({ ...patience, retryAfter: 10 ** 9 }, () => 1)).toBe(GIVE_UP);
  });
});

describe('a look at tickets', () => {
  const fresh = { ticketGap: null, decidedAt: '2026-07-31T23:00:00.000Z' };
  const hours = (of: Pick<Incident, 'id' | 'tickets'>) => Array.from({ length: 24 }, (_, hour) => lookOf({ ...fresh, ...of }, `2026-07-31T${String(hour).padStart(2, '0')}:10:00.000Z`)).filter((name) => name !== null);
  const standing = { tracker: 'jira', id: 'SEC-1', url: null, state: 'open', since: '2026-07-31T10:00:00.000Z', reason: null, nextAt: null } as const;
  it('comes once a day, at hours that differ', () => {
    const names = Array.from({ length: 40 }, (_, index) => hours({ id: `inc-${index}`, tickets: { jira: standing } }));
    expect(names.map(({ length }) => length)).toEqual(names.map(() => 1));
    const first = Array.from({ length: 40 }, (_, index) => lookOf({ ...fresh, id: `inc-${index}`, tickets: { jira: standing } }, '2026-07-31T00:00:00.000Z')).filter((name) => name !== null);
    expect(first.length).toBeLessThan(20);
  });
  it('asks once for a ticket that nobody has asked for, when whoever opened the incident is gone', () => {
    const name = (now: string, more: Partial<Incident> = {}) => lookOf({ ...fresh, id: 'inc-1', tickets: {}, ...more }, now);
    expect([name('2026-07-31T23:29:00.000Z'), name('2026-07-31T23:30:00.000Z'), name('2026-08-02T01:00:00.000Z')]).toEqual([null, 'inc-1-unasked', 'inc-1-unasked']);
    expect(name('2026-08-02T01:00:00.000Z', { ticketGap: 'AccessDeniedException: no' })).toBeNull();
  });
  it('is not made of what is pending, gone, or not there', () => {
    expect(hours({ id: 'inc-1', tickets: {} })).toEqual([]);
    for (const state of ['pending', 'gone'] as const) expect(hours({ id: 'inc-1', tickets: { jira: { ...standing, state } } })).toEqual([]);
  });
});

it('stopbath waiting shows a ticket that could not be opened, and not one that is tried again', () => {
  const of = (change: Partial<Incident>) => waitingOf(view({ status: 'observed', ticketGap: null, ticket: null, ...change }), '2026-11-24T01:00:00.000Z').todo;
  const ticket: TicketState = { tracker: 'jira', id: null, url: null, state: 'pending', since: '2026-11-24T00:00:00.000Z', reason: 'the token is wrong', nextAt: null };
  expect([of({}), of({ ticketGap: 'AccessDenied: no' }), of({ ticket }), of({ ticket: { ...ticket, nextAt: '2026-11-24T02:00:00.000Z' } })]).toEqual([null, 'a ticket: AccessDenied: no', 'a ticket: jira: the token is wrong', null]);
});
