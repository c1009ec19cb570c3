import type { Own } from './facts.ts';
import type { Signal } from '../signal.ts';
import { at, textOf } from '../signal/envelope.ts';
import { isOwnName } from './touched.ts';
import { plain } from '../text.ts';

export interface Quiet {
  readonly verdict: 'record' | 'ignore';
  readonly because: string;
}

/** Why a signal starts nothing, whatever it is about; `null` where triggers have to say. */
export function quietBecause(signal: Signal, own: Own | undefined): Quiet | null {
  if (signal.source === 'unknown') return { verdict: 'ignore', because: 'not an event of GuardDuty or CloudTrail' };
  // What occurs again after that is sent all the same: https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_cloudwatch.html
  if (signal.archived && own?.archives !== true) return { verdict: 'record', because: 'the finding is archived' };
  if (signal.source !== 'cloudtrail') return null;
  const error = textOf(at(signal.event.detail, 'errorCode')) ?? textOf(at(signal.event.detail, 'errorMessage'));
  if (error !== null) return { verdict: 'ignore', because: `an attempt that failed (${plain(error, 64)}), not a change` };
  if (at(signal.event.detail, 'requestParameters', 'dryRun') === true) return { verdict: 'ignore', because: 'a dry run, not a change' };
  return own && isOwnAct(signal, own) ? { verdict: 'ignore', because: "the suite's own act" } : null;
}

/** Where the suite's roles do their work: buckets' settings, and its own table, executions, queues and logs. */
const WORKPLACES = new Set(['aws.s3', 'aws.s3control', 'aws.dynamodb', 'aws.states', 'aws.sqs', 'aws.logs']);

/**
 * Whether one of the suite's roles did it. A role of the suite that does anything else on the lists (stops a trail,
 * changes a function) was stolen, and is not excused.
 */
function isOwnAct(signal: Signal, own: Own): boolean {
  return WORKPLACES.has(signal.event.source) && ownRoleOf(signal, own) !== null;
}

/**
 * Which of the suite's roles did it, without the prefix: `contain-principal-apply`; `null` where none did. One in another account than the
 * resource's is none, since a role of that name can be made anywhere.
 */
export function ownRoleOf({ account, event: { detail } }: Signal, { prefix, roles }: Own): string | null {
  const issuer = textOf(at(detail, 'userIdentity', 'sessionContext', 'sessionIssuer', 'arn')) ?? '';
  const [, role] = /^arn:aws[a-z-]*:iam::(?:\d{12}):role\/(.{1,256})$/s.exec(issuer.slice(0, 512)) ?? [];
  if (role === undefined || !(roles ? roles.includes(issuer) : issuer.split(':')[4] === account && isOwnName(role, prefix) && role.startsWith(prefix))) return null;
  return role.slice(prefix.length + 1);
}
