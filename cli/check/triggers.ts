import { matchesPattern } from '../../core/event-pattern.ts';
import { TICKET_ONLY } from '../../core/incident.ts';
import type { Playbook, Trigger } from '../../core/playbook.ts';
import { DeployError } from '../../deploy/names.ts';
import { patternsOf } from '../../deploy/rules.ts';
import { FINDING_TYPES } from './finding-types.ts';
import { samplesOf } from './samples.ts';
import { isRecord, type Path, type Source } from './source.ts';

/** Whether the triggers of a playbook can match, say what they may, and leave those of the others alone. */
export function checkTriggers(source: Source, playbook: Playbook, all: readonly Playbook[]): void {
  playbook.triggers.forEach((trigger, index) => {
    const path: Path = ['triggers', index];
    checkRule(source, path, playbook, trigger);
    checkMatch(source, path, trigger);
    checkInputs(source, path, trigger, all);
    for (const other of all.filter(({ name }) => name !== playbook.name)) checkOverlap(source, path, { playbook, trigger }, other);
  });
}

function checkRule({ report, at }: Source, path: Path, { name: playbook }: Playbook, { name, pattern }: Trigger): void {
  try {
    patternsOf([{ playbook, name, pattern }]);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    report(at([...path, 'pattern']), 'trigger', error.message.replace(/^workflows\/[^:]+: /, ''));
  }
}

/** What the suite can read at all: the `detail-type` of an event, and who sends it. */
const READ: ReadonlyMap<string, RegExp> = new Map([
  ['GuardDuty Finding', /^aws\.guardduty$/],
  ['GuardDuty Malware Protection Object Scan Result', /^aws\.guardduty$/],
  ['AWS API Call via CloudTrail', /^aws\./],
  ['AWS Console Sign In via CloudTrail', /^aws\.signin$/],
  ['AWS Console Signin via CloudTrail', /^aws\.signin$/],
]);

function checkMatch({ report, at }: Source, path: Path, trigger: Trigger): void {
  const reasons = samplesOf(trigger.pattern).map((sample) => neverSent(sample, trigger));
  const wrong = reasons.filter((reason) => reason !== null);
  // One alternative that nobody sends is a slip even beside others; an odd combination of good ones is not.
  const slips = [...new Map(wrong.filter(({ always }) => always).map((reason) => [reason.why, reason])).values()];
  const shown = slips.length > 0 || wrong.length < reasons.length ? slips : wrong.slice(0, 1);
  for (const { why, path: field } of shown) report(at([...path, 'pattern', ...field]), 'trigger', `trigger ${trigger.name}: ${why}`);
}

interface Reason {
  readonly why: string;
  readonly path: Path;
  /** Whether the value is wrong in whatever company. */
  readonly always: boolean;
}

function reason(why: string, path: Path, always: boolean): Reason {
  return { why, path, always };
}

