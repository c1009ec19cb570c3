import { claimAndOpen, claimTarget, releaseTarget } from '../../aws/claims.ts';
import { recordDecision } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { addEntry, createIncident, findIncident, getIncident } from '../../aws/incidents.ts';
import { ledgerOf } from '../../aws/ledger.ts';
import { ensureStarted } from '../../aws/executions.ts';
import { recordedTarget } from '../../aws/owners.ts';
import { readSeen } from '../../aws/previews.ts';
import { digestOf } from '../../core/canonical.ts';
import { isUnderWay, PHASE, TICKET_ONLY, type Entry, type Incident } from '../../core/incident.ts';
import { DigestMismatchError } from '../../core/plan.ts';
import { begin, beginNew, wordOf, type Begin } from './incident.ts';
import { previewOf, wantedBy, type PlanAsk, type Wanted } from './plan.ts';

export interface StartAsk extends PlanAsk {
  readonly reason: string;
  /** Exactly this plan, or nothing. */
  readonly digest: string | null;
}

/**
 * Starts a playbook by hand, through the same claim, guard, budgets and approvals as an event: 202 `{ incident, execution,
 * mode }`. 409 where the target is held by a run, where there is no such plan for it, or where the state has moved: then
 * with `{ plan, seen }`, and nothing was started. Refusals are on record.
 */
export async function start(ask: StartAsk, by: string, tools: Tools): Promise<HttpAnswer> {
  const found = await wantedBy(ask, by, tools);
  const { holding } = found;
  if (holding && (await isBusy(holding))) return await refuse(ask, found, by, `${holding.id} is ${holding.status} on this target: ${holding.status === 'waiting' ? 'approve or reject it' : 'wait for it'}, stopbath show ${holding.id}`, tools);
  if (holding && holding.playbook !== ask.playbook && holding.playbook !== TICKET_ONLY) return await refuse(ask, found, by, `${holding.id} holds this target for ${holding.playbook}: restore it first`, tools);
  if (holding && found.otherwise !== null && (await ledgerOf(tools, holding.id)).length > 0) return await refuse(ask, found, by, `${holding.id} has contained this target with ${found.otherwise}: restore it first, or ask for the same`, tools);

  const checked = ask.digest === null ? { incident: found.incident } : await exactly(ask.digest, found);
  if ('why' in checked) return await refuse(ask, found, by, checked.why, tools, checked.more);
  const { incident } = checked;
  return holding ? await again(incident, holding) : await open(incident);

  /** Whether something runs, or waits, on it. A start that died before anything ran is no reason to wait. */
  async function isBusy(holding: Incident): Promise<boolean> {
    if (holding.status !== 'open') return isUnderWay(holding);
    return (holding.executions.length > 0 || holding.requestedBy === 'automatic') && (await ensureStarted(tools, holding));
  }

  async function again(incident: Incident, held: Incident): Promise<HttpAnswer> {
    return await begin(incident, 'contain', asked(incident, held, { ...wordOf(incident), status: 'open', outcome: `started again by hand: ${ask.reason}` }), tools);
  }

  async function open(incident: Incident): Promise<HttpAnswer> {
    const [signal, time] = [`manual/${by}`, tools.now()];
    const decision: Entry = { incident: incident.id, at: incident.decidedAt, kind: 'decision', text: `started by hand: ${ask.reason}`, by, detail: { trigger: null, recommended: ask.mode, mode: incident.mode } };
    const word = asked(incident, incident, {});
    const opened = await beginNew(incident, word, async (listed, request) => await claimAndOpen(tools, listed, { id: signal, time }, [['decision', decision]], request), tools);
    if (opened) return opened;
    const claim = await claimTarget(tools, incident.target.arn, { incident: incident.id, signal }, time);
    if (claim.incident !== incident.id) return await refuse(ask, found, by, `${claim.incident} took this target a moment ago: stopbath show ${claim.incident}`, tools);
    const there = (await createIncident(tools, incident)) ? incident : await getIncident(tools, incident.id);
    if (there.status !== 'open') {
      if (claim.isNew || PHASE[there.status] === 'over') await releaseTarget(tools, incident.target.arn, incident.id, tools.now());
      return await refuse(ask, found, by, `${incident.id} is ${there.status} already: plan again`, tools);
    }
    await addEntry(tools, 'decision', decision);
    return await begin(incident, 'contain', word, tools);
  }

  function asked({ playbook }: Incident, before: Incident, change: Partial<Incident>): Begin {
    return { act: 'start', text: `start of ${playbook} asked for${ask.digest === null ? '' : `, exactly plan ${ask.digest.slice(0, 16)}`}: ${ask.reason}`, reason: ask.reason, by, change, was: wordOf(before), digest: ask.digest };
  }

  /** Whether the plan that was seen is the plan that would run now. */
  async function exactly(digest: string, { incident, holding }: Wanted): Promise<{ readonly incident: Incident } | { readonly why: string; readonly more?: object }> {
    const seen = await readSeen(tools, digest).catch((error: unknown) => {
      if (error instanceof DigestMismatchError) return null;
      throw error;
    });
    if (!seen) return { why: `there is no plan ${digest}: nobody has planned it, or the file was changed; plan again` };
    const recorded = await recordedTarget(tools, incident.target);
    if (seen.plan.target.arn !== recorded.arn || seen.plan.playbook !== incident.playbook) return { why: `plan ${digest} is of ${seen.plan.playbook} for ${seen.plan.target.arn}, not of ${incident.playbook} for ${recorded.arn}` };
    // A plan names its incident; it was made for this target, so that the incident of yesterday's plan will do today.
    const old = holding ? null : await findIncident(tools, seen.plan.incident);
    if (old) return { why: `plan ${digest} is of ${old.id}, which is ${old.status} since: plan again` };
    const wanted = holding ? incident : { ...incident, id: seen.plan.incident };
    const { plan } = await previewOf(wanted, tools);
    if (plan.digest !== digest) return { why: `the state has moved since plan ${digest} was made, so nothing was started: now it is plan ${plan.digest}`, more: { plan, seen: seen.plan } };
    return { incident: wanted };
  }
}

/** On the incident that holds the target; where there is none, among the day's decisions. */
async function refuse(ask: StartAsk, { incident, holding }: Wanted, by: string, why: string, tools: Tools, more: object = {}): Promise<HttpAnswer> {
  const at = tools.now();
  const text = `start of ${ask.playbook} by ${by} was refused: ${why}`;
  const key = digestOf([by, ask.digest, ask.inputs, why]).slice(0, 16);
  if (holding) await addEntry(tools, `request/refused/${key}`, { incident: holding.id, at, kind: 'request', text, by, detail: { act: 'refused', asked: 'start', digest: ask.digest } });
  else await recordDecision(tools, { event: `request:${key}`, source: 'responder', type: 'start', decision: 'refused', reason: text, targets: [(await recordedTarget(tools, incident.target)).arn], incidents: [],
    suppressedBy: null, receivedAt: at, decidedAt: at, drill: false });
  return httpAnswer(409, { error: why, ...more });
}
