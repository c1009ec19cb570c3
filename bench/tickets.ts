import { realClock } from '../sandbox/clock.ts';
import { playCrowd } from '../test/trackers/crowd.ts';
import { playTroubles, startTroubleStage, TROUBLES } from '../test/trackers/trouble.ts';
import { performance } from 'node:perf_hooks';
import type { Incident } from '../core/incident.ts';

/** How much longer a containment may take while a tracker is in trouble, before it is not by chance. */
const MARK_S = 2;

/**
 * Containment beside trackers in trouble, in real time and one after the other; what becomes of their tickets, in virtual time; and 1,000
 * incidents in a minute at a tracker that takes 10 requests a second.
 */
export async function run(): Promise<boolean> {
  const unchanged = await besideEachOther();
  const started = performance.now();
  const crowd = await playCrowd({ incidents: 1000, withinSeconds: 60, perSecond: 10 });
  console.log(`\n1,000 incidents in a minute, 10 requests a second: ${crowd.tickets} tickets, ${crowd.doubled} doubled, ${crowd.untold} that do not tell the containment, ${crowd.toldTwice} that tell it twice, ${crowd.lost} executions given up, ${crowd.notOpen} not open`);
  console.log(`${crowd.requests} requests, ${crowd.refused} of them refused; ${crowd.throttled} throttled invocations; half had their ticket after ${crowd.half} s, all was told after ${crowd.last} s of virtual time (played in ${((performance.now() - started) / 1000).toFixed(0)} s)`);
  return unchanged && crowd.tickets === 1000 && [crowd.doubled, crowd.untold, crowd.toldTwice, crowd.lost, crowd.notOpen].every((count) => count === 0);
}

async function besideEachOther(): Promise<boolean> {
  const stage = await startTroubleStage(realClock());
  const times: (readonly [number, number, number])[] = [];
  try {
    // Functions are cold the first time.
    for (const trouble of TROUBLES) {
      const incident = (await stage.contain([trouble])).get(trouble)?.incident;
      if (incident) times.push(timesOf(incident));
    }
  } finally {
    await stage.stop();
  }
  const outcomes = new Map((await playTroubles()).outcomes.map((outcome) => [outcome.trouble, outcome]));
  const rows = TROUBLES.map((trouble, index) => {
    const outcome = outcomes.get(trouble);
    const ticket = (view: { readonly incident: Incident } | undefined) => view?.incident.tickets['jira']?.state ?? 'none';
    return [trouble.about, ...(times[index] ?? []).map((seconds) => `${seconds.toFixed(2)} s`), ticket(outcome?.contained), ticket(outcome?.passed), ticket(outcome?.mended), String(outcome?.works.length)];
  });
  const head = ['trouble', 'decided', 'contained', 'proven', 'ticket then', 'hours later', 'in the end', 'tickets'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  for (const row of [head, ...rows]) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
  const proven = times.map((time) => time[2]);
  const [calm = 0] = proven;
  console.log(`Proven after ${calm.toFixed(2)} s without trouble (the first, with cold functions), and after ${Math.max(...proven.slice(1)).toFixed(2)} s at the most with it`);
  return Math.max(...proven.slice(1)) - calm < MARK_S && rows.every((row) => row.at(-1) === '1');
}

/** Seconds after the event. */
function timesOf({ eventTime, decidedAt, containedAt, verifiedAt }: Incident): readonly [number, number, number] {
  const after = (at: string | null) => (Date.parse(at ?? '') - Date.parse(eventTime)) / 1000;
  return [after(decidedAt), after(containedAt), after(verifiedAt)];
}
