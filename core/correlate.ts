import { digestOf } from './canonical.ts';
import { capped, strength, type Response } from './decide.ts';
import { exposuresOf, type KnownState } from './exposure.ts';
import { isUnderWay, PHASE, TICKET_ONLY, type Incident, type Mode } from './incident.ts';
import { actorId, actorText, type Signal } from './signal.ts';
import { listed, plain } from './text.ts';

/** A decision about one target of a signal, and what is known of the target. */
export interface Opening {
  readonly response: Response;
  readonly signal: Signal;
  readonly state: KnownState | undefined;
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly drill: boolean;
  /** The most that configuration allows. */
  readonly cap: Mode;
}

/**
 * The incident that a decision opens; `null` where it opens none. Its id follows from the target and the event, so that
 * a delivery that is repeated names the same incident.
 */
export function incidentOf({ response, signal, state, receivedAt, decidedAt, drill, cap }: Opening): Incident | null {
  const { verdict, target, because } = response;
  if (verdict === 'record' || verdict === 'ignore') return null;
  const contains = response.installed && response.playbook !== null && response.playbook !== TICKET_ONLY;
  const mode = modeOf(response, cap);
  const reason = contains || response.playbook === TICKET_ONLY ? because : `${because}; ${response.playbook} would answer it and is not installed: ticket only`;
  const exposures = state && target.kind === 'bucket' ? exposuresOf(state).map(({ phrase }) => phrase) : [];
  return {
    id: `inc-${signal.time.slice(0, 10).replaceAll('-', '')}-${digestOf([target.arn, signal.id, signal.time]).slice(0, 10)}`,
    playbook: contains ? (response.playbook ?? TICKET_ONLY) : TICKET_ONLY,
    target,
    inputs: response.inputs ?? {},
    title: plain(`${target.kind} ${target.name}: ${because}`, 256),
    severity: response.severity,
    status: contains ? 'open' : 'observed',
    recommendedMode: verdict,
    mode: contains ? mode : 'observe',
    drill,
    exposures,
    actor: signal.actor ? actorText(signal.actor) : null,
    actors: signal.actor ? [actorId(signal.actor)] : [],
    related: [],
    requestedBy: 'automatic',
    reason,
    eventTime: signal.time,
    receivedAt,
    decidedAt,
    containedAt: null,
    verifiedAt: null,
    restoredAt: null,
    outcome: contains ? '' : 'recorded and ticketed: nothing is changed',
    ticket: null,
    tickets: {},
    ticketGap: null,
    executions: [],
    schemaVersion: 1,
  };
}

export interface Joining {
  /** `attach` only; contain `again`; `wait` until what is under way is done and decide then. */
  readonly act: 'attach' | 'again' | 'wait';
  readonly because: string;
  readonly change: Partial<Incident>;
  /** Whether the ticket is to be told, which it is anyway where containment runs again. */
  readonly tell: boolean;
}

/** Beyond this many another actor is one more of a crowd, and changes nothing any more. */
export const MAX_ACTORS = 20;

const ATTACHED = 'attached to the open incident';
/** What came to nothing is tried again by what is reported after it, and no sooner: a flood of repeats is one try. */
const RETRY_MS = 300_000;
/** Where nothing is done about a repeat, its ticket says so once in so long. */
const TELL_MS = 3_600_000;

/**
 * What a further signal means for the incident that is open on its target. It is decided again where actor, severity or
 * level grew, where it was only observed before, where it came to nothing and is reported still, and where somebody has opened again,
 * or undone, what was contained.
 *
 * @param undone - settings of the quarantine that are no longer as it left them
 */
