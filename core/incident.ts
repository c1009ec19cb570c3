import type { Approval } from './approval.ts';
import type { Json } from './bucket.ts';
import type { Lease } from './lease.ts';

/** The suite's own playbook, which every other one uses: it opens a ticket and contains nothing. */
export const TICKET_ONLY = 'open-ticket';

/** What became of a target that a signal named: one open incident per target. Times are ISO 8601 UTC with ms. */
export interface Incident {
  readonly id: string;
  readonly playbook: string;
  readonly target: Target;
  /** What the playbook was started with beside the target: `{ level: 'public' }`. */
  readonly inputs: { readonly [key: string]: Json };
  readonly title: string;
  /** GuardDuty's scale, 1.0 to 10. */
  readonly severity: number;
  readonly status: IncidentStatus;
  /** What triage recommended, and what configuration allowed. */
  readonly recommendedMode: Mode;
  readonly mode: Mode;
  readonly drill: boolean;
  /** Every way in that was found open, in words. */
  readonly exposures: readonly string[];
  /** Who did it, as the event names them; hostile text. */
  readonly actor: string | null;
  /** Everybody who was named so far, at most `MAX_ACTORS`: principals, addresses where no principal is known. */
  readonly actors: readonly string[];
  /** Incidents that the same event opened or joined for its other targets. */
  readonly related: readonly string[];
  /** The ARN of who asked for the latest direction, or `automatic`. */
  readonly requestedBy: string;
  readonly reason: string;
  readonly eventTime: string;
  readonly receivedAt: string;
  readonly decidedAt: string;
  readonly containedAt: string | null;
  readonly verifiedAt: string | null;
  readonly restoredAt: string | null;
  /** Why it is in this status, one sentence. */
  readonly outcome: string;
  /** Of its tickets the one that needs a person most; made from `tickets` when it is read. */
  readonly ticket: TicketState | null;
  /** How its ticket stands in each tracker, by the tracker's name in stopbath.config.json. */
  readonly tickets: { readonly [tracker: string]: TicketState };
  /** Why the ticket's own workflow gave up; `null` while it has not. */
  readonly ticketGap: string | null;
  /** Executions that were started for it, oldest first; of its containments the last fifty. */
  readonly executions: readonly string[];
  /** The execution that has said last that it writes; absent where none has. */
  readonly turn?: string;
  /** Of a containment that stands; absent where nothing was contained yet. */
  readonly lease?: Lease | null;
  /** What stands, from when a signal asked for more than that until it was done or refused. */
  readonly was?: Pick<Incident, 'playbook' | 'mode' | 'inputs'> | null;
  /** How often somebody has opened again what was contained, within an hour from then; absent where nobody has. */
  readonly contested?: { readonly since: string; readonly times: number };
  /** When a further signal was last acted upon, or its ticket told of a repeat; absent where none was. */
  readonly heededAt?: string;
  readonly schemaVersion: 1;
}

export interface Target {
  readonly kind: 'bucket' | 'object' | 'account' | 'principal' | 'trail' | 'link' | 'album' | 'owner' | 'other';
  /** Share links, albums and owners are the photo service's own and have no ARN: `share:<account>:album/<id>`. */
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
}

export type Mode = 'observe' | 'approve' | 'contain';
export type Direction = 'contain' | 'restore';

/**
 * `open` decided, nothing done yet · `observed` recorded and ticketed only · `containing` a change was begun ·
 * `contained` acted and proven · `unverified` acted, not proven · `failed` ended by an error · `held` the guard said no ·
 * `not-exposed` there was nothing to contain · `waiting` for an approval · `rejected` by a person · `expired` nobody
 * approved in time · `restoring` · `restored` closed.
 */
export const STATUSES = ['open', 'observed', 'held', 'not-exposed', 'containing', 'contained', 'unverified', 'failed', 'waiting', 'rejected', 'expired', 'restoring', 'restored'] as const;
export type IncidentStatus = (typeof STATUSES)[number];

/**
 * Where an incident with this status stands: `running` an execution is at it · `asking` one waits for a person · `stopped` before it acted, or by an
 * error: it can be released for containment · `standing` it has contained · `over` its target is free for another incident.
 */
export const PHASE: Readonly<Record<IncidentStatus, 'running' | 'asking' | 'stopped' | 'standing' | 'over'>> = {
  open: 'running',
  containing: 'running',
  restoring: 'running',
  waiting: 'asking',
  observed: 'stopped',
  held: 'stopped',
  failed: 'stopped',
  rejected: 'stopped',
  expired: 'stopped',
  contained: 'standing',
  unverified: 'standing',
  'not-exposed': 'over',
  restored: 'over',
};

/** Whether something runs, or waits for a person: who asks now has to wait. */
export function isUnderWay({ status }: Pick<Incident, 'status'>): boolean {
  return PHASE[status] === 'running' || PHASE[status] === 'asking';
}

