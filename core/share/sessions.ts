import type { Json } from '../bucket.ts';
import { same } from '../quarantine/levels.ts';

/** How far ahead of the change sessions count as old, in seconds: until IAM has told every service, roles are still assumed under the old policy. */
export const AHEAD_SECONDS = 10;
/** Stands for the moment in a plan, so that plans of one state are one plan. */
const MOMENT = `the moment of the change and ${AHEAD_SECONDS} seconds`;
/** Characters without white space, all inline policies of a role together. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const ROLE_POLICIES_LIMIT = 10_240;

/** The name of the inline policy by which an incident denies a role's older sessions. */
export function sessionPolicyName(incident: string): string {
  return `StopbathRevokeOlderSessions-${incident.replaceAll(/[^\w+=,.@-]/g, '')}`.slice(0, 128);
}

/** Whether a policy of a role, by its name, is the denial of another incident than the one whose own is named. */
export function isDenialOfOthers(name: string, own: string): boolean {
  return /^Stopbath(?:Contain|RevokeOlderSessions)-/.test(name) && name !== own;
}

/**
 * What the IAM console writes as AWSRevokeOlderSessions: everything is denied to sessions that were issued before a moment. Whoever may
 * assume the role assumes it again and goes on; URLs that an older session signed die with it.
 *
 * @param at - ISO 8601; the moment of a plan where it is left out
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
 */
export function sessionPolicy(at: string = MOMENT): { readonly [key: string]: Json } {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: ['*'], Resource: ['*'], Condition: { DateLessThan: { 'aws:TokenIssueTime': at } } }] };
}

/** A policy of ours as a plan says it, whenever it was made; any other document as it is. */
export function plannedSessionPolicy(document: Json): Json {
  const at = /"aws:TokenIssueTime":"(\d{4}-\d{2}-\d{2}T[\d:.]+Z)"/.exec(JSON.stringify(document))?.[1];
  return at !== undefined && same(document, sessionPolicy(at)) ? sessionPolicy() : document;
}
