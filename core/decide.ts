import type { Mode, Target } from './incident.ts';
import type { Playbook, Trigger } from './playbook.ts';
import { type Rejection, type Signal, actorText, isRejection, readSignal } from './signal.ts';
import { type Suppression, suppressedBy } from './suppression.ts';
import { type Facts, type Knowledge, factsOf } from './decide/facts.ts';
import { listed, plain } from './text.ts';
import type { Json } from './bucket.ts';
import { PREDICATES } from './decide/predicates.ts';
import type { PredicateName } from './decide/names.ts';
import { matchesPattern } from './event-pattern.ts';
import { objectDetails } from './decide/objects.ts';
import { quietBecause } from './decide/quiet.ts';

/** `record`: kept, no ticket. `ignore`: not security-relevant here. `rejected`: not an event. */
export type Verdict = Mode | 'record' | 'ignore' | 'rejected';

export interface DecideOptions extends Knowledge {
  readonly playbooks: readonly Playbook[];
  /** ISO 8601; also the "now" of suppressions. */
  readonly receivedAt: string;
  readonly suppressions?: readonly Suppression[];
  /** A drill acts on samples and replays as if they were real. */
  readonly drill?: boolean;
}

/** What to do about an event, and why. Everything in it may be logged: no link token, no presigned URL. */
export interface Decision {
  /** The event's own id; `null` where it has none. */
  readonly event: string | null;
  readonly source: Signal['source'];
  readonly type: string | null;
  /** The strongest of its responses. */
  readonly decision: Verdict;
  readonly playbook: string | null;
  readonly inputs: { readonly [key: string]: Json } | null;
  /** ARNs of what it is about. */
  readonly targets: readonly string[];
  /** The suppression that silenced all that would have been done. */
  readonly suppressedBy: string | null;
  /** One sentence that a responder understands. Hostile text in it was made plain. */
  readonly reason: string;
  /** GuardDuty's scale; 0 where nothing gives one. */
  readonly severity: number;
  /** `quarantine-bucket/bucket-policy` */
  readonly trigger: string | null;
  /** One for each target, in the signal's order: a finding may ask for different things for different buckets. */
  readonly responses: readonly Response[];
  /** Which triggers' patterns matched, and each predicate's answer. */
  readonly checks: readonly Check[];
  readonly signal: Signal | null;
}

export interface Response {
  readonly target: Target;
  readonly verdict: Exclude<Verdict, 'rejected'>;
  /** What its trigger asks for, before a sample, a replay or a suppression lowered it; `null` where no trigger matched. */
  readonly recommended: Mode | null;
  readonly playbook: string | null;
  /** Whether that playbook is among the given ones and acts on this kind of target; where not, only a ticket can be opened. */
  readonly installed: boolean;
  readonly inputs: { readonly [key: string]: Json } | null;
  /** The levels of that playbook, the weakest first, as its playbook.json lists them; empty where it has none. */
  readonly levels: readonly string[];
  readonly severity: number;
  readonly trigger: string | null;
  readonly suppressedBy: string | null;
  /** What of the target led to it, one clause. */
  readonly because: string;
  /** The playbook whose containment of the target was undone by this, and how; `null` where nothing says so. */
  readonly again: Again | null;
}

export interface Again {
  readonly playbook: string;
  readonly because: string;
}

export interface Check {
  readonly trigger: string;
  readonly target: string;
  readonly matched: boolean;
  readonly predicates: readonly { readonly name: PredicateName; readonly holds: boolean; readonly because: string }[];
}

/**
 * Decide what an event asks for. Pure, and never throws: what cannot be read is decided `rejected`.
 *
 * The mode is what is recommended; configuration caps it (`capped`). What is known of buckets decides over what the
 * event says; without knowledge the event's own content decides. So a caller that can look may decide twice: once to
 * learn the targets, and again with their state.
 */
export function decide(event: unknown, options: DecideOptions): Decision {
  const signal = readSignal(event, options.receivedAt);
  return isRejection(signal) ? rejected(signal) : decideSignal(signal, options);
}

