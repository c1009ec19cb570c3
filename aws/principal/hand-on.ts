import type { Incident } from '../../core/incident.ts';
import { lanesOf } from '../../core/share/scope.ts';
import { startExecution } from '../executions.ts';
import type { Tools } from '../function.ts';
import { addEntry, createIncident, getIncident, relate } from '../incidents.ts';
import { countLinks } from '../share/links.ts';

/** What a principal issued and was not handed on yet. */
export interface ToHandOn {
  /** ISO 8601: the last time that something was handed on; before that as somebody said, or an hour before the event. */
  readonly since: string;
  /** How many links it issued from then on; `null` where there is no share service. */
  readonly links: number | null;
  /** Whether there is something, or may be: not all of it could be counted. */
  readonly more: boolean;
}

/**
 * What a containment would hand on now. Whoever holds stolen sessions may get new ones and issue links by them, until a containment is proven and
 * from the next theft on: so every run looks for what is new.
 *
 * @param arn - as links carry it: with its path
 */
export async function toHandOn(tools: Tools, incident: Pick<Incident, 'id' | 'related' | 'inputs' | 'eventTime'>, arn: string): Promise<ToHandOn> {
  const last = handedOn(incident);
  const since = last === 0 ? sinceOf(incident) : (await getIncident(tools, idOf(incident, last))).decidedAt;
  if (tools.settings.STOPBATH_SHARES.endpoint === null) return { since, links: null, more: false };
  const counts = await Promise.all(lanesOf({ kind: 'issuer', principal: arn, since }).map((lane) => countLinks(tools, lane)));
  const links = counts.reduce((sum, { count }) => sum + count, 0);
  return { since, links, more: links > 0 || counts.some(({ complete }) => !complete) };
}

/** A finding comes minutes after the deed. */
const BEFORE_MS = 3_600_000;

function sinceOf({ inputs, eventTime }: Pick<Incident, 'inputs' | 'eventTime'>): string {
  const said = inputs['since'];
  return typeof said === 'string' ? said : new Date(Date.parse(eventTime) - BEFORE_MS).toISOString();
}

/** How often an incident has handed on. */
function handedOn(incident: Pick<Incident, 'id' | 'related'>): number {
  let last = 0;
  while (incident.related.includes(idOf(incident, last + 1))) last++;
  return last;
}

/** `<incident>-links`, `<incident>-links-2`, … */
function idOf({ id }: Pick<Incident, 'id'>, number: number): string {
  return `${id}-links${number === 1 ? '' : `-${number}`}`;
}

/**
 * Hands what a principal issued on to revoke-share-links, as an incident of its own that points at this one. It claims nothing: the
 * principal is held by this incident, and whoever asks for its links by hand meanwhile is sent here. A try that ended half-way is gone on with.
 *
 * @param by - the ARN of who asked for the containment, who cannot approve what follows from it; `automatic` where an event did
 */
export async function handOnLinks(tools: Tools, incident: Incident, principal: string, { since }: Pick<ToHandOn, 'since'>, by: string): Promise<void> {
  const at = tools.now();
  // What belongs to the containment that stands is not the revocation's.
  const { lease: _lease, was: _was, heededAt: _heededAt, contested: _contested, ...same } = incident;
  const links: Incident = {
    ...same,
    id: idOf(incident, handedOn(incident) + 1),
    playbook: 'revoke-share-links',
    target: { ...incident.target, name: principal },
    inputs: { issuedBy: principal, since },
    title: `what ${incident.target.name} issued since ${since}: ${incident.title}`.slice(0, 256),
    status: 'open',
    related: [],
    requestedBy: by,
    reason: `handed on by ${incident.id}: its issuer is contained`,
    decidedAt: at,
    containedAt: null,
    verifiedAt: null,
    restoredAt: null,
    outcome: '',
    ticket: null,
    tickets: {},
    ticketGap: null,
    executions: [],
  };
  const there = (await createIncident(tools, links)) ? links : await getIncident(tools, links.id);
  await addEntry(tools, 'decision', { incident: links.id, at, kind: 'decision', text: links.reason, by: tools.settings.AWS_LAMBDA_FUNCTION_NAME, detail: { trigger: null, recommended: links.recommendedMode, mode: links.mode } });
  await startExecution(tools, there, 'contain', `${links.id}-contain-1`);
  await Promise.all([relate(tools, incident.id, [links.id]), relate(tools, links.id, [incident.id])]);
}
