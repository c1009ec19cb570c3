import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordDecision } from '../../aws/decisions.ts';
import { updateIncident } from '../../aws/incidents.ts';
import { put, type Table } from '../../aws/records.ts';
import type { Incident, IncidentView } from '../../core/incident.ts';
import { type Account, startAccount } from '../../sandbox/account.ts';
import { fetchSigned } from '../../sandbox/scenario/signed.ts';
import type { Credentials } from '../../sandbox/service.ts';
import { madeView, RESPONDER, writeViews } from '../../test/audit/made.ts';

const AUDITOR = 'arn:aws:iam::111122223333:role/auditor';
/** One every 12 hours, over 50 days that end before today: pages go over the ends of months. */
const START = Math.floor(Date.now() / 86_400_000 - 60) * 86_400_000;
const made: readonly IncidentView[] = Array.from({ length: 100 }, (_, index) => madeView(index, new Date(START + index * 43_200_000).toISOString(), index % 30 === 7 ? { actors: ['arn:aws:iam::111122223333:user/deploy-bot', `arn:aws:iam::111122223333:user/second-${index}`] } : {}));
const all = made.map(({ incident }) => incident);
/** A month that has at least 28 days of them, or its part. */
const MONTH = { since: all[0]?.receivedAt ?? '', until: `${all[99]?.receivedAt.slice(0, 7)}-01T00:00:00.000Z` };
const inMonth = ({ receivedAt }: Incident) => receivedAt < MONTH.until;
let account: Account;
let url: string;
let ada: Credentials;
let table: Table;

beforeAll(async () => {
  account = await startAccount();
  account.createRole('auditor', { trust: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' }] } });
  const deployment = await account.deploy({ config: { auditorRoles: [AUDITOR] } });
  url = deployment.urls['audit'] ?? '';
  ada = account.world.credentials(AUDITOR, 'ada', 'ecs-tasks.amazonaws.com');
  table = { settings: { STOPBATH_TABLE: deployment.name }, clients: { dynamo: DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin })) } };
  await writeViews(account, deployment.name, made);
});
afterAll(() => account.stop());

async function get(path: string, query: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number; readonly body: Answer }> {
  const address = new URL(`${url.replace(/\/$/, '')}${path}`);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  const response = await fetchSigned({ service: 'lambda', region: 'us-east-1', credentials: ada, method: 'GET', url: address, now: account.clock.now() });
  return { status: response.status, body: (await response.json()) as Answer };
}

interface Answer {
  readonly incidents: readonly Incident[];
  readonly ids: readonly string[];
  readonly views: readonly { readonly view: IncidentView; readonly records: readonly { readonly key: string; readonly seal: number }[] }[];
  readonly count: number;
  readonly decisions: readonly { readonly event: string }[];
  readonly cursor: string | null;
  readonly error: string;
}

async function walk(path: string, query: Readonly<Record<string, string>>, from: string | null = null): Promise<readonly Answer[]> {
  const pages: Answer[] = [];
  let cursor = from;
  do {
    const { status, body }: { readonly status: number; readonly body: Answer } = await get(path, cursor === null ? query : { ...query, cursor });
    expect({ status, error: body.error }).toEqual({ status: 200, error: undefined });
    pages.push(body);
    cursor = body.cursor;
  } while (cursor !== null);
  return pages;
}

async function idsOf(query: Readonly<Record<string, string>>): Promise<readonly string[]> {
  return (await walk('/history', query)).flatMap(({ incidents }) => incidents.map(({ id }) => id));
}

