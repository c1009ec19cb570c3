import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical.ts';

/**
 * One thing on record, as it lies in the evidence bucket: canonical JSON, written once, under `records/<kind>/<id>.json`.
 * All records have this envelope; what differs is the body.
 */
export interface EvidenceRecord {
  readonly schemaVersion: 1;
  readonly kind: RecordKind;
  /** Unique within its kind and the same for every try to write it: letters, digits and `. _ - /`. */
  readonly id: string;
  /** What it belongs to; `null` for what is no incident's. */
  readonly incident: string | null;
  /** When it was made, ISO 8601 UTC with ms. */
  readonly at: string;
  /** Whether it comes from a drill. A batch holds either drills or none. */
  readonly drill: boolean;
  readonly body: unknown;
}

/**
 * `snapshot` the state before a plan, and the plan · `outcome` what became of an incident when its workflow ended, as the suite
 * saw it · `execution` everything about one execution that ended · `history` what Step Functions kept of it, in parts ·
 * `decisions` what was decided about the events of a period · `configuration` what the suite was configured with ·
 * `guard` who paused, resumed, suppressed, erased an owner · `ticket` the full text of one that its tracker had to shorten.
 */
export type RecordKind = (typeof RECORD_KINDS)[number];
export const RECORD_KINDS = ['snapshot', 'outcome', 'execution', 'history', 'decisions', 'configuration', 'guard', 'ticket'] as const;

/** Where a record lies in the bucket. */
export function recordKey(kind: RecordKind, id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,400}$/.test(id) || id.includes('..') || id.includes('//')) throw new TypeError(`id is ${JSON.stringify(id)}: a record's id is made of letters, digits and . _ - /`);
  return `records/${kind}/${id}.json`;
}

/** The kind of a record, by its key. */
export function kindOf(key: string): string {
  return key.split('/')[1] ?? '';
}

/** A record as it is written, and its SHA-256 (64 hexadecimal characters), which is what a seal names. */
export function recordText(record: EvidenceRecord): { readonly key: string; readonly text: string; readonly sha256: string } {
  // Through JSON first: what has no JSON (undefined, a Date's class) is what JSON makes of it.
  const text = canonicalJson(JSON.parse(JSON.stringify(record)));
  return { key: recordKey(record.kind, record.id), text, sha256: sha256Of(text) };
}

export function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
