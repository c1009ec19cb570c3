import type { Direction } from './incident.ts';

/**
 * Why a plan waits for a person: `mode` the response may not act by itself · `protected` the target is on the protected
 * list · `outage` the service itself would stop, or a part of it · `budget` the budget of the last hour is used up · `reopens` a restore opens what a containment would close ·
 * `lease` its time is over, and nobody has asked for the restore.
 */
export const GATES = ['mode', 'protected', 'outage', 'budget', 'reopens', 'lease'] as const;
export type Gate = (typeof GATES)[number];

/** A request that somebody approves one plan, by its digest, in one execution. Times are ISO 8601 UTC with ms. */
export interface Approval {
  readonly incident: string;
  readonly execution: string;
  readonly direction: Direction;
  /** Of the plan: what is approved is this and nothing else. */
  readonly digest: string;
  /** The ARN of who asked for the execution, or `automatic`: they cannot approve it. */
  readonly requestedBy: string;
  readonly gates: readonly Gate[];
  /** One sentence. */
  readonly why: string;
  /** How many persons must approve. */
  readonly needed: number;
  readonly requestedAt: string;
  readonly expiresAt: string;
  readonly state: 'waiting' | 'approved' | 'rejected' | 'expired';
  readonly votes: readonly Vote[];
  readonly endedAt: string | null;
}

export interface Vote {
  readonly word: 'approve' | 'reject';
  /** The ARN that AWS says. */
  readonly by: string;
  readonly at: string;
  readonly reason: string | null;
}

export interface Ballot extends Vote {
  /** Of the plan that the voter has seen. */
  readonly digest: string;
}

/** Who counts as a responder, and as one person. */
export interface People {
  /** ARNs of IAM roles. */
  readonly responderRoles: readonly string[];
  /** Whether the trust policies of these roles pin a session's name to the user. */
  readonly sessionNamesPinned: boolean;
}

export interface Refusal {
  readonly why: 'not-responder' | 'self' | 'same-person' | 'digest' | 'expired' | 'ended' | 'superseded';
  /** One sentence: what is wrong and what to do. */
  readonly text: string;
}

/** What every approval of a protected target takes, whichever way. */
export const APPROVERS = { usual: 1, protected: 2 } as const;

/**
 * One vote. Whoever asked may take it back by rejecting, and may not approve; one rejection ends it.
 *
 * @param latest - the incident's latest execution: an older one was overtaken and is not approved any more
 * @returns the approval as it is then; it counts only where the write that stores it finds the approval unchanged
 */
export function vote(approval: Approval, ballot: Ballot, people: People, latest: string): { readonly approval: Approval } | { readonly refused: Refusal } {
  const refused = refusalOf(approval, ballot, people, latest);
  if (refused) return { refused };
  const { digest: _, ...cast } = ballot;
  const votes = [...approval.votes, cast];
  const approved = votes.filter(({ word }) => word === 'approve').length >= approval.needed;
  const state = ballot.word === 'reject' ? 'rejected' : approved ? 'approved' : 'waiting';
  return { approval: { ...approval, votes, state, endedAt: state === 'waiting' ? null : ballot.at } };
}

function refusalOf(approval: Approval, { by, at, digest, word }: Ballot, people: People, latest: string): Refusal | null {
  const { incident, expiresAt, requestedBy, state, votes } = approval;
  const refuse = (why: Refusal['why'], text: string): Refusal => ({ why, text });
  const me = personOf(by, people.sessionNamesPinned);
  if (!isResponder(by, people.responderRoles)) return refuse('not-responder', `${by} is no responder: only sessions of the configured responder roles decide`);
  if (digest !== approval.digest) return refuse('digest', `the digest is ${digest}, and what waits is the plan ${approval.digest}: look at it again, stopbath show ${incident}`);
  const mine = votes.find((cast) => personOf(cast.by, people.sessionNamesPinned) === me);
  if (state !== 'waiting') return refuse('ended', `it was ${state} at ${approval.endedAt ?? 'some time'}${mine ? `, and you said ${mine.word} at ${mine.at}` : ''}: one answer counts once`);
  if (at >= expiresAt) return refuse('expired', `the request expired at ${expiresAt}: ask again, stopbath release ${incident}`);
  if (latest !== approval.execution) return refuse('superseded', `${latest} was started after ${approval.execution}: what counts is that run's plan`);
  if (word === 'reject') return null;
  if (requestedBy !== 'automatic' && personOf(requestedBy, people.sessionNamesPinned) === me) {
    const session = requestedBy === by ? '' : ` (${by} and ${requestedBy} count as one person${people.sessionNamesPinned ? '' : ", since session names are not pinned to users: see sessionNamesPinned in stopbath.config.json"})`;
    return refuse('self', `you asked for it, so somebody else has to approve it${session}`);
  }
  return mine ? refuse('same-person', `you approved it at ${mine.at}: it takes ${approval.needed} different persons`) : null;
}

/**
 * What approvals open for one plan in one execution. Votes of those who are no responders any more do not count, and the
 * number of voters is judged by what the target takes now.
 */
export function liftedGates(approvals: readonly Approval[], of: { readonly execution: string; readonly digest: string }, needed: number, people: People): ReadonlySet<Gate> {
  const valid = approvals.filter((approval) => {
    if (approval.state !== 'approved' || approval.execution !== of.execution || approval.digest !== of.digest) return false;
    const voters = approval.votes.filter(({ word, by }) => word === 'approve' && isResponder(by, people.responderRoles));
    const persons = new Set(voters.map(({ by }) => personOf(by, people.sessionNamesPinned)));
    if (approval.requestedBy !== 'automatic') persons.delete(personOf(approval.requestedBy, people.sessionNamesPinned));
    return persons.size >= needed;
  });
  return new Set(valid.flatMap(({ gates }) => gates));
}

/**
 * The person behind an ARN. A session's name is chosen by whoever assumes the role, so that two sessions of one role are one
 * person, unless the role's trust policy pins the name to the user (`sts:RoleSessionName` = `${aws:username}`): then the
 * name is the person, whichever role they take in whichever account, and is the same as the user of that name.
 *
 * @see https://aws.amazon.com/blogs/security/easily-control-naming-individual-iam-role-sessions
 */
export function personOf(arn: string, sessionNamesPinned: boolean): string {
  const session = /^arn:[\w-]+:sts::(\d{12}):assumed-role\/([^/]+)\/(.+)$/.exec(arn);
  if (session) return sessionNamesPinned ? `user/${session[3]}` : `${session[1]}/role/${session[2]}`;
  const user = /^arn:[\w-]+:iam::(\d{12}):user\/(?:.*\/)?([^/]+)$/.exec(arn);
  return user ? `${sessionNamesPinned ? 'user' : user[1]}/${user[2]}` : arn;
}

/** Whether an ARN is a session of one of the roles. A session's ARN has the role's name without its path. */
export function isResponder(arn: string, roles: readonly string[]): boolean {
  const session = /^arn:[\w-]+:sts::(\d{12}):assumed-role\/([^/]+)\//.exec(arn);
  if (!session) return roles.includes(arn);
  return roles.some((role) => {
    const [, account, name] = /^arn:[\w-]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(role) ?? [];
    return account === session[1] && name === session[2];
  });
}
