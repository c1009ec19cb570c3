import type { TicketDocument, TicketSeverity } from '../../../core/ticket/document.ts';
import type { Remote } from '../../../core/ticket/lifecycle.ts';
import type { Trouble } from '../../../core/ticket/patience.ts';

/**
 * What a tracker can do, each in one request or two. What it cannot do, it has not: a notification has nothing to read, and
 * OpsCenter no comments. No method waits or tries again: the workflow does, for hours.
 *
 * @throws {TrackerError} by every method
 */
export interface Tracker {
  readonly shape: Shape;
  /** One question that changes nothing and takes the same credentials: says what answered, in words. */
  check(): Promise<string>;
  create(draft: Draft): Promise<Opened>;
  /** The ticket that an earlier try may have created; only those of the suite's own account there. */
  find?(draft: Draft, since: string): Promise<Opened | null>;
  /** `null`: it is gone. */
  read?(id: string): Promise<Remote | null>;
  /** @param mark - the same for every try to say this */
  comment?(id: string, document: TicketDocument, mark: string): Promise<void>;
  /** Whether a comment whose answer was lost is there. */
  said?(id: string, mark: string): Promise<boolean>;
  /**
   * For a tracker without comments: puts the whole text anew, unless somebody has edited it; then it is put beside theirs.
   *
   * @param ours - digest of the text that the suite last put; the new one is returned
   */
  rewrite?(id: string, draft: Draft, ours: string | null): Promise<string>;
  setSeverity?(id: string, severity: TicketSeverity): Promise<void>;
  close(id: string, draft: Draft): Promise<void>;
  reopen(id: string, draft: Draft): Promise<void>;
}

/** How much it takes: a title's bytes (UTF-8), and a document in its own markup. */
export interface Shape {
  readonly title: number;
  readonly limit: number;
  readonly size: (document: TicketDocument) => number;
}

/** A ticket as it is to be, cut to the tracker's shape. */
export interface Draft {
  readonly incident: string;
  readonly title: string;
  readonly document: TicketDocument;
  readonly severity: TicketSeverity;
  /** Made up once for this ticket: nobody could put it into one of theirs before. */
  readonly mark: string;
  /** ARN. */
  readonly target: string;
  /** The incident's status, and a key that changes whenever it ends or opens again. */
  readonly status: string;
  readonly stance: string;
}

export interface Opened {
  readonly id: string;
  readonly url: string | null;
  readonly body?: string;
}

/** What a tracker answered, or that it did not. The message names tracker, request and reason, and no secret. */
export class TrackerError extends Error {
  override readonly name = 'TrackerError';
  readonly trouble: Trouble;
  /** Seconds, as the tracker asked for. */
  readonly retryAfter: number | null;
  /** Of the HTTP answer; `null` where there was none. */
  readonly status: number | null;

  constructor(trouble: Trouble, message: string, { retryAfter = null, status = null, cause }: { readonly retryAfter?: number | null; readonly status?: number | null; readonly cause?: unknown } = {}) {
    super(message, { cause });
    this.trouble = trouble;
    this.retryAfter = retryAfter;
    this.status = status;
  }
}
