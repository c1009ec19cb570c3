import { readClaim, type Claim } from '../../aws/claims.ts';
import { inTurns } from '../../aws/concurrently.ts';
import { recordDecision } from '../../aws/decisions.ts';
import type { Tools } from '../../aws/function.ts';
import { relate } from '../../aws/incidents.ts';
import { ownRoles } from '../../aws/member.ts';
import { loadPlaybooks } from '../../aws/playbooks.ts';
import { readSuppressions } from '../../aws/suppressions.ts';
import { digestOf } from '../../core/canonical.ts';
import { decide, strength, type Decision, type DecideOptions, type Response } from '../../core/decide.ts';
import { plain } from '../../core/text.ts';
import { bucketOf, look, type Seen } from './look.ts';
import { openOrJoin, type Opened } from './open.ts';

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
    own: ownOf(tools),
    trustedAccounts: [tools.settings.STOPBATH_ACCOUNT, ...tools.settings.STOPBATH_ACCOUNTS, ...tools.settings.STOPBATH_TRUSTED_ACCOUNTS],
    trustedSources: tools.settings.STOPBATH_TRUSTED_SOURCES,
    organizationId: tools.settings.STOPBATH_ORGANIZATION_ID,
    photoKeys: tools.settings.STOPBATH_PHOTO_KEYS,
  };
  const blind = decide(event, options);
  const [found, suppressions, claims] = await Promise.all([look(blind, tools), blind.checks.length > 0 ? readSuppressions(tools) : [], claimsOn(blind, tools)]);
  const decision = found.any || suppressions.length > 0 ? decide(event, { ...options, ...found, suppressions }) : blind;
  const { signal } = decision;
  const missing = decision.responses.filter(({ target }) => found.isMissing(bucketOf(target) ?? ''));
  const real = decision.responses.filter((response) => !missing.includes(response));
  const decidedAt = tools.now();
  const opened = signal === null ? [] : await Promise.all(real.map(async (response) => await openOrJoin({ response, signal, state: found.stateOf(bucketOf(response.target) ?? ''), claim: claims.get(response.target.arn), receivedAt, decidedAt, drill }, tools)));

  const incidents = opened.filter((entry) => entry !== null);
  await pointAtEachOther([...new Set(incidents.map(({ incident }) => incident))], tools);
  await recordDecision(tools, {
    event: decision.event ?? `sha256:${digestOf(event ?? null)}`,
    source: decision.source,
    type: decision.type ?? '',
    decision: missing.length > 0 ? strongest(real) : decision.decision,
    reason: reasonOf(decision, missing, found, incidents),
    targets: decision.targets,
    incidents: incidents.map(({ incident }) => incident),
    suppressedBy: decision.suppressedBy ?? real.find(({ suppressedBy }) => suppressedBy !== null)?.suppressedBy ?? null,
    receivedAt,
    decidedAt,
    drill,
  });
  tools.log.info(decision.reason, { decision: decision.decision, event: decision.event, incidents: incidents.map(({ incident }) => incident) });
  return { decision: decision.decision, incidents: incidents.map(({ incident }) => incident) };
}

/** Who has the targets that an event names, read beside their state. */
async function claimsOn({ responses }: Decision, tools: Tools): Promise<ReadonlyMap<string, Claim | null>> {
  return new Map(await inTurns(responses, async ({ target: { arn } }) => [arn, await readClaim(tools, arn)] as const));
}

/** The keys that sign seals have no name of ours: who schedules their end is told by their ids. */
function ownOf(tools: Tools): NonNullable<DecideOptions['own']> {
  const { STOPBATH_NAME, STOPBATH_SEAL_KEYS, STOPBATH_ARCHIVES_FINDINGS: archives } = tools.settings;
  return { prefix: STOPBATH_NAME, archives, roles: ownRoles(tools), arns: STOPBATH_SEAL_KEYS.flatMap((arn) => [arn, arn.split('/').at(-1) ?? arn]) };
}

/** One event that is about several targets: whoever reads of one finds the others. */
async function pointAtEachOther(ids: readonly string[], tools: Tools): Promise<void> {
  if (ids.length < 2) return;
  await Promise.all(ids.map(async (id) => await relate(tools, id, ids.filter((other) => other !== id).slice(0, MAX_RELATED))));
}

/** An account has more buckets than one reads. */
const MAX_RELATED = 50;

function strongest(responses: readonly Response[]): string {
  return responses.reduce<Response['verdict']>((best, { verdict }) => (strength(verdict) > strength(best) ? verdict : best), 'record');
}

function reasonOf(decision: Decision, missing: readonly Response[], found: Seen, incidents: readonly Opened[]): string {
  const notes = [
    ...missing.map(({ target }) => `There is no bucket ${plain(target.name)} in account ${plain(target.account)}: nothing to contain.`),
    ...found.unread.slice(0, MAX_NOTES),
    ...incidents.filter(({ note }) => note !== null).map(({ incident, note }) => `${incident}: ${note}.`),
  ];
  return [decision.reason, ...notes].join(' ');
}

const MAX_NOTES = 10;