describe('GET /history', () => {
  const newest = all.map(({ id }) => id).toReversed();

  it('gives every incident once, newest first, whatever the page size', async () => {
    for (const limit of ['7', '50', '100', '200']) expect(await idsOf({ limit })).toEqual(newest);
    expect(await idsOf({ order: 'oldest', limit: '33' })).toEqual(newest.toReversed());
  });

  it('gives incidents as they are on record, without keys of the table', async () => {
    const [page] = await walk('/history', { since: all.at(-1)?.receivedAt ?? '' });
    expect(page?.incidents).toEqual([all.at(-1)]);
  });

  it('takes since in and leaves until out', async () => {
    const [from, to] = [all[20], all[60]];
    expect(await idsOf({ since: from?.receivedAt ?? '', until: to?.receivedAt ?? '', limit: '9' })).toEqual(all.slice(20, 60).map(({ id }) => id).toReversed());
    expect(await idsOf({ ...MONTH, until: MONTH.until.replace('T00:00:00.000Z', 'T02:00:00+02:00') })).toEqual(all.filter(inMonth).map(({ id }) => id).toReversed());
  });

  it.each<[name: string, query: Readonly<Record<string, string>>, matches: (incident: Incident) => boolean]>([
    ['a playbook', { playbook: 'open-ticket' }, ({ playbook }) => playbook === 'open-ticket'],
    ['a target', { target: 'arn:aws:s3:::album-3' }, ({ target }) => target.name === 'album-3'],
    ['an actor, by part of the address', { actor: '198.51.100.7' }, ({ actor }) => (actor ?? '').includes('198.51.100.7')],
    ['an actor who joined later, by part of the ARN', { actor: 'user/second-' }, ({ actors }) => actors.some((actor) => actor.includes('user/second-'))],
    ['an actor who asked', { actor: 'stopbath-responder/rosa' }, ({ requestedBy }) => requestedBy === RESPONDER],
    ['a status', { status: 'restored' }, ({ status }) => status === 'restored'],
    ['several statuses', { status: 'failed,unverified' }, ({ status }) => status === 'failed' || status === 'unverified'],
    ['a mode', { mode: 'contain' }, ({ mode }) => mode === 'contain'],
    ['drills', { drill: 'true' }, ({ drill }) => drill],
    ['no drills', { drill: 'false' }, ({ drill }) => !drill],
    ['all of these together', { status: 'contained', mode: 'contain', drill: 'false', playbook: 'quarantine-bucket', ...MONTH }, (incident) => incident.status === 'contained' && !incident.drill && inMonth(incident)],
  ])('filters by %s', async (_, query, matches) => {
    const wanted = all.filter(matches).map(({ id }) => id).toReversed();
    expect(wanted.length).toBeGreaterThan(0);
    expect(wanted.length).toBeLessThan(all.length);
    for (const limit of ['2', '200']) expect(await idsOf({ ...query, limit })).toEqual(wanted);
    const counts = await walk('/history/count', query);
    expect(counts.reduce((sum, { count }) => sum + count, 0)).toBe(wanted.length);
  });

  it('finds nothing where nothing matches, and comes to an end', async () => {
    expect(await idsOf({ target: 'arn:aws:s3:::nobodys' })).toEqual([]);
    expect(await idsOf({ until: all[0]?.receivedAt ?? '' })).toEqual([]);
  });

  it('keeps its place while incidents close and new ones come in', async () => {
    // A slow machine may answer with less than a page: from wherever the first rows end.
    let first = await get('/history', { limit: '40', order: 'oldest' });
    while (first.body.incidents.length === 0) first = await get('/history', { limit: '40', order: 'oldest', cursor: first.body.cursor ?? '' });
    const [closed, later] = [all[70], madeView(500, new Date(START + 100 * 43_200_000).toISOString())];
    await updateIncident(table, closed?.id ?? '', { status: 'not-exposed' });
    await writeViews(account, table.settings.STOPBATH_TABLE, [later]);
    const rest = await walk('/history', { limit: '200', order: 'oldest' }, first.body.cursor);
    expect([...first.body.incidents, ...rest.flatMap(({ incidents }) => incidents)].map(({ id }) => id)).toEqual([...all, later.incident].map(({ id }) => id));
  });

  it('refuses a cursor that was changed, cut, made up, or is of another question, and names it', async () => {
    const query = { limit: '5', status: 'observed' };
    const { body } = await get('/history', query);
    const cursor = body.cursor ?? '';
    const [position = '', check = ''] = cursor.split('.');
    const flipped = `${position.slice(0, -2)}${position.at(-2) === 'A' ? 'B' : 'A'}${position.slice(-1)}.${check}`;
    for (const mangled of [flipped, position, cursor.slice(0, -1), `${cursor}0`, `.${check}`, 'null', '', '%00', '{"$gt":""}', Buffer.from('2026-11#../../META').toString('base64url')]) {
      const { status, body: refusal } = await get('/history', { ...query, cursor: mangled });
      expect({ mangled, status, error: refusal.error }).toEqual({ mangled, status: 400, error: expect.stringMatching(/^cursor is ".*": it was changed/) });
    }
    expect((await get('/history', { limit: '5', status: 'held', cursor })).body.error).toMatch(/^cursor is /);
    expect((await get('/history/ids', { ...query, cursor })).body.error).toMatch(/^cursor is /);
    expect((await get('/history', { ...query, limit: '9', cursor })).status).toBe(200);
    expect((await get('/incidents', { which: 'open', before: mangledBefore })).body.error).toMatch(/^cursor is /);
  });
  const mangledBefore = '2026-11-24T00:00:00.000Z#inc-1';

  it.each<[query: Readonly<Record<string, string>>, message: string]>([
    [{ status: 'containd' }, 'status is "containd": use open, observed,'],
    [{ mode: 'all' }, 'mode is "all": use observe, approve or contain'],
    [{ since: 'yesterday' }, 'since is "yesterday": use an instant'],
    [{ since: '2026-11-02T00:00:00Z', until: '2026-11-01T00:00:00Z' }, 'since is 2026-11-02T00:00:00.000Z: it must be before until, 2026-11-01T00:00:00.000Z'],
    [{ target: 'family-photos' }, 'target is "family-photos": use the ARN'],
    [{ drill: 'yes' }, 'drill is "yes": use true or false'],
    [{ limit: '0' }, 'limit is "0": use a whole number from 1 to 200'],
    [{ limit: '1e9' }, 'limit is "1e9": use a whole number from 1 to 200'],
    [{ order: 'random' }, 'order is "random": use newest or oldest'],
    [{ playbok: 'x' }, 'Unrecognized key: "playbok": there are since, until,'],
    [{ actor: ' ' }, 'actor is empty'],
  ])('says what is wrong with %j', async (query, message) => {
    expect(await get('/history', query)).toMatchObject({ status: 400, body: { error: expect.stringContaining(message) } });
  });
});

