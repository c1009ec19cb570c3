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

/**
 * What a further signal means for the incident that is open on its target. It is decided again where actor, severity or
 * level grew, where it was only observed before, and where somebody has opened again, or undone, what was contained.
 *
 * @param undone - settings of the quarantine that are no longer as it left them
 */
export function joins(incident: Incident, opening: Opening, undone: readonly string[] = []): Joining {
  const { response, signal, cap } = opening;
  const grown = growth(incident, opening);
  const id = signal.actor && actorId(signal.actor);
  const actors = id === null || incident.actors.includes(id) ? incident.actors : [...incident.actors, id].slice(0, MAX_ACTORS);
  const change = { severity: Math.max(incident.severity, response.severity), actors };
  const attach = (because: string | null): Joining => ({ act: 'attach', because: because === null ? ATTACHED : `${ATTACHED}: ${because}`, change, tell: because !== null });
  const again = (because: string, more: Partial<Incident> = {}): Joining =>
    isRunning(incident) ? { act: 'wait', because, change, tell: false } : { act: 'again', because, change: { ...change, ...more, status: 'open', outcome: because }, tell: false };

  // Archived or accepted by somebody; samples and replays tell nothing of today.
  if (response.verdict === 'record' || ((signal.sample || signal.replayed) && !opening.drill)) return attach(null);
  // A trigger of the playbook's own says so; while it is being restored, taking it away is what was asked for.
  if (response.again?.playbook === incident.playbook && incident.mode !== 'observe') return incident.status === 'restoring' ? attach(null) : isSettled(incident) || isRunning(incident) ? again(response.again.because) : attach(null);
  if (isSettled(incident) && undone.length > 0) return again(`somebody undid the quarantine: ${listed(undone)}`);
  if (response.verdict === 'ignore') return attach(null);
  // A restore ends the incident: what is open meanwhile is decided about when it has, by whoever is the incident then.
  if (incident.status === 'restoring' && modeOf(response, cap) !== 'observe' && opening.state && exposuresOf(opening.state).length > 0) return again('it is open to the public while it is being restored');
  const mode = modeOf(response, cap);
  const answers = incident.playbook === response.playbook || (incident.playbook === TICKET_ONLY && response.installed);
  if (!answers || mode === 'observe') return attach(grown);
  const rises = levelRank(response, response.inputs) > levelRank(response, incident.inputs);
  const decided = {
    // More than was decided before takes what this signal allows; the same again takes nothing away.
    mode: rises || strength(mode) > strength(incident.mode) ? mode : incident.mode,
    recommendedMode: response.verdict,
    playbook: response.playbook ?? incident.playbook,
    inputs: { ...incident.inputs, ...response.inputs, ...(rises ? {} : levelOf(incident)) },
  };
  const why = asksForMore(incident, opening, mode, rises);
  if (why !== null) return again(why, decided);
  // What is under way, or waits for a person, reads the severity from the incident; nothing has to begin anew for it.
  if (grown === null || isUnderWay(incident)) return attach(grown);
  return again(grown, decided);
}

/** What waits for a person is planned again at its next run, and need not end first. */
function isRunning({ status }: Incident): boolean {
  return PHASE[status] === 'running';
}

/** It ended with its target as it should be, as far as was known. */
function isSettled({ status }: Incident): boolean {
  return PHASE[status] === 'standing' || status === 'not-exposed';
}

/** How a signal is more than what the incident knew: a new actor, a higher severity; `null` where it is not. */
function growth(incident: Incident, { response, signal }: Opening): string | null {
  const id = signal.actor && actorId(signal.actor);
  const isNew = id !== null && !incident.actors.includes(id) && incident.actors.length < MAX_ACTORS;
  const changes = [...(isNew ? [`another actor, ${id}`] : []), ...(response.severity > incident.severity ? [`severity rose from ${incident.severity} to ${response.severity}`] : [])];
  return changes.length === 0 ? null : changes.join('; ');
}

function asksForMore(incident: Incident, { response, state }: Opening, mode: Mode, rises: boolean): string | null {
  if (rises) return `a signal asks for level ${response.levels[levelRank(response, response.inputs)]}`;
  if (strength(mode) > strength(incident.mode)) return `a signal asks ${mode === 'contain' ? 'for containment' : 'to contain with an approval'}`;
  return isSettled(incident) && state && exposuresOf(state).length > 0 ? 'somebody opened it again' : null;
}

/** A signal that asks for a lower level takes nothing back. */
function levelOf({ inputs }: Incident): Incident['inputs'] {
  return inputs['level'] === undefined ? {} : { level: inputs['level'] };
}

/** The further down its playbook lists it, the more it stops; -1 where there is none. */
function levelRank({ levels }: Response, inputs: Incident['inputs'] | null): number {
  return levels.findIndex((level) => level === inputs?.['level']);
}

function modeOf({ verdict }: Response, cap: Mode): Mode {
  const allowed = capped(verdict, cap);
  return allowed === 'contain' || allowed === 'approve' ? allowed : 'observe';
}
