import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Tools } from '../../aws/function.ts';
import { readSecret } from '../../aws/secrets.ts';
import { askForTicket, freeTickets, holdTicket, letTicketGo, saveTicket, ticketsOf } from '../../aws/tickets.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { makeTable, mockTable, toolsOf } from '../../test/trackers/table.ts';
import { fakeJira, type Fake } from '../../test/trackers/fakes.ts';
import { madeView, writeViews } from '../../test/audit/made.ts';
import { HOSTILE } from '../../test/hostile.ts';
import { chooseTrackers, writeTicket } from './ticket.ts';

const SECRET = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:jira-AbCdEf';
let account: Account;
let jira: Fake;
let tools: Tools;
let table: ReturnType<typeof mockTable>;
const secrets = mockClient(SecretsManagerClient);
const parameters = mockClient(SSMClient);
const s3 = mockClient(S3Client);
let time = Date.parse('2026-11-24T10:00:00.000Z');
const now = () => new Date(time).toISOString();
const later = (seconds: number) => void (time += seconds * 1000);

beforeAll(async () => {
  account = await startAccount();
  await makeTable(account);
  jira = await fakeJira('cloud');
  table = mockTable(account);
  tools = toolsOf({ jira: { kind: 'jira', edition: 'cloud', url: jira.url, project: 'SEC', secret: SECRET } }, now);
  secrets.on(GetSecretValueCommand).callsFake(() => ({ SecretString: JSON.stringify({ email: 'bot@example.com', token: jira.token }) }));
  s3.on(PutObjectCommand).resolves({});
});
afterEach(() => {
  jira.heal();
  later(3600);
});
afterAll(async () => {
  for (const mock of [table, secrets, parameters, s3]) mock.restore();
  await Promise.all([account.stop(), jira.stop()]);
});

let count = 0;
/** An incident on record, and its tickets asked for. */
async function incident(change: Parameters<typeof madeView>[2] = {}): Promise<string> {
  const view = madeView(++count, now(), { status: 'contained', tickets: {}, ticket: null, ...change });
  await writeViews(account, tools.settings.STOPBATH_TABLE, [view]);
  await chooseTrackers({ incident: view.incident.id }, tools);
  return view.incident.id;
}
const write = async (id: string, execution = 'one') => await writeTicket({ incident: id, execution, tracker: 'jira', since: now() }, tools);

describe('who writes a ticket', () => {
  const held = async (id: string, owner: string, seconds = 60) => await holdTicket(tools, id, 'jira', owner, now(), new Date(time + seconds * 1000).toISOString());

  it('holds it alone, until it is let go or the time is over', async () => {
    const id = await incident();
    const one = await held(id, 'one');
    expect(one).not.toBeNull();
    expect(await held(id, 'two')).toBeNull();
    expect(await held(id, 'one')).not.toBeNull();
    later(61);
    expect(await held(id, 'two')).not.toBeNull();
    // What the first knows is older: it may not write it down, nor let go what it has no more.
    if (!one) throw new Error('not held');
    expect(await saveTicket(tools, one.ticket, 'one')).toBe(false);
    expect(await letTicketGo(tools, one, 'one')).toBe(false);
  });

  it('does not let go where somebody has asked since', async () => {
    const id = await incident();
    const one = await held(id, 'one');
    await askForTicket(tools, { incident: id, tracker: 'jira', kind: 'jira', mark: 'x' }, now());
    if (!one) throw new Error('not held');
    expect(await letTicketGo(tools, one, 'one')).toBe(false);
    const again = await held(id, 'one');
    expect(again && (await letTicketGo(tools, again, 'one'))).toBe(true);
    expect((await held(id, 'two'))?.satisfied).toBe(true);
  });

  it('makes way for a person while it only waits', async () => {
    const id = await incident();
    jira.fail({ times: 1, when: 'before', how: { status: 401 } });
    expect(await write(id)).toMatchObject({ next: 'wait' });
    expect(await write(id, 'two')).toMatchObject({ next: 'wait', reason: 'another execution is at it' });
    await freeTickets(tools, id, now(), () => 'mark');
    later(1);
    expect(await write(id, 'two')).toMatchObject({ next: 'done', reason: 'open' });
    expect(jira.ticketsOf(id)).toHaveLength(1);
  });

  it('opens a ticket anew that is gone, only where a person asks for it', async () => {
    const id = await incident();
    await write(id);
    const [work] = jira.ticketsOf(id);
    if (work) work.deleted = true;
    await chooseTrackers({ incident: id }, tools);
    expect(await write(id, 'two')).toMatchObject({ next: 'done', reason: 'gone' });
    expect(jira.ticketsOf(id)).toHaveLength(1);
    await freeTickets(tools, id, now(), () => 'another');
    await chooseTrackers({ incident: id }, tools);
    expect(await write(id, 'three')).toMatchObject({ next: 'done', reason: 'open' });
    expect(jira.ticketsOf(id)).toHaveLength(2);
  });

  it('killed between a creation and its answer finds what it has created', async () => {
    const id = await incident();
    jira.fail({ method: 'POST', path: /\/issue$/, times: 1, when: 'after', how: 'hang up' });
    expect(await write(id)).toMatchObject({ next: 'wait' });
    expect(await write(id)).toMatchObject({ next: 'done' });
    expect(jira.ticketsOf(id)).toHaveLength(1);
    expect((await ticketsOf(tools, id))[0]).toMatchObject({ state: 'open', id: jira.ticketsOf(id)[0]?.id });
  });

  it('says a milestone whose answer was lost only once', async () => {
    const id = await incident({ status: 'containing' });
    await write(id);
    const { addEntry } = await import('../../aws/incidents.ts');
    await addEntry(tools, 'late', { incident: id, at: now(), kind: 'outcome', text: 'unverified: look', by: 'record', detail: { status: 'unverified' } });
    await chooseTrackers({ incident: id }, tools);
    jira.fail({ method: 'POST', path: /\/comment$/, times: 1, when: 'after', how: { status: 502 } });
    expect(await write(id)).toMatchObject({ next: 'wait' });
    expect(await write(id)).toMatchObject({ next: 'done' });
    expect(jira.ticketsOf(id)[0]?.comments).toHaveLength(1);
  });
});

