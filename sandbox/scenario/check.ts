import type { DecisionRecord } from '../../aws/decisions.ts';
import { isUnderWay, type IncidentView } from '../../core/incident.ts';
import { lastingAnswers, type Probe } from './outsider.ts';
import type { Expectation, ScenarioResult } from './result.ts';
import type { Expected, Scenario } from './scenario.ts';

/** What was found when everything had come to rest. */
export interface Found {
  readonly incidents: readonly IncidentView[];
  readonly decisions: readonly DecisionRecord[];
  readonly tickets: ScenarioResult['tickets'];
  readonly statesEntered: readonly string[];
  readonly running: readonly string[];
  readonly probes: readonly Probe[];
  /** Settings of the bucket that are not what they were when the first event arrived. */
  readonly changed: readonly string[];
  /** What followers of share links got, by who. */
  readonly fetches: ReadonlyMap<string, readonly Probe[]>;
  /** Share links that stand as revoked; `null` where there is no share service. */
  readonly revoked: number | null;
  /** What verifying the evidence bucket said, and which words of those that are to be forgotten are still said; `null` where nobody asks. */
  readonly kept: { readonly verdict: string; readonly said: readonly string[] } | null;
  /** Ids under which each event that was sent may be on record. */
  readonly sent: readonly (readonly string[])[];
  /** Changes of ledgers that the playbook does not declare: `quarantine-bucket changed cors`. */
  readonly undeclared: readonly string[];
  /** What a step had to say against going on. */
  readonly stopped: string | null;
}

/** Holds what was found against what the scenario expects, and against what holds in every scenario. */
export function check(scenario: Scenario, found: Found): readonly Expectation[] {
  return [...always(scenario, found), ...expected(scenario, found)];
}

function always({ given }: Scenario, found: Found): readonly Expectation[] {
  const recorded = new Set(found.decisions.map((decision) => decision.event));
  const lost = found.sent.filter((ids) => !ids.some((id) => recorded.has(id))).map((ids) => ids.join(' or '));
  const unfinished = found.incidents.filter(({ incident }) => isUnderWay(incident)).map(({ incident }) => `${incident.id} is ${incident.status}`);
  const silent = found.incidents.filter(({ incident }) => incident.ticket === null && incident.ticketGap === null).map(({ incident }) => incident.id);
  const open = found.incidents.filter(({ incident }) => PROVEN.has(incident.status)).flatMap(({ ledger }) => ledger.filter((entry) => entry.result !== 'done'));
  const early = found.incidents.filter(({ incident }) => incident.target.name === given.bucket).flatMap((view) => servedAfterProof(view, found.probes));
  return [
    holds('every step went as written', found.stopped === null, found.stopped ?? 'all of them'),
    holds('every event has a decision on record', lost.length === 0, lost.length === 0 ? plural(found.sent.length, 'event') : `none about ${lost.join(', ')}`),
    holds('everything came to an end', unfinished.length === 0 && found.running.length === 0, listOr([...unfinished, ...found.running.map((name) => `${name} runs`)], 'nothing runs')),
    holds('every incident has a ticket, or the gap is on record', silent.length === 0, silent.length === 0 ? plural(found.incidents.length, 'incident') : `${silent.join(', ')} has neither`),
    holds('the ledger of what was proven is complete', open.length === 0, open.length === 0 ? 'no act without its result' : `${plural(open.length, 'entry', 'entries')} without a result`),
    holds('every change is one that its playbook declares', found.undeclared.length === 0, listOr(found.undeclared, 'all of them')),
    holds('nothing was served after it was called verified', early.length === 0, early.length === 0 ? 'no answer' : `${plural(early.length, 'answer')}, the first at ${iso(early[0])}`),
  ];
}

const PROVEN: ReadonlySet<string> = new Set(['contained', 'restored']);

/** Answers between the proof and the request to restore. */
function servedAfterProof({ incident, entries }: IncidentView, probes: readonly Probe[]): readonly Probe[] {
  if (incident.verifiedAt === null) return [];
  const from = Date.parse(incident.verifiedAt);
  const request = entries.find((entry) => entry.kind === 'request' && Date.parse(entry.at) >= from);
  const until = request ? Date.parse(request.at) : Number.POSITIVE_INFINITY;
  return probes.filter((probe) => probe.at >= from && probe.at < until && probe.status < 400);
}

