import { z } from 'zod';
import type { Tools } from '../../aws/function.ts';
import type { LookInput } from '../../aws/looking.ts';
import { addEntry, viewIncident } from '../../aws/incidents.ts';
import { fetchShareLink } from '../../aws/share/fetch.ts';
import { judgedShareLinks, type Judged } from '../../aws/share/judged.ts';
import type { ShareContext } from '../../aws/share/kind.ts';
import { AFTER_SWEEP, BEFORE_SWEEP, kindOf } from '../../aws/share/kinds.ts';
import { linksMadeSince, reachOf, sampleLinks, surveyLinks } from '../../aws/share/survey.ts';
import { sweepState } from '../../aws/share/sweep.ts';
import { readScopes } from '../../aws/share-links.ts';
import type { LedgerEntry, Plan } from '../../core/incident.ts';
import type { Answer, Judgement } from '../../core/quarantine/look.ts';
import { same } from '../../core/quarantine/levels.ts';
import { judgeShares, type ShareLook } from '../../core/share/look.ts';
import { SWEEP } from '../../core/share/revocation.ts';
import { UNTOUCHED } from '../../core/share/link.ts';
import { epochScopeOf, scopeOf, type ShareScope } from '../../core/share/scope.ts';
import { sampledLinks } from '../../core/share/survey.ts';
import { seen, tallyText } from '../../core/share/tally.ts';

export async function lookAtRevocation(input: LookInput, tools: Tools): Promise<Judgement & { readonly looks: number }> {
  const view = await viewIncident(tools, input.incident);
  const { incident } = view;
  const looks = input.looks + 1;
  const acts = view.ledger.filter(({ execution }) => execution === input.execution);
  // The plan that was applied; a state that moved meanwhile may have left others.
  const plan = view.plans.find(({ digest }) => digest === acts.at(-1)?.digest) ?? view.plans.findLast(({ direction }) => direction === input.direction);
  const ledger = acts.filter(({ digest }) => digest === plan?.digest);
  const scope = scopeOf(incident);
  const sampled = await judgedShareLinks(tools, plan ? sampledLinks(plan.impact) : []);
  const context: ShareContext = { incident, direction: input.direction, execution: input.execution, scope, reach: reachOf(scope, sampled), reachComplete: false };
  // What the looks are made with goes after the last of them is on record.
  const done = async <T extends Judgement>(judged: T): Promise<T> => {
    if (plan && judged.verdict !== 'pending') await Promise.all([...BEFORE_SWEEP, ...AFTER_SWEEP].map(async (kind) => await kind.done?.(plan, context, tools)));
    return judged;
  };
  // A look whose answer was lost a moment ago is not made again: what it was made with may be gone.
  const recent = view.entries.filter(({ kind, at }) => kind === 'look' && Date.parse(tools.now()) - Date.parse(at) < RECENT_MS);
  const made = recent.map(({ detail }) => madeLook.safeParse(detail).data).find((look) => look?.execution === input.execution && look.look === looks && look.digest === plan?.digest);
  if (made) return await done({ streak: made.streak, verdict: made.verdict, reason: made.reason, looks });
  const [links, urls, drifted, open, since, left] = await Promise.all([
    askForLinks(sampled, context, tools),
    plan ? askForUrls(plan, context, tools) : [],
    driftOf(acts, context, tools),
    plan ? openOf(plan, ledger, context, tools) : [],
    input.direction === 'contain' ? linksSince(context, ledger, tools) : NOTHING_SINCE,
    plan && input.direction === 'restore' ? leftBy(plan, view.ledger, tools) : [],
  ]);
  const fetches = [...links, ...urls, ...since.seen];
  const { STOPBATH_VERIFY_LOOKS: needed, STOPBATH_VERIFY_MAX_LOOKS: allowed } = tools.settings;
  // Counting takes a while where there are a million: only the look that would settle it counts again.
  const counts = input.streak + 1 >= needed && plan ? await countAgain(plan, scope, ledger, tools) : { text: null, wrong: [] };
  const look: ShareLook = { direction: input.direction, seen: fetches, drifted, wrong: [...open, ...left, ...since.wrong, ...counts.wrong], blind: blindness(fetches.length, tools) };

  const judgement = judgeShares(look, { needed, allowed }, input.streak, looks);
  const reason = counts.text === null ? judgement.reason : `${counts.text}; ${judgement.reason}`;
  await addEntry(tools, `${input.execution}/look/${looks}`, {
    incident: incident.id,
    at: tools.now(),
    kind: 'look',
    text: `look ${looks}: ${sentence(fetches)}${since.text}${drifted.length > 0 ? `, changed since: ${drifted.join(', ')}` : ''}${look.wrong.length > 0 ? `; ${look.wrong.join('; ')}` : ''}`,
    by: tools.settings.AWS_LAMBDA_FUNCTION_NAME,
    detail: { execution: input.execution, look: looks, digest: plan?.digest ?? null, seen: fetches.map(({ what, answer, expected }) => ({ what, answer, expected })), drifted: [...drifted], streak: judgement.streak, verdict: judgement.verdict, reason },
  });
  return await done({ ...judgement, reason, looks });
}

