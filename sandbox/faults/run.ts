import type { IncidentView } from '../../core/incident.ts';
import { changedSettings, type Case, type Prepared } from './cases.ts';
import type { Stage } from './stage.ts';
import { createStriker, type Counted, type Strike } from './strike.ts';

/** What became of one run. */
export interface Run {
  readonly strike: Strike;
  /** Calls that the suite made while it could be struck. */
  readonly calls: readonly Counted[];
  /** What was struck; `null`: nothing that the fault means anything to. */
  readonly struck: string | null;
  /** What did not hold, in words; none where it survived. */
  readonly violations: readonly string[];
  /** Where something did not hold: what is on record of it. */
  readonly story?: readonly string[];
  /** It did not end. */
  readonly hangs?: true;
}

/** Statuses that say that nothing is changed, and those that say that all of it is. */
const UNTOUCHED: ReadonlySet<string> = new Set(['held', 'observed', 'rejected', 'expired', 'not-exposed', 'restored']);

/**
 * Plays a playbook in one direction with one call struck; then does what an operator would, and holds everything against what
 * must be true at both moments. Ends with a clean restore, so that the undo is seen to work.
 */
export async function playRun(stage: Stage, one: Case, strike: Strike): Promise<Run> {
  const { account, deployment } = stage;
  const prepared = await one.prepare(stage);
  const violations: string[] = [];
  const before = await prepared.state();
  if (one.direction === 'restore') {
    await prepared.contain();
    await rest(stage, prepared);
    const views = await viewsOf(stage, prepared);
    if (!reached(views, prepared, 'contained')) throw new Error(`without any fault ${prepared.arn} is ${statusesOf(views)}`);
  }
  const start = one.direction === 'restore' ? await prepared.state() : before;

  const striker = createStriker(account, deployment.name, strike);
  account.around(striker.around);
  const lost = await stage.undelivered();
  let refused = false;
  if (one.direction === 'contain') ({ refused } = await prepared.contain());
  else await askRestore(stage, prepared);
  await rest(stage, prepared);
  account.around(null);
  const holds = (what: string, held: boolean) => {
    if (!held) violations.push(what);
  };
  await check('after the fault', start);

  await operate(stage, one, prepared);
  const wanted = one.direction === 'contain' ? 'contained' : 'restored';
  const operated = await check('after the operator', start);
  const views = await viewsOf(stage, prepared);
  holds(`after the operator: it is ${statusesOf(views)}, not ${wanted}`, reached(views, prepared, wanted));
  for (const { incident, ledger, approvals } of views) {
    const { id, ticket } = incident;
    const tickets = await stage.ticketsOf(id);
    holds(`after the operator: ${id} has ${tickets} tickets, not one`, tickets === 1);
    holds(`after the operator: ${id} is ${incident.status}, and its ticket ${ticket?.state ?? 'not there'}${ticket?.reason ? ` (${ticket.reason})` : ''}`, ticket?.state === (incident.status === 'restored' ? 'closed' : 'open'));
    const latest = ledger.filter(({ execution }) => execution === incident.executions.at(-1));
    holds(`after the operator: ${id} is ${incident.status}, and the ledger says of ${latest.filter(({ result }) => result !== 'done').map(({ setting }) => setting).join(', ')} that it may not have happened`, incident.status !== wanted || latest.every(({ result, setting }) => result === 'done' || latest.some((other) => other.setting === setting && other.result === 'done')));
    holds(`after the operator: ${id} is ${incident.status}, and an approval of its latest run waits`, !approvals.some(({ state, execution }) => state === 'waiting' && execution === incident.executions.at(-1)));
  }
  if (one.direction === 'contain' && operated) {
    await askRestore(stage, prepared);
    await rest(stage, prepared);
    await operate(stage, { ...one, direction: 'restore' }, prepared);
  }
  const left = changedSettings(before, await prepared.state());
  holds(`in the end ${left.join(', ')} ${left.length === 1 ? 'is' : 'are'} not as before: the undo is lost`, left.length === 0);
  const story = violations.length === 0 ? [] : (await viewsOf(stage, prepared)).flatMap(storyOf);
  return { strike, calls: striker.calls(), struck: striker.struck(), violations, story };

  /** What must be true at any time when nothing runs. */
  async function check(when: string, from: Readonly<Record<string, string>>): Promise<boolean> {
    // Who is told by a schedule has been told an hour later.
    if (!(await viewsOf(stage, prepared)).every(isKnown)) await anHour(stage, prepared);
    const [now, open, running, found] = [await prepared.state(), await prepared.open(), await stage.running(), await viewsOf(stage, prepared)];
    const changed = changedSettings(from, now);
    holds(`${when}: ${running.join(', ')} hangs`, running.length === 0);
    if (found.length === 0) {
      holds(`${when}: ${changed.join(', ')} changed, and there is no incident`, changed.length === 0);
      holds(`${when}: there is no incident, nothing in the queue of what was not delivered, and whoever asked was not refused`, refused || (await stage.undelivered()) > lost);
      return false;
    }
    const are = (statuses: ReadonlySet<string>) => found.every(({ incident }) => statuses.has(incident.status));
    const known = new Set(found.flatMap(({ ledger }) => ledger).filter(({ direction }) => direction === one.direction).map(({ setting }) => setting));
    const unknown = changed.filter((setting) => !known.has(setting));
    holds(`${when}: ${unknown.join(', ')} changed without its undo in the ledger`, unknown.length === 0);
    holds(`${when}: the record says contained, and an outsider is served`, !are(new Set(['contained'])) || !open);
    holds(`${when}: the record says ${statusesOf(found)}, and ${changed.join(', ')} changed`, one.direction === 'restore' || !are(UNTOUCHED) || changed.length === 0);
    holds(`${when}: the record says restored, and it is not as before`, !are(new Set(['restored'])) || changedSettings(before, now).length === 0);
    for (const view of found) {
      const { id, status } = view.incident;
      const tickets = await stage.ticketsOf(id);
      holds(`${when}: ${id} has ${tickets} tickets`, tickets <= 1);
      holds(`${when}: ${id} is ${status} and nobody is told: no ticket, no gap on record, no execution that failed`, isKnown(view) || (await stage.broken(id)).length > 0);
    }
    return true;
  }
}

