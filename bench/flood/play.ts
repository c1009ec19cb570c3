import { join } from 'node:path';
import { z } from 'zod';
import { bucketEvents, type Prepared } from '../../sandbox/faults/cases.ts';
import { rest } from '../../sandbox/faults/run.ts';
import type { Stage } from '../../sandbox/faults/stage.ts';
import type { EventEnvelope } from '../../sandbox/services/events.ts';
import { longestChain } from '../path/chain.ts';
import { createRecorder, type Call } from '../path/way.ts';

/** What one incident's own records were before a flood about its target, and are after it. */
export interface Kept {
  readonly events: number;
  readonly seconds: number;
  /** Calls of AWS's that triage made for an event, on the average. */
  readonly calls: number;
  /** Items of the incident in the table, and their size. */
  readonly items: { readonly before: number; readonly after: number };
  readonly kilobytes: { readonly before: number; readonly after: number };
  readonly executions: { readonly before: number; readonly after: number };
  readonly tickets: number;
  /** Deliveries that decision records tell of. */
  readonly onRecord: number;
  /** What is left on the functions' heap after it, over what was there a tenth of the way in. */
  readonly heap: number;
}

/** How many are under way at once: a machine of two cores is busy with these, as Lambda is with hundreds. */
const AT_ONCE = 8;

/** A finding about a contained bucket again and again: seen once more each time, as GuardDuty updates it. */
export async function repeats(stage: Stage, count: number): Promise<Kept> {
  const { one, finding } = await containedBucket(stage);
  return await floodOf(stage, one, count, (index) => update(finding, stage, { count: index + 2 }));
}

/** As many CloudTrail events about a contained bucket, each another one; every fiftieth by somebody else. */
export async function distinct(stage: Stage, count: number): Promise<Kept> {
  const { one, trail } = await containedBucket(stage);
  return await floodOf(stage, one, count, (index) => another(trail, stage, index, now(stage)));
}

export function another(trail: EventEnvelope, { account }: Stage, index: number, time: string): EventEnvelope {
  const detail = Object(trail.detail);
  const somebody = { userIdentity: { ...Object(detail.userIdentity), arn: `arn:aws:iam::${account.accounts.home}:user/somebody-${index}`, userName: `somebody-${index}`, accessKeyId: `AKIA${String(index).padStart(16, '0')}` } };
  return { ...trail, id: `flood-${index}`, time, detail: { ...detail, eventID: `flood-${index}`, eventTime: time, ...(index % 50 === 0 ? somebody : {}) } };
}

/** What became of one bucket that somebody opened again each time it was contained. */
export interface Reopened {
  readonly times: number;
  /** Times it was found shut again, and proven. */
  readonly contained: number;
  readonly severity: number;
  /** The incident's own item, and how many executions it lists. */
  readonly kilobytes: number;
  readonly executions: number;
  readonly tickets: number;
}

/** A bucket that is opened again so many times by somebody who may do that, each time it has been contained. */
export async function reopened(stage: Stage, times: number): Promise<Reopened> {
  const { account, call } = stage;
  const { one, trail } = await containedBucket(stage);
  const Bucket = nameOf(one);
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Sid: 'Everyone', Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `${one.arn}/*` }] });
  let contained = 0;
  for (let index = 1; index <= times; index++) {
    await call('s3:DeletePublicAccessBlock', { Bucket });
    await call('s3:PutBucketPolicy', { Bucket, Policy });
    account.s3.settle();
    const event = another(trail, stage, index, now(stage));
    account.events.deliver({ ...event, id: `reopened-${index}`, detail: { ...Object(event.detail), eventID: `reopened-${index}` } });
    await rest(stage, one);
    if ((await stage.find(one.arn))?.incident.status === 'contained' && !(await one.open())) contained++;
  }
  const incident = (await stage.find(one.arn))?.incident;
  if (!incident) throw new Error(`there is no incident of ${one.arn}`);
  const [meta] = (await partition(stage, `INCIDENT#${incident.id}`)).filter(({ sk }) => z.object({ S: z.string() }).parse(sk).S === 'META');
  return { times, contained, severity: incident.severity, kilobytes: JSON.stringify(meta).length / 1024, executions: incident.executions.length, tickets: await stage.ticketsOf(incident.id) };
}

/** `arn:aws:s3:::name` → `name` */
export function nameOf({ arn }: Prepared): string {
  return arn.split(':').at(-1) ?? arn;
}

/** What an attacker's decoys and a real critical incident among them came to. */
export interface Decoys {
  readonly buckets: number;
  readonly contained: number;
  /** Held for want of a budget: each waits for an approval, and says why. */
  readonly held: number;
  /** Neither contained nor held. */
  readonly other: number;
  /** Held ones without an approval that waits, or without a ticket or a gap that says that there is none. */
  readonly untold: number;
  readonly critical: string;
  /** A critical incident alone, and another one in the middle of the decoys. */
  readonly alone: Took;
  readonly among: Took;
}

