import type { Json } from '../bucket.ts';
import type { Change, Incident, LedgerEntry, Plan, UndoRequest } from '../incident.ts';
import { standing } from '../outcome.ts';
import { same } from '../quarantine/levels.ts';
import { AHEAD_SECONDS, plannedSessionPolicy, sessionPolicy } from '../share/sessions.ts';
import type { Principal, PrincipalState, PrincipalWithRoom } from './principal.ts';

export const LEVELS = ['sessions', 'everything'] as const;
export type Level = (typeof LEVELS)[number];

/**
 * A user is stopped altogether, console included; a role goes on with new sessions, since something runs as it. What stands at everything stays there,
 * whoever asks for less: to take something back is a restore, which somebody else approves.
 *
 * @param ledger - of the incident, for a containment
 */
export function levelOf(given: Json | undefined, { kind }: Principal, ledger: readonly LedgerEntry[] = []): Level {
  if (standing(ledger).some(({ setting, after }) => setting === DENY && same(after, denyPolicy('everything')))) return 'everything';
  return LEVELS.find((level) => level === given) ?? (kind === 'user' ? 'everything' : 'sessions');
}

/** What stands in front of every policy that the suite puts on a principal, and in the pattern of the trigger that notices its removal. */
const POLICY_PREFIX = 'StopbathContain-';

export function policyName(incident: string): string {
  return `${POLICY_PREFIX}${incident.replaceAll(/[^\w+=,.@-]/g, '')}`.slice(0, 128);
}

/**
 * Everything is denied: to sessions from before the moment of the change, or to all requests. A deny leaves a password as it is and still takes the
 * console away, which `DeleteLoginProfile` would do for good: IAM gives no password back.
 *
 * @param at - ISO 8601; the moment of a plan where it is left out
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetLoginProfile.html (returns the name and the date, never the password)
 */
export function denyPolicy(level: Level, at?: string): { readonly [key: string]: Json } {
  if (level === 'sessions') return sessionPolicy(at);
  return { Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: ['*'], Resource: ['*'] }] };
}

export const DENY = 'deny';

export function keySetting(id: string): string {
  return `key:${id}`;
}

/** @returns the id of a key */
export function keyIn(setting: string): string {
  return setting.slice('key:'.length);
}

export function settingOf(state: PrincipalState, setting: string): Json {
  return setting === DENY ? state.deny : (state.keys[keyIn(setting)] ?? null);
}

/**
 * A setting as a change of it sees it: a deny of older sessions has a moment, and any other moment than the one before the change is the one
 * that was asked for. A key that somebody deleted is off.
 */
export function settingFor(state: PrincipalState, { setting, before, after }: Pick<Change, 'setting' | 'before' | 'after'>): Json {
  const now = settingOf(state, setting);
  if (now === null && after === OFF) return OFF;
  return same(now, before) ? now : plannedSessionPolicy(now);
}

const ON = 'Active';
const OFF = 'Inactive';

/** Settings of the access keys that work. */
export function keysOn({ keys }: Pick<PrincipalState, 'keys'>): readonly string[] {
  return Object.entries(keys).filter(([, status]) => status === ON).map(([id]) => keySetting(id));
}

/**
 * The keys that a containment switches off beside those of its plan: they were made, or switched on, since. Planning again for them would leave a thief
 * who makes keys faster than anybody plans uncontained.
 *
 * @param written - what this run has written to the ledger so far
 */
export function keysSince({ changes }: Pick<Plan, 'changes'>, state: PrincipalState, { name }: Principal, written: readonly LedgerEntry[]): readonly Change[] {
  const known = [...changes, ...written];
  const last = Math.max(0, ...known.map(({ seq }) => seq));
  return keysOn(state)
    .filter((setting) => !changes.some((change) => change.setting === setting))
    .map((setting, index) => ({ ...switchOff(setting, name, SINCE_PLAN), seq: known.find((entry) => entry.setting === setting)?.seq ?? last + 1 + index }));
}

const SINCE_PLAN = ', which was made or switched on since the plan';

function switchOff(setting: string, name: string, which = ''): Omit<Change, 'seq'> {
  return {
    setting,
    title: `Switch access key ${keyIn(setting)} off${which}`,
    before: ON,
    after: OFF,
    undo: { service: 'iam', operation: 'UpdateAccessKey', input: { UserName: name, AccessKeyId: keyIn(setting), Status: ON } },
  };
}

/** The containment that stands denies no session from after its own moment. */
export function momentOf(ledger: readonly LedgerEntry[]): string | null {
  const last = ledger.findLast(({ setting, direction }) => setting === DENY && direction === 'contain');
  return last && same(last.after, denyPolicy('sessions')) ? new Date(Date.parse(last.doneAt ?? last.intendedAt) + AHEAD_SECONDS * 1000).toISOString() : null;
}

/**
 * The deny comes first: whoever holds the keys could put them on again.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html (role chaining: an hour at most)
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (DurationSeconds: up to 12 hours)
 */
