import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { createClients } from '../aws/clients.ts';
import { readDecisions } from '../aws/decisions.ts';
import { readClaim } from '../aws/claims.ts';
import { getIncident } from '../aws/incidents.ts';
import { SCHEMA_VERSION } from '../aws/records.ts';
import type { Incident } from '../core/incident.ts';
import { startAccount, type Account } from '../sandbox/account.ts';
import { FOREIGN_ACCOUNT, HOME_ACCOUNT, MEMBER_ACCOUNTS, ORGANIZATION } from '../sandbox/auth/accounts.ts';
import { skippingClock } from '../sandbox/clock.ts';
import type { Deployment } from '../sandbox/deploy.ts';
import { seedPhotos } from '../sandbox/photos/seed.ts';
import type { EventEnvelope } from '../sandbox/services/events.ts';

/** Events of other accounts and regions, on their way to the home region: what a member's stack sends on, and what GuardDuty's administrator gets. */
const HOME = 'eu-central-1';
const [MEMBER] = MEMBER_ACCOUNTS;
const EXTERNAL = 'an-external-id';
const BUCKET = `family-photos-${MEMBER}`;
let account: Account;
let deployment: Deployment;

beforeAll(async () => {
  account = await startAccount({ clock: skippingClock(), region: HOME });
  vi.stubEnv('AWS_ENDPOINT_URL', account.endpoint);
  const photos = await seedPhotos(account, () => account.s3.settle(), true);
  account.createUser('deploy-bot', undefined, MEMBER);
  await photos.attacks['make-public'](BUCKET);
  deployment = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 1, trackers: {}, accounts: [MEMBER], externalId: EXTERNAL, eventBus: 'stopbath', organizationId: ORGANIZATION } });
  const parameters = { Name: deployment.name, ExternalId: EXTERNAL, OrganizationBus: `arn:aws:events:${HOME}:${HOME_ACCOUNT}:event-bus/stopbath` };
  for (const region of [HOME, 'us-east-1', 'eu-west-1']) await account.deployMember(MEMBER, parameters, region);
  // GuardDuty gives the administrator what it found in the members, in the region that it found it in.
  for (const region of ['us-east-1', 'eu-west-1']) await account.deployMember(HOME_ACCOUNT, { ...parameters, ForwardFindings: 'yes' }, region);
  await account.deployMember(FOREIGN_ACCOUNT, parameters, 'us-east-1');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await account.stop();
});

function event(file: string, id: string, owner: string, region: string, detail: object = {}): EventEnvelope {
  const now = new Date(account.clock.now()).toISOString();
  const values: Readonly<Record<string, string>> = { account: owner, region, bucket: BUCKET, now, nowMs: now };
  const parsed: EventEnvelope & { readonly detail: object } = JSON.parse(readFileSync(join(import.meta.dirname, '..', file), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? ''));
  return { ...parsed, id: `envelope-${id}`, detail: { ...parsed.detail, id, eventID: id, ...detail } };
}

const keyInPublic = (id: string, owner: string): EventEnvelope => event('workflows/contain-principal/events/deny-deleted.json', id, owner, 'us-east-1', { eventName: 'AttachUserPolicy', requestParameters: { userName: 'deploy-bot', policyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3' } });

/** Lets an event arrive at an account's own bus in a region, and everything come to an end that follows. */
async function arrives(sent: EventEnvelope, at: string, region: string): Promise<void> {
  account.events.deliver(sent, { account: at, region });
  await account.idle(60_000);
}

async function inTable<T>(read: (tools: Parameters<typeof getIncident>[0]) => Promise<T>): Promise<T> {
  const clients = createClients(HOME, () => Promise.resolve(account.admin));
  try {
    return await read({ settings: { STOPBATH_TABLE: deployment.name }, clients });
  } finally {
    clients.dynamo.destroy();
  }
}
const incidentOn = (arn: string): Promise<Incident | null> => inTable(async (tools) => await readClaim(tools, arn).then(async (claim) => (claim ? await getIncident(tools, claim.incident) : null)));
const decisionOn = (id: string) => inTable(async (tools) => (await readDecisions(tools, new Date(account.clock.now()).toISOString().slice(0, 10), 1000, null)).decisions.find((decision) => decision.event === id));

describe('an event of a member account', () => {
  it('that IAM reports in us-east-1 is sent to the home region, and contained in the member', async () => {
    await arrives(keyInPublic('key-in-public', MEMBER), MEMBER, 'us-east-1');
    expect(await decisionOn('key-in-public')).toMatchObject({ decision: 'contain', deliveries: 1 });
    expect(await incidentOn(`arn:aws:iam::${MEMBER}:user/deploy-bot`)).toMatchObject({ status: 'contained', target: { account: MEMBER } });
  });

  it('that GuardDuty found in another region comes by its administrator, and is contained in the member', async () => {
    const finding = event('test/events/guardduty-bucket-anonymous.json', 'found-elsewhere', MEMBER, 'eu-west-1');
    // The member's own copy goes nowhere: ForwardFindings is "no" there.
    await arrives(finding, MEMBER, 'eu-west-1');
    expect(await decisionOn('found-elsewhere')).toBeUndefined();
    await arrives({ ...finding, account: HOME_ACCOUNT }, HOME_ACCOUNT, 'eu-west-1');
    expect(await decisionOn('found-elsewhere')).toMatchObject({ decision: 'contain', deliveries: 1 });
    expect(await incidentOn(`arn:aws:s3:::${BUCKET}`)).toMatchObject({ status: 'contained', target: { account: MEMBER } });
  });

  it('that comes by both ways is a repeat, and nothing is done twice', async () => {
    const change = event('test/events/cloudtrail-put-bucket-policy.json', 'came-twice', MEMBER, HOME);
    await arrives(change, MEMBER, HOME);
    await arrives(change, HOME_ACCOUNT, HOME);
    expect(await decisionOn('came-twice')).toMatchObject({ deliveries: 2 });
    expect((await incidentOn(`arn:aws:s3:::${BUCKET}`))?.executions).toHaveLength(1);
  });

  it('of an account outside the organisation is refused at the bus', async () => {
    await arrives(keyInPublic('not-ours', FOREIGN_ACCOUNT), FOREIGN_ACCOUNT, 'us-east-1');
    expect(await decisionOn('not-ours')).toBeUndefined();
    expect(account.deadLetters().at(-1)).toMatchObject({ target: expect.stringContaining('event-bus/stopbath'), attributes: { ERROR_CODE: 'NO_PERMISSIONS' } });
  });
});

it('everything in the table says by which schema it is written', async () => {
  const items = await inTable(async ({ clients }) => (await clients.dynamo.send(new ScanCommand({ TableName: deployment.name }))).Items ?? []);
  expect(new Set(items.map(({ pk }) => String(pk).split('#')[0])).size).toBeGreaterThan(5);
  expect(items.filter(({ schemaVersion }) => schemaVersion !== SCHEMA_VERSION).map(({ pk, sk }) => `${String(pk)} ${String(sk)}`)).toEqual([]);
});

it("an event of the suite's own account in us-east-1 is sent to the home region too", async () => {
  await arrives(keyInPublic('key-at-home', HOME_ACCOUNT), HOME_ACCOUNT, 'us-east-1');
  expect(await incidentOn(`arn:aws:iam::${HOME_ACCOUNT}:user/deploy-bot`)).toMatchObject({ status: 'contained' });
});