function expected({ given, expect }: Scenario, found: Found): readonly Expectation[] {
  const answers = lastingAnswers(found.probes, given.propagationMs / 2);
  const { incidents } = expect;
  return [
    equal(plural(incidents.length, 'incident'), found.incidents.length, incidents.length),
    ...incidents.flatMap((wanted, index) => ofIncident(incidents.length > 1 ? `incident ${index + 1}: ` : '', wanted, wanted.target === undefined ? found.incidents[index] : found.incidents.find(({ incident }) => incident.target.name === wanted.target))),
    ...(expect.decisions ? ofDecisions(expect.decisions, found.decisions) : []),
    ...(expect.tickets === undefined ? [] : [equal(plural(expect.tickets, 'ticket'), found.tickets.length, expect.tickets)]),
    ...(expect.outsider ? [equal(`the outsider got ${expect.outsider.join(', then ')}`, answers.join(', then '), expect.outsider.join(', then '))] : []),
    ...Object.entries(expect.fetches ?? {}).map(([who, wanted]) => equal(`${who} got ${wanted.join(', then ')}`, lastingAnswers(found.fetches.get(who) ?? [], given.propagationMs / 2).join(', then '), wanted.join(', then '))),
    ...(expect.revoked === undefined ? [] : [equal(`${plural(expect.revoked, 'link')} revoked in the end`, found.revoked ?? 0, expect.revoked)]),
    ...(expect.record === undefined ? [] : [equal(`the record is ${expect.record}`, found.kept?.verdict ?? 'not read', expect.record)]),
    ...(expect.forgotten === undefined ? [] : [equal(`nothing says ${expect.forgotten.join(' or ')} any more`, found.kept?.said.join(', ') ?? 'not read', '', 'nothing')]),
    ...(expect.changed
      ? [equal(expect.changed.length === 0 ? 'all settings are as they were before' : `only ${expect.changed.join(', ')} differs from before`, found.changed.join(', '), expect.changed.join(', '), 'no difference')]
      : []),
    ...(expect.states ?? []).map((state) => holds(`${state} is entered`, found.statesEntered.includes(state), found.statesEntered.includes(state) ? 'entered' : 'never entered')),
  ];
}

function ofIncident(which: string, wanted: Expected['incidents'][number], view: IncidentView | undefined): readonly Expectation[] {
  if (!view) return [holds(`${which}${wanted.status}`, false, 'no such incident')];
  const { incident, plans } = view;
  const notes = plans.flatMap((plan) => plan.notes).join(' ');
  const { outcome, mode, level, executions, ticket, ticketGap, related, severity, actors } = wanted;
  return [
    holds(`${which}the incident is ${wanted.status}`, incident.status === wanted.status, `${incident.status}: ${incident.outcome}`),
    ...(outcome === undefined ? [] : [contains(`${which}its outcome says “${outcome}”`, incident.outcome, outcome)]),
    ...(mode === undefined ? [] : [equal(`${which}its mode is ${mode}`, incident.mode, mode)]),
    ...(level === undefined ? [] : [equal(`${which}its level is ${level}`, plans.at(0)?.level ?? 'none', level)]),
    ...(executions === undefined ? [] : [equal(`${which}${plural(executions, 'execution')} of its playbook`, incident.executions.length, executions)]),
    ...(related === undefined ? [] : [equal(`${which}it points at ${plural(related, 'other')}`, incident.related.length, related, '0')]),
    ...(severity === undefined ? [] : [equal(`${which}its severity is ${severity}`, incident.severity, severity)]),
    ...(actors === undefined ? [] : [equal(`${which}${plural(actors, 'actor')} named`, incident.actors.length, actors, '0')]),
    ...(ticket === undefined ? [] : [equal(`${which}its ticket is ${ticket}`, incident.ticket?.state ?? 'none', ticket)]),
    ...(ticketGap === undefined ? [] : [contains(`${which}the ticket's gap says “${ticketGap}”`, incident.ticketGap ?? 'no gap', ticketGap)]),
    ...(wanted.notes ?? []).map((note) => contains(`${which}a plan notes “${note}”`, notes, note)),
  ];
}

function ofDecisions(wanted: NonNullable<Expected['decisions']>, found: readonly DecisionRecord[]): readonly Expectation[] {
  return [
    equal(`decided: ${wanted.map((entry) => entry.decision).join(', ') || 'nothing'}`, found.map((entry) => entry.decision).join(', '), wanted.map((entry) => entry.decision).join(', '), 'nothing'),
    ...wanted.flatMap(({ reason }, index) => (reason === undefined ? [] : [contains(`the reason says “${reason}”`, found[index]?.reason ?? 'no decision', reason)])),
  ];
}

function holds(what: string, held: boolean, found: string): Expectation {
  return { what, held, found };
}

function equal(what: string, found: string | number, wanted: string | number, nothing = 'none'): Expectation {
  return holds(what, found === wanted, String(found) || nothing);
}

function contains(what: string, found: string, wanted: string): Expectation {
  return holds(what, found.includes(wanted), found);
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function listOr(items: readonly string[], nothing: string): string {
  return items.length === 0 ? nothing : items.join(', ');
}

function iso(probe: Probe | undefined): string {
  return probe ? new Date(probe.at).toISOString() : '';
}