/** What it took from an event to the acknowledged write that shuts the public out. */
export interface Took {
  readonly ms: number;
  /** Calls in sequence: what others make a function try again, or wait for, shows here on a machine that is busy, too. */
  readonly steps: number;
}

const CRITICAL = 9.5;
/** So many playbooks run at once: more than two cores' worth would measure the machine. */
const RUNNING = 2;

/** So many buckets opened by an attacker, and one more whose finding is critical, when half of them have been reported. */
export async function decoys(stage: Stage, buckets: number, latency: number): Promise<Decoys> {
  const { account, deployment } = stage;
  const critical = async () => {
    const one = await bucketEvents(stage);
    return { one, deliver: () => account.events.deliver(withSeverity(one.events[0], CRITICAL)) };
  };
  const recorder = createRecorder(deployment.name, latency);
  account.around(recorder.around);
  const took: Took[] = [];
  // The first one loads the functions.
  for (let round = 0; round < 2; round++) {
    const { one, deliver } = await critical();
    deliver();
    await rest(stage, one);
    took.push(await tookOf(stage, one, recorder.calls));
  }
  const targets = await Promise.all(Array.from({ length: buckets }, () => bucketEvents(stage)));
  const real = await critical();
  const waiting = new Set<string>();
  for (const [index, { contain }] of targets.entries()) {
    await contain();
    if (index === Math.floor(buckets / 2)) real.deliver();
    do await new Promise((resolve) => void setTimeout(resolve, latency));
    while ((await acting(stage, waiting)) >= RUNNING + (index >= Math.floor(buckets / 2) ? 1 : 0));
  }
  for (let looks = 0; looks < 100 && (await unsettled(stage, [real.one, ...targets])) > 0; looks++) {
    await Promise.all([account.events.idle(), account.lambda.idle()]);
    await account.clock.sleep(5000);
  }
  account.around(null);
  const views = (await Promise.all(targets.map(async ({ arn }) => await stage.find(arn)))).filter((view) => view !== null);
  const held = views.filter(({ incident }) => incident.status === 'waiting');
  const contained = views.filter(({ incident }) => incident.containedAt !== null);
  return {
    buckets,
    contained: contained.length,
    held: held.length,
    other: buckets - contained.length - held.length,
    untold: held.filter(({ approvals, incident }) => !approvals.some(({ state, gates }) => state === 'waiting' && gates.includes('budget')) || (incident.ticket === null && incident.ticketGap === null)).length,
    critical: (await stage.find(real.one.arn))?.incident.status ?? 'without an incident',
    alone: took.at(-1) ?? { ms: 0, steps: 0 },
    among: await tookOf(stage, real.one, recorder.calls),
  };
}

/** Playbooks that run and wait for nobody. What waits for an approval goes on waiting. */
async function acting(stage: Stage, waiting: Set<string>): Promise<number> {
  const running = (await stage.running()).filter((name) => /-contain-\d+$/.test(name) && !waiting.has(name));
  for (const name of running) if ((await stage.read(name.replace(/-contain-\d+$/, '')))?.incident.status === 'waiting') waiting.add(name);
  return running.filter((name) => !waiting.has(name)).length;
}

async function unsettled(stage: Stage, targets: readonly Prepared[]): Promise<number> {
  const views = await Promise.all(targets.map(async ({ arn }) => await stage.find(arn)));
  return views.filter((view) => !view || ['open', 'containing'].includes(view.incident.status) || (view.incident.status === 'waiting' && view.incident.ticket === null)).length;
}

/** What it took until a bucket was shut, of the calls that were made about it; endless where it was not. */
export async function tookOf(stage: Stage, one: Prepared, calls: readonly Call[]): Promise<Took> {
  const view = await stage.find(one.arn);
  const names = [nameOf(one), view?.incident.id ?? one.arn];
  const own = calls.filter(({ input }) => names.some((name) => textOf(input).includes(name)));
  const write = own.find(({ what }) => what === 's3:PutPublicAccessBlock');
  if (!view?.incident.containedAt || !write) return { ms: Number.POSITIVE_INFINITY, steps: Number.POSITIVE_INFINITY };
  const begun = Math.min(...own.map(({ begin }) => begin));
  return { ms: write.end - begun, steps: longestChain(own, write).filter(({ what }) => what !== 'states:StartExecution').length };
}

/** What a call was asked for, to look for a name in. */
export function textOf(input: unknown): string {
  return JSON.stringify(input, (_, value: unknown) => (value instanceof Uint8Array ? '' : typeof value === 'bigint' ? String(value) : value)) ?? '';
}

