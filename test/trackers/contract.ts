import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fit } from '../../core/ticket/fit.ts';
import { severityOf } from '../../core/ticket/document.ts';
import { milestonesOf, stanceOf } from '../../core/ticket/lifecycle.ts';
import { ticketOf, titleWithin } from '../../core/ticket.ts';
import { type Draft, type Tracker, TrackerError } from '../../functions/ticket/trackers/port.ts';
import { HOSTILE } from '../hostile.ts';
import { viewWith } from './view.ts';

/** A ticket as a person sees it in the tracker. */
export interface Seen {
  readonly id: string;
  readonly open: boolean;
  /** What it says, comments not included. */
  readonly body: string;
  readonly comments: readonly string[];
}

/** A tracker, and a person who works in it beside the suite. */
export interface Subject {
  readonly tracker: Tracker;
  /** The same, whose credentials are not taken; and one whose project, queue or repository is gone. */
  readonly refused?: Tracker;
  readonly gone?: Tracker;
  /** Whether no question tells that it is gone: Slack's channels show with the first message. */
  readonly blind?: true;
  readonly token?: string;
  readonly seen: (incident: string) => Promise<readonly Seen[]>;
  readonly byHand?: {
    readonly close: (id: string) => Promise<void>;
    readonly reopen: (id: string) => Promise<void>;
    readonly remove?: (id: string) => Promise<void>;
    /** Somebody else's ticket that looks like the suite's own. */
    readonly imitate?: (draft: Draft) => Promise<void>;
  };
  /** It can only be closed and opened again: there is no text in it. */
  readonly silent?: true;
  /** What the server found that was not as its vendor describes it. */
  readonly complaints?: () => readonly string[];
  readonly stop: () => Promise<void>;
}

let count = 0;

export function draftFor(tracker: Tracker, text: string, incident = `inc-20260731-${String(++count).padStart(10, '0')}`): Draft {
  const view = viewWith(text, { id: incident });
  const whole = ticketOf(view);
  const { shape } = tracker;
  return {
    incident,
    title: titleWithin(whole, shape.title),
    document: fit(whole, shape.size, shape.limit, 's3://evidence/tickets/x.json').document,
    severity: severityOf(view.incident.severity),
    mark: `mark-${incident}`,
    target: view.incident.target.arn,
    status: view.incident.status,
    stance: stanceOf(view.incident),
  };
}

/** What every tracker keeps, each by its own means; what it cannot do, it must not pretend to. */
export function contract(name: string, open: () => Promise<Subject>): void {
  describe(`${name} keeps the contract`, () => {
    let subject: Subject;
    beforeAll(async () => void (subject = await open()), 120_000);
    afterAll(async () => await subject.stop());

    const make = async (text = 'holiday') => {
      const draft = draftFor(subject.tracker, text);
      return { draft, ...(await subject.tracker.create(draft)) };
    };
    const one = async (incident: string): Promise<Seen> => {
      const seen = await subject.seen(incident);
      expect(seen).toHaveLength(1);
      return seen[0] ?? { id: '', open: false, body: '', comments: [] };
    };
    const note = (incident: string) => {
      const [first] = milestonesOf(viewWith('holiday', { id: incident }));
      if (!first) throw new Error('the view has no milestone');
      return first;
    };

    it('answers a question that changes nothing, and says where it cannot', async () => {
      expect(await subject.tracker.check()).not.toBe('');
      for (const other of [subject.refused, subject.blind ? undefined : subject.gone]) if (other) await expect(other.check()).rejects.toMatchObject({ name: 'TrackerError', trouble: 'standing' });
    });

    it('opens one ticket, which says what happened and is found by its incident', async () => {
      const { draft, id } = await make();
      const seen = await one(draft.incident);
      expect(seen.open).toBe(true);
      if (!subject.silent) expect(seen.body).toContain('holiday');
      if (!subject.tracker.find) return;
      const since = new Date(Date.now() - 60_000).toISOString();
      expect((await subject.tracker.find(draft, since))?.id).toBe(id);
      expect(await subject.tracker.find(draftFor(subject.tracker, 'other'), since)).toBeNull();
    });

    it('does not take somebody else\'s ticket for its own', async () => {
      const { tracker } = subject;
      if (!tracker.find || !subject.byHand?.imitate) return;
      const draft = draftFor(subject.tracker, 'holiday');
      await subject.byHand.imitate(draft);
      expect(await tracker.find(draft, new Date(Date.now() - 60_000).toISOString())).toBeNull();
    });

    it('tells a milestone once, and knows that it has', async () => {
      const { tracker } = subject;
      const { draft, id } = await make();
      const milestone = note(draft.incident);
      if (!tracker.comment) return expect('rewrite' in tracker).toBe(!subject.silent);
      await tracker.comment(id, milestone.document, milestone.key);
      expect((await one(draft.incident)).comments).toHaveLength(1);
      if (!tracker.said) return;
      expect(await tracker.said(id, milestone.key)).toBe(true);
      expect(await tracker.said(id, 'm-000000000000')).toBe(false);
    });

    it('closes, opens again, and sees what people did', async () => {
      const { tracker, byHand } = subject;
      const { draft, id } = await make();
      await tracker.close(id, draft);
      if (!tracker.read) return;
      expect(await tracker.read(id)).toMatchObject({ status: 'closed' });
      await tracker.reopen(id, draft);
      expect(await tracker.read(id)).toMatchObject({ status: 'open' });
      await byHand?.close(id);
      expect(await tracker.read(id)).toMatchObject({ status: 'closed' });
      await byHand?.reopen(id);
      expect(await tracker.read(id)).toMatchObject({ status: 'open' });
      if (!byHand?.remove) return;
      await byHand.remove(id);
      expect(await tracker.read(id)).toBeNull();
    });

    it('changes the severity, and says which it is', async () => {
      const { tracker } = subject;
      if (!tracker.setSeverity || !tracker.read) return;
      const { id } = await make();
      expect(await tracker.read(id)).toMatchObject({ severity: 'high' });
      await tracker.setSeverity(id, 'critical');
      expect(await tracker.read(id)).toMatchObject({ severity: 'critical' });
    });

    it.each(Object.entries(HOSTILE))('takes %s', async (_, text) => {
      // Megabytes go through every markup in ticket-markup.test.ts; this is more than any tracker takes.
      const { draft, id } = await make(text.slice(0, 20_000));
      expect((await subject.seen(draft.incident)).map((seen) => seen.id)).toEqual([id]);
    });

    it('says who must do something where it is not let in, and never the secret', async () => {
      const { refused, token } = subject;
      if (!refused) return;
      const error: unknown = await refused.create(draftFor(refused, 'holiday')).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(TrackerError);
      expect(error).toMatchObject({ trouble: 'standing' });
      expect(String(error)).not.toContain(token ?? 'no token');
    });

    it('says so where its project is gone', async () => {
      if (!subject.gone) return;
      await expect(subject.gone.create(draftFor(subject.gone, 'holiday'))).rejects.toMatchObject({ name: 'TrackerError', trouble: 'standing' });
    });

    it('was asked only as its vendor describes', () => {
      expect(subject.complaints?.() ?? []).toEqual([]);
    });
  });
}