/** The incident of the target, and what it handed on. */
async function viewsOf(stage: Stage, { arn, handsOn }: Prepared): Promise<readonly IncidentView[]> {
  const first = await stage.find(arn);
  const more = first && handsOn ? await stage.read(`${first.incident.id}-links`) : null;
  return [first, more].filter((view) => view !== null);
}

function statusesOf(views: readonly IncidentView[]): string {
  return views.map(({ incident }) => `${incident.status} (${incident.outcome})`).join(' and ') || 'without an incident';
}

/** What happened, a line each, by time. */
function storyOf({ incident, entries, ledger }: IncidentView): readonly string[] {
  const acts = ledger.map(({ intendedAt, doneAt, execution, direction, setting }) => `${intendedAt} ${execution} will ${direction} ${setting}; ${doneAt === null ? 'not acknowledged' : `done at ${doneAt}`}`);
  return [`${incident.id}: ${incident.executions.join(', ')}`, ...[...entries.map(({ at, kind, text }) => `${at} ${kind}: ${text}`), ...acts].toSorted((a, b) => a.localeCompare(b))];
}

function reached(views: readonly IncidentView[], { handsOn }: Prepared, wanted: string): boolean {
  return views.length === (handsOn ? 2 : 1) && views.every(({ incident }) => incident.status === wanted);
}

/** Whether somebody is told of what is open: by a ticket, or by a gap on record that the report and `stopbath waiting` show. Whoever asked for it has gone home. */
function isKnown({ incident }: IncidentView): boolean {
  return CLOSED.has(incident.status) || incident.ticket !== null || incident.ticketGap !== null;
}

