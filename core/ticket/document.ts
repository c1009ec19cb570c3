import type { Json } from '../bucket.ts';

/**
 * What a ticket, or a comment on one, says; how a tracker spells it is the markups' business. Every text in it is inert
 * (`inert`, `verbatim` in core/text.ts): its makers see to that, so that no markup has to trust the other.
 */
export interface TicketDocument {
  /** The incident's id: what a ticket whose creation was not answered is found by. */
  readonly incident: string;
  readonly title: string;
  readonly severity: TicketSeverity;
  readonly sections: readonly Section[];
}

export type TicketSeverity = 'critical' | 'high' | 'medium' | 'low';

export interface Section {
  readonly heading: string;
  /** What is left out first where a tracker takes less than all: the lowest. */
  readonly keep: number;
  readonly blocks: readonly Block[];
}

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  /** Shown letter by letter: a command, a setting. */
  | { readonly kind: 'code'; readonly text: string }
  /** One of the suite's own making; never an event's. */
  | { readonly kind: 'link'; readonly text: string; readonly url: string };

/** GuardDuty's scale, 1.0 to 10, in its own words. @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html */
export function severityOf(severity: number): TicketSeverity {
  return severity >= 9 ? 'critical' : severity >= 7 ? 'high' : severity >= 4 ? 'medium' : 'low';
}

/** A section, or nothing where it would say nothing. */
export function section(heading: string, keep: number, ...blocks: readonly (Block | null)[]): readonly Section[] {
  const said = blocks.filter((block) => block !== null && !isEmpty(block)).filter((block) => block !== null);
  return said.length === 0 ? [] : [{ heading, keep, blocks: said }];
}

function isEmpty(block: Block): boolean {
  if (block.kind === 'list') return block.items.length === 0;
  return block.kind === 'table' ? block.rows.length === 0 : block.text === '';
}

/** As it goes into the evidence bucket. */
export function documentJson(document: TicketDocument): Json {
  return JSON.parse(JSON.stringify(document));
}