export function joins(incident: Incident, opening: Opening, undone: readonly string[] = []): Joining {
  const { response, signal, cap, decidedAt } = opening;
  const { status } = incident;
  const grown = growth(incident, opening);
  const id = signal.actor && actorId(signal.actor);
  const actors = id === null || incident.actors.includes(id) ? incident.actors : [...incident.actors, id].slice(0, MAX_ACTORS);
  const change = { severity: Math.max(incident.severity, response.severity), actors };
  const attach = (because: string | null): Joining => ({ act: 'attach', because: because === null ? ATTACHED : `${ATTACHED}: ${because}`, change: because === null ? change : { ...change, heededAt: decidedAt }, tell: because !== null });
  const again = (because: string, more: Partial<Incident> = {}): Joining =>
    isRunning(incident) ? { act: 'wait', because, change, tell: false } : { act: 'again', because, change: { ...change, ...more, status: 'open', outcome: because, heededAt: decidedAt }, tell: false };
  const fought = contest(incident, decidedAt);
  const reopened = (because: string, more: Partial<Incident>): Joining =>
    isRunning(incident) ? again(because) : again(`${because}${fought.words}`, { ...more, contested: fought.contested, severity: Math.max(change.severity, fought.severity) });
  // What was proven is so no longer, until somebody has looked again; and nobody asks for more now than stood.
  const broken = (because: string): Joining => reopened(because, { verifiedAt: null, ...incident.was, was: null, ...askedIfRefused(incident, incident.mode) });
  const since = Date.parse(decidedAt) - Date.parse(incident.heededAt ?? incident.decidedAt);
  const stands = isSettled(incident) || isAskedForMore(incident) || (PHASE[status] === 'stopped' && incident.mode !== 'observe' && since >= RETRY_MS);

  // Samples and replays tell nothing of today; what somebody archived or accepted changes nothing.
  if ((signal.sample || signal.replayed) && !opening.drill) return attach(null);
  if (response.verdict === 'record') return attach(undone.length > 0 && stands ? `somebody undid the quarantine (${listed(undone)}), and that is left as it is: ${response.because}` : null);
  // A trigger of the playbook's own says so; while it is being restored, taking it away is what was asked for.
  if (response.again?.playbook === incident.playbook && incident.mode !== 'observe') return status !== 'restoring' && (stands || isRunning(incident)) ? broken(response.again.because) : attach(null);
  if (undone.length > 0 && stands) return broken(`somebody undid the quarantine: ${listed(undone)}`);
  if (response.verdict === 'ignore') return attach(null);
  const mode = modeOf(response, cap);
  // A restore ends the incident: what is open meanwhile is decided about when it has, by whoever is the incident then.
  const isOpen = opening.state !== undefined && exposuresOf(opening.state).length > 0;
  if (status === 'restoring' && mode !== 'observe' && isOpen) return again('it is open to the public while it is being restored');
  const repeat = grown ?? (PHASE[status] === 'stopped' && since >= TELL_MS ? `it is reported again, and is ${status}` : null);
  // What a person gave back stays given back, whatever is still told of the time before that.
  if (incident.restoredAt !== null && signal.time < incident.restoredAt) return attach(repeat);
  const answers = incident.playbook === response.playbook || (incident.playbook === TICKET_ONLY && response.installed);
  if (!answers || mode === 'observe') return attach(repeat);
  const rises = levelRank(response, response.inputs) > levelRank(response, incident.inputs);
  const stronger = strength(mode) > strength(incident.mode);
  const decided = {
    // More than was decided before takes what this signal allows; the same again takes nothing away.
    mode: rises || stronger ? mode : incident.mode,
    recommendedMode: response.verdict,
    playbook: response.playbook ?? incident.playbook,
    inputs: { ...incident.inputs, ...response.inputs, ...(rises ? {} : levelOf(stronger ? allowed(incident, response) : incident)) },
    ...(PHASE[status] === 'standing' ? { was: { playbook: incident.playbook, mode: incident.mode, inputs: incident.inputs } } : {}),
  };
  if (isAskedForMore(incident)) {
    if (isOpen) return broken('somebody opened it again');
    // What stands already goes as far as this signal asks.
    const { was } = incident;
    if (was && strength(mode) <= strength(was.mode) && levelRank(response, response.inputs) <= levelRank(response, was.inputs)) return attach(grown);
  }
  if (rises) return again(`a signal asks for level ${response.levels[levelRank(response, response.inputs)]}`, decided);
  if (stronger) return again(`a signal asks ${mode === 'contain' ? 'for containment' : 'to contain with an approval'}`, decided);
  if (isSettled(incident) && isOpen) return reopened('somebody opened it again', { ...decided, verifiedAt: null, was: null });
  const asked = { ...decided, ...askedIfRefused(incident, decided.mode) };
  // A finding that is reported on and on is no new question to whoever has answered it.
  if (PHASE[status] === 'stopped' && since >= RETRY_MS && signal.time > incident.decidedAt && (status !== 'rejected' || signal.source === 'cloudtrail')) return again(`it was ${status}, and is reported again`, asked);
  // What is under way, or waits for a person, reads the severity from the incident; nothing has to begin anew for it.
  return grown === null || isUnderWay(incident) ? attach(repeat) : again(grown, asked);
}

