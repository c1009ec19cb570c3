import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Approval } from '../core/approval.ts';
import type { RecordPointer } from '../core/audit-numbers.ts';
import { PHASE, type Direction, type Entry, type Incident, type IncidentView, type Plan, type Progress, type Request } from '../core/incident.ts';
import type { Lease } from '../core/lease.ts';
import { historyKeys } from './history.ts';
import { ledgerIn } from './ledger.ts';
import { partitionOf, type Partition } from './partitions.ts';
import { withRun } from '../core/runs.ts';
import { worstOf } from '../core/ticket/state.ts';
import { bodies, body, count, get, packed, put, putNew, query, queryIndex, update, type Condition, type Item, type Table } from './records.ts';

const META = 'META';
const pkOf = (incident: string) => partitionOf('INCIDENT', incident);

/** @returns false where it exists: somebody (or an earlier try) was first */
export async function createIncident(table: Table, incident: Incident): Promise<boolean> {
  return await putNew(table, incidentItem(incident));
}

export function incidentItem(incident: Incident): Item {
  // Related incidents are a set that grows by itself, from both ends.
  const { related: _, ...stored } = incident;
  return { pk: pkOf(incident.id), sk: META, ...indexed(incident.status), ...historyKeys(incident), ...stored, ...searchable(incident) };
}

/** @throws {NoSuchIncidentError} */
export async function getIncident(table: Table, id: string): Promise<Incident> {
  const incident = await findIncident(table, id);
  if (!incident) throw new NoSuchIncidentError(`there is no incident ${JSON.stringify(id)}; stopbath incidents lists them`);
  return incident;
}

export async function findIncident(table: Table, id: string): Promise<Incident | null> {
  const item = await get(table, pkOf(id), META);
  return item ? incidentOf(item) : null;
}

export class NoSuchIncidentError extends Error {
  override readonly name = 'NoSuchIncidentError';
}

export async function updateIncident(table: Table, id: string, change: Partial<Incident>): Promise<void> {
  const written = await update(table, { pk: pkOf(id), sk: META }, { ...(change.status ? indexed(change.status) : {}), ...change, ...searchable(change) });
  if (!written) throw new NoSuchIncidentError(`there is no incident ${JSON.stringify(id)}`);
}

/** @returns false where somebody else moved it since it was seen so, or it has ended */
export async function moveLease(table: Table, id: string, seen: Lease, lease: Lease): Promise<boolean> {
  return await update(table, { pk: pkOf(id), sk: META }, { lease }, { expression: 'lease.#until = :until AND lease.#owner = :owner', values: { ':until': seen.until, ':owner': seen.owner }, names: { '#until': 'until', '#owner': 'owner' } });
}

/** @returns false where it is not `open` any more: whoever ended it knows better */
export async function failOpen(table: Table, id: string, outcome: string): Promise<boolean> {
  return await update(table, { pk: pkOf(id), sk: META }, { status: 'failed', outcome, ...indexed('failed') }, { expression: '#status = :open', values: { ':open': 'open' }, names: STATUS });
}

/** The same for what a person asked for and is not begun. @returns false where it has gone on since it was seen */
export async function failUnbegun(table: Table, seen: Incident): Promise<boolean> {
  const outcome = `${seen.requestedBy} asked for it, and it was never started: nothing was changed`;
  return await update(table, { pk: pkOf(seen.id), sk: META }, { status: 'failed', outcome, ...indexed('failed') }, asSeen(seen));
}

/**
 * Adds an execution to those of an incident, before it is started, with what that makes of the incident; a second time changes nothing.
 * Only what stands as it was seen takes one: what was started meanwhile, or has begun to write, is not overtaken.
 *
 * @throws {OvertakenError}
 */
export async function addExecution(table: Table, seen: Incident, execution: string, change: Partial<Incident> = {}): Promise<void> {
  const { id, status, executions } = seen;
  if (executions.includes(execution)) return;
  const attributes = { ...change, executions: withRun(seen, execution), ...(change.status ? indexed(change.status) : {}), ...searchable(change) };
  if (await update(table, { pk: pkOf(id), sk: META }, attributes, asSeen(seen))) return;
  // An earlier try may have added it and lost the answer.
  const present = await getIncident(table, id);
  if (!present.executions.includes(execution)) throw new OvertakenError(`${id} was ${status} and is ${present.status}, ${present.executions.at(-1) ?? 'nothing'} runs or ran last: ${execution} was not started`);
}

