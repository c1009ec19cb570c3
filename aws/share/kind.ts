import type { DistributionSummary } from '@aws-sdk/client-cloudfront';
import type { Json } from '../../core/bucket.ts';
import type { Change, Direction, Incident, LedgerEntry, Plan } from '../../core/incident.ts';
import type { Answer } from '../../core/quarantine/look.ts';
import type { ShareScope } from '../../core/share/scope.ts';
import type { Tools } from '../function.ts';

/** Where links of a scope lead to: the objects that URLs were handed out for. */
export interface Reach {
  readonly bucket: string;
  /** Keys' beginnings, each ending in `/`. */
  readonly prefixes: readonly string[];
  readonly keys: readonly string[];
}

/** What is known before anybody has looked where the links lead to. */
export interface ShareAim {
  readonly incident: Incident;
  readonly direction: Direction;
  readonly execution: string;
  readonly scope: ShareScope;
}

/** What a kind of change is told. */
export interface ShareContext extends ShareAim {
  readonly reach: readonly Reach[];
  /** False where there may be more than `reach` says: the survey reads a part of the links only. */
  readonly reachComplete: boolean;
  /** What a plan began to read meanwhile; without it everything is read when it is asked for. */
  readonly ahead?: ShareAhead;
}

/** What no link has to be known for. Each says what failed when it is asked for: it may concern nobody. */
export interface ShareAhead {
  readonly distributions: Promise<() => readonly DistributionSummary[]>;
  /** By role: those that the scope may lead to. */
  readonly signers: ReadonlyMap<string, Promise<() => SignerState>>;
}

export interface SignerState {
  /** Whether one more inline policy fits. */
  readonly hasRoom: boolean;
  /** The policy by which this incident denies older sessions; `null` where there is none. */
  readonly denial: Json;
}

export interface Planned {
  readonly changes: readonly Omit<Change, 'seq'>[];
  readonly notes: readonly string[];
}

/** What a request from outside got, and what it was: `a presigned URL of a sampled picture`. */
export interface Seen {
  readonly what: string;
  readonly answer: Answer;
  /** Unless told: refused in a containment, served after a restore. */
  readonly expected?: Answer;
}

/**
 * One kind of change that a revocation makes, of settings named `<kind>` or `<kind>:<target>`. Plan, apply, verify and restore
 * know kinds by this alone.
 */
export interface ShareKind {
  readonly kind: string;
  /** What a containment changes, with its full before and after. Reads only. */
  readonly plan: (context: ShareContext, tools: Tools) => Promise<Planned>;
  /** A setting as it is now. */
  readonly read: (setting: string, tools: Tools, aim: ShareAim) => Promise<Json>;
  /** Whether a setting shows that a change was made, though it is not its `after` to the letter. Unless told, only the very value does. */
  readonly isDone?: (change: Pick<Change, 'before' | 'after'>, present: Json) => boolean;
  /** Brings a setting from before to after; to do it twice is to do it once. */
  readonly write: (change: Pick<Change, 'setting' | 'before' | 'after'>, context: ShareContext, tools: Tools) => Promise<void>;
  /** What a setting becomes when an entry of the ledger is taken back: its before, or where somebody changed it since, only what Stopbath put there is out. */
  readonly takeBack: (entry: LedgerEntry, present: Json) => { readonly value: Json; readonly note: string | null };
  /** Of what is taken back: why AWS would refuse it for now, `null` where it would not; and what other incidents deny there all the same. */
  readonly beside?: (entry: LedgerEntry, value: Json, aim: ShareAim, tools: Tools) => Promise<{ readonly refused: string | null; readonly notes: readonly string[] }>;
  /** After a restore, also of what its plan had to leave out: why what an entry did stands all the same; `null` where it is gone. */
  readonly stays?: (entry: LedgerEntry, plan: Plan, tools: Tools) => Promise<string | null>;
  /** Whether what an entry did still holds, though the setting has changed: others may add to it. Unless told, only the very value does. */
  readonly holds?: (entry: LedgerEntry, present: Json) => boolean;
  /** Why an acknowledged change is not in force yet; `null` where it is. */
  readonly pending?: (change: Pick<Change, 'setting' | 'after'>, tools: Tools, context: ShareContext) => Promise<string | null>;
  /** Asks from outside what the kind is about. */
  readonly look?: (plan: Plan, context: ShareContext, tools: Tools) => Promise<readonly Seen[]>;
  /** Nobody looks any more: what was kept for looking can go. */
  readonly done?: (plan: Plan, context: ShareContext, tools: Tools) => Promise<void>;
}
