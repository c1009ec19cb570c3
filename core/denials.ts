import { StateMovedError } from './apply.ts';
import type { Json } from './bucket.ts';
import { globMatches } from './glob.ts';
import type { LedgerEntry } from './incident.ts';
import { policyText } from './policy.ts';
import { same } from './quarantine/levels.ts';

/**
 * Incidents on different targets write denials into one bucket's policy: a quarantine, and revocations of the links that lead there. Each
 * is told by its Sid, and what an incident compares and takes back is the policy without the others'. Only a denial counts: a statement that
 * lets somebody in is never the suite's, whatever it is called.
 */
const OWN = /^Stopbath(?:Full|External|Services|Urls)([A-Za-z0-9]+?)(?:Presigned|Cdn|CdnIdentity)?$/;

type Statement = { readonly [key: string]: Json };

/**
 * What a bucket's policy becomes when an incident's entry of the ledger is taken back: others' denials are there as they are now, whether they came before it
 * or after it.
 *
 * @returns `isNewer`: somebody else than the suite changed the policy since, so that only the incident's own denials are taken out
 */
export function denialTakenBack({ before, after, incident }: Pick<LedgerEntry, 'before' | 'after' | 'incident'>, present: Json): { readonly value: Json; readonly isNewer: boolean } {
  if (sameButOthers(present, after, incident)) return { value: withOthersOf(present, before, incident), isNewer: false };
  if (sameButOthers(present, before, incident)) return { value: present, isNewer: false };
  return { value: only(present, (statement) => ownerIn(statement) !== plainId(incident)), isNewer: true };
}

/**
 * What a planned change writes, given the policy at the moment of the write: its after, with others' denials as they are now. One that was put
 * since the plan is not erased, and one that was taken back does not return.
 *
 * @throws {StateMovedError} where the policy is neither before nor after the change, whatever others deny in it
 */
export function afterWithOthers({ setting, before, after, incident }: Pick<LedgerEntry, 'setting' | 'before' | 'after' | 'incident'>, present: Json): Json {
  if (same(present, before) || same(present, after)) return after;
  if (sameButOthers(present, before, incident) || sameButOthers(present, after, incident)) return withOthersOf(present, after, incident);
  throw new StateMovedError(`${setting} was changed by somebody else at this moment. Plan again.`);
}

/** A policy with the denials that others have in the present one, in place of those that they had in it. */
export function withOthersOf(present: Json, policy: Json, incident: string): Json {
  const theirs = statementsOf(present).filter((statement) => isOthers(statement, incident));
  const own = only(policy, (statement) => !isOthers(statement, incident));
  if (theirs.length === 0) return own;
  return policyText({ ...documentOf(own === null ? present : own), Statement: [...statementsOf(own), ...theirs] });
}

/** Whether two policies are the same, whatever others deny in them. */
export function sameButOthers(one: Json, other: Json, incident: string): boolean {
  const own = (policy: Json) => only(policy, (statement) => !isOthers(statement, incident));
  return same(one, other) || same(own(one), own(other));
}

/** The Sids of what others deny in a policy. */
export function othersIn(policy: Json, incident: string): readonly string[] {
  return statementsOf(policy).filter((statement) => isOthers(statement, incident)).map(sidOf);
}

/** For a plan: who asks after a restore finds some still refused. */
export function othersNote(sids: readonly string[]): readonly string[] {
  return sids.length === 0 ? [] : [`What another incident denies in the policy stays, until that one is restored: ${sids.join(', ')}.`];
}

/** By which denial of another incident URLs of an object are refused: presigned ones, and those of distributions; `null` where by none. */
export function othersRefusing(policy: Json, incident: string, objectArn: string): { readonly presigned: string | null; readonly cdn: string | null } {
  const sids = statementsOf(policy)
    .filter((statement) => isOthers(statement, incident) && [statement['Resource'] ?? []].flat().some((pattern) => typeof pattern === 'string' && globMatches(pattern, objectArn)))
    .map(sidOf);
  const find = (name: RegExp) => sids.find((sid) => name.test(sid)) ?? null;
  return { presigned: find(/^StopbathFull|Presigned$/), cdn: find(/^StopbathFull|Cdn(?:Identity)?$/) };
}

function isOthers(statement: Statement, incident: string): boolean {
  const owner = ownerIn(statement);
  return owner !== null && owner !== plainId(incident);
}

/** The incident whose denial a statement is, as a Sid says it; `null` where it is none of the suite. */
function ownerIn(statement: Statement): string | null {
  return statement['Effect'] === 'Deny' ? (OWN.exec(sidOf(statement))?.[1] ?? null) : null;
}

/** A Sid takes letters and digits alone. */
function plainId(incident: string): string {
  return incident.replaceAll(/[^A-Za-z0-9]/g, '');
}

/** The policy with some of its statements: the text itself where they are all, `null` where there is none. */
function only(policy: Json, wanted: (statement: Statement) => boolean): Json {
  const statements = statementsOf(policy);
  const kept = statements.filter(wanted);
  if (kept.length === statements.length) return policy;
  return kept.length === 0 ? null : policyText({ ...documentOf(policy), Statement: kept });
}

/** One statement may stand by itself, without a list. */
function statementsOf(policy: Json): readonly Statement[] {
  return [documentOf(policy)['Statement'] ?? []].flat().filter(isObject);
}

function documentOf(policy: Json): Statement {
  const document: Json = typeof policy === 'string' ? (JSON.parse(policy) as Json) : null;
  return isObject(document) ? document : {};
}

function sidOf(statement: Statement): string {
  return typeof statement['Sid'] === 'string' ? statement['Sid'] : '';
}

function isObject(value: Json): value is Statement {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