/** What was decided was decided about an incident that has gone on since: look at it again. */
export class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/**
 * The first write of a run says that it writes: from then on nobody starts another one beside it.
 *
 * @returns false where another one was started since the incident was read
 */
export async function takeTurn(table: Table, seen: Incident, direction: Direction, execution: string): Promise<boolean> {
  const status = WRITING[direction];
  return await update(table, { pk: pkOf(seen.id), sk: META }, { status, turn: execution, ...indexed(status) }, asSeen(seen));
}

/** Whether a run has said so already, and nothing was started since. */
export function hasTurn({ status, turn, executions }: Incident, direction: Direction, execution: string): boolean {
  return status === WRITING[direction] && turn === execution && executions.at(-1) === execution;
}

const WRITING = { contain: 'containing', restore: 'restoring' } as const;

/**
 * What became of a run, where the incident still is what was judged.
 *
 * @returns false where something was started on it, or it became something else, since it was read
 */
export async function settle(table: Table, seen: Incident, change: Partial<Incident> & Pick<Incident, 'status'>): Promise<boolean> {
  return await update(table, { pk: pkOf(seen.id), sk: META }, { ...indexed(change.status), ...change, ...searchable(change) }, asSeen(seen));
}

const STATUS = { '#status': 'status' };

/** Each execution has a name of its own and is added at the end, so that as many with the same last one are the same ones. */
function asSeen({ executions, status }: Pick<Incident, 'executions' | 'status'>): Condition {
  const last = executions.at(-1);
  const expression = `size(executions) = :size AND #status = :seen${last === undefined ? '' : ` AND executions[${executions.length - 1}] = :last`}`;
  return { expression, values: { ':size': executions.length, ':seen': status, ...(last === undefined ? {} : { ':last': last }) }, names: STATUS };
}

/** Makes an incident point at others; those it points at already stay. */
export async function relate(table: Table, id: string, others: readonly string[]): Promise<void> {
  await table.clients.dynamo.send(
    new UpdateCommand({
      TableName: table.settings.STOPBATH_TABLE,
      Key: { pk: pkOf(id), sk: META },
      UpdateExpression: 'ADD related :others',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':others': new Set(others) },
    }),
  );
}

/** Newest first. `before`: the `cursor` of the page before. */
export async function listIncidents(
  table: Table,
  which: 'open' | 'closed',
  limit: number,
  before?: string,
): Promise<{ readonly incidents: readonly Incident[]; readonly cursor: string | null }> {
  const items = await queryIndex(table, `INCIDENTS#${which}`, limit, before);
  const last = items.at(-1);
  return { incidents: items.map(incidentOf), cursor: items.length === limit && last ? String(last['gsi1sk']) : null };
}

/** Everything there is of an incident, entries by time. */
export async function viewIncident(table: Table, id: string): Promise<IncidentView> {
  return viewOf(await itemsOf(table, id), id);
}

/** What a view shows, partition by partition. The keys of items say in every one of them what they are. */
const SHOWN: readonly Partition[] = ['INCIDENT', 'PLAN', 'LEDGER', 'REQUEST', 'APPROVAL'];

/** All items of an incident but its tokens and its index of sealed records; none where there is no such incident. */
export async function itemsOf(table: Table, id: string): Promise<readonly Item[]> {
  return (await Promise.all(SHOWN.map(async (partition) => await query(table, partitionOf(partition, id))))).flat();
}

/** The same, with where its sealed records lie. */
export async function viewWithRecords(table: Table, id: string): Promise<{ readonly view: IncidentView; readonly records: readonly RecordPointer[] }> {
  const [view, records] = await Promise.all([viewIncident(table, id), query(table, partitionOf('RECORD', id), 'RECORD#')]);
  return { view, records: records.map(pointerOf).toSorted((a, b) => a.at.localeCompare(b.at)) };
}

