import { NoSuchBucketError, readBucket } from '../../aws/bucket.ts';
import { recordDecision } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import { readSuppressions } from '../../aws/suppressions.ts';
import type { BucketState } from '../../core/bucket.ts';
import { digestOf } from '../../core/canonical.ts';
import { decide, strength, type Decision, type DecideOptions, type Response } from '../../core/decide.ts';
import type { Target } from '../../core/incident.ts';
import { plain } from '../../core/text.ts';
import { openOrJoin, type Opened } from './open.ts';

/** What was found where an event points: the state of a bucket, that there is none, or that it could not be read. */
type Found = BucketState | 'missing' | { readonly unreadable: string };

/**
 * Decide twice: from the event alone, to learn what it is about, and with the state of that. Then claim and start. All
 * of it can be done again: Lambda retries a failed delivery, and EventBridge delivers at least once.
 */
export async function triage({ event, drill }: { readonly event: unknown; readonly drill: boolean }, tools: Tools): Promise<{ readonly decision: string; readonly incidents: readonly string[] }> {
  const receivedAt = tools.now();
  const options: DecideOptions = {
    playbooks: await loadPlaybooks(tools.settings.LAMBDA_TASK_ROOT),
    receivedAt,
    drill,
    own: { prefix: tools.settings.STOPBATH_NAME, arns: [] },
  };
  const blind = decide(event, options);
  const [found, suppressions] = await Promise.all([look(blind, tools), blind.checks.length > 0 ? readSuppressions(tools) : []]);
  const stateOf = (bucket: string) => {
    const state = found.get(bucket);
    return typeof state === 'object' && 'bucket' in state ? state : undefined;
  };
  const decision = found.size === 0 && suppressions.length === 0 ? blind : decide(event, { ...options, stateOf, suppressions });
  const { signal } = decision;
  const missing = decision.responses.filter(({ target }) => found.get(bucketOf(target) ?? '') === 'missing');
  const real = decision.responses.filter((response) => !missing.includes(response));
  const decidedAt = tools.now();
  const opened = signal === null ? [] : await Promise.all(real.map((response) => openOrJoin({ response, signal, state: stateOf(bucketOf(response.target) ?? ''), receivedAt, decidedAt, drill }, tools)));

  const incidents = opened.filter((entry) => entry !== null);
  await recordDecision(tools, {
    event: decision.event ?? `sha256:${digestOf(event ?? null)}`,
    source: decision.source,
    type: decision.type ?? '',
    decision: missing.length > 0 ? strongest(real) : decision.decision,
    reason: reasonOf(decision, missing, found, incidents),
    targets: decision.targets,
    incidents: incidents.map(({ incident }) => incident),
    receivedAt,
    decidedAt,
    drill,
  });
  tools.log.info(decision.reason, { decision: decision.decision, event: decision.event, incidents: incidents.map(({ incident }) => incident) });
  return { decision: decision.decision, incidents: incidents.map(({ incident }) => incident) };
}

/** Reads every bucket that a trigger asks about. One that cannot be read is decided by what the event says. */
async function look(blind: Decision, tools: Tools): Promise<ReadonlyMap<string, Found>> {
  const asked = new Set(blind.checks.map((check) => check.target));
  const buckets = new Map(blind.responses.filter(({ target }) => asked.has(target.arn)).flatMap(({ target }) => {
    const bucket = bucketOf(target);
    return bucket === null ? [] : [[bucket, target] as const];
  }));
  const found = await Promise.all([...buckets].map(async ([bucket, target]): Promise<readonly [string, Found]> => [bucket, await lookAt(bucket, target, tools)]));
  return new Map(found);
}

async function lookAt(bucket: string, { account, region }: Target, tools: Tools): Promise<Found> {
  try {
    return await readBucket(tools.clients.s3, { bucket, account, region });
  } catch (error) {
    if (error instanceof NoSuchBucketError) return 'missing';
    const unreadable = error instanceof Error ? error.message : String(error);
    tools.log.warn(`bucket ${plain(bucket)} cannot be read; the event decides`, { error: unreadable });
    return { unreadable };
  }
}

function bucketOf(target: Target): string | null {
  if (target.kind === 'bucket') return target.name;
  return target.kind === 'object' ? (target.arn.split(':::')[1]?.split('/')[0] ?? null) : null;
}

function strongest(responses: readonly Response[]): string {
  return responses.reduce<Response['verdict']>((best, { verdict }) => (strength(verdict) > strength(best) ? verdict : best), 'record');
}

function reasonOf(decision: Decision, missing: readonly Response[], found: ReadonlyMap<string, Found>, incidents: readonly Opened[]): string {
  const notes = [
    ...missing.map(({ target }) => `There is no bucket ${plain(target.name)} in account ${plain(target.account)}: nothing to contain.`),
    ...[...found].flatMap(([bucket, state]) => (typeof state === 'object' && 'unreadable' in state ? [`Bucket ${plain(bucket)} could not be read, so the event alone decided: ${plain(state.unreadable, 512)}.`] : [])),
    ...incidents.filter(({ note }) => note !== null).map(({ incident, note }) => `${incident}: ${note}.`),
  ];
  return [decision.reason, ...notes].join(' ');
}
