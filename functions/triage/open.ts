import { claimAndOpen, claimTarget, isFree, readClaim, reclaimTarget, type Claim } from '../../aws/claims.ts';
import { beginPlaybook, ensureStarted, startExecution, startTicket } from '../../aws/executions.ts';
import { TransientError } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { addEntry, addExecution, countEntries, createIncident, failOpen, findIncident, getIncident, OvertakenError, updateIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { capFor } from '../../aws/settings.ts';
import { keepWaiting } from '../../aws/waiting-signals.ts';
import type { KnownState } from '../../core/exposure.ts';
import { digestOf } from '../../core/canonical.ts';
import { incidentOf, joins, type Joining, type Opening } from '../../core/correlate.ts';
import { PHASE, type Entry, type Incident } from '../../core/incident.ts';
import { same } from '../../core/quarantine/levels.ts';
import { lateness } from '../../core/late.ts';
import { momentOf } from '../../core/principal/contain.ts';
import { undone as undoneIn } from '../../core/quarantine/undone.ts';
import { nextRun, runsOf, withRun } from '../../core/runs.ts';
import { actorText } from '../../core/signal.ts';
import { isLeftAlone } from '../../core/ticket/look.ts';

export interface Opened {
  readonly incident: string;
  /** What is to be said of it beside the decision; `null` where it is a new one. */
  readonly note: string | null;
}

/**
 * Opens an incident for a target, or joins the one that is open: the claim on the target excludes, and the incident is written with it. Where that
 * cannot be, they are written one after the other, and every step heals what an earlier try left half done.
 *
 * @param opening.claim - as it was read beside the target's state; `undefined` where it was not
 */
export async function openOrJoin(opening: Omit<Opening, 'cap'> & { readonly state: KnownState | undefined; readonly claim: Claim | null | undefined }, tools: Tools): Promise<Opened | null> {
  const full: Opening = { ...opening, cap: capFor(tools.settings, opening.response.playbook) };
  const wanted = incidentOf(full);
  // Most signals of a flood are about what is claimed: these read, and write no claim that all of them would write at once.
  const seen = opening.claim === undefined ? await readClaim(tools, opening.response.target.arn) : opening.claim;
  const held = seen !== null && seen.closedAt === null && seen.incident !== wanted?.id ? await findIncident(tools, seen.incident) : null;
  if (held && PHASE[held.status] !== 'over') return await join(held, full, tools);
  // A signal that asks for nothing by itself belongs to the incident that is open on its target, and opens none.
  if (wanted === null) return null;

  const { signal } = opening;
  if (isFree(seen, signal.time) && (await claimAndOpen(tools, atFirst(wanted), signal, historyOf(wanted, full, tools)))) return await begun(wanted, true, tools);
  const claim = await claimTarget(tools, wanted.target.arn, { incident: wanted.id, signal: signal.id }, signal.time);
  if (claim.incident !== wanted.id) {
    if (claim.closedAt !== null) return await late(claim, wanted, full, tools);
    const holding = await findIncident(tools, claim.incident);
    if (holding) return await join(holding, full, tools);
  }
  // Claimed by a try that ended before it wrote its incident: this one takes its place.
  return await openAs({ ...wanted, id: claim.incident }, full, tools);
}

/** An event that is older than what the close of its target's last incident speaks of. */
async function late(claim: Claim, wanted: Incident, opening: Opening, tools: Tools): Promise<Opened> {
  const { signal, decidedAt, response } = opening;
  const closed = await findIncident(tools, claim.incident);
  const after = `it was closed as of ${claim.closedAt}, after this event`;
  const told = tellingOf(signal);
  const known = closed === null ? 0 : await countEntries(tools, closed.id, `signal/${told}`, 1);
  // An earlier try that ended in the middle of opening it again is made good.
  if (closed === null || (known > 0 && PHASE[closed.status] === 'over')) return { incident: claim.incident, note: `${after}: nothing is done again` };
  const act = PHASE[closed.status] === 'over' ? lateness(closed, opening) : 'reopen';
  if (act === 'open') {
    const taken = await claimTarget(tools, wanted.target.arn, { incident: wanted.id, signal: signal.id }, decidedAt);
    if (taken.incident !== wanted.id) throw new TransientError(`${taken.incident} took ${wanted.target.arn} a moment ago: decided again`);
    return await openAs(wanted, opening, tools);
  }
  // A flood of old news is on record as decisions.
  if (act !== 'reopen' && (await countEntries(tools, closed.id, 'late/', MAX_LATE)) === MAX_LATE) return { incident: closed.id, note: `${after}: nothing is done again` };
  if (act === 'attach') {
    await addSignal(closed.id, opening, tools);
    return { incident: closed.id, note: `${after}: on record there` };
  }
  const text = act === 'reopen' ? `${response.because}, at ${signal.time}, before it was closed: nothing is changed by itself, and somebody has to look at what was done` : `seen at ${signal.time}, before it was closed: ${response.because}`;
  const base = { incident: closed.id, at: decidedAt, text, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME };
  if (act === 'reopen') {
    await updateIncident(tools, closed.id, { status: 'observed', outcome: text, severity: Math.max(closed.severity, response.severity), heededAt: decidedAt });
    if (!(await reclaimTarget(tools, wanted.target.arn, claim))) tools.log.warn(`${wanted.target.arn} belongs to another incident than ${closed.id} since`);
    await addEntry(tools, `late/${told}`, { ...base, kind: 'outcome', detail: { status: 'observed' } });
  } else await addEntry(tools, `late/${told}`, { ...base, kind: 'decision', detail: { act: 'again', trigger: response.trigger, verdict: response.verdict } });
  await addSignal(closed.id, opening, tools);
  await startTicket(tools, closed.id, `${closed.id}-late-${digestOf(told).slice(0, 12)}`);
  return { incident: closed.id, note: `${after}: ${act === 'reopen' ? 'it is open again, for somebody to look at' : 'its ticket is told'}` };
}

/** As often a ticket is told what it knows. */
const MAX_LATE = 20;

function tellingOf({ id, time, count }: Opening['signal']): string {
  return `${id}/${time}/${count}`;
}

async function openAs(wanted: Incident, opening: Opening, tools: Tools): Promise<Opened> {
  const [created] = await Promise.all([createIncident(tools, atFirst(wanted)), ...historyOf(wanted, opening, tools).map(async ([key, entry]) => await addEntry(tools, key, entry))]);
  return await begun(wanted, created, tools);
}

const firstRun = ({ id }: Incident) => `${id}-contain-1`;

/** As it is written, with its run. */
function atFirst(wanted: Incident): Incident {
  return { ...wanted, executions: [firstRun(wanted)] };
}

/** What its history begins with. */
function historyOf(wanted: Incident, opening: Opening, tools: Tools): readonly [Line, Line] {
  const { id, decidedAt, reason, recommendedMode, mode } = wanted;
  return [['decision', { incident: id, at: decidedAt, kind: 'decision', text: reason, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { trigger: opening.response.trigger, recommended: recommendedMode, mode } }], signalOf(id, opening, tools)];
}

/** A line of an incident's history, and its key. */
type Line = readonly [key: string, entry: Entry];

async function begun(wanted: Incident, created: boolean, tools: Tools): Promise<Opened> {
  // One that was there may be an earlier release's, which put executions on its list as they began.
  const started = await start(created ? wanted : await getIncident(tools, wanted.id), firstRun(wanted), created ? beginPlaybook : startExecution, tools);
  return { incident: wanted.id, note: created || started ? null : 'the same event again: nothing is done twice' };
}

/** An incident whose playbook cannot be started must not look as if it were under way; the failure still goes to the retry. */
async function start(incident: Incident, name: string, begin: typeof startExecution, tools: Tools): Promise<boolean> {
  try {
    return await begin(tools, incident, 'contain', name);
  } catch (error) {
    // Whoever was first has started it, or is about to.
    if (error instanceof OvertakenError) throw error;
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    await failOpen(tools, incident.id, `${name} could not be started, nothing was changed: ${why}`);
    throw error;
  }
}

/** A person opened it a moment ago, and their word comes with its start: whoever begins or ends it in their place undoes what they ask for. */
function isBegunByHand(incident: Incident, now: string): boolean {
  return incident.executions.length === 0 && incident.requestedBy !== 'automatic' && !isLeftAlone(incident, now);
}

/** As many signals as anybody reads one by one; what comes after them and changes nothing is on record as decisions, and an incident stays as quick to read. */
const MAX_SIGNALS = 100;

async function join(found: Incident, opening: Opening, tools: Tools): Promise<Opened> {
  const { id } = found;
  // An earlier try may have opened it and crashed before anything ran; what is judged is what is there after that.
  const incident = found.status === 'open' && !isBegunByHand(found, opening.decidedAt) && !(await ensureStarted(tools, found)) ? await getIncident(tools, id) : found;
  const [undone, seen, signals] = await Promise.all([undoneOf(incident, opening, tools), seenAgain(incident, opening, tools), countEntries(tools, id, 'signal/', MAX_SIGNALS)]);
  const verdict = joins(incident, seen, undone);
  if (signals < MAX_SIGNALS || verdict.act === 'again' || verdict.tell) await addSignal(id, opening, tools, signals === MAX_SIGNALS - 1 ? '; further ones that change nothing are on record as decisions' : '');
  if (verdict.act === 'wait') return await wait(incident, verdict, opening, tools);
  const { signal } = opening;
  const told = tellingOf(signal);
  if (verdict.act === 'attach') {
    await grow(incident, verdict.change, tools);
    if (verdict.tell) {
      await addEntry(tools, `again/${told}`, { incident: id, at: opening.decidedAt, kind: 'decision', text: `decided again: ${verdict.because}; ${opening.response.verdict === 'contain' ? 'it goes on as it is' : `by itself it asks to ${opening.response.verdict}`}`, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { act: 'again', trigger: opening.response.trigger, verdict: opening.response.verdict } });
      await startTicket(tools, id, `${id}-told-${digestOf(told).slice(0, 12)}`);
    }
    return { incident: id, note: verdict.because };
  }
  const execution = nextRun(incident, 'contain');
  try {
    await addExecution(tools, incident, execution, verdict.change);
  } catch (error) {
    // It has gone on since it was judged: what is there now is judged.
    if (error instanceof OvertakenError) return await join(await getIncident(tools, id), opening, tools);
    throw error;
  }
  const again: Incident = { ...incident, ...verdict.change, executions: withRun(incident, execution) };
  await addEntry(tools, `again/${execution}`, { incident: id, at: opening.decidedAt, kind: 'decision', text: `decided again: ${verdict.because}`, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { trigger: opening.response.trigger, recommended: again.recommendedMode, mode: again.mode } });
  await startExecution(tools, again, 'contain', execution);
  return { incident: id, note: verdict.because };
}

/** Kept until the run that is under way has ended: `record` has it decided again then, and the reconciler where record died. */
async function wait(incident: Incident, { because, change }: Joining, { response, signal, drill, decidedAt }: Opening, tools: Tools): Promise<Opened> {
  const { verdict, playbook, inputs, again, trigger } = response;
  const ask = digestOf([verdict, playbook, inputs, again, drill]).slice(0, 16);
  const { id, status, executions } = incident;
  await grow(incident, change, tools);
  const kept = await keepWaiting(tools, { incident: id, ask, payload: drill ? { drill, event: signal.raw } : signal.raw, at: decidedAt });
  // The run may have ended, and record looked for what waits, before this was kept: then it is Lambda that tries again.
  if (!kept || PHASE[(await getIncident(tools, id)).status] !== 'running') throw new TransientError(`${id} was ${status} and ${because}${kept ? '' : ', in an event that is too large to be kept'}: decided again`);
  const note = `${because}: decided again when ${executions.at(-1) ?? 'its run'} has ended`;
  await addEntry(tools, `waits/${runsOf(incident)}/${ask}`, { incident: id, at: decidedAt, kind: 'decision', text: note, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { trigger, verdict } });
  return { incident: id, note };
}

/** Writes what a signal adds to an incident; most add nothing. */
async function grow(incident: Incident, { severity = incident.severity, actors = incident.actors, ...more }: Partial<Incident>, tools: Tools): Promise<void> {
  const change = { ...more, ...(severity === incident.severity ? {} : { severity }), ...(same(actors, incident.actors) ? {} : { actors }) };
  if (Object.keys(change).length > 0) await updateIncident(tools, incident.id, change);
}

/** What somebody has taken away of the quarantine that the incident's last containment left. */
async function undoneOf(incident: Incident, { state }: Opening, tools: Tools): Promise<readonly string[]> {
  if (incident.target.kind !== 'bucket' || !state) return [];
  return undoneIn(state, await ledgerOf(tools, incident.id));
}

/** What a finding saw a principal do after the moment of the deny that stands is done by a session which that does not stop: it asks for the next moment. */
async function seenAgain(incident: Incident, opening: Opening, tools: Tools): Promise<Opening> {
  const { signal, response } = opening;
  if (incident.target.kind !== 'principal' || signal.source !== 'guardduty' || response.playbook !== incident.playbook) return opening;
  const moment = momentOf(await ledgerOf(tools, incident.id));
  if (moment === null || signal.time <= moment) return opening;
  return { ...opening, response: { ...response, again: { playbook: incident.playbook, because: `it was seen at ${signal.time}, and only sessions from before ${moment} are denied` } } };
}

async function addSignal(id: string, opening: Opening, tools: Tools, note = ''): Promise<void> {
  await addEntry(tools, ...signalOf(id, opening, tools, note));
}

function signalOf(id: string, { signal, receivedAt, response }: Opening, tools: Tools, note = ''): Line {
  const actor = signal.actor ? `, by ${actorText(signal.actor)}` : '';
  return [
    `signal/${tellingOf(signal)}`,
    {
      incident: id,
      at: receivedAt,
      kind: 'signal',
      text: `${signal.source} ${signal.type}${signal.count > 1 ? ` (seen ${signal.count} times)` : ''}${actor}${note}`,
      by: signal.source,
      detail: { id: signal.id, type: signal.type, time: signal.time, severity: response.severity, verdict: response.verdict, ...detectorOf(signal, tools) },
    },
  ];
}

/** Whose finding it is, where it is one that the suite may archive: of its own account and region, and no sample. */
function detectorOf({ source, account, region, sample, event }: Opening['signal'], { settings }: Tools): { readonly detector?: string } {
  const service = source === 'guardduty' && !sample && account === settings.STOPBATH_ACCOUNT && region === settings.AWS_REGION ? event.detail['service'] : null;
  const detector = typeof service === 'object' && service !== null && 'detectorId' in service ? service.detectorId : null;
  return typeof detector === 'string' && /^[0-9a-f]{32}$/.test(detector) ? { detector } : {};
}
