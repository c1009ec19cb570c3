import { performance } from 'node:perf_hooks';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startAccount } from '../sandbox/account.ts';
import { seedPhotos } from '../sandbox/photos/seed.ts';
import { seedShares } from '../sandbox/photos/shares.ts';

const OBJECTS = 100_000;
const LINKS = 10_000;
const MARK_S = 3;

/** From `stopbath plan` of a bucket with 100,000 objects and 10,000 live links to its output: under 3 s, without listing objects one by one. */
export async function run(): Promise<boolean> {
  const account = await startAccount({});
  try {
    const photos = await seedPhotos(account, () => account.s3.settle());
    const arn = `arn:aws:iam::${account.accounts.home}:root`;
    const root = { kind: 'root', account: account.accounts.home, principalArn: arn, arn, userId: account.accounts.home } as const;
    for (let n = 0; n < OBJECTS; n++) await account.world.call('s3', 'PutObject', { Bucket: photos.family, Key: `albums/many/${n}.jpg`, Body: new Uint8Array(1) }, root);
    account.s3.settle();
    const shares = await seedShares(account, photos);
    await shares.fill(LINKS, { album: 'many' });
    const deployment = await account.deploy({ config: { modeCap: 'contain', sessionNamesPinned: true, responderRoles: [photos.roles.responder], shares: shares.config } });
    const { accessKeyId, secretAccessKey, sessionToken = '' } = await photos.credentialsOf('rosa');
    const env = { PATH: process.env['PATH'], AWS_REGION: 'us-east-1', STOPBATH_RESPOND_URL: deployment.urls['respond'], AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken };
    const times: number[] = [];
    let text = '';
    for (let n = 0; n < 3; n++) {
      const started = performance.now();
      text = (await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../cli/main.ts'), 'plan', 'quarantine-bucket', '--bucket', photos.family], { env })).stdout;
      times.push((performance.now() - started) / 1000);
    }
    await shares.close();
    const listed = account.calls.filter(({ service, operation }) => service === 's3' && operation === 'ListObjectsV2').length;
    console.log(text.split('\n').filter((line) => /Objects|inks|Albums|Owners/.test(line)).join('\n'));
    console.log(`stopbath plan: ${times.map((time) => `${time.toFixed(2)} s`).join(', ')} (the first with cold functions); ${listed} pages of listings, of up to 3 keys to probe; the mark is ${MARK_S} s`);
    return (times.at(-1) ?? Infinity) < MARK_S;
  } finally {
    await account.stop();
  }
}