/** The same for a signal that was read already. */
export function decideSignal(signal: Signal, options: DecideOptions): Decision {
  const quiet = quietBecause(signal, options.own);
  if (quiet) return withResponses(signal, signal.targets.map((target) => silent(target, quiet.verdict, quiet.because)), [], quiet.verdict, quiet.because);
  const facts = factsOf(signal, options);
  const triggers = options.playbooks.flatMap((playbook) => playbook.triggers.map((trigger) => ({ id: `${playbook.name}/${trigger.name}`, trigger })));
  const matched = triggers.filter(({ trigger }) => matchesPattern(trigger.matcher, signal.event));
  const judged = signal.targets.map((target) => judge(facts, target, matched, options));
  const responses = new Map<string, Response>();
  for (const response of judged.flatMap(({ found }) => found)) {
    const before = responses.get(response.target.arn);
    if (!before || rank(response) > rank(before)) responses.set(response.target.arn, response);
  }
  // A finding is kept whatever it says; of CloudTrail only what a trigger is about.
  const otherwise = signal.source === 'guardduty' ? 'record' : 'ignore';
  const checks = judged.flatMap((one) => one.checks);
  return withResponses(signal, [...responses.values()], checks, otherwise, calmReason(signal, checks, matched.length > 0));
}

/** By verdict; where that was lowered alike (a sample, a suppression), by what would have been done. */
function rank({ verdict, recommended }: Response): number {
  return strength(verdict) * STRENGTH.length + (recommended === null ? 0 : strength(recommended));
}

const STRENGTH: readonly Verdict[] = ['rejected', 'ignore', 'record', 'observe', 'approve', 'contain'];

/** For comparing: `contain` is the strongest. */
export function strength(verdict: Verdict): number {
  return STRENGTH.indexOf(verdict);
}

/** What configuration makes of a verdict: nothing stronger than the cap. */
export function capped(verdict: Verdict, cap: Mode): Verdict {
  return strength(verdict) > strength(cap) ? cap : verdict;
}

/** Why nothing is done: what a predicate says of it, where one has something to say. */
function calmReason(signal: Signal, checks: readonly Check[], wasAsked: boolean): string {
  if (signal.source === 'guardduty') return `nothing to act on at severity ${signal.severity}`;
  if (!wasAsked) return 'not security-relevant here';
  const said = checks.flatMap(({ predicates }) => predicates).find(({ because }) => because !== '')?.because;
  return said === undefined ? 'it takes nothing away that matters here' : `it opens nothing: ${said}`;
}

interface Matched {
  readonly id: string;
  readonly trigger: Trigger;
}

/** The strongest trigger for a target; where a predicate names other targets in its stead, for each of them. */
function judge(facts: Facts, target: Target, matched: readonly Matched[], options: DecideOptions): { readonly found: readonly Response[]; readonly checks: readonly Check[] } {
  const checks: Check[] = [];
  const undone: Again[] = [];
  const found = matched.filter(({ trigger }) => trigger.targets.includes(target.kind)).flatMap(({ id, trigger }) => {
    const answers = trigger.when.map((name) => ({ name, ...PREDICATES[name](facts, target) }));
    const all = answers.every((answer) => answer.holds);
    checks.push({ trigger: id, target: target.arn, matched: all, predicates: answers.map(({ name, holds, because }) => ({ name, holds, because })) });
    if (!all) return [];
    const clauses = answers.map(({ because }) => because).filter(Boolean);
    if (trigger.again) {
      undone.push({ playbook: trigger.playbook, because: [trigger.why, ...clauses].join(': ') });
      return [];
    }
    const instead = answers.flatMap((answer) => answer.instead ?? []);
    return (instead.length > 0 ? instead : [target]).map((one) => responseTo(facts, one, { id, trigger }, clauses.join('; '), options));
  });
  const again = undone[0] ?? null;
  if (found.length > 0) return { found: found.map((response) => ({ ...response, again })), checks };
  const verdict = facts.signal.source === 'guardduty' ? 'record' : 'ignore';
  return { found: [{ ...silent(target, verdict, ''), again }], checks };
}