/**
 * Who opens a target again and again fights back: it is contained each time, since leaving it open would be what they want, and
 * the incident becomes critical.
 */
const CONTESTED = { times: 5, withinMs: 3_600_000, severity: 9 };

function contest({ contested }: Incident, decidedAt: string): { readonly contested: NonNullable<Incident['contested']>; readonly severity: number; readonly words: string } {
  const goesOn = contested !== undefined && Date.parse(decidedAt) - Date.parse(contested.since) < CONTESTED.withinMs;
  const now = goesOn ? { since: contested.since, times: contested.times + 1 } : { since: decidedAt, times: 1 };
  if (now.times < CONTESTED.times) return { contested: now, severity: 0, words: '' };
  return { contested: now, severity: CONTESTED.severity, words: `, ${now.times} times since ${now.since}: somebody fights back` };
}

/** What waits for a person is planned again at its next run, and need not end first. */
function isRunning({ status }: Incident): boolean {
  return PHASE[status] === 'running';
}

/** It ended with its target as it should be, as far as was known. */
function isSettled({ status }: Incident): boolean {
  return PHASE[status] === 'standing' || status === 'not-exposed';
}

/** It stands, and somebody is asked whether to do more. */
function isAskedForMore({ status, was }: Incident): boolean {
  return PHASE[status] === 'asking' && was !== null && was !== undefined;
}

/** What a person refused is done by itself no more. */
function askedIfRefused({ status }: Incident, mode: Mode): { readonly mode: Mode } | Record<never, never> {
  return status === 'rejected' ? { mode: weaker(mode, 'approve') } : {};
}

function weaker(one: Mode, other: Mode): Mode {
  return strength(one) < strength(other) ? one : other;
}

/** The level at which a stronger mode may act: that of what stands, or its own signal's; not one that somebody was still to approve. */
function allowed({ was, inputs, containedAt }: Incident, response: Response): Pick<Incident, 'inputs'> {
  const standing = was?.inputs ?? (containedAt === null ? {} : inputs);
  return { inputs: levelRank(response, response.inputs) > levelRank(response, standing) ? (response.inputs ?? {}) : standing };
}

/** How a signal is more than what the incident knew: a new actor, a higher severity; `null` where it is not. */
function growth(incident: Incident, { response, signal }: Opening): string | null {
  const id = signal.actor && actorId(signal.actor);
  const isNew = id !== null && !incident.actors.includes(id) && incident.actors.length < MAX_ACTORS;
  const changes = [...(isNew ? [`another actor, ${id}`] : []), ...(response.severity > incident.severity ? [`severity rose from ${incident.severity} to ${response.severity}`] : [])];
  return changes.length === 0 ? null : changes.join('; ');
}

/** A signal that asks for a lower level takes nothing back. */
function levelOf({ inputs }: Pick<Incident, 'inputs'>): Incident['inputs'] {
  return inputs['level'] === undefined ? {} : { level: inputs['level'] };
}

/** The further down its playbook lists it, the more it stops; -1 where there is none. */
export function levelRank({ levels }: Response, inputs: Incident['inputs'] | null): number {
  return levels.findIndex((level) => level === inputs?.['level']);
}

export function modeOf({ verdict }: Response, cap: Mode): Mode {
  const allowed = capped(verdict, cap);
  return allowed === 'contain' || allowed === 'approve' ? allowed : 'observe';
}
