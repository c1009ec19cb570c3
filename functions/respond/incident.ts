import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, failOpen, getIncident, getRequest, OvertakenError, saveRequest } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { ensureStarted, startExecution } from '../../aws/executions.ts';
import { PHASE, STATUSES, TICKET_ONLY, type Direction, type Incident, type Request } from '../../core/incident.ts';
import { inForce } from '../../core/outcome.ts';
import { isPseudonym } from '../../core/redact.ts';
import { askedFor, withRun } from '../../core/runs.ts';

interface Ask {
  readonly incident: string;
  readonly reason: string;
}

export interface RestoreAsk extends Ask {
  /** What becomes of what somebody changed since the containment. */
  readonly newer: 'keep' | 'overwrite';
  /** Exactly this plan, or nothing. */
  readonly digest: string | null;
}

/** Starts the way back: 202 `{ incident, execution }`; 409 where there is nothing to restore or something is under way. */
export async function restore(ask: RestoreAsk, by: string, tools: Tools): Promise<HttpAnswer> {
  const [incident, ledger] = await Promise.all([getIncident(tools, ask.incident), ledgerOf(tools, ask.incident)]);
  const { id, status } = incident;
  if (PHASE[status] === 'running' && (status !== 'open' || (await ensureStarted(tools, incident)))) return httpAnswer(409, { error: `${id} is ${status}: wait for it, then restore` });
  if (status === 'restored') return httpAnswer(409, { error: `${id} is restored since ${incident.restoredAt}` });
  if (incident.target.kind === 'owner' && isPseudonym(incident.target.name)) return httpAnswer(409, { error: `${id} is about an owner who was erased: nothing can be given back` });
  if (ledger.length === 0) return httpAnswer(409, { error: `${id} changed nothing: there is nothing to restore` });
  return await begin(incident, 'restore', { act: 'restore', text: `restore asked for${ask.newer === 'overwrite' ? ', over what was changed since' : ''}: ${ask.reason}`, reason: ask.reason, by, change: {}, was: wordOf(incident), newer: ask.newer, digest: ask.digest }, tools);
}

/**
 * Asks again for the containment of what was held, only observed, not approved, or contained and not proven: 202 `{ incident, execution }`. Whoever
 * releases asks, and others approve where the mode or the guard wants it. Pausing stays in force.
 */
export async function release(ask: Ask, by: string, tools: Tools): Promise<HttpAnswer> {
  const incident = await getIncident(tools, ask.incident);
  const { id, status, mode } = incident;
  const unproven = status === 'unverified' && inForce(await ledgerOf(tools, id));
  if (PHASE[status] !== 'stopped' && !unproven) return httpAnswer(409, { error: `${id} is ${status}: only what is ${STATUSES.filter((entry) => PHASE[entry] === 'stopped').join(', ')} and a containment that is not proven can be released` });
  if (incident.playbook === TICKET_ONLY) return httpAnswer(409, { error: `${id} has a ticket only: its playbook contains nothing` });
  const change: Partial<Incident> = { mode: mode === 'contain' ? 'contain' : 'approve' };
  return await begin(incident, 'contain', { act: 'release', text: `released for containment: ${ask.reason}`, reason: ask.reason, by, change, was: wordOf(incident) }, tools);
}

/** What a run by hand may change of an incident before it does anything. */
export function wordOf({ playbook, mode, inputs }: Incident): NonNullable<Request['was']> {
  return { playbook, mode, inputs };
}

export interface Begin {
  readonly act: 'restore' | 'release' | 'start';
  readonly text: string;
  readonly reason: string;
  readonly by: string;
  readonly change: Partial<Incident>;
  /** What the incident says before it. */
  readonly was: Request['was'];
  readonly newer?: 'keep' | 'overwrite';
  readonly digest?: string | null;
}

/**
 * Who asked, and for what, is written before the start, and counts for the run that is added for it. Of two who ask at the same moment, and of somebody and an
 * event, one has started; the other one's word starts nothing, then or later.
 */
export async function begin(incident: Incident, direction: Direction, ask: Begin, tools: Tools): Promise<HttpAnswer> {
  const asked = requestOf(incident, direction, ask, tools);
  return (await saveRequest(tools, asked)) ? await run(incident, asked, ask, tools) : await overtaken(incident, tools);
}

/**
 * The same for an incident that is not there yet: what was asked for and the run that it counts for are written with it, so that there is no moment at which
 * it is nobody's.
 *
 * @param write - all of it or nothing
 * @returns `null` where nothing was written
 */
export async function beginNew(incident: Incident, ask: Begin, write: (incident: Incident, asked: Request) => Promise<boolean>, tools: Tools): Promise<HttpAnswer | null> {
  const asked = requestOf(incident, 'contain', ask, tools);
  const listed = { ...incident, executions: withRun(incident, asked.execution) };
  return (await write(listed, asked)) ? await run(listed, asked, ask, tools) : null;
}

function requestOf(incident: Incident, direction: Direction, { reason, by, change, was, newer = 'keep', digest = null }: Begin, tools: Tools): Request {
  return askedFor(incident, { direction, by, at: tools.now(), reason, digest, newer, change, was });
}

async function run(incident: Incident, asked: Request, { act, text, by, change, newer }: Begin, tools: Tools): Promise<HttpAnswer> {
  const { id } = incident;
  const { execution, at } = asked;
  if (!(await startAs(incident, asked, tools))) return await overtaken(incident, tools);
  await addEntry(tools, `${execution}/request`, { incident: id, at, kind: 'request', text, by, detail: { act, execution, ...(newer === 'overwrite' ? { override: 'newer' } : {}) } });
  return httpAnswer(202, { incident: id, execution, mode: change.mode ?? incident.mode });
}

async function overtaken({ id }: Incident, tools: Tools): Promise<HttpAnswer> {
  return httpAnswer(409, { error: `${await whatRuns(id, tools)}, so that nothing was started: look at it again, stopbath show ${id}` });
}

/** A start that fails leaves no incident behind that looks as if something ran. @returns false where another run came first: what runs, or ran since, has made its own of the incident */
async function startAs(incident: Incident, { direction, execution, change, by }: Request, tools: Tools): Promise<boolean> {
  try {
    await startExecution(tools, incident, direction, execution, { ...change, requestedBy: by });
    return true;
  } catch (error) {
    if (error instanceof OvertakenError) return false;
    if (direction === 'contain') await failOpen(tools, incident.id, `${execution} could not be started, nothing was changed: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`);
    throw error;
  }
}

/** Whose run came first. */
async function whatRuns(id: string, tools: Tools): Promise<string> {
  const latest = (await getIncident(tools, id)).executions.at(-1);
  const asked = latest === undefined ? null : await getRequest(tools, id, latest);
  return asked ? `${asked.by} asked for ${asked.execution} at ${asked.at}` : `${id} has gone on since it was looked at`;
}
