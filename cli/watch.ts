import { setTimeout as sleep } from 'node:timers/promises';
import { isUnderWay, PHASE, TICKET_ONLY, type Incident, type IncidentView, type Progress } from '../core/incident.ts';
import { viewIncident, type Person } from './api.ts';
import { EXIT } from './exit.ts';
import { foot, say } from './terminal.ts';
import { timelineOf, timelineText, toned } from './timeline.ts';
import { duration, statusWords } from './words.ts';

const POLL_MS = 1000;

export const WATCH_HELP = 'With --watch it ends with 0 where the end is proven (contained, restored) or there was nothing to contain, and with 1 in every other:\nunverified, failed, or nothing was changed. With --json too, the timeline goes to stderr, and stdout has the JSON alone.';

/**
 * Prints an incident's timeline as it grows, with how far its steps have come, until nothing of it runs any more; the process then ends as
 * `WATCH_HELP` says.
 *
 * @param print - where the timeline goes
 * @param wait - between two looks
 * @returns the incident as it is then
 */
export async function watch(id: string, person: Person, print: typeof say = say, wait: () => Promise<unknown> = () => sleep(POLL_MS)): Promise<IncidentView> {
  const seen = new Set<string>();
  const bars = foot();
  for (;;) {
    const view = await viewIncident(id, person);
    const fresh = timelineOf(view).map((entry) => timelineText(entry)).filter((text) => !seen.has(text));
    if (fresh.length > 0) bars.lift();
    print(...fresh);
    for (const text of fresh) seen.add(text);
    bars.draw(view.progress.map((step) => progressText(step)));
    if (!isBusy(view)) {
      const { words, tone } = statusWords(view.incident.status);
      print(`${id}: ${toned(tone, words)}`);
      if (!isProven(view.incident)) process.exitCode = EXIT.no;
      return view;
    }
    await wait();
  }
}

function isProven({ status }: Incident): boolean {
  return (PHASE[status] === 'standing' || PHASE[status] === 'over') && status !== 'unverified';
}

/** A request that waits keeps somebody busy although nothing is being changed. */
export function isBusy({ incident, approvals, entries }: IncidentView): boolean {
  const last = incident.executions.at(-1);
  if (isUnderWay(incident)) return true;
  if (approvals.some(({ state, execution }) => state === 'waiting' && execution === last)) return true;
  const ended = entries.some(({ kind, detail }) => (kind === 'outcome' || kind === 'failure' || kind === 'approval') && typeof detail === 'object' && detail !== null && 'status' in detail && 'execution' in detail && detail.execution === last);
  return last !== undefined && !ended && incident.playbook !== TICKET_ONLY && incident.status !== 'failed';
}

const WIDTH = 24;

/** `links revoked  [########----------------]  3,100 of 10,000  620 a second, 11 s left` */
export function progressText({ what, done, total, startedAt, updatedAt, finishedAt }: Progress): string {
  const seconds = Math.max(0.001, (Date.parse(finishedAt ?? updatedAt) - Date.parse(startedAt)) / 1000);
  const rate = done / seconds;
  const pace = `${rate < 10 ? rate.toFixed(1) : Math.round(rate).toLocaleString('en')} a second`;
  const count = done.toLocaleString('en');
  if (finishedAt !== null) return `${what}  ${count}, done in ${duration(seconds * 1000)} (${pace})`;
  if (total === null || total === 0) return `${what}  ${count} so far  ${pace}`;
  const filled = Math.round(WIDTH * Math.min(1, done / total));
  const left = rate > 0 && done < total ? `, ${duration(((total - done) / rate) * 1000)} left` : '';
  return `${what}  [${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}]  ${count} of ${total.toLocaleString('en')}  ${pace}${left}`;
}