/** Why AWS sends no such event, or the suite does not read it; `null` where it may come. */
function neverSent(sample: Readonly<Record<string, unknown>>, { targets }: Trigger): Reason | null {
  const detail = isRecord(sample['detail']) ? sample['detail'] : {};
  const [source, detailType] = [sample['source'], sample['detail-type']];
  if (typeof detailType === 'string') {
    const sender = READ.get(detailType);
    if (!sender) return reason(`Stopbath reads no event of detail-type ${JSON.stringify(detailType)}: it reads ${[...READ.keys()].join(', ')}`, ['detail-type'], true);
    if (typeof source === 'string' && !sender.test(source) && source !== 'aws.') return reason(`${JSON.stringify(source)} sends no ${JSON.stringify(detailType)}`, ['source'], false);
  }
  const { type, eventSource, eventName } = detail;
  if (detailType === 'GuardDuty Finding' && typeof type === 'string') {
    if (!FINDING_TYPES.includes(type)) return reason(`GuardDuty has no finding type ${JSON.stringify(type)}: correct it; where it is a new one, add it to cli/check/finding-types.ts`, ['detail', 'type'], true);
    const kinds = kindsOf(type);
    if (!kinds.some((kind) => targets.includes(kind))) return reason(`a finding ${type} is about ${kinds.join(' or ')}, and the trigger acts on ${targets.join(', ')}`, ['detail', 'type'], true);
  }
  if (typeof eventSource === 'string' && typeof source === 'string') {
    const [service, sender] = [eventSource.split('.', 1).join(''), source.slice('aws.'.length)];
    if (!service.startsWith(sender) && !sender.startsWith(service)) return reason(`source ${JSON.stringify(source)} and eventSource ${JSON.stringify(eventSource)} are never in one event`, ['detail', 'eventSource'], false);
  }
  if (detailType === 'AWS API Call via CloudTrail' && typeof eventName === 'string' && READS.test(eventName) && source !== 'aws.sts')
    return reason(`${eventName} only reads: EventBridge delivers no such events to a rule`, ['detail', 'eventName'], true);
  return null;
}

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail-management.html (STS's GetFederationToken and GetSessionToken are no reads) */
const READS = /^(?:Get|List|Describe)/;

/** What triage makes of a finding's resource. */
function kindsOf(type: string): readonly Trigger['targets'][number][] {
  const resource = type.slice(type.indexOf(':') + 1, type.indexOf('/'));
  if (resource === 'S3') return ['bucket', 'object', 'account', 'other'];
  return resource === 'IAMUser' || resource === 'IAM' ? ['principal', 'account'] : ['other', 'account', 'principal'];
}

function checkInputs({ report, at }: Source, path: Path, trigger: Trigger, all: readonly Playbook[]): void {
  const recommended = all.find(({ name }) => name === trigger.playbook);
  if (!recommended) return report(at([...path, 'playbook']), 'trigger', `trigger ${trigger.name} recommends ${trigger.playbook}, and there is no such playbook`);
  for (const [name, value] of Object.entries(trigger.inputs)) {
    const input = recommended.inputs[name];
    if (!input) report(at([...path, 'inputs', name]), 'trigger', `trigger ${trigger.name}: ${trigger.playbook} has no input ${JSON.stringify(name)}`);
    else if (input.values && !(typeof value === 'string' && Object.hasOwn(input.values, value))) report(at([...path, 'inputs', name]), 'trigger', `trigger ${trigger.name}: ${name} is ${JSON.stringify(value)}: must be one of ${Object.keys(input.values).join(', ')}`);
  }
}

const STRENGTH = ['observe', 'approve', 'contain'];

/** Of two triggers that answer one event on one kind of target only the stronger acts, and of two alike the one whose playbook comes first. */
function checkOverlap({ report, at }: Source, path: Path, { playbook, trigger }: { readonly playbook: Playbook; readonly trigger: Trigger }, other: Playbook): void {
  if (trigger.again || playbook.name === TICKET_ONLY) return;
  for (const theirs of other.triggers) {
    const isTicket = other.name === TICKET_ONLY;
    const stronger = STRENGTH.indexOf(trigger.mode) - STRENGTH.indexOf(theirs.mode);
    if (theirs.again || (isTicket && stronger > 0) || !theirs.targets.some((kind) => trigger.targets.includes(kind))) continue;
    const meets = samplesOf(trigger.pattern).some((sample) => matchesPattern(theirs.matcher, sample)) || samplesOf(theirs.pattern).some((sample) => matchesPattern(trigger.matcher, sample));
    if (!meets) continue;
    const which = `${other.name}/${theirs.name}`;
    const said = stronger === 0 ? `ties with ${which}: the playbook whose name comes first answers` : stronger > 0 ? `takes events from ${which}, which only wants to ${theirs.mode}` : `never acts where ${which} does, which wants to ${theirs.mode}`;
    report(at([...path, 'pattern']), 'overlap', `trigger ${trigger.name} ${said}: narrow one of the patterns${isTicket ? ', or ask for approve (the configuration caps it)' : ''}`);
  }
}