function viewOf(items: readonly Item[], id: string): IncidentView {
  const meta = items.find((item) => item.sk === META);
  if (!meta) throw new NoSuchIncidentError(`there is no incident ${JSON.stringify(id)}; stopbath incidents lists them`);
  const incident = incidentOf(meta);
  return {
    incident,
    plans: bodies<Plan>(items, 'PLAN#').toSorted((a, b) => a.plannedAt.localeCompare(b.plannedAt)),
    ledger: ledgerIn(items),
    entries: bodies<Entry>(items, 'ENTRY#').toSorted((a, b) => a.at.localeCompare(b.at)),
    progress: bodies<Progress>(items, 'PROGRESS#').toSorted((a, b) => a.startedAt.localeCompare(b.startedAt)),
    // What was overtaken counts for nothing.
    requests: bodies<Request>(items, 'REQUEST#').filter(({ execution }) => incident.executions.includes(execution)).toSorted((a, b) => a.at.localeCompare(b.at)),
    approvals: bodies<Approval>(items, 'APPROVAL#').toSorted((a, b) => a.requestedAt.localeCompare(b.requestedAt)),
  };
}

/**
 * One line of an incident's history, once.
 *
 * @param key - what it is about (`<execution>/look/3`): a retry that says the same again adds nothing
 */
export async function addEntry(table: Table, key: string, entry: Entry): Promise<void> {
  await putNew(table, entryItem(key, entry));
}

/** How many lines about something an incident's history has (`signal/`); no more than `most` are counted. */
export async function countEntries(table: Table, incident: string, about: string, most: number): Promise<number> {
  return await count(table, pkOf(incident), `ENTRY#${about}`, most);
}

export function entryItem(key: string, entry: Entry): Item {
  return { pk: pkOf(entry.incident), sk: `ENTRY#${key}`, json: JSON.stringify(entry) };
}

/** Says how far a step has come; the last word stands. */
export async function saveProgress(table: Table, progress: Progress): Promise<void> {
  await put(table, { pk: pkOf(progress.incident), sk: `PROGRESS#${progress.execution}#${progress.what}`, json: JSON.stringify(progress) });
}

/** The last word stands: the digest holds what is done, and what is said beside it (who would feel it, how many links) is as it was last seen. */
export async function savePlan(table: Table, plan: Plan): Promise<void> {
  await put(table, planItem(plan));
}

export function planItem(plan: Plan): Item {
  return { pk: partitionOf('PLAN', plan.incident), sk: `PLAN#${plan.digest}`, ...packed(plan) };
}

export async function getPlan(table: Table, incident: string, digest: string): Promise<Plan | null> {
  const item = await get(table, partitionOf('PLAN', incident), `PLAN#${digest}`);
  return item ? body<Plan>(item) : null;
}

/** @returns false where the same was asked for at the same moment: nothing is written twice */
export async function saveRequest(table: Table, request: Request): Promise<boolean> {
  return await putNew(table, requestItem(request));
}

export function requestItem(request: Request): Item {
  return { pk: partitionOf('REQUEST', request.incident), sk: `REQUEST#${request.execution}`, json: JSON.stringify(request) };
}

/** Who asked for an execution; `null` where nobody did, because an event started it. What was asked for and never started is under no execution's name. */
export async function getRequest(table: Table, incident: string, execution: string): Promise<Request | null> {
  const item = await get(table, partitionOf('REQUEST', incident), `REQUEST#${execution}`);
  return item ? body<Request>(item) : null;
}

function indexed(status: Incident['status']): { readonly gsi1pk: string } {
  return { gsi1pk: `INCIDENTS#${PHASE[status] === 'over' ? 'closed' : 'open'}` };
}

/** DynamoDB finds a part of a text, and of a list whole elements only: everybody who was named stands in one text too. */
function searchable({ actors }: Pick<Partial<Incident>, 'actors'>): { readonly actorsText?: string } {
  return actors === undefined ? {} : { actorsText: actors.join(' ') };
}

function pointerOf({ key, kind, sha256, at, seal }: Item): RecordPointer {
  return { key: String(key), kind: String(kind), sha256: String(sha256), at: String(at), seal: Number(seal) };
}

export function incidentOf(item: Item): Incident {
  const { pk: _pk, sk: _sk, gsi1pk: _gsi1pk, gsi1sk: _gsi1sk, gsi2pk: _gsi2pk, gsi3pk: _gsi3pk, actorsText: _actorsText, ...incident } = item;
  const known = incident as Partial<Incident> as Incident;
  // An item's schema version is read with the item: what it says is in the shape of today.
  return { ...known, schemaVersion: 1, ticket: worstOf(known.tickets ?? {}) ?? known.ticket, actors: listOr(incident['actors'], known.actors), related: listOr(incident['related'], known.related) };
}

/** What an incident did not have when it was stored is empty. */
function listOr(stored: unknown, known: readonly string[]): readonly string[] {
  return Array.isArray(stored) ? known : [];
}