describe('GET /history/ids and /views', () => {
  it('give everything of every incident, each once', async () => {
    const ids = (await walk('/history/ids', { order: 'oldest', limit: '30' })).flatMap((page) => page.ids);
    expect(ids.slice(0, 100)).toEqual(all.map(({ id }) => id));
    const { body } = await get('/views', { ids: ids.slice(30, 55).join() });
    expect(body.views.map(({ view }) => view)).toEqual(made.slice(30, 55));
  });

  it('filter like the history', async () => {
    expect((await walk('/history/ids', { ...MONTH, status: 'restored', order: 'oldest' })).flatMap((page) => page.ids)).toEqual(all.filter(inMonth).filter(({ status }) => status === 'restored').map(({ id }) => id));
  });

  it('say which sealed records there are of each', async () => {
    const id = all[3]?.id ?? '';
    const record = { key: `records/execution/${id}-contain-1.json`, versionId: 'v1', sha256: 'ab'.repeat(32), at: all[3]?.receivedAt, kind: 'execution', drill: false, seal: 12 };
    await put(table, { pk: `RECORD#${id}`, sk: `RECORD#${record.key}`, ...record });
    const { body } = await get('/views', { ids: id });
    expect(body.views.map(({ records }) => records)).toEqual([[{ key: record.key, kind: 'execution', sha256: record.sha256, at: record.at, seal: 12 }]]);
  });

  it.each([
    ['', 400, 'ids names 0 incidents: name 1 to 25'],
    [Array.from({ length: 26 }, (_, index) => `inc-${index}`).join(), 400, 'ids names 26'],
    ['inc-nobody', 404, 'there is no incident "inc-nobody"'],
  ])('refuse ids %j', async (ids, status, error) => {
    expect(await get('/views', { ids })).toMatchObject({ status, body: { error: expect.stringContaining(error) } });
  });
});

describe('GET /seals', () => {
  it('gives the seals since a time, page by page, and what waits for one', async () => {
    const at = (hour: number) => new Date(START + hour * 3_600_000).toISOString();
    const seal = (number: number) => ({ number, key: `seals/${String(number).padStart(10, '0')}.jsonl`, versionId: 'v', sha256: 'cd'.repeat(32), at: at(number), from: at(number - 1), due: at(number + 2), count: 3, first: null, last: null, keys: [], lost: 0 });
    await Promise.all([1, 2, 3].map(async (number) => put(table, { pk: 'SEALS', sk: `SEAL#${String(number).padStart(10, '0')}`, ...seal(number) })));
    await put(table, { pk: 'UNSEALED#outcome', sk: 'records/outcome/x.json', kind: 'outcome', id: 'x', incident: null, at: at(3), drill: false, sha256: '' });
    const { body } = await get('/seals', { since: at(2) });
    expect(body).toMatchObject({ seals: [{ number: 2, due: at(4) }, { number: 3, lost: 0 }], waiting: [{ key: 'records/outcome/x.json', at: at(3) }], cursor: null });
    expect((await get('/seals', { cursor: 'x' })).body.error).toMatch(/^cursor is "x"/);
  });
});

describe('GET /decisions/<day>', () => {
  it('gives a day in pages, each decision once', async () => {
    const day = new Date(START).toISOString().slice(0, 10);
    const decision = (index: number) => ({ event: `event-${String(index).padStart(4, '0')}`, source: 'guardduty', type: 'x', decision: 'record', reason: 'r'.repeat(2000), targets: [], incidents: [], suppressedBy: null, receivedAt: `${day}T10:00:00.000Z`, decidedAt: `${day}T10:00:00.100Z`, drill: false });
    for (let index = 0; index < 600; index += 50) await Promise.all(Array.from({ length: 50 }, async (_, more) => recordDecision(table, decision(index + more))));
    const pages = await walk(`/decisions/${day}`, {});
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flatMap(({ decisions }) => decisions.map(({ event }) => event))).toEqual(Array.from({ length: 600 }, (_, index) => decision(index).event));
    expect(await get('/decisions/yesterday')).toMatchObject({ status: 400, body: { error: expect.stringContaining('name a day') } });
  });
});

describe('the audit URL', () => {
  it('writes down who read what, and what it refused', async () => {
    await get('/history', { limit: '1', actor: 'somebody' });
    await get('/nothing');
    const lines = account.lambda.logs.flatMap(({ text }) => (text.startsWith('{') ? [JSON.parse(text) as Readonly<Record<string, unknown>>] : []));
    const by = `arn:aws:sts::111122223333:assumed-role/auditor/ada`;
    expect(lines).toContainEqual(expect.objectContaining({ message: 'read', by, path: '/history', query: expect.stringContaining('"actor":"somebody"'), status: 200 }));
    expect(lines).toContainEqual(expect.objectContaining({ message: 'refused', by, path: '/nothing', status: 404 }));
  });
});
