import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIncident, viewIncident } from '../../aws/incidents.ts';
import type { Table } from '../../aws/records.ts';
import type { Direction, Incident, IncidentView, Target } from '../../core/incident.ts';
import { startAccount, type Account } from '../../sandbox/account.ts';
import { skippingClock } from '../../sandbox/clock.ts';
import type { Deployment } from '../../sandbox/deploy.ts';
import { seedPhotos } from '../../sandbox/photos/seed.ts';
import { seedShares, type Shares } from '../../sandbox/photos/shares.ts';
import { incidentAbout } from './stage.ts';

let account: Account;
let shares: Shares;
let deployment: Deployment;
let table: Table;
let sfn: SFNClient;
let close: () => void;

beforeEach(async () => {
  account = await startAccount({ clock: skippingClock() });
  const photos = await seedPhotos(account, () => account.s3.settle());
  shares = await seedShares(account, photos);
  deployment = await account.deploy({ config: { modeCap: 'contain', verifyIntervalSeconds: 1, responderRoles: [photos.roles.responder], shares: shares.config } });
  const client = { endpoint: account.endpoint, region: account.world.region, credentials: account.admin };
  const dynamo = new DynamoDBClient(client);
  sfn = new SFNClient(client);
  table = { settings: { STOPBATH_TABLE: deployment.name }, clients: { dynamo: DynamoDBDocumentClient.from(dynamo) } };
  close = () => [dynamo, sfn].forEach((one) => one.destroy());
});
afterEach(async () => {
  close();
  await shares.close();
  await account.stop();
});

const status = async (url: string) => (await shares.open(url)).status;

/** As a responder's start would: an incident about a target, and its playbook. */
async function incidentOf(id: string, target: Partial<Target>, inputs: Incident['inputs'] = {}): Promise<string> {
  await createIncident(table, incidentAbout(id, target, inputs));
  return id;
}

async function run(incident: string, direction: Direction, n = 1): Promise<IncidentView> {
  const name = `${incident}-${direction}-${n}`;
  const machine = `arn:aws:states:us-east-1:${account.accounts.home}:stateMachine:${deployment.name}-revoke-share-links`;
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn: machine, name, input: JSON.stringify({ incident, direction }) }));
  for (;;) {
    await account.idle(3_600_000);
    const { status: ended } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (ended !== 'RUNNING') return await viewIncident(table, incident);
  }
}

describe('revoke-share-links', () => {
  it('kills every link to an album, proves it, leaves the rest, and a new link works', async () => {
    const incident = await incidentOf('inc-album', { kind: 'album', name: 'summer-2026', arn: 'share:111122223333:album/summer-2026' }, { albumId: 'summer-2026' });
    const view = await run(incident, 'contain');
    expect(view.incident).toMatchObject({ status: 'contained' });
    const { album, picture, other, expired, ended } = shares.links;
    expect(await Promise.all([album, picture, other, expired, ended].map(({ url }) => status(url)))).toEqual([410, 410, 200, 410, 410]);
    const fresh = await shares.share({ album: 'summer-2026' });
    expect(await status(fresh.url)).toBe(200);
  });
});
