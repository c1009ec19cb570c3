import type { BucketState, Json } from '../bucket.ts';
import { denialTakenBack, othersIn, othersNote, sameButOthers, withOthersOf } from '../denials.ts';
import { exposuresOf } from '../exposure.ts';
import type { Change, Drift, LedgerEntry } from '../incident.ts';
import { withoutDeleted } from '../policy.ts';
import { deletedNote, POLICY_LIMIT_BYTES, SIDS, TAGS, same } from './levels.ts';

/**
 * The changes that take a quarantine back: its ledger, read backwards, against what the bucket has now.
 *
 * Three-way: where a setting still is as the quarantine left it, it becomes what it was. Where
 * somebody changed it since, only what the quarantine put there is taken out; the rest of the newer state is kept
 * and a note says so, unless it is to be overwritten. What other incidents of the suite deny in the policy is nobody's change: it stays as it is. What is already as it was gives no change, so a restore that was cut short can
 * run again.
 *
 * @param ledger - the entries of the containments that stand, in the order they were written: `standing`
 * @param now - the bucket's present state
 */
export function restoration(ledger: readonly LedgerEntry[], now: BucketState, newer: 'keep' | 'overwrite' = 'keep'): { readonly changes: readonly Change[]; readonly notes: readonly string[]; readonly drift: readonly Drift[] } {
  const current = new Map<string, Json>();
  const changes: Change[] = [];
  const drift = driftSince(ledger, now);
  const drifted = new Set(drift.map(({ setting }) => setting));
  const notes = drift.map(({ setting }) =>
    newer === 'keep'
      ? `${setting} was changed after the containment: the newer state is kept, only what Stopbath put there is taken out.`
      : `${setting} was changed after the containment: the newer state is overwritten with what it was before, as asked.`,
  );
  for (const entry of ledger.toReversed()) {
    const known = current.get(entry.setting);
    const present = known === undefined ? settingOf(now, entry.setting) : known;
    const back = newer === 'overwrite' && drifted.has(entry.setting) ? overwritten(entry, present) : takeBack(entry, present);
    const { policy: restored, ids } = entry.setting === 'policy' && typeof back === 'string' && !same(present, back) ? withoutDeleted(back) : { policy: back, ids: [] };
    if (ids.length > 0) notes.push(deletedNote(ids));
    current.set(entry.setting, restored);
    if (!same(present, restored)) changes.push({ seq: changes.length + 1, setting: entry.setting, title: `Undo: ${entry.title}`, before: present, after: restored });
  }
  const block = now.accountPublicAccessBlock;
  if (block && Object.values(block).some(Boolean)) notes.push('The account blocks public access: what was public before stays closed as long as it does.');
  const policy = current.get('policy');
  if (typeof policy === 'string' && Buffer.byteLength(policy) > POLICY_LIMIT_BYTES) notes.push('The restored policy is larger than S3 accepts.');
  const [first] = ledger;
  if (first) notes.push(...othersNote(othersIn(policy ?? null, first.incident)));
  return { changes, notes, drift };
}

/** The settings that are no state which the quarantine passed through. */
function driftSince(ledger: readonly LedgerEntry[], now: BucketState): readonly Drift[] {
  return [...Map.groupBy(ledger, (entry) => entry.setting)].flatMap(([setting, entries]) => {
    const present = settingOf(now, setting);
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last || entries.some((entry) => isAs(entry, present, entry.before) || isAs(entry, present, entry.after))) return [];
    return [{ setting, saved: first.before, contained: last.after, now: present }];
  });
}

/** The ways in that are closed now and open after these changes, in words: what a containment would close again, to the public and to those outside whom a denial keeps out. */
export function reopenings(now: BucketState, changes: readonly Change[]): readonly string[] {
  const after = changes.reduce<BucketState>((state, change) => ({ ...state, [change.setting]: change.after }), now);
  const open = new Set(exposuresOf(now).map(({ phrase }) => phrase));
  const lifted = ownSids(now.policy).filter((sid) => !ownSids(after.policy).includes(sid));
  return [
    ...exposuresOf(after).map(({ phrase }) => phrase).filter((phrase) => !open.has(phrase)),
    ...new Set(lifted.map((sid) => (sid.startsWith(SIDS.full) ? 'everybody whom the bucket policy and their own let in may use it again' : 'principals outside the account may use it again, as far as the bucket policy lets them in'))),
  ];
}