export function containment(principal: Principal, state: PrincipalWithRoom, level: Level, { id, inputs }: Pick<Incident, 'id' | 'inputs'>): { readonly changes: readonly Change[]; readonly notes: readonly string[] } {
  // A deny of older sessions is always made anew: whoever stole one since the last time goes on otherwise.
  const after = denyPolicy(level);
  const again = level === 'sessions' && same(plannedSessionPolicy(state.deny), after);
  const fits = state.deny !== null || JSON.stringify(denyPolicy(level, new Date(0).toISOString())).length <= state.room;
  const deny: Omit<Change, 'seq'> = {
    setting: DENY,
    title: level === 'everything' ? `Deny ${principal.name} everything, sign-in to the console and sessions included` : `Deny ${principal.name} every session from before the change${again ? ', those from since the last containment too' : ''}`,
    before: state.deny,
    after,
    undo: undoOf(principal, state.deny, id),
  };
  return {
    changes: numbered([...(fits && !same(state.deny, after) ? [deny] : []), ...keysOn(state).map((setting) => switchOff(setting, principal.name))]),
    notes: [
      ...(fits ? [] : [`The inline policies of ${principal.name} have no room for a deny (${state.room} characters are left): its sessions go on. Take a policy away and plan again.`]),
      ...(level === 'everything' && inputs['level'] === 'sessions' ? ['It stands at level everything and stays there: to take that back, restore it, and contain it anew at sessions.'] : []),
      ...(again ? [`It is not the first time. Where sessions are stolen again and again, whoever takes them has another way to new ones: the next step is level everything, which stops what runs as ${principal.name} too (stopbath start contain-principal --principal … --level everything).`] : []),
      `Sessions of other roles that ${principal.name} assumed before the change live on, ${principal.kind === 'user' ? 'up to 12 hours' : 'up to an hour'}: this stops the ${principal.kind}, not them. Its AssumeRole calls in CloudTrail name the roles: contain each of them at level sessions.`,
      ...(state.hasPassword ? [level === 'everything' ? 'The password stays as it is, and whoever signs in with it is refused everything. It has to be changed before the restore.' : 'At this level somebody who has the password can sign in again.'] : []),
      ...(principal.kind === 'user' ? [`An access key of ${principal.name} that is made or switched on until this is applied is switched off with it.`] : []),
      ...(Object.keys(state.keys).length > 0 ? ['A restore leaves the access keys off: whoever has a leaked key has it still. Asked for over what was changed since (--overwrite-newer), it switches them on again.'] : []),
    ],
  };
}

function undoOf({ kind, name }: Principal, before: Json, incident: string): UndoRequest {
  const of = { [kind === 'user' ? 'UserName' : 'RoleName']: name, PolicyName: policyName(incident) };
  const what = kind === 'user' ? 'UserPolicy' : 'RolePolicy';
  return before === null ? { service: 'iam', operation: `Delete${what}`, input: of } : { service: 'iam', operation: `Put${what}`, input: { ...of, PolicyDocument: JSON.stringify(before) } };
}

/**
 * The ledger read backwards. A key comes back only where somebody asked for it, and one that was not there when the incident began, never: whoever had the
 * others has made it.
 */
export function restoration(ledger: readonly LedgerEntry[], state: PrincipalState, { name }: Principal, newer: 'keep' | 'overwrite'): { readonly changes: readonly Change[]; readonly notes: readonly string[] } {
  const entries = standing(ledger);
  const first = new Map(entries.toReversed().map((entry) => [entry.setting, entry.before]));
  const begun = new Set(entries.filter(({ execution, title }) => execution === entries[0]?.execution && !title.endsWith(SINCE_PLAN)).map(({ setting }) => setting));
  const changes: Omit<Change, 'seq'>[] = [];
  const notes: string[] = [];
  for (const [setting, before] of first) {
    const now = settingOf(state, setting);
    if (same(now, before)) continue;
    if (setting === DENY) changes.push({ setting, title: `Lift the deny of ${name}`, before: now, after: before });
    else if (now === null) notes.push(`Access key ${keyIn(setting)} was deleted since.`);
    else if (!begun.has(setting)) notes.push(`Access key ${keyIn(setting)} stays off: it was made or switched on after the incident began. Find out who made it, and delete it.`);
    else if (newer === 'overwrite') changes.push({ setting, title: `Switch access key ${keyIn(setting)} on again`, before: now, after: before });
    else notes.push(`Access key ${keyIn(setting)} stays off: whoever has a leaked key has it still. --overwrite-newer switches it on again.`);
  }
  for (const setting of keysOn(state)) notes.push(`Access key ${keyIn(setting)} is on, and this incident ${first.has(setting) ? 'had switched it off: somebody switched it on since' : 'never switched it off'}. Whoever has it works with it as soon as nothing denies any more.`);
  return { changes: numbered(changes.toSorted((one, other) => Number(one.setting === DENY) - Number(other.setting === DENY))), notes };
}

function numbered(changes: readonly Omit<Change, 'seq'>[]): readonly Change[] {
  return changes.map((change, index) => ({ seq: index + 1, ...change }));
}
