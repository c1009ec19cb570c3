import type { Trackers } from '../core/ticket/trackers.ts';
import { DeployError, type PolicyStatement, sub } from './names.ts';

/**
 * What the function `ticket` must be allowed for the trackers that are configured, and no more: the secrets that are named, the
 * topics that are named, OpsCenter and GuardDuty only where they are used.
 */
export function trackerStatements(trackers: Trackers): readonly PolicyStatement[] {
  const all = Object.values(trackers);
  const kinds = new Set(all.map(({ kind }) => kind));
  const secrets = [...new Set(all.flatMap((tracker) => ('secret' in tracker ? [tracker.secret] : [])))];
  const topics = [...new Set(all.flatMap((tracker) => (tracker.kind === 'sns' ? [tracker.topic] : [])))];
  return [
    ...(kinds.has('opscenter') ? OPSCENTER : []),
    ...(kinds.has('guardduty') ? [allow('ArchiveFindings', ['guardduty:ArchiveFindings', 'guardduty:GetFindings', 'guardduty:UnarchiveFindings'], sub('arn:${AWS::Partition}:guardduty:${AWS::Region}:${AWS::AccountId}:detector/*'))] : []),
    ...some('ReadSecrets', 'secretsmanager:GetSecretValue', secrets.filter((arn) => arn.includes(':secretsmanager:'))),
    ...some('ReadParameters', 'ssm:GetParameter', secrets.filter((arn) => arn.includes(':ssm:'))),
    ...some('Notify', 'sns:Publish', topics),
  ];
}

/**
 * The configuration as the function gets it. There are no secrets in it, only their names.
 *
 * @throws {DeployError} where it is too long for a variable
 * @see https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (all variables of a function: 4 KB)
 */
export function trackersVariable(trackers: Trackers): string {
  const text = JSON.stringify(trackers);
  if (text.length > LONGEST) throw new DeployError(`stopbath.config.json: trackers has ${text.length} characters as JSON, and Lambda's variables take ${LONGEST} of it: use fewer trackers`);
  return text;
}

const LONGEST = 3000;

/** ssm:CreateOpsItem and ssm:DescribeOpsItems cannot be narrowed. @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html */
const OPSCENTER: readonly PolicyStatement[] = [
  allow('OpenTicket', ['ssm:CreateOpsItem', 'ssm:DescribeOpsItems'], '*'),
  allow('UpdateTicket', ['ssm:GetOpsItem', 'ssm:UpdateOpsItem'], sub('arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:opsitem/*')),
];

function some(sid: string, action: string, resources: readonly string[]): readonly PolicyStatement[] {
  return resources.length === 0 ? [] : [allow(sid, [action], resources)];
}

function allow(Sid: string, Action: readonly string[], Resource: unknown): PolicyStatement {
  return { Sid, Effect: 'Allow', Action, Resource };
}