export interface TicketState {
  readonly tracker: string;
  /** The tracker's id; `null` while it could not be opened. */
  readonly id: string | null;
  /** For a browser, where the tracker has such. */
  readonly url: string | null;
  /** `gone`: somebody deleted it there, or moved it. */
  readonly state: 'open' | 'closed' | 'pending' | 'gone';
  readonly since: string;
  /** Why it is pending or gone, or that it was closed by hand. */
  readonly reason: string | null;
  /** When it is tried again; `null`: not by itself. */
  readonly nextAt: string | null;
}

/** One change of one setting, with its full before and after. */
export interface Change {
  readonly seq: number;
  /** `publicAccessBlock`, `policy`, `lifecycle`, `tagging`, … : a key of the state it changes. */
  readonly setting: string;
  /** What it does, in words: `block public ACLs and public policies`. */
  readonly title: string;
  readonly before: Json;
  readonly after: Json;
  /** The plain request that takes it back, for the day the suite is down; where it is absent, `core/undo.ts` knows the setting. */
  readonly undo?: UndoRequest;
}

/** A request of an AWS service as its SDK takes it: `{ service: 'iam', operation: 'DeleteUserPolicy', input: { … } }`. */
export interface UndoRequest {
  /** As the AWS CLI names it. */
  readonly service: string;
  readonly operation: string;
  readonly input: { readonly [key: string]: Json };
  /** Of a bulk change: the request is made once for each item of a table, whose key is put into `input`. */
  readonly each?: UndoEach;
}

export interface UndoEach {
  /** The key's attribute, a text. */
  readonly key: string;
  /** Keys, and DynamoDB queries that give more of them. */
  readonly ids: readonly string[];
  readonly queries: readonly { readonly [key: string]: Json }[];
  /** What is tried where the condition of `input` refuses. */
  readonly otherwise: { readonly [key: string]: Json };
}

export interface Plan {
  readonly incident: string;
  readonly playbook: string;
  readonly direction: Direction;
  readonly target: Target;
  readonly level: string | null;
  readonly changes: readonly Change[];
  /** SHA-256 over playbook, direction, target, level and changes. */
  readonly digest: string;
  /** What is kept or cannot be changed, and why; not in the digest. */
  readonly notes: readonly string[];
  readonly impact: { readonly [key: string]: Json };
  /** Of a restore: what somebody changed since the containment; not in the digest. */
  readonly drift?: readonly Drift[];
  readonly plannedAt: string;
}

/** A setting that is neither as the containment left it nor as it was before. */
export interface Drift {
  readonly setting: string;
  readonly saved: Json;
  readonly contained: Json;
  readonly now: Json;
}

/** Written before the act, completed after it. The undo of an incident is its ledger, read backwards. */
export interface LedgerEntry extends Change {
  readonly incident: string;
  readonly direction: Direction;
  readonly execution: string;
  readonly digest: string;
  readonly intendedAt: string;
  /** `null` while the act has not been acknowledged. */
  readonly doneAt: string | null;
  readonly result: 'intended' | 'done';
  /** Written with the plan, for an apply that follows at once: it counts once that has begun. */
  readonly reserved?: true;
  /** Of a bulk change: what became of each thing that it met, in numbers. */
  readonly met?: Json;
}

/** One line of an incident's history. */
export interface Entry {
  readonly incident: string;
  readonly at: string;
  readonly kind: 'signal' | 'decision' | 'plan' | 'change' | 'look' | 'ticket' | 'outcome' | 'failure' | 'request' | 'approval';
  readonly text: string;
  readonly by: string;
  readonly detail: Json;
}

/** How far a step has come that takes its time: a sweep, an invalidation. Rewritten as it goes. */
export interface Progress {
  readonly incident: string;
  readonly execution: string;
  /** What is counted, as a responder reads it: `links revoked`. */
  readonly what: string;
  readonly done: number;
  /** `null` where nobody knows how many there are. */
  readonly total: number | null;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
}

/** Who asked for an execution by hand. One an execution: the first who asked, and what they asked for. */
export interface Request {
  readonly incident: string;
  readonly execution: string;
  readonly direction: Direction;
  /** The ARN that AWS says. */
  readonly by: string;
  readonly at: string;
  readonly reason: string;
  /** The plan that was asked for by its digest; `null` where any will do. */
  readonly digest: string | null;
  /** What a restore does with what somebody changed since the containment. */
  readonly newer: 'keep' | 'overwrite';
  /** What it makes of the incident when it starts, and what of that was there before: put back where the run changes nothing. */
  readonly change?: Partial<Incident>;
  readonly was?: Pick<Incident, 'playbook' | 'mode' | 'inputs'>;
}

/** Everything a responder, an auditor or a report reads of one incident. */
export interface IncidentView {
  readonly incident: Incident;
  readonly plans: readonly Plan[];
  readonly ledger: readonly LedgerEntry[];
  /** By time. */
  readonly entries: readonly Entry[];
  readonly progress: readonly Progress[];
  /** By time. */
  readonly requests: readonly Request[];
  readonly approvals: readonly Approval[];
}
