import type { BucketState } from './bucket.ts';
import { digestOf } from './canonical.ts';
import { capped, strength, type Response } from './decide.ts';
import { exposuresOf } from './exposure.ts';
import type { Incident, Mode } from './incident.ts';
import { LEVELS } from './quarantine/levels.ts';
import { actorText, type Signal } from './signal.ts';
import { plain } from './text.ts';

/** A decision about one target of a signal, and what is known of the target. */
export interface Opening {
  readonly response: Response;
  readonly signal: Signal;
  readonly state: BucketState | undefined;
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly drill: boolean;
  /** The most that configuration allows. */
  readonly cap: Mode;
}

const TICKET_ONLY = 'open-ticket';

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
}

/**
 * What a further signal means for the incident that is open on its target. It is evaluated again where the severity or
 * the level grew, where it was only observed before, or where somebody has opened again what was contained.
 */
export function joins(incident: Incident, opening: Opening): Joining {
  const { response, cap } = opening;
  const severity = Math.max(incident.severity, response.severity);
  const attach = (because: string): Joining => ({ act: 'attach', because, change: { severity } });
  if (response.verdict === 'record' || response.verdict === 'ignore') return attach('attached to the open incident');
  const mode = modeOf(response, cap);
  if (incident.playbook !== response.playbook && !(incident.playbook === TICKET_ONLY && response.installed)) return attach('attached to the open incident');
  const why = grown(incident, opening, mode);
  if (why === null || mode !== 'contain') return attach('attached to the open incident');
  if (incident.status === 'containing' || incident.status === 'restoring' || incident.status === 'open') return { act: 'wait', because: why, change: {} };
  return {
    act: 'again',
    because: why,
    change: { severity, mode, recommendedMode: response.verdict, playbook: response.playbook ?? incident.playbook, inputs: { ...incident.inputs, ...response.inputs }, status: 'open', outcome: why },
  };
}

function grown(incident: Incident, { response, state }: Opening, mode: Mode): string | null {
  if (levelRank(response.inputs?.['level']) > levelRank(incident.inputs['level'])) return `a signal asks for level ${LEVELS[levelRank(response.inputs?.['level'])]}`;
  if (strength(mode) > strength(incident.mode)) return 'a signal asks for containment';
  const settled = incident.status === 'contained' || incident.status === 'unverified' || incident.status === 'not-exposed';
  return settled && state && exposuresOf(state).length > 0 ? 'somebody opened it again' : null;
}

function levelRank(level: unknown): number {
  return LEVELS.findIndex((entry) => entry === level);
}

function modeOf({ verdict }: Response, cap: Mode): Mode {
  const allowed = capped(verdict, cap);
  return allowed === 'contain' || allowed === 'approve' ? allowed : 'observe';
}
