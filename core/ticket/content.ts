import { PHASE, TICKET_ONLY, type Change, type IncidentView, type LedgerEntry, type Plan } from '../incident.ts';
import { impactText } from '../impact.ts';
import { laidOut } from '../lay-out.ts';
import { undoSteps } from '../undo.ts';
import { inert, verbatim } from '../text.ts';
import { type Block, section, type Section } from './document.ts';

/**
 * What there is to say of an incident, most needed first. A section is a function of the view; a new one is a function and
 * a place in this list.
 */
export function sectionsOf(view: IncidentView): readonly Section[] {
  return [happened(view), approving(view), affected(view), done(view), restoring(view), timeline(view), beforeAndAfter(view), links(view)].flat();
}

function happened({ incident, progress }: IncidentView): readonly Section[] {
  return section(
    'What happened',
    100,
    text(`${incident.outcome || 'Decided, not acted yet'}.`),
    list([
      `Target: ${incident.target.arn} (account ${incident.target.account}, ${incident.target.region})`,
      `Why: ${incident.reason}`,
      ...incident.exposures.map((exposure) => `Way in: ${exposure}`),
      `Severity ${incident.severity}; mode ${incident.mode}${incident.mode === incident.recommendedMode ? '' : ` (triage recommended ${incident.recommendedMode})`}${incident.drill ? '; this is a drill' : ''}`,
      ...progress.map((step) => `${step.what}: ${step.done}${step.total === null ? '' : ` of ${step.total}`}${step.finishedAt === null ? ', under way' : ''}`),
    ]),
  );
}

/** What to type where the incident waits for somebody's word. The link and the words carry no power: AWS says who types them. */
export function approving({ incident, plans, approvals }: IncidentView): readonly Section[] {
  const waiting = approvals.find(({ state, execution }) => state === 'waiting' && execution === incident.executions.at(-1));
  if (waiting) {
    const have = waiting.votes.filter(({ word }) => word === 'approve').length;
    return section(
      waiting.direction === 'contain' ? 'Waits for an approval' : 'The restore waits for an approval',
      95,
      text(`${waiting.why}. ${waiting.needed - have === 1 ? 'One more person' : `${waiting.needed - have} persons`} must approve plan ${waiting.digest} before ${waiting.expiresAt}; asked for by ${waiting.requestedBy}, who cannot.`),
      code([`stopbath show ${incident.id}`, `stopbath approve ${incident.id}`, `stopbath reject ${incident.id} --reason "…"`]),
    );
  }
  const plan = plans.findLast(({ direction }) => direction === 'contain');
  if (PHASE[incident.status] !== 'stopped' || incident.playbook === TICKET_ONLY) return [];
  return section(
    'To let it be contained',
    95,
    text(plan ? `Read the plan (digest ${plan.digest}), then:` : 'Nothing was changed. To contain it:'),
    code([`stopbath show ${incident.id}`, `stopbath release ${incident.id} --reason "…"`]),
  );
}

function affected({ incident, plans }: IncidentView): readonly Section[] {
  const plan = plans.findLast(({ direction }) => direction === 'contain');
  const impact = Object.entries(plan?.impact ?? {}).map(([what, value]) => [what, impactText(value)]);
  return section(
    'Who is affected',
    80,
    list([...(incident.actor === null ? [] : [`Done by: ${incident.actor}`]), ...(incident.actors.length > 1 ? [`Actors so far: ${incident.actors.join('; ')}`] : []), ...(incident.related.length > 0 ? [`Related incidents: ${incident.related.join(', ')}`] : []), ...(plan?.level ? [`Level: ${plan.level}`] : [])]),
    table(['what', 'how'], impact),
  );
}