const CLOSED: ReadonlySet<string> = new Set(['restored', 'not-exposed']);

/** An hour passes, and the schedule that tends what is open comes. */
async function anHour(stage: Stage, prepared: Prepared): Promise<void> {
  const { account, deployment } = stage;
  await account.clock.sleep(3_600_000);
  account.events.tick(`${deployment.name}-lease`);
  await rest(stage, prepared);
}

/** Asked for by rosa; where AWS or the network refuses, she asks again. What was handed on is an incident of its own. */
async function askRestore(stage: Stage, prepared: Prepared): Promise<void> {
  for (const { incident } of await viewsOf(stage, prepared)) {
    for (let attempt = 0; attempt < 3; attempt++) {
      const { status } = await stage.ask('rosa', '/restore', { incident: incident.id, reason: 'the fault matrix' });
      if (status < 500) break;
    }
  }
}

/** Until nothing runs; what waits for an approval is approved by ravi. */
export async function rest(stage: Stage, prepared: Prepared): Promise<void> {
  const { account } = stage;
  for (let looks = 0; looks < 300; looks++) {
    await Promise.all([account.events.idle(), account.lambda.idle()]);
    const asked = (await viewsOf(stage, prepared)).flatMap(({ incident, approvals }) => approvals.filter(({ state, execution }) => state === 'waiting' && execution === incident.executions.at(-1)));
    for (const { incident, digest } of asked) await stage.ask('ravi', '/approve', { incident, digest });
    if (asked.length === 0 && (await stage.running()).length === 0) break;
    await account.clock.sleep(Math.min(1_800_000, 1000 * 1.15 ** looks));
  }
  // What an execution's end starts: the archive, the last ticket.
  await account.idle(60_000);
}

/** What an operator does about what is on record: sends the event again, redrives, asks again, mends the ticket. */
async function operate(stage: Stage, { direction }: Case, prepared: Prepared): Promise<void> {
  const wanted = direction === 'contain' ? 'contained' : 'restored';
  for (let round = 0; round < 4; round++) {
    const views = await viewsOf(stage, prepared);
    const acts: boolean[] = [];
    if (views.length === 0) await prepared.contain();
    else for (const view of views) acts.push((await redriven(stage, view)) || (await askedAgain(stage, view, wanted, prepared)));
    if (views.length > 0 && !acts.includes(true)) break;
    await rest(stage, prepared);
  }
  for (const { incident } of await viewsOf(stage, prepared)) {
    if (incident.ticket !== null && incident.ticketGap === null && incident.ticket.state !== 'pending') continue;
    await stage.ask('rosa', '/ticket', { incident: incident.id, reason: 'the fault matrix' });
    await rest(stage, prepared);
  }
}

const redrivenAlready = new Set<string>();

/** Each broken execution once. @returns false where there is none */
async function redriven(stage: Stage, { incident }: IncidentView): Promise<boolean> {
  const broken = (await stage.broken(incident.id)).filter((arn) => !redrivenAlready.has(arn));
  for (const executionArn of broken) {
    redrivenAlready.add(executionArn);
    await stage.call('states:RedriveExecution', { executionArn }).catch(() => undefined);
  }
  return broken.length > 0;
}

/** @returns false where there is nothing to ask for: it is as wanted, or no request would help */
async function askedAgain(stage: Stage, { incident }: IncidentView, wanted: 'contained' | 'restored', prepared: Prepared): Promise<boolean> {
  if (incident.status === wanted) return false;
  const body = { incident: incident.id, reason: 'the fault matrix: again' };
  if (wanted === 'restored') {
    await askRestore(stage, prepared);
    return true;
  }
  const { status } = await stage.ask('rosa', '/release', body);
  if (status === 409) await prepared.contain();
  return true;
}
