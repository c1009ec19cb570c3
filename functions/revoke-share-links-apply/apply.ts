import { settled } from '../../aws/ahead.ts';
import { acknowledge, intendAll, named, plannedFor, type ApplyInput } from '../../aws/apply.ts';
import { BusyError } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { updateIncident } from '../../aws/incidents.ts';
import type { ShareAim, ShareContext } from '../../aws/share/kind.ts';
import { kindOf, presentFor } from '../../aws/share/kinds.ts';
import { namedLinks, reachOf } from '../../aws/share/survey.ts';
import { divide, sweepState } from '../../aws/share/sweep.ts';
import { assertMayApply } from '../../aws/standing.ts';
import { remaining } from '../../core/apply.ts';
import type { Json } from '../../core/bucket.ts';
import type { Change, Incident, LedgerEntry, Plan } from '../../core/incident.ts';
import { cutoffOf, reopensLinks, SWEEP } from '../../core/share/revocation.ts';
import { scopeOf } from '../../core/share/scope.ts';
import { linksIn, sampledLinks } from '../../core/share/survey.ts';
import { seen, tallyText } from '../../core/share/tally.ts';

export interface ApplyResult {
  /** Where the workflow goes: sweep the parts and come back, wait and come back, or look from outside. */
  readonly next: 'sweep' | 'wait' | 'verify';
  /** Numbers of the sweep's parts that are not done. */
  readonly parts: readonly number[];
  /** What is waited for. */
  readonly reason: string;
}

/**
 * Makes the changes of a plan in its order. At the sweep it stops and hands the parts to the workflow; called again, it goes on
 * behind it. The workflow's input is not trusted: plan, mode, guard and approvals are read here, every time.
 */
export async function applyRevocation(input: ApplyInput, tools: Tools): Promise<ApplyResult> {
  const planned = await plannedFor(tools, input);
  const { incident, plan, written } = planned;
  // What was acknowledged is done, whatever others have made of it since: another incident may raise the same epoch meanwhile.
  const open = plan.changes.filter(({ seq }) => !written.some((entry) => entry.seq === seq && entry.result === 'done'));
  const aim: ShareAim = { incident, direction: plan.direction, execution: input.execution, scope: scopeOf(incident) };
  // Begun beside the judgement: where it refuses, this was read for nothing.
  const reading = settled(Promise.all([settingsNow(open, aim, tools), contextOf(aim, plan, tools)]));
  await assertMayApply(tools, planned, { reopens: plan.direction === 'restore' ? reopensLinks(plan.changes) : [], links: linksIn(plan.impact) });
  const [now, context] = (await reading)();
  const intents = await intendAll(tools, planned, remaining(open, (setting) => now.get(setting) ?? null));
  for (const intent of intents) {
    if (intent.setting === SWEEP) {
      const parts = await sweep(intent, incident, plan, tools);
      if (parts.length > 0) return { next: 'sweep', parts, reason: `${parts.length} parts are to sweep` };
      continue;
    }
    try {
      await named(intent, kindOf(intent.setting).write(intent, context, tools));
    } catch (error) {
      // Others' work is in the way, for minutes: what stands already is not given up for that.
      if (!(error instanceof BusyError)) throw error;
      return { next: 'wait', parts: [], reason: error.message };
    }
    await acknowledge(tools, intent);
  }
  const waits = await pending(plan, context, tools);
  if (waits.length > 0) return { next: 'wait', parts: [], reason: waits.join('; ') };
  if (plan.direction === 'contain') await updateIncident(tools, incident.id, { containedAt: incident.containedAt ?? tools.now() });
  return { next: 'verify', parts: [], reason: '' };
}

/** @returns the parts that are left; none where the sweep is done, and then its ledger entry says what it met */
async function sweep(intent: LedgerEntry, incident: Incident, plan: Plan, tools: Tools): Promise<readonly number[]> {
  const of = { incident: incident.id, execution: intent.execution, digest: plan.digest };
  await divide(tools, of, incident, plan.direction, plan.direction === 'contain' ? cutoffOf(scopeOf(incident), plan, intent.intendedAt) : null);
  const state = await sweepState(tools, of);
  if (!state || state.open.length > 0) return state?.open ?? [];
  await acknowledge(tools, intent, { text: `Swept ${seen(state.tally)} links: ${tallyText(state.tally, plan.direction)}`, met: { ...state.tally } });
  return [];
}

/** The sweep's own state is its parts: until they are done and acknowledged, it is where it began. */
async function settingsNow(open: readonly Change[], aim: ShareAim, tools: Tools): Promise<ReadonlyMap<string, Json>> {
  const entries = open.map(async (change): Promise<readonly [string, Json]> => {
    return [change.setting, change.setting === SWEEP ? change.before : await presentFor(change, aim, tools)];
  });
  return new Map(await Promise.all(entries));
}

async function pending(plan: Plan, context: ShareContext, tools: Tools): Promise<readonly string[]> {
  const waits = await Promise.all(plan.changes.filter(({ setting }) => setting !== SWEEP).map(async (change) => (await kindOf(change.setting).pending?.(change, tools, context)) ?? null));
  return waits.filter((wait) => wait !== null);
}

async function contextOf(aim: ShareAim, { impact }: Plan, tools: Tools): Promise<ShareContext> {
  return { ...aim, reach: reachOf(aim.scope, await namedLinks(tools, sampledLinks(impact))), reachComplete: false };
}