function responseTo({ signal }: Facts, target: Target, { id, trigger }: Matched, clause: string, options: DecideOptions): Response {
  const because = clause === '' ? trigger.why : `${trigger.why}: ${clause}`;
  const severity = signal.severity > 0 ? signal.severity : (trigger.severity ?? 0);
  const suppression = suppressedBy(options.suppressions ?? [], { ...signal, severity }, target, options.receivedAt);
  if (suppression) {
    const { owner, reason, expires } = suppression;
    return { ...silent(target, 'record', `${because}; accepted by ${plain(owner, 64)} until ${expires}: ${plain(reason)}`), severity, trigger: id, recommended: trigger.mode, suppressedBy: suppression.id };
  }
  const mayAct = options.drill === true || !(signal.sample || signal.replayed);
  return {
    target,
    verdict: mayAct ? trigger.mode : 'observe',
    recommended: trigger.mode,
    playbook: trigger.playbook,
    installed: options.playbooks.some((playbook) => playbook.name === trigger.playbook && playbook.targets.includes(target.kind)),
    inputs: { ...trigger.inputs, ...objectDetails(signal, target) },
    levels: Object.keys(options.playbooks.find(({ name }) => name === trigger.playbook)?.inputs['level']?.values ?? {}),
    severity,
    trigger: id,
    suppressedBy: null,
    again: null,
    because: mayAct ? because : `${because}; only observed, because it is ${signal.sample ? 'a sample' : 'a replay'}`,
  };
}

function silent(target: Target, verdict: 'record' | 'ignore', because: string): Response {
  return { target, verdict, recommended: null, playbook: null, installed: false, inputs: null, levels: [], severity: 0, trigger: null, suppressedBy: null, because, again: null };
}

function withResponses(signal: Signal, responses: readonly Response[], checks: readonly Check[], otherwise: 'record' | 'ignore', because: string): Decision {
  const strongest = responses.reduce<Response | null>((best, response) => (best && rank(best) >= rank(response) ? best : response), null);
  const alike = responses.filter((response) => response.verdict === strongest?.verdict && response.because !== '');
  const reasons = [...new Set(alike.map((response) => response.because))].slice(0, MAX_REASONS);
  return {
    event: signal.id === '' ? null : plain(signal.id, 256),
    source: signal.source,
    type: plain(signal.type, 256),
    decision: strongest?.verdict ?? otherwise,
    playbook: strongest?.playbook ?? null,
    inputs: strongest?.inputs ?? null,
    targets: responses.length > 0 ? responses.map((response) => response.target.arn) : signal.targets.map((target) => target.arn),
    suppressedBy: strongest?.suppressedBy ?? null,
    reason: sentence(reasons.length > 0 ? reasons.join('; ') : because, signal, strongest?.trigger ?? null),
    severity: strongest?.severity ?? 0,
    trigger: strongest?.trigger ?? null,
    responses,
    checks,
    signal,
  };
}

/** A reason names every way in, of as many buckets as one reads. */
const MAX_REASONS = 10;

function sentence(because: string, signal: Signal, trigger: string | null): string {
  const names = signal.targets.map((target) => plain(target.name, 64)).filter((name) => name !== '' && !because.includes(name));
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const subject = trigger === null || names.length === 0 ? '' : ` (${listed(names.slice(0, 3))}${more})`;
  const by = signal.actor && trigger !== null ? `, by ${actorText(signal.actor)}` : '';
  const text = `${because}${subject}${by}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function rejected({ rejected: why, id }: Rejection): Decision {
  return {
    event: id,
    source: 'unknown',
    type: null,
    decision: 'rejected',
    playbook: null,
    inputs: null,
    targets: [],
    suppressedBy: null,
    reason: `Not an event: ${plain(why, 300)}.`,
    severity: 0,
    trigger: null,
    responses: [],
    checks: [],
    signal: null,
  };
}
