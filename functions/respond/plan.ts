import { readClaim } from '../../aws/claims.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { getIncident, NoSuchIncidentError } from '../../aws/incidents.ts';
import { recordedTarget } from '../../aws/owners.ts';
import { previewPlan, type Preview } from '../../aws/planning.ts';
import { capFor } from '../../aws/settings.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import { saveSeen } from '../../aws/previews.ts';
import { PlaybookInputError, readInputs } from '../../core/inputs.ts';
import type { Incident, Mode } from '../../core/incident.ts';
import { manualIncident, manualMode } from '../../core/manual.ts';
import { same } from '../../core/quarantine/levels.ts';
import { plain } from '../../core/text.ts';

export interface PlanAsk {
  readonly playbook: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly mode: Mode;
}

/** What a start by hand would act on: a new incident, or the one that is open on the target. */
export interface Wanted {
  /** As it would be: not written. */
  readonly incident: Incident;
  /** The incident that holds the target now; `null` where none does. */
  readonly holding: Incident | null;
  /** What is asked for beside the target otherwise than it was contained (`since`): its restore would miss some of it. `null` where nothing is. */
  readonly otherwise: string | null;
}

/** Plans by hand, and does nothing: 200 `{ plan, result, holding }`. That it was asked for is on record, under the digest. */
export async function plan(ask: PlanAsk, by: string, tools: Tools): Promise<HttpAnswer> {
  const wanted = await wantedBy({ ...ask, reason: 'asked for by hand' }, by, tools);
  const preview = await previewOf(wanted.incident, tools);
  await saveSeen(tools, { plan: preview.plan, by, at: tools.now() });
  return httpAnswer(200, { ...preview, holding: wanted.holding && { id: wanted.holding.id, status: wanted.holding.status, playbook: wanted.holding.playbook } });
}

/** Plans the way back, and does nothing: 200 `{ plan, result }`. */
export async function planRestore(ask: { readonly incident: string; readonly newer: 'keep' | 'overwrite' }, tools: Tools): Promise<HttpAnswer> {
  const incident = await getIncident(tools, ask.incident);
  return httpAnswer(200, await previewPlan(tools, incident.playbook, { incident: incident.id, direction: 'restore', execution: 'preview', preview: { draft: null, newer: ask.newer } }));
}

export async function previewOf(incident: Incident, tools: Tools): Promise<Preview> {
  return await previewPlan(tools, incident.playbook, { incident: incident.id, direction: 'contain', execution: 'preview', preview: { draft: incident, newer: 'keep' } });
}

/** The same for a plan and for the start of it. @throws {PlaybookInputError} where the inputs are not the playbook's */
export async function wantedBy(ask: PlanAsk & { readonly reason: string }, by: string, tools: Tools): Promise<Wanted> {
  const { AWS_REGION: region, STOPBATH_ACCOUNT: account } = tools.settings;
  const cap = capFor(tools.settings, ask.playbook);
  const playbooks = await loadPlaybooks(tools.settings.LAMBDA_TASK_ROOT);
  const startable = playbooks.filter(({ inputs }) => Object.values(inputs).some(({ target }) => target !== undefined));
  const playbook = startable.find(({ name }) => name === ask.playbook);
  if (!playbook) throw new NoSuchPlaybookError(`there is no playbook ${JSON.stringify(ask.playbook)} to start by hand: there are ${startable.map(({ name }) => name).join(', ')}`);
  const { target, inputs } = readInputs(playbook, ask.inputs, { account: placeOf(ask.inputs['account'], tools) ?? account, region });
  const claim = await readClaim(tools, target.arn);
  const recordedAs = (await recordedTarget(tools, target)).arn;
  const fresh = manualIncident({ playbook: playbook.name, target, recordedAs, inputs, mode: ask.mode, reason: ask.reason, by, at: tools.now() }, claim?.closedAt === null ? null : (claim?.incident ?? null), cap);
  if (claim?.closedAt !== null) return { incident: fresh, holding: null, otherwise: null };
  const holding = await existing(claim.incident, tools);
  // Claimed by a start that ended before it wrote its incident: this one takes its place.
  if (!holding) return { incident: { ...fresh, id: claim.incident }, holding: null, otherwise: null };
  const differs = Object.keys(inputs).find((name) => playbook.inputs[name]?.with !== undefined && holding.playbook === playbook.name && holding.inputs[name] !== undefined && !same(holding.inputs[name], inputs[name] ?? null));
  return {
    incident: { ...holding, playbook: playbook.name, inputs, mode: manualMode(ask.mode, cap) },
    holding,
    otherwise: differs === undefined ? null : `${differs} ${JSON.stringify(holding.inputs[differs])}`,
  };
}

/** An account that somebody named: the suite's own or a member. What it is not, `readInputs` says where it is no text. */
function placeOf(named: unknown, { settings: { STOPBATH_ACCOUNT, STOPBATH_ACCOUNTS } }: Tools): string | null {
  if (typeof named !== 'string') return null;
  const known = [STOPBATH_ACCOUNT, ...STOPBATH_ACCOUNTS];
  if (!known.includes(named)) throw new PlaybookInputError(`account is ${JSON.stringify(plain(named, 64))}: the suite acts in ${known.join(', ')}; accounts in stopbath.config.json names members`);
  return named;
}

export class NoSuchPlaybookError extends Error {
  override readonly name = 'NoSuchPlaybookError';
}

async function existing(id: string, tools: Tools): Promise<Incident | null> {
  try {
    return await getIncident(tools, id);
  } catch (error) {
    if (error instanceof NoSuchIncidentError) return null;
    throw error;
  }
}