export async function containedBucket(stage: Stage): Promise<{ readonly one: Prepared; readonly finding: EventEnvelope; readonly trail: EventEnvelope }> {
  const one = await bucketEvents(stage);
  const [finding, trail] = one.events;
  if (!finding || !trail) throw new Error('a bucket has a finding and an event of CloudTrail');
  await one.contain();
  await rest(stage, one);
  return { one, finding, trail };
}

async function floodOf(stage: Stage, one: Prepared, count: number, eventOf: (index: number) => EventEnvelope): Promise<Kept> {
  const { account } = stage;
  const before = await kept(stage, one);
  const heapOf = heapReader(stage);
  let [calls, early, seconds] = [0, 0, 0];
  account.around((call, run) => {
    if (call.caller.kind === 'role' && call.caller.principalArn.endsWith('-triage')) calls++;
    return run();
  });
  const mark = Math.max(AT_ONCE, Math.floor(count / 10 / AT_ONCE) * AT_ONCE);
  for (let from = 0; from < count; from += AT_ONCE) {
    if (from === mark) early = await heapOf();
    const began = performance.now();
    for (let index = from; index < Math.min(count, from + AT_ONCE); index++) account.events.deliver(eventOf(index));
    await Promise.all([account.events.idle(), account.lambda.idle()]);
    seconds += (performance.now() - began) / 1000;
  }
  account.around(null);
  const heap = (await heapOf()) / (early || 1);
  await rest(stage, one);
  const after = await kept(stage, one);
  const view = await stage.find(one.arn);
  return {
    events: count, seconds, calls: calls / count, heap,
    items: { before: before.items, after: after.items },
    kilobytes: { before: before.kilobytes, after: after.kilobytes },
    executions: { before: before.executions, after: after.executions },
    tickets: view ? await stage.ticketsOf(view.incident.id) : 0,
    onRecord: after.onRecord - before.onRecord,
  };
}

const page = z.object({ Items: z.array(z.record(z.string(), z.unknown())), LastEvaluatedKey: z.unknown().optional() });

export async function kept(stage: Stage, { arn }: Prepared): Promise<{ readonly items: number; readonly kilobytes: number; readonly executions: number; readonly onRecord: number }> {
  const view = await stage.find(arn);
  if (!view) throw new Error(`there is no incident of ${arn}`);
  const items = (await Promise.all(['INCIDENT', 'PLAN', 'LEDGER', 'REQUEST', 'APPROVAL', 'RECORD'].map(async (of) => await partition(stage, `${of}#${view.incident.id}`)))).flat();
  const decisions = await partition(stage, `DECISION#${now(stage).slice(0, 10)}`);
  return {
    items: items.length,
    kilobytes: JSON.stringify(items).length / 1024,
    executions: view.incident.executions.length,
    onRecord: decisions.filter((item) => JSON.stringify(item).includes(view.incident.id)).reduce((sum, item) => sum + Number(z.object({ N: z.string() }).parse(item['deliveries']).N), 0),
  };
}

async function partition(stage: Stage, pk: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const items: Readonly<Record<string, unknown>>[] = [];
  let ExclusiveStartKey: unknown;
  do {
    const { Items, LastEvaluatedKey } = page.parse(await stage.call('dynamodb:Query', { TableName: stage.deployment.name, KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': { S: pk } }, ConsistentRead: true, ...(ExclusiveStartKey === undefined ? {} : { ExclusiveStartKey }) }));
    items.push(...Items);
    ExclusiveStartKey = LastEvaluatedKey;
  } while (ExclusiveStartKey !== undefined);
  return items;
}

export function heapReader({ account, call, deployment }: Stage): () => Promise<number> {
  account.lambda.deploy({ name: 'memory', description: 'the functions’ heap', module: join(import.meta.dirname, 'memory.ts'), role: `arn:aws:iam::${account.accounts.home}:role/${deployment.name}-dead-letter`, timeoutSeconds: 60, memorySize: 128, environment: {} });
  return async () => {
    const { Payload } = z.object({ Payload: z.instanceof(Uint8Array) }).parse(await call('lambda:Invoke', { FunctionName: 'memory' }));
    return Number(Buffer.from(Payload).toString());
  };
}

/** GuardDuty sends a finding again when it has seen more of the same. */
function update(finding: EventEnvelope, stage: Stage, { count }: { readonly count: number }): EventEnvelope {
  const detail = Object(finding.detail);
  return { ...finding, id: `${finding.id}-${count}`, time: now(stage), detail: { ...detail, updatedAt: now(stage), service: { ...detail.service, count, eventLastSeen: now(stage) } } };
}

export function withSeverity(event: EventEnvelope | undefined, severity: number): EventEnvelope {
  if (!event) throw new Error('a bucket has a finding');
  return { ...event, detail: { ...Object(event.detail), severity } };
}

export function now({ account }: Stage): string {
  return new Date(account.clock.now()).toISOString();
}