describe('a secret', () => {
  it('is read once for many tickets, and anew after the tracker has refused it', async () => {
    secrets.resetHistory();
    const asked = () => secrets.commandCalls(GetSecretValueCommand).length;
    await write(await incident());
    await write(await incident());
    expect(asked()).toBe(1);
    jira.fail({ times: 1, when: 'before', how: { status: 401, body: { errorMessages: [`not ${jira.token}`] } } });
    const id = await incident();
    expect(await write(id)).toMatchObject({ next: 'wait' });
    await write(id);
    expect(asked()).toBe(2);
    later(301);
    await write(await incident());
    expect(asked()).toBe(3);
  });

  it('is in nothing that is kept or said', async () => {
    jira.fail({ times: 1, when: 'before', how: { status: 401, body: { errorMessages: [`Basic ${Buffer.from(`bot@example.com:${jira.token}`).toString('base64')} and ${jira.token}`] } } });
    const id = await incident();
    const { reason } = await write(id);
    expect(reason).toContain('[secret]');
    expect(JSON.stringify([reason, await ticketsOf(tools, id)])).not.toContain(jira.token);
  });

  it('comes from a parameter just as well', async () => {
    const arn = 'arn:aws:ssm:us-east-1:111122223333:parameter/stopbath/jira';
    parameters.on(GetParameterCommand, { Name: arn, WithDecryption: true }).resolves({ Parameter: { Value: 'from a parameter' } });
    expect(await readSecret(tools, arn)).toBe('from a parameter');
  });

  it.each([
    ['is not there', undefined, 'has no text'],
    ['is no JSON of the tracker', '{"email":"bot@example.com","password":"very-secret"}', 'is not as it must be (token)'],
    ['lacks what Jira Cloud wants', '{"token":"very-secret"}', 'the secret has no "email"'],
  ])('that %s is a person’s to put right, and is named by its ARN alone', async (_, value, said) => {
    const arn = `${SECRET.slice(0, -6)}${String(++count).padStart(6, '0')}`;
    secrets.on(GetSecretValueCommand, { SecretId: arn }).resolves(value === undefined ? {} : { SecretString: value });
    const id = await incident();
    const written = await writeTicket({ incident: id, execution: 'one', tracker: 'jira', since: now() }, { ...tools, settings: { ...tools.settings, STOPBATH_TRACKERS: toolsOf({ jira: { kind: 'jira', edition: 'cloud', url: jira.url, project: 'SEC', secret: arn } }, now).settings.STOPBATH_TRACKERS } });
    expect(written).toMatchObject({ next: 'wait', reason: expect.stringContaining(said) });
    expect(written.reason).not.toContain('very-secret');
  });

  it('of a webhook that is too short signs nothing', async () => {
    const arn = `${SECRET.slice(0, -6)}${String(++count).padStart(6, '0')}`;
    secrets.on(GetSecretValueCommand, { SecretId: arn }).resolves({ SecretString: 'changeme' });
    const id = await incident();
    const { settings } = toolsOf({ jira: { kind: 'webhook', url: jira.url, secret: arn } }, now);
    expect(await writeTicket({ incident: id, execution: 'one', tracker: 'jira', since: now() }, { ...tools, settings })).toMatchObject({ next: 'wait', reason: expect.stringContaining('too short to sign with') });
  });
});

it('a text that no tracker takes is shortened there, and whole in the evidence', async () => {
  s3.resetHistory();
  const policy = HOSTILE['a large policy'] ?? '';
  expect(policy.length).toBeGreaterThan(1_000_000);
  const id = await incident({ exposures: [...Array.from({ length: 40 }, (_, index) => `statement ${index}: ${policy.slice(0, 1500)}`), 'the last of all'] });
  expect(await write(id)).toMatchObject({ next: 'done', reason: 'open' });
  const [work] = jira.ticketsOf(id);
  const [put] = s3.commandCalls(PutObjectCommand).map(({ args: [{ input }] }) => input);
  expect(put?.Key).toMatch(new RegExp(`^records/ticket/${id}/`));
  expect(put?.Body).toContain('the last of all');
  expect(work?.body).toContain(`s3://evidence/${put?.Key}`);
  expect(work?.body).not.toContain('the last of all');
  expect(work?.body.length).toBeLessThanOrEqual(32_767);
});
