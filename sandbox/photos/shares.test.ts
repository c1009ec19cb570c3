import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startAccount, type Account } from '../account.ts';
import { skippingClock } from '../clock.ts';
import { seedPhotos } from './seed.ts';
import { seedShares, type Shares } from './shares.ts';

let account: Account;
let shares: Shares;
beforeEach(async () => {
  account = await startAccount({ clock: skippingClock() });
  shares = await seedShares(account, await seedPhotos(account, () => account.s3.settle()));
});
afterEach(async () => {
  await shares.close();
  await account.stop();
});

const status = async (url = ''): Promise<number> => (await fetch(url)).status;
const config = () => ({ endpoint: account.endpoint, region: 'us-east-1', credentials: account.admin });

describe('the share endpoint', () => {
  it('hands out the pictures of a link by URLs that live for minutes', async () => {
    const { pictures } = await shares.open(shares.links.album.url);
    expect(pictures.map(({ key }) => key)).toEqual(['albums/summer-2026/0001.jpg', 'albums/summer-2026/0002.jpg', 'albums/summer-2026/0003.jpg']);
    const urls = pictures.flatMap(({ original, preview }) => [original, preview]);
    expect(await Promise.all(urls.map(status))).toEqual([200, 200, 200, 200, 200, 200]);
    expect((await shares.open(shares.links.picture.url)).pictures).toHaveLength(1);
    await account.clock.sleep(301_000);
    expect(await Promise.all(urls.map(status))).toEqual([403, 403, 403, 403, 403, 403]);
  });

  it('answers a dead link with 410 before it looks at the secret, and a live one without its secret with 403', async () => {
    const { ended, expired, album } = shares.links;
    const url = (linkId: string) => `${account.endpoint}/s/${linkId}.guessed`;
    expect(await Promise.all([ended.url, expired.url, url(ended.linkId), url(album.linkId), url('unknown')].map(status))).toEqual([410, 410, 410, 403, 404]);
  });

  it('lets every link of an album die by one write, and those made since live', async () => {
    const dynamo = new DynamoDBClient(config());
    await DynamoDBDocumentClient.from(dynamo).send(
      new UpdateCommand({
        TableName: 'photo-share-epochs',
        Key: { scope: 'album#summer-2026' },
        UpdateExpression: 'SET epoch = :one, revoked = :ranges',
        ExpressionAttributeValues: { ':one': 1, ':ranges': [{ through: 0, incident: 'i-1' }] },
      }),
    );
    dynamo.destroy();
    const again = await shares.share({ album: 'summer-2026' });
    const { album, picture, other } = shares.links;
    expect(await Promise.all([album, picture, other, again].map(({ url }) => status(url)))).toEqual([410, 410, 200, 200]);
  });

  it('assumes its signer role again when the session is refused', async () => {
    const before = (await shares.open(shares.links.album.url)).pictures[0]?.original;
    const iam = new IAMClient(config());
    await account.clock.sleep(1000);
    const Condition = { DateLessThan: { 'aws:TokenIssueTime': new Date(account.clock.now()).toISOString() } };
    const named = { RoleName: 'photo-signer', PolicyName: 'older-sessions' };
    await iam.send(new PutRolePolicyCommand({ ...named, PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Deny', Action: '*', Resource: '*', Condition }] }) }));
    expect(await status(before)).toBe(403);
    const { pictures } = await shares.open(shares.links.album.url);
    expect(await status(pictures[0]?.original)).toBe(200);
    await iam.send(new DeleteRolePolicyCommand(named));
    iam.destroy();
    expect(await status(before)).toBe(200);
  });

  it('is filled with many links in moments', async () => {
    await shares.fill(1000, { album: 'wedding' });
    expect(await Promise.all([status(shares.urlOf('wedding-1')), status(shares.urlOf('wedding-1000')), status(shares.urlOf('wedding-1001'))])).toEqual([200, 200, 404]);
  });
});
