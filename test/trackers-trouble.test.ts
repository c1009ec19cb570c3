import { beforeAll, describe, expect, it } from 'vitest';
import type { IncidentView } from '../core/incident.ts';
import { ticketLines } from '../cli/incident-text.ts';
import { type Outcome, playTroubles, TROUBLES } from './trackers/trouble.ts';

let outcomes: readonly Outcome[];
let closedByHand: IncidentView;
beforeAll(async () => void ({ outcomes, closedByHand } = await playTroubles()), 120_000);

describe.each(TROUBLES)('$about', (trouble) => {
  const outcome = () => {
    const found = outcomes.find((one) => one.trouble === trouble);
    if (!found) throw new Error('it was not played');
    return found;
  };

  it('keeps nobody from containing and proving', () => {
    const { contained } = outcome();
    expect(contained.incident.status).toBe('contained');
    expect(contained.incident.verifiedAt).not.toBeNull();
    // The tracker had not taken the ticket yet: whoever had waited for it would not be here.
    if (trouble.how) expect(contained.incident.tickets['jira']).toMatchObject({ state: 'pending', id: null });
  });

  it('is seen meanwhile: what is pending, since when, and why', () => {
    const [line = ''] = ticketLines(outcome().contained.incident);
    if (trouble.how) expect(line).toMatch(/^jira: pending since .*; tried again at /);
    expect(outcome().contained.incident.tickets['jira']?.reason ?? '').toMatch(trouble.says);
  });

  it(trouble.passes ? 'ends in one ticket when it has passed' : 'is given up after hours, and says so', () => {
    const { passed } = outcome();
    if (trouble.passes) {
      expect(passed.incident.tickets['jira']).toMatchObject({ state: 'open', reason: null });
      return expect(passed.incident.ticketGap).toBeNull();
    }
    expect(ticketLines(passed.incident)[0]).toMatch(/^jira: pending since .*not tried again by itself: stopbath ticket <incident> --resend$/);
    expect(passed.incident.ticketGap).toMatch(trouble.says);
  });

  it('ends in one ticket, which tells the containment once', () => {
    const { mended, works } = outcome();
    expect(mended.incident).toMatchObject({ ticketGap: null, tickets: { jira: { state: 'open', reason: null } } });
    expect(works).toHaveLength(1);
    const told = [works[0]?.body ?? '', ...(works[0]?.comments ?? [])].filter((text) => /proven from outside/i.test(text));
    expect(told.length).toBeGreaterThan(0);
  });
});

it('waits as long as Retry-After asks for', () => {
  const { asked } = outcomes.find(({ trouble }) => trouble.bucket === 'later') ?? { asked: [] };
  expect(asked.length).toBeGreaterThan(1);
  expect((asked[1]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(1_800_000);
});

it('sees within a day that somebody closed a ticket, once, and leaves it closed', () => {
  expect(closedByHand.incident).toMatchObject({ status: 'contained', tickets: { jira: { state: 'closed', reason: 'closed by hand: left as it is' } } });
  expect(closedByHand.entries.filter(({ text }) => text.includes('was closed by hand'))).toHaveLength(1);
});
