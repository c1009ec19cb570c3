import type { Approval } from '../core/approval.ts';
import type { Json } from '../core/bucket.ts';
import { impactText } from '../core/impact.ts';
import type { Change, Incident, IncidentView, Plan, TicketState } from '../core/incident.ts';
import { undoSteps } from '../core/undo.ts';
import { diffOf } from './diff.ts';
import { facts, table } from './table.ts';
import { heading, ink, line } from './terminal.ts';
import { toned } from './timeline.ts';
import { count, instant, modeWords, statusWords, timeOfDay } from './words.ts';

/** What an incident is and how it stands: the head of `show`. */
export function incidentHead({ incident }: IncidentView): readonly string[] {
  const { words, tone } = statusWords(incident.status);
  return [
    `${ink.bold(incident.id)}  ${toned(tone, words)}${incident.drill ? ink.dim('  (drill)') : ''}`,
    ...facts([
      ['What', incident.title],
      ['Target', incident.target.arn],
      ['Why', incident.reason],
      ...incident.exposures.map((exposure): [string, string] => ['Way in', exposure]),
      ['Actor', incident.actor],
      ['Actors', incident.actors.length > 1 ? incident.actors.join('; ') : null],
      ['Related', incident.related.join(', ')],
      ['Severity', String(incident.severity)],
      ['Mode', modeWords(incident.mode, incident.recommendedMode)],
      ['Playbook', incident.playbook],
      ['Asked by', incident.requestedBy],
      ['Event', instant(incident.eventTime)],
      ['Decided', instant(incident.decidedAt)],
      ['Contained', instant(incident.containedAt)],
      ['Proven', instant(incident.verifiedAt)],
      ['Restored', incident.restoredAt === null ? null : instant(incident.restoredAt)],
      ['Stands until', incident.lease ? `${instant(incident.lease.until)}; owner: ${incident.lease.owner}` : null],
      ...ticketLines(incident).map((ticket): [string, string] => ['Ticket', ticket]),
      ['Outcome', incident.outcome],
    ]),
  ];
}

/** One line a tracker: `opscenter: oi-0123 is open since …`, `jira: pending since …`. */
export function ticketLines({ tickets, ticketGap }: Incident): readonly string[] {
  const each = Object.values(tickets ?? {}).map(ticketWords);
  const gap = ticketGap === null ? [] : [`gave up: ${ticketGap}`];
  return each.length + gap.length === 0 ? ['none yet'] : [...each, ...gap];
}

function ticketWords({ tracker, id, url, state, since, reason, nextAt }: TicketState): string {
  const which = id === null ? '' : `${url ?? id} is `;
  const again = state !== 'pending' ? '' : nextAt === null ? '; not tried again by itself: stopbath ticket <incident> --resend' : `; tried again at ${instant(nextAt)}`;
  return `${tracker}: ${which}${state} since ${instant(since)}${reason === null ? '' : ` (${reason})`}${again}`;
}

/** A plan: its digest, what it costs, what it leaves alone, and the before and after of each change. */
export function planText(plan: Plan): readonly string[] {
  const level = plan.level === null ? '' : ` at level ${plan.level}`;
  return [
    heading(`Plan to ${plan.direction}${level}: ${count(plan.changes.length, 'change')}`),
    ...facts([
      ['Digest', plan.digest],
      ['Planned', instant(plan.plannedAt)],
      ...Object.entries(plan.impact).flatMap(([key, value]) => impactLines(key, value)),
      ...plan.notes.map((note): [string, string] => ['Note', note]),
    ]),
    ...changesText(plan.changes),
    ...driftText(plan),
  ];
}

/** A list is a line each, under one label. */
function impactLines(key: string, value: Json): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) return [[spaced(key), impactText(value)]];
  const list: readonly Json[] = value;
  return list.length === 0 ? [[spaced(key), 'nobody and nothing']] : list.map((one, index) => [index === 0 ? spaced(key) : '', impactText(one)]);
}

/** The third side of a restore: what somebody changed since the containment, and what it was before. */
function driftText({ drift = [] }: Plan): readonly string[] {
  return drift.flatMap(({ setting, saved, contained, now }) => [
    heading(`Changed since the containment: ${line(setting)}`),
    ...changesText([
      { seq: 1, setting, title: 'What somebody made of what the containment left', before: contained, after: now },
      { seq: 2, setting, title: 'What it was before the containment, against what it is now', before: now, after: saved },
    ]),
  ]);
}

/** A request for an approval: what waits, for whom, and who has said what. */
export function approvalText({ execution, direction, digest, requestedBy, why, needed, requestedAt, expiresAt, state, votes }: Approval): readonly string[] {
  const have = votes.filter(({ word }) => word === 'approve').length;
  return [
    heading(`Approval of ${execution}: ${state}`),
    ...facts([
      ['Plan', `${digest}, to ${direction}`],
      ['Why', why],
      ['Asked by', requestedBy],
      ['Asked', instant(requestedAt)],
      ['Expires', state === 'waiting' ? instant(expiresAt) : null],
      ['Takes', `${count(needed, 'person')}; ${have === 0 ? 'nobody' : have} so far`],
      ...votes.map(({ word, by, at, reason }): [string, string] => [word === 'approve' ? 'Approved' : 'Rejected', `by ${by} at ${instant(at)}${reason === null ? '' : `: ${reason}`}`]),
    ]),
  ];
}

/** The before and after of changes, as a diff each. */
export function changesText(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) => [
    '',
    `  ${ink.bold(`${change.seq}. ${line(change.title)}`)}  ${ink.dim(line(change.setting))}`,
    ...diffOf(change).map(({ sign, text }) => {
      const row = `     ${sign} ${text}`;
      return sign === '-' ? ink.red(row) : sign === '+' ? ink.green(row) : ink.dim(row);
    }),
  ]);
}

/** What was done, in order, with when it was meant and when it was acknowledged. */
export function ledgerText(view: IncidentView): readonly string[] {
  if (view.ledger.length === 0) return [heading('Ledger'), '  empty: nothing was changed'];
  const rows = view.ledger.map((entry) => [entry.direction, String(entry.seq), entry.setting, entry.title, timeOfDay(entry.intendedAt), entry.doneAt === null ? 'not acknowledged' : timeOfDay(entry.doneAt)]);
  return [heading('Ledger'), table(['direction', '#', 'setting', 'change', 'intended', 'done'], rows, (text) => (text === 'not acknowledged' ? ink.red(text) : text))];
}

/** The plain commands that take it back without the suite. */
export function undoText(view: IncidentView): readonly string[] {
  const steps = view.incident.status === 'restored' ? [] : undoSteps(view);
  if (steps.length === 0) return [];
  return [heading('Without Stopbath, for the day it is down'), ...steps.flatMap(({ title, command }) => [`  # ${line(title)}`, `  ${typeable(command)}`])];
}

/** What a terminal would obey can only stand in a JSON string, where its escape means the same. */
function typeable(command: string): string {
  return command.replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => [...Array(character.length).keys()].map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`).join(''));
}

/** What was seen from outside, look by look. */
export function looksText(view: IncidentView): readonly string[] {
  const looks = view.entries.filter((entry) => entry.kind === 'look');
  if (looks.length === 0) return [heading('Looks from outside'), '  none: nobody looked'];
  return [heading('Looks from outside'), table(['at', 'what was seen'], looks.map((entry) => [timeOfDay(entry.at), entry.text]))];
}

/** `anonymousBefore` → `Anonymous before` */
export function spaced(key: string): string {
  const words = key.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
