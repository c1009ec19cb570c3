import { createClients } from '../../aws/clients.ts';
import { lastDelivery } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { readGuard } from '../../aws/guard.ts';
import { findIncident } from '../../aws/incidents.ts';
import { memberTools } from '../../aws/member.ts';
import { measure } from '../../aws/metrics.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import { get, put } from '../../aws/records.ts';
import { giveBack, giveToTriage, waitingSignals } from '../../aws/waiting-signals.ts';
import { matchesPattern } from '../../core/event-pattern.ts';
import { PHASE } from '../../core/incident.ts';
import { isRejection, readSignal } from '../../core/signal.ts';
import { plain } from '../../core/text.ts';
import { findingsBetween, recordsBetween, type Span } from './sources.ts';
import { stuckExecutions } from './stuck.ts';

export interface Reconciled {
  /** Events that triage was given, by id. */
  readonly missed: readonly string[];
  /** Sources that were not looked at to the end, and why. */
  readonly behind: readonly string[];
}

/** What happened later than this may still be on its way. */
const GRACE_MS = 5 * 60_000;
/** CloudTrail's own list may lag by a quarter of an hour: each run looks again at what the one before saw. */
const OVERLAP_MS = 45 * 60_000;
/** The first run, and one after a long silence. CloudTrail keeps 90 days of events. */
const FURTHEST_MS = 24 * 3_600_000;
/** What is kept free for the numbers at the end. */
const RESERVE_MS = 30_000;

/**
 * CloudTrail's events on EventBridge are best effort, and rules can be switched off: so what GuardDuty and CloudTrail themselves say is held
 * against what was decided. Triage gets what it has not seen, and its ids make a second delivery of anything harmless.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-delivery-level.html
 */
export async function reconcile(tools: Tools): Promise<Reconciled> {
  const now = Date.parse(tools.now());
  const [sources, missed, behind]: [readonly Source[], string[], string[]] = [await sourcesOf(tools), [], []];
  // One account that lets nobody in must not hide the others.
  const attempt = async (name: string, look: () => Promise<void>): Promise<void> => {
    await look().catch((error: unknown) => void behind.push(`${name}: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`));
  };
  await attempt('signals that wait', async () => await decideLeftBehind(tools));
  const [guard, stuck] = await Promise.all([readGuard(tools), stuckExecutions(tools)]);
  for (const [index, { name, events }] of sources.entries()) {
    await attempt(name, async () => {
      // An even share of what is left, however much its account has done: CloudTrail serves two requests a second.
      const leave = tools.remainingMs() - (tools.remainingMs() - RESERVE_MS) / (sources.length - index);
      const until = Number((await get(tools, RECONCILE, name))?.['until'] ?? 0);
      const inTime = () => {
        if (tools.remainingMs() < leave) throw new Error('more happened than can be looked at in its share of the time: the others come first, and it begins here again');
      };
      const span = { from: Math.max(until - OVERLAP_MS, now - FURTHEST_MS), to: now - GRACE_MS, inTime };
      for await (const event of events(span)) missed.push(...(await deliver(event, tools)));
      await put(tools, { pk: RECONCILE, sk: name, until: span.to });
    });
  }
  for (const what of behind) tools.log.error(`not looked at to the end: ${plain(what, 512)}`);
  for (const execution of stuck) tools.log.error(`runs for too long: ${execution}`);
  measure(tools, { MissedEvents: missed.length, ReconcileBehind: behind.length, StuckExecutions: stuck.length, GuardPaused: 'unreadable' in guard || guard.paused !== null ? 1 : 0 });
  return { missed, behind };
}

/** Signals that waited for a run which has ended, and that its last function did not have decided again. */
async function decideLeftBehind(tools: Tools): Promise<void> {
  for (const [id, kept] of Map.groupBy(await waitingSignals(tools), ({ incident }) => String(incident))) {
    const incident = await findIncident(tools, id);
    if (incident && PHASE[incident.status] === 'running') continue;
    tools.log.warn(`${kept.length} waited for ${id} and were left: triage has them now`);
    await giveBack(tools, kept);
  }
}

const RECONCILE = 'RECONCILE';

interface Source {
  /** `guardduty/111122223333/us-east-1`: what the place reached is kept under. */
  readonly name: string;
  readonly events: (span: Span) => AsyncGenerator<unknown>;
}

/** GuardDuty and CloudTrail, in every account and region. Findings of members show twice where the account administers GuardDuty: the second is known. */
async function sourcesOf(tools: Tools): Promise<readonly Source[]> {
  const { STOPBATH_ACCOUNT: own, STOPBATH_ACCOUNTS: members, STOPBATH_REGIONS, AWS_REGION } = tools.settings;
  const patterns = (await loadPlaybooks(tools.settings.LAMBDA_TASK_ROOT)).flatMap(({ triggers }) => triggers.map(({ matcher }) => matcher));
  const wanted = (event: unknown): boolean => {
    const signal = readSignal(event, tools.now());
    return isRejection(signal) || patterns.some((pattern) => matchesPattern(pattern, signal.event));
  };
  const regions = [...new Set([AWS_REGION, ...STOPBATH_REGIONS])];
  return [own, ...members].flatMap((account) =>
    regions.flatMap((region): readonly Source[] => {
      const clients = () => {
        const { credentials } = memberTools(tools, account, 'read', 'reconcile').clients;
        return createClients(region, credentials);
      };
      return [
        { name: `guardduty/${account}/${region}`, events: (span) => findingsBetween(clients(), span) },
        { name: `cloudtrail/${account}/${region}`, events: (span) => recordsBetween(clients(), span, wanted) },
      ];
    }),
  );
}

/**
 * @returns the event's id where triage had not seen it, and has it now
 * @see https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings_cloudwatch.html (how often updates are sent)
 */
async function deliver(event: unknown, tools: Tools): Promise<readonly string[]> {
  const signal = readSignal(event, tools.now());
  const [id, time] = isRejection(signal) ? [signal.id, tools.now()] : [signal.id, signal.time];
  if (id === null || id === '') return [];
  const since = createdAt(signal) ?? time;
  const last = await lastDelivery(tools, id, since, tools.now());
  if (last !== null && last >= time) return [];
  // GuardDuty sends updates of a finding every six hours unless told otherwise, and lists them at once: that is no event that was lost. Nor is
  // what was made before all that a run looks at: an earlier run has looked at its beginning.
  if (since < time && (last !== null || Date.parse(tools.now()) - Date.parse(since) > FURTHEST_MS)) {
    tools.log.info(`${plain(id)} has occurred again, which EventBridge has not said yet: triage has it now`);
    await giveToTriage(tools, JSON.stringify(event));
    return [];
  }
  tools.log.error(`EventBridge did not deliver ${plain(id)}: triage has it now`);
  await giveToTriage(tools, JSON.stringify(event));
  return [id];
}

/** When a finding was first made; `null` for what is no finding. */
function createdAt(signal: ReturnType<typeof readSignal>): string | null {
  const at = isRejection(signal) || signal.source !== 'guardduty' ? null : signal.event.detail['createdAt'];
  const ms = typeof at === 'string' || typeof at === 'number' ? new Date(at).getTime() : Number.NaN;
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