function done({ incident, plans, ledger, entries }: IncidentView): readonly Section[] {
  const acts = ledger.filter(({ result }) => result === 'done');
  const open = ledger.filter(({ result }) => result !== 'done');
  const plan = plans.at(-1);
  const planned = acts.length === 0 && plan ? plan.changes : [];
  return section(
    'What was done, and what was not',
    85,
    acts.length === 0 ? text('Nothing was changed.') : list(acts.map(actText)),
    list(open.map((entry) => `Not acknowledged: ${actText(entry)}`)),
    list(planned.map(({ title }) => `Planned, not done: ${title}`)),
    list((plan?.notes ?? []).map((note) => `Left as it is: ${note}`)),
    list([
      ...(incident.containedAt === null ? ['Not contained'] : [`Contained at ${incident.containedAt}`]),
      ...(incident.verifiedAt === null ? ['Not proven from outside'] : [`Proven from outside at ${incident.verifiedAt}`]),
      ...entries.filter(({ kind }) => kind === 'failure').map((entry) => `Failure at ${entry.at}: ${entry.text}`),
    ]),
  );
}

function actText({ title, direction }: LedgerEntry): string {
  return `${direction === 'restore' ? 'Taken back' : 'Done'}: ${title}`;
}

/** How to go back, with the suite and without it. */
export function restoring({ incident, ledger }: IncidentView): readonly Section[] {
  const acts = ledger.filter(({ direction, result }) => direction === 'contain' && result === 'done').toReversed();
  if (acts.length === 0 || incident.status === 'restored') return [];
  return section(
    'To restore',
    90,
    text('With Stopbath, which keeps what somebody else has changed since:'),
    code([`stopbath restore ${incident.id} --reason "…"`]),
    ...(incident.lease ? [text(`It is meant to stand until ${incident.lease.until}; owner: ${incident.lease.owner}. Longer:`), code([`stopbath extend ${incident.id} --until … --reason "…"`])] : []),
    text('Without it, for the day it is down: these commands, in this order. They put back what was saved, over whatever was changed since; at level full the first of them takes the root user of the account.'),
    code(undoSteps({ incident, ledger }).map(({ command }) => command)),
  );
}

function timeline({ incident, entries }: IncidentView): readonly Section[] {
  const rows = [[incident.eventTime, 'event', incident.title], ...entries.map((entry) => [entry.at, entry.by.split('/').at(-1) ?? entry.by, entry.text])];
  return section('Timeline', 40, table(['at', 'who', 'what'], rows));
}

function beforeAndAfter({ plans }: IncidentView): readonly Section[] {
  const plan = plans.at(-1);
  return plan ? section(`Before and after (plan to ${plan.direction})`, 20, ...plan.changes.flatMap((change) => changeBlocks(change, plan))) : [];
}

function changeBlocks(change: Change, { changes }: Plan): readonly Block[] {
  return [text(`${change.seq} of ${changes.length}. ${change.title} (${change.setting})`), text('Before:'), code([laidOut(change.before)]), text('After:'), code([laidOut(change.after)])];
}

function links({ incident }: IncidentView): readonly Section[] {
  const { region } = incident.target;
  const execution = incident.executions.at(-1);
  return section(
    'Links',
    60,
    code([`stopbath show ${incident.id}`, `stopbath ticket ${incident.id}`]),
    ...(incident.target.kind === 'bucket' && BUCKET.test(incident.target.name) ? [link('The bucket in the S3 console', `https://s3.console.aws.amazon.com/s3/buckets/${incident.target.name}?region=${region}`)] : []),
    ...(execution !== undefined && REGION.test(region) ? [text(`Execution: ${execution}`)] : []),
  );
}

/** Only what can be nothing but a name goes into a link. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;

/** How long one sentence of an event may be here; the record has all of it. */
const SENTENCE = 2000;

function text(sentence: string): Block {
  return { kind: 'text', text: inert(sentence, SENTENCE) };
}

function list(items: readonly string[]): Block {
  return { kind: 'list', items: items.map((item) => inert(item, SENTENCE)) };
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): Block {
  return { kind: 'table', head, rows: rows.map((row) => row.map((cell) => inert(cell, SENTENCE))) };
}

function code(lines: readonly string[]): Block {
  return { kind: 'code', text: verbatim(lines.join('\n'), Number.MAX_SAFE_INTEGER) };
}

function link(words: string, url: string): Block {
  return { kind: 'link', text: words, url };
}