/** A setting of the state as plain JSON. */
export function settingOf(state: BucketState, setting: string): Json {
  const value = Object.entries(state).find(([key]) => key === setting)?.[1];
  return JSON.parse(JSON.stringify(value ?? null)) as Json;
}

/** Whether a setting is as an entry of the ledger says, whatever other incidents did there. */
export function isAs({ setting, incident }: LedgerEntry, present: Json, value: Json): boolean {
  return setting === 'policy' ? sameButOthers(present, value, incident) : same(present, value);
}

function overwritten({ setting, before, incident }: LedgerEntry, present: Json): Json {
  return setting === 'policy' ? withOthersOf(present, before, incident) : before;
}

function takeBack(entry: LedgerEntry, present: Json): Json {
  if (entry.setting === 'policy') return denialTakenBack(entry, present).value;
  if (same(present, entry.after)) return entry.before;
  if (same(present, entry.before)) return present;
  switch (entry.setting) {
    case 'publicAccessBlock':
      return takeBackFlags(entry, present);
    case 'tagging':
      return withoutOwnTags(present);
    case 'lifecycle':
      return takeBackRules(entry, present);
    default:
      return present;
  }
}

function takeBackFlags(entry: LedgerEntry, present: Json): Json {
  if (!isObject(present)) return present;
  const { before, after } = entry;
  return Object.fromEntries(
    Object.entries(present).map(([flag, value]) => [flag, isObject(after) && after[flag] === value ? (isObject(before) ? (before[flag] ?? false) : false) : value]),
  );
}

const QUARANTINE_SIDS = Object.values(SIDS);

/** Quarantines' denials in a policy's text. */
export function ownDenies(policy: Json): readonly Json[] {
  const document: Json = typeof policy === 'string' ? (JSON.parse(policy) as Json) : null;
  return statementsOf(document).filter((statement) => QUARANTINE_SIDS.some((prefix) => sidOf(statement).startsWith(prefix)));
}

function ownSids(policy: string | null): readonly string[] {
  return ownDenies(policy).map(sidOf);
}

/** One statement may stand by itself, without a list. */
function statementsOf(document: Json): readonly Json[] {
  const statements = isObject(document) ? document['Statement'] : undefined;
  return statements === undefined ? [] : Array.isArray(statements) ? (statements as readonly Json[]) : [statements as Json];
}

function sidOf(statement: Json): string {
  const sid = isObject(statement) ? statement['Sid'] : undefined;
  return typeof sid === 'string' ? sid : '';
}

function withoutOwnTags(present: Json): Json {
  if (!Array.isArray(present)) return present;
  const tags = (present as readonly Json[]).filter((tag) => !(isObject(tag) && typeof tag['Key'] === 'string' && TAGS.has(tag['Key'])));
  return tags.length === 0 ? null : tags;
}

/** Rules are matched by their id: a rule that is as the quarantine left it becomes what it was, others are somebody's. */
function takeBackRules(entry: LedgerEntry, present: Json): Json {
  if (!isObject(present) || !isObject(entry.before) || !isObject(entry.after)) return present;
  const before = rulesById(entry.before);
  const after = rulesById(entry.after);
  const rules = [...rulesById(present)].map(([id, rule]) => (same(rule, after.get(id)) ? (before.get(id) ?? rule) : rule));
  return { ...present, Rules: rules };
}

function rulesById(lifecycle: { readonly [key: string]: Json }): Map<string, Json> {
  const rules = Array.isArray(lifecycle['Rules']) ? (lifecycle['Rules'] as readonly Json[]) : [];
  return new Map(rules.map((rule, index) => [isObject(rule) && typeof rule['ID'] === 'string' ? rule['ID'] : `#${index}`, rule]));
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
