import { GetBucketAclCommand, GetObjectCommand, HeadBucketCommand, ListObjectsV2Command, PutBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBucket, writeSetting } from '../../aws/bucket.ts';
import { createClients, type Clients } from '../../aws/clients.ts';
import { exposuresOf } from '../../core/exposure.ts';
import { quarantine, type Level } from '../../core/quarantine/levels.ts';
import { skippingClock } from '../clock.ts';
import { resolveLocalhost, s3ControlEndpoint } from '../localhost.ts';
import { outcomeOf, startBench, type Bench } from '../services/s3/harness.ts';
import { PEOPLE, type Person } from './people.ts';
import { seedPhotos, type Photos } from './seed.ts';

let bench: Bench;
let photos: Photos;
let clients: ReadonlyMap<Person, S3Client>;
/** The account's administrator, who reads settings. */
let reader: Clients;

beforeEach(async () => {
  bench = await startBench();
  resolveLocalhost();
  vi.stubEnv('AWS_ENDPOINT_URL', bench.sandbox.endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_S3_CONTROL', s3ControlEndpoint(bench.sandbox.endpoint));
  reader = createClients('us-east-1', () => Promise.resolve(bench.sandbox.admin));
  photos = await seedPhotos(bench.sandbox, bench.service.settle);
  clients = new Map(await Promise.all(PEOPLE.map(async (person) => [person, bench.as(await photos.credentialsOf(person))] as const)));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await bench.stop();
});

const address = () => ({ bucket: photos.family, account: bench.sandbox.accounts.home, region: 'us-east-1' });
const clientOf = (person: Person): S3Client => clients.get(person) ?? bench.admin;
const status = async (url: string): Promise<number> => (await fetch(url)).status;

/** Who reads a picture, by every way in that there is. */
async function readers(): Promise<readonly string[]> {
  const get = new GetObjectCommand({ Bucket: photos.family, Key: photos.picture });
  const answers: readonly (readonly [string, boolean])[] = await Promise.all([
    status(`${bench.sandbox.endpoint}/${photos.family}/${photos.picture}`).then((code) => ['anonymous', code === 200] as const),
    status(`${bench.sandbox.endpoint}/${photos.family}?list-type=2`).then((code) => ['anonymous listing', code === 200] as const),
    getSignedUrl(clientOf('photo-signer'), get).then(async (url) => ['presigned', (await status(url)) === 200] as const),
    bench.sandbox.world
      .call('s3', 'GetObject', get.input, { kind: 'service', service: 'cloudfront.amazonaws.com', sourceArn: `arn:aws:cloudfront::${bench.sandbox.accounts.home}:distribution/EPHOTOS2026` })
      .then(() => ['cdn', true] as const, () => ['cdn', false] as const),
    ...PEOPLE.map(async (person) => [person, (await outcomeOf(clientOf(person).send(get))) === 'ok'] as const),
  ]);
  return answers.filter(([, served]) => served).map(([who]) => who);
}

async function contain(level: Level): Promise<void> {
  const state = await readBucket(reader, address());
  const { changes } = quarantine(state, { incident: 'i-1', level, exempt: [photos.roles.responder, `arn:aws:iam::${bench.sandbox.accounts.home}:user/admin`], organizationId: null });
  for (const { setting, after } of changes) await writeSetting(bench.admin, address(), setting, after);
}

const INSIDE = ['presigned', 'cdn', 'rosa', 'ravi', 'photo-service', 'photo-signer', 'deploy-bot'];
/** A statement for everybody is for the account's own people too, the auditor among them. */
const OPENED = ['presigned', 'cdn', 'rosa', 'ravi', 'ada', 'photo-service', 'photo-signer', 'deploy-bot'];

describe('the photos seed', () => {
  it('is a bucket with a history, exposed to nobody', async () => {
    const state = await readBucket(reader, address());
    expect(exposuresOf(state)).toEqual([]);
    expect(state).toMatchObject({ ownership: 'ObjectWriter', versioning: 'Enabled', website: { IndexDocument: { Suffix: 'index.html' } } });
    expect(state.acl?.grants.length).toBeGreaterThan(1);
    expect(state.cors).not.toBeNull();
    expect(state.accessPoints).toMatchObject([{ name: 'print-lab-albums', networkOrigin: 'Internet' }]);
    expect(state.tagging).not.toBeNull();
    expect(state.lifecycle?.Rules.some((rule) => 'NoncurrentVersionExpiration' in rule || 'Expiration' in rule)).toBe(true);
    expect(await readers()).toEqual([...INSIDE, 'print-lab']);
  });

  it('has pictures that are pictures, each its own', async () => {
    const bodies = await Promise.all(photos.keys.map(async (Key) => (await bench.admin.send(new GetObjectCommand({ Bucket: photos.family, Key }))).Body?.transformToByteArray()));
    for (const body of bodies) {
      expect(Buffer.from(body ?? []).subarray(0, 4).toString('hex')).toBe('ffd8ffe0');
      expect(Buffer.from(body ?? []).subarray(-2).toString('hex')).toBe('ffd9');
    }
    expect(new Set(bodies.map((body) => Buffer.from(body ?? []).toString('base64'))).size).toBe(photos.keys.length);
  });

  it('has thumbnails that are public on purpose, and uploads that are not', async () => {
    expect(await status(`${bench.sandbox.endpoint}/${photos.thumbnails}/summer-2026.jpg`)).toBe(200);
    expect(await outcomeOf(bench.admin.send(new HeadBucketCommand({ Bucket: photos.uploads })))).toBe('ok');
    expect(await status(`${bench.sandbox.endpoint}/${photos.uploads}`)).toBe(403);
  });

  it('is opened by the attack to everybody, by policy and by ACL, and keeps what it said before', async () => {
    await photos.attacks['make-public'](photos.family);
    expect(await readers()).toEqual(['anonymous', 'anonymous listing', ...OPENED, 'mallory', 'print-lab']);
    const state = await readBucket(reader, address());
    expect(new Set(exposuresOf(state).map((exposure) => exposure.via))).toEqual(new Set(['policy', 'acl']));
    expect(state.policy).toContain('PrintLab');
  });

  it('lets responders work for a day, each under their own name, and read settings of nothing', async () => {
    const clock = skippingClock();
    const long = await startBench({ clock });
    try {
      const { credentialsOf, family } = await seedPhotos(long.sandbox);
      const [rosa, ravi] = await Promise.all([credentialsOf('rosa'), credentialsOf('ravi')]);
      const list = () => outcomeOf(long.as(rosa).send(new ListObjectsV2Command({ Bucket: family })));
      expect(await outcomeOf(long.as(ravi).send(new GetBucketAclCommand({ Bucket: family })))).toBe('403 AccessDenied');
      await clock.sleep(11 * 3_600_000);
      expect(await list()).toBe('ok');
      await clock.sleep(3_600_000);
      expect(await list()).toBe('400 ExpiredToken');
      expect(long.sandbox.calls.map((call) => call.caller)).toEqual(
        expect.arrayContaining(['rosa', 'ravi'].map((name) => `arn:aws:sts::111122223333:assumed-role/stopbath-responder/${name}`)),
      );
    } finally {
      await long.stop();
    }
  });
});

describe('a quarantine of the opened bucket', () => {
  beforeEach(() => photos.attacks['make-public'](photos.family));

  it.each<[Level, readonly string[]]>([
    // The cross-account grant stops with the public: one public statement makes the whole policy public.
    ['public', OPENED],
    ['external', OPENED],
    ['full', ['rosa', 'ravi']],
  ])('at level %s is read by %o only', async (level, expected) => {
    await contain(level);
    expect(await readers()).toEqual(expected);
  });
});

describe('a quarantine of a bucket that CloudFront may read for anybody', () => {
  const reads = async (account: string) =>
    await bench.sandbox.world
      .call('s3', 'GetObject', { Bucket: photos.family, Key: photos.picture }, { kind: 'service', service: 'cloudfront.amazonaws.com', sourceArn: `arn:aws:cloudfront::${account}:distribution/E1` })
      .then(() => true, () => false);
  const readers = async () => [await reads(bench.sandbox.accounts.home), await reads(bench.sandbox.accounts.foreign)];

  it("stops other accounts' distributions at level external, and not one's own", async () => {
    const Statement = { Effect: 'Allow', Principal: { Service: 'cloudfront.amazonaws.com' }, Action: 's3:GetObject', Resource: `arn:aws:s3:::${photos.family}/*` };
    await bench.admin.send(new PutBucketPolicyCommand({ Bucket: photos.family, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    await contain('public');
    expect(await readers()).toEqual([true, true]);
    await contain('external');
    expect(await readers()).toEqual([true, false]);
  });
});

describe('a quarantine of a bucket whose policy is not public', () => {
  it.each<[Level, readonly string[]]>([
    ['public', [...INSIDE, 'print-lab']],
    ['external', INSIDE],
  ])('at level %s is read by %o only', async (level, expected) => {
    await contain(level);
    expect(await readers()).toEqual(expected);
  });
});