/** As long as a workflow retries a look. */
const RECENT_MS = 300_000;
/** What a look leaves in its entry. */
const madeLook = z.object({ execution: z.string(), look: z.number(), digest: z.string(), streak: z.number(), verdict: z.enum(['verified', 'unverified', 'pending']), reason: z.string() });

type Fetches = ShareLook['seen'];

/** After a restore a link is dead only for what this incident has no part in: its owner, its expiry, another incident. */
async function askForLinks(sampled: readonly Judged[], { direction, incident }: ShareContext, tools: Tools): Promise<Fetches> {
  const { endpoint } = tools.settings.STOPBATH_SHARES;
  if (endpoint === null) return [];
  return await Promise.all(
    sampled.map(async ({ linkId, verdict, revokedBy }) => {
      const stays = verdict === 'ended' || verdict === 'expired' || revokedBy.some((by) => by !== incident.id);
      const expected: Answer = direction === 'contain' || stays ? 'refused' : 'served';
      return { what: `link ${linkId}`, answer: await fetchShareLink(endpoint, linkId), expected };
    }),
  );
}

async function askForUrls(plan: Plan, context: ShareContext, tools: Tools): Promise<Fetches> {
  const looks = await Promise.all([...BEFORE_SWEEP, ...AFTER_SWEEP].map(async (kind) => (await kind.look?.(plan, context, tools)) ?? []));
  return looks.flat().map(({ what, answer, expected }) => ({ what, answer, expected: expected ?? (context.direction === 'contain' ? 'refused' : 'served') }));
}

interface Since {
  readonly seen: Fetches;
  readonly wrong: readonly string[];
  readonly text: string;
}
const NOTHING_SINCE: Since = { seen: [], wrong: [], text: '' };

/** Changes that were never acknowledged, or are not in force: a cache that nobody has emptied may serve from another edge than the one that is asked. */
async function openOf(plan: Plan, ledger: readonly LedgerEntry[], context: ShareContext, tools: Tools): Promise<readonly string[]> {
  const open = plan.changes.map(async (change) => {
    if (!ledger.some(({ seq, result }) => seq === change.seq && result === 'done')) return `${change.setting} was not changed: ${change.title}`;
    return change.setting === SWEEP ? null : ((await kindOf(change.setting).pending?.(change, tools, context)) ?? null);
  });
  return (await Promise.all(open)).filter((why) => why !== null);
}

/** What containments did and a restore has left: no change of its plan names it, and the links that are fetched may lead elsewhere. */
async function leftBy(plan: Plan, ledger: readonly LedgerEntry[], tools: Tools): Promise<readonly string[]> {
  const did = new Map(ledger.filter(({ direction, setting }) => direction === 'contain' && setting !== SWEEP).map((entry) => [entry.setting, entry]));
  const left = await Promise.all([...did.values()].map(async (entry) => (await kindOf(entry.setting).stays?.(entry, plan, tools)) ?? null));
  return left.filter((why) => why !== null);
}

/**
 * Links as they are now: none that is old may work, and one that was made after the revocation has to. Where nobody has made one, the
 * epochs themselves are asked what they would say to it.
 */
