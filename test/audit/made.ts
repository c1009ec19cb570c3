import { marshall } from '@aws-sdk/util-dynamodb';
import { entryItem, incidentItem, planItem } from '../../aws/incidents.ts';
import { ledgerItem } from '../../aws/ledger.ts';
import type { Item } from '../../aws/records.ts';
import type { Entry, Incident, IncidentStatus, IncidentView, LedgerEntry } from '../../core/incident.ts';
import { withDigest } from '../../core/plan.ts';
import type { Account } from '../../sandbox/account.ts';

export const RESPONDER = 'arn:aws:sts::111122223333:assumed-role/stopbath-responder/rosa';
/** Ends as they come in a real account: most of them a ticket and nothing changed. */
const ENDS: readonly IncidentStatus[] = ['observed', 'observed', 'contained', 'observed', 'restored', 'observed', 'observed', 'contained', 'held', 'observed', 'not-exposed', 'observed', 'unverified', 'observed', 'restored', 'failed'];

/** An incident as the suite writes it, whole, made up from a number: the same number gives the same incident. */
export function madeView(index: number, receivedAt: string, change: Partial<Incident> = {}): IncidentView {
  const at = (seconds: number) => new Date(Date.parse(receivedAt) + seconds * 1000).toISOString();
  const status = change.status ?? ENDS[index % ENDS.length] ?? 'observed';
  const acted = status === 'contained' || status === 'restored' || status === 'unverified';
  const name = `album-${index % 997}`;
  const id = change.id ?? `inc-${receivedAt.slice(0, 10).replaceAll('-', '')}-${index.toString(16).padStart(10, '0')}`;
  const incident: Incident = {
    id, playbook: status === 'observed' ? 'open-ticket' : 'quarantine-bucket', target: { kind: 'bucket', arn: `arn:aws:s3:::${name}`, name, account: '111122223333', region: 'us-east-1' },
    inputs: { level: 'public' }, title: `bucket ${name}: GuardDuty saw the bucket opened`, severity: 2 + (index % 8), status, recommendedMode: 'contain', mode: acted ? 'contain' : 'observe', drill: index % 50 === 0,
    actors: [], related: [], exposures: acted ? ['anyone can read objects (policy statement "Everyone")'] : [], actor: `arn:aws:iam::111122223333:user/deploy-bot with key AKIAIOSFODNN7EXAMPLE from 198.51.100.${index % 256}`,
    requestedBy: status === 'restored' ? RESPONDER : 'automatic', reason: 'GuardDuty saw the bucket opened to the world', eventTime: at(-2), receivedAt, decidedAt: at(0.2),
    containedAt: acted ? at(1 + (index % 7)) : null, verifiedAt: status === 'contained' || status === 'restored' ? at(5 + (index % 20)) : null, restoredAt: status === 'restored' ? at(86_400) : null,
    outcome: `${status}: as it was found`, ticket: { tracker: 'opscenter', id: `oi-${index}`, state: status === 'restored' ? 'closed' : 'open', since: at(2), reason: null, url: null, nextAt: null }, tickets: {}, ticketGap: null,
    executions: status === 'observed' ? [] : [`${id}-contain-1`], schemaVersion: 1, ...change,
  };
  const entry = (seconds: number, kind: Entry['kind'], text: string, detail: Entry['detail'] = {}, by = 'stopbath-dev-record'): Entry => ({ incident: id, at: at(seconds), kind, text, by, detail });
  const plan = withDigest({
    incident: id, playbook: 'quarantine-bucket', direction: 'contain', target: incident.target, level: 'public', notes: [], impact: { anonymousBefore: 'served' }, plannedAt: at(0.5),
    changes: [
      { seq: 1, setting: 'publicAccessBlock', title: 'Block public access: ACLs and policies', before: null, after: { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true } },
      { seq: 2, setting: 'tagging', title: 'Tag the bucket with the incident', before: [{ Key: 'team', Value: 'photos' }], after: [{ Key: 'team', Value: 'photos' }, { Key: 'stopbath-incident', Value: id }] },
    ],
  });
  const ledger = plan.changes.map((one): LedgerEntry => ({ ...one, incident: id, direction: 'contain', execution: `${id}-contain-1`, digest: plan.digest, intendedAt: at(0.8), doneAt: at(0.9), result: 'done' }));
  return {
    incident,
    plans: acted ? [plan] : [],
    ledger: acted ? ledger : [],
    progress: [],
    requests: [],
    approvals: [],
    entries: [
      entry(0, 'signal', `guardduty Policy:S3/BucketAnonymousAccessGranted, by ${incident.actor}`, { id: `finding-${index}` }, 'guardduty'),
      entry(0.2, 'decision', incident.reason, { mode: incident.mode }, 'stopbath-dev-triage'),
      ...(acted ? [entry(1, 'look', 'look 1: anonymous refused, another role of the account served', { verdict: 'pending' })] : []),
      ...(status === 'observed' ? [] : [entry(6, status === 'failed' ? 'failure' : 'outcome', incident.outcome, { status, execution: `${id}-contain-1` })]),
    ],
  };
}

/** Writes incidents into a suite's table, in the items that the suite itself writes, many at once and below HTTP. */
export async function writeViews(account: Account, tableName: string, views: Iterable<IncidentView>): Promise<void> {
  const arn = `arn:aws:iam::${account.accounts.home}:root`;
  const root = { kind: 'root', account: account.accounts.home, principalArn: arn, arn, userId: account.accounts.home } as const;
  const write = async (items: readonly Item[]) => account.world.call('dynamodb', 'BatchWriteItem', { RequestItems: { [tableName]: items.map((item) => ({ PutRequest: { Item: marshall(item) } })) } }, root);
  const made: Item[] = [];
  for (const view of views) {
    made.push(...itemsOf(view));
    while (made.length >= BATCH) await write(made.splice(0, BATCH));
  }
  if (made.length > 0) await write(made);
}

/** What BatchWriteItem takes. */
const BATCH = 25;

function itemsOf({ incident, plans, ledger, entries }: IncidentView): readonly Item[] {
  return [incidentItem(incident), ...plans.map(planItem), ...ledger.map(ledgerItem), ...entries.map((entry, index) => entryItem(`${entry.kind}/${index}`, entry))];
}