async function linksSince(context: ShareContext, ledger: readonly LedgerEntry[], tools: Tools): Promise<Since> {
  const { scope, incident } = context;
  const appliedAt = ledger.find(({ setting }) => setting === SWEEP)?.intendedAt;
  if (appliedAt === undefined) return NOTHING_SINCE;
  const [sampled, made, wouldDie] = await Promise.all([sampleLinks(tools, scope), linksMadeSince(tools, scope, appliedAt).then((ids) => judgedShareLinks(tools, ids)), deadOnArrival(context, tools)]);
  const old = sampled.filter(({ verdict, issuedAt }) => verdict === 'live' && issuedAt < appliedAt);
  // What its owner ended, what has expired, what another incident revokes and what its maker lied about says nothing of this one.
  const fresh = made.filter(({ verdict, revokedBy, forged }) => !forged && verdict !== 'ended' && verdict !== 'expired' && !revokedBy.some((by) => by !== incident.id));
  const live = fresh.find(({ verdict }) => verdict === 'live');
  const wrong = [
    ...(old.length === 0 ? [] : [`${old.length} of ${sampled.length} links that were read again still work, ${old[0]?.linkId ?? ''} for one`]),
    ...(wouldDie === null ? [] : [wouldDie]),
    ...(fresh.length > 0 && !live ? [`link ${fresh[0]?.linkId ?? ''} was made since and does not work`] : []),
  ];
  const { endpoint } = tools.settings.STOPBATH_SHARES;
  if (!live || endpoint === null) return { seen: [], wrong, text: `, no link was made since${epochScopeOf(scope) === null || wouldDie !== null ? '' : '; by its epoch a new one works'}` };
  return { seen: [{ what: `link ${live.linkId}, made since`, answer: await fetchShareLink(endpoint, live.linkId), expected: 'served' }], wrong, text: '' };
}

/** Why a link that is made at this moment would be dead; `null` where it would live, or where there is no epoch to ask. */
async function deadOnArrival({ scope, incident }: ShareContext, tools: Tools): Promise<string | null> {
  const key = epochScopeOf(scope);
  const shares = tools.settings.STOPBATH_SHARES;
  if (key === null || shares.epochs === null) return null;
  const state = (await readScopes(tools.clients.dynamo, [key], shares)).get(key) ?? UNTOUCHED;
  const range = state.revoked.find(({ through }) => through >= state.epoch);
  return range === undefined ? null : `a link made now would be dead: ${range.incident === incident.id ? 'this incident' : range.incident} revokes up to epoch ${range.through}, and new links get ${state.epoch}`;
}

/** The sweep's own count held against the table's: every link was met. */
async function countAgain(plan: Plan, scope: ShareScope, ledger: readonly LedgerEntry[], tools: Tools): Promise<{ readonly text: string | null; readonly wrong: readonly string[] }> {
  const entry = ledger.find(({ setting }) => setting === SWEEP);
  const state = entry && (await sweepState(tools, { incident: plan.incident, execution: entry.execution, digest: plan.digest }));
  if (!state) return { text: null, wrong: [] };
  const { count, counted } = await surveyLinks(tools, scope);
  const met = seen(state.tally);
  const missed = state.division.total !== null && counted && met < Math.min(count, state.division.total) ? [`${count} links are there now and the sweep met ${met}`] : [];
  return { text: `${tallyText(state.tally, plan.direction)} (${counted ? '' : 'at least '}${count} counted again)`, wrong: [...missed, ...(state.open.length > 0 ? [`${state.open.length} parts of the sweep are not done`] : [])] };
}

/** The settings whose present value is not what the last entry of the ledger left. */
async function driftOf(ledger: readonly LedgerEntry[], context: ShareContext, tools: Tools): Promise<readonly string[]> {
  const last = new Map(ledger.filter(({ setting, result }) => setting !== SWEEP && result === 'done').map((entry) => [entry.setting, entry]));
  const drifted = await Promise.all(
    [...last.values()].map(async (entry) => {
      const kind = kindOf(entry.setting);
      const present = await kind.read(entry.setting, tools, context);
      return same(present, entry.after) || (kind.holds?.(entry, present) ?? false) ? null : entry.setting;
    }),
  );
  return drifted.filter((setting) => setting !== null);
}

function blindness(fetches: number, tools: Tools): string | null {
  if (tools.settings.STOPBATH_SHARES.endpoint === null) return 'shares.endpoint is not set in stopbath.config.json, so that no link can be fetched from outside';
  return fetches === 0 ? 'no link worked before, so that none could be fetched again' : null;
}

function sentence(seenNow: Fetches): string {
  if (seenNow.length === 0) return 'nothing could be asked for';
  const by = (answer: Answer) => seenNow.filter((entry) => entry.answer === answer).length;
  return (['refused', 'served', 'unknown'] as const).flatMap((answer) => (by(answer) === 0 ? [] : [`${by(answer)} ${answer === 'unknown' ? 'without an answer' : answer}`])).join(', ');
}
