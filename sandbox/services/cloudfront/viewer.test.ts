import { CloudFrontClient, CreateInvalidationCommand, GetDistributionCommand, GetInvalidationCommand, ListDistributionsCommand } from '@aws-sdk/client-cloudfront';
import { DeleteObjectCommand, PutBucketPolicyCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { messageOf, outcomeOf } from '../s3/harness.ts';
import { INVALIDATION_MS, KEYS, policyOf, publicPems, startBench, type Bench } from './harness.ts';

const ONE = '/albums/one/1.jpg';
const TWO = '/albums/two/1.jpg';

let bench: Bench;
const start = (made?: Parameters<typeof startBench>[0]) => async () => void (bench = await startBench(made));
afterEach(() => bench.stop());

const deny = (...paths: readonly string[]) => bench.s3.send(new PutBucketPolicyCommand({ Bucket: bench.bucket, Policy: policyOf(...paths) }));
const invalidation = (items: readonly string[], CallerReference = items.join()) =>
  new CreateInvalidationCommand({ DistributionId: bench.id, InvalidationBatch: { CallerReference, Paths: { Quantity: items.length, Items: [...items] } } });
/** Status, what the cache says, and the error's code. */
async function view(url: string): Promise<string> {
  const response = await fetch(url);
  const code = /<Code>(\w+)</.exec(await response.text())?.[1] ?? '';
  return `${response.status} ${code || (response.headers.get('x-cache') ?? '').split(' ')[0]}`;
}

describe('a distribution that anyone may view', () => {
  beforeEach(start());

  it('serves from its cache what the origin denies by now, until it expires', async () => {
    expect(await view(bench.urlOf(ONE))).toBe('200 Miss');
    await deny('albums/one/*');
    expect(await view(bench.urlOf(ONE))).toBe('200 Hit');
    await bench.sandbox.clock.sleep(86_400_000);
    expect(await view(bench.urlOf(ONE))).toBe('403 AccessDenied');
    expect(await view(bench.urlOf(TWO))).toBe('200 Miss');
  });

  it('reads the origin again after an invalidation, which kills nothing by itself', async () => {
    await view(bench.urlOf(ONE));
    const { Invalidation } = await bench.client.send(invalidation([ONE]));
    const status = async () => (await bench.client.send(new GetInvalidationCommand({ DistributionId: bench.id, Id: Invalidation?.Id }))).Invalidation?.Status;
    expect([await status(), await view(bench.urlOf(ONE))]).toEqual(['InProgress', '200 Hit']);
    await bench.sandbox.clock.sleep(INVALIDATION_MS);
    expect([await status(), await view(bench.urlOf(ONE))]).toEqual(['Completed', '200 Miss']);
  });

  it.each([[['/albums/one/*']], [['#Owner:Rosa']], [['/albums/one/1%2Ejpg']]])('is closed by a denial at the origin and then an invalidation of %o', async (items) => {
    await Promise.all([view(bench.urlOf(ONE)), view(bench.urlOf(TWO))]);
    await deny('albums/*');
    await bench.client.send(invalidation(items));
    await bench.sandbox.clock.sleep(INVALIDATION_MS);
    expect([await view(bench.urlOf(ONE)), await view(bench.urlOf(TWO))]).toEqual(['403 AccessDenied', '200 Hit']);
    await deny();
    expect(await view(bench.urlOf(ONE))).toBe('200 Miss');
  });

  it('keeps an object for as long as its Cache-Control says, and a refusal not at all', async () => {
    await bench.s3.send(new PutObjectCommand({ Bucket: bench.bucket, Key: 'short', Body: 'x', CacheControl: 'max-age=60' }));
    await view(bench.urlOf('/short'));
    await bench.s3.send(new DeleteObjectCommand({ Bucket: bench.bucket, Key: 'short' }));
    expect(await view(bench.urlOf('/short'))).toBe('200 Hit');
    await bench.sandbox.clock.sleep(60_000);
    // The distribution may not list: a missing key is refused like any other.
    expect(await view(bench.urlOf('/short'))).toBe('403 AccessDenied');
    await bench.s3.send(new PutObjectCommand({ Bucket: bench.bucket, Key: 'short', Body: 'y' }));
    expect(await view(bench.urlOf('/short'))).toBe('200 Miss');
  });

  it('answers on its own domain', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request(`${bench.sandbox.endpoint}${ONE}`, { headers: { host: 'd2026example.cloudfront.net' } }, (response) => resolve(response.resume().statusCode)).once('error', reject).end();
    });
    expect(status).toBe(200);
  });

  it('says what it is to who may ask', async () => {
    const { DistributionList } = await bench.client.send(new ListDistributionsCommand({}));
    expect(DistributionList?.Items?.map(({ Id, DomainName, Origins }) => [Id, DomainName, Origins?.Items?.[0]?.DomainName])).toEqual([
      ['E2026EXAMPLE', 'd2026example.cloudfront.net', 'cdn-photos.s3.us-east-1.amazonaws.com'],
    ]);
    const { Distribution } = await bench.client.send(new GetDistributionCommand({ Id: bench.id }));
    expect(Distribution?.DistributionConfig?.CacheTagConfig).toEqual({ HeaderName: 'x-amz-meta-cache-tag' });
  });
});

describe('invalidations', () => {
  beforeEach(start());
  const paths = (count: number, suffix = '') => Array.from({ length: count }, (_, n) => `/${n}${suffix}`);

  it('are at most 3,000 paths and 15 wildcards in progress, each limit by itself', async () => {
    expect(await outcomeOf(bench.client.send(invalidation([...paths(2_999), '#tag', ...paths(15, '*')], 'a')))).toBe('ok');
    expect(await outcomeOf(bench.client.send(invalidation(['/one-more'])))).toBe('400 TooManyInvalidationsInProgress');
    expect(await outcomeOf(bench.client.send(invalidation(['/one-more*'])))).toBe('400 TooManyInvalidationsInProgress');
    await bench.sandbox.clock.sleep(INVALIDATION_MS);
    expect(await outcomeOf(bench.client.send(invalidation(['/one-more'])))).toBe('ok');
  });

  it('are the same one for the same reference, and refused where its paths differ', async () => {
    const [first, again] = [await bench.client.send(invalidation([ONE], 'a')), await bench.client.send(invalidation([ONE], 'a'))];
    expect(again.Invalidation?.Id).toBe(first.Invalidation?.Id);
    expect(await outcomeOf(bench.client.send(invalidation([TWO], 'a')))).toBe('409 InvalidationBatchAlreadyExists');
  });

  it.each([['albums/*'], ['/a*b'], ['#tag*'], ['#a,b'], ['#'], ['/ü']])('take no path like %s', async (item) => {
    expect(await outcomeOf(bench.client.send(invalidation([item])))).toBe('400 InvalidArgument');
  });

  it('refuse a wrong quantity, an unknown distribution and a caller without permission, in AWS’s words', async () => {
    const of = (DistributionId: string, Quantity: number) => new CreateInvalidationCommand({ DistributionId, InvalidationBatch: { CallerReference: 'x', Paths: { Quantity, Items: ['/a'] } } });
    expect(await outcomeOf(bench.client.send(of(bench.id, 2)))).toBe('400 InconsistentQuantities');
    expect(await outcomeOf(bench.client.send(of('ENONE', 1)))).toBe('404 NoSuchDistribution');
    const stranger = new CloudFrontClient({ endpoint: bench.sandbox.endpoint, region: 'us-east-1', credentials: bench.sandbox.createUser('stranger') });
    expect(await messageOf(stranger.send(of(bench.id, 1)))).toBe(
      'User: arn:aws:iam::111122223333:user/stranger is not authorized to perform: cloudfront:CreateInvalidation on resource: arn:aws:cloudfront::111122223333:distribution/E2026EXAMPLE because no identity-based policy allows the cloudfront:CreateInvalidation action',
    );
    stranger.destroy();
  });
});

describe('a distribution with trusted keys', () => {
  beforeEach(start({ trustedKeys: publicPems() }));

  const ecdsa = () => ({ keyPairId: 'KEC', privateKey: KEYS.ecdsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
  const policy = (resource: string, condition: object) => JSON.stringify({ Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': Math.floor(bench.sandbox.clock.now() / 1000) + 60 }, ...condition } }] });
  const withPolicy = (path: string, text: string) => bench.sign(path, { policy: text, dateLessThan: undefined });

  it('serves nobody without a signature, and signed URLs of each kind', async () => {
    expect(await view(bench.urlOf(ONE))).toBe('403 MissingKey');
    expect(await view(bench.sign(ONE))).toBe('200 Miss');
    expect(await view(bench.sign(ONE, { algorithm: 'SHA256' }))).toBe('200 Hit');
    expect(await view(bench.sign(ONE, ecdsa()))).toBe('200 Hit');
    expect(await view(bench.sign(`${ONE}?size=large`))).toBe('200 Hit');
    expect(await view(withPolicy(ONE, policy(bench.urlOf('/albums/one/*'), {})))).toBe('200 Hit');
  });

  it('refuses another key, another path, another time, another place', async () => {
    await view(bench.sign(ONE));
    expect(await view(bench.sign(ONE, { keyPairId: 'KOTHER' }))).toBe('403 UnknownKey');
    expect(await view(bench.sign(ONE, { ...ecdsa(), keyPairId: 'KRSA' }))).toBe('403 AccessDenied');
    expect(await view(bench.sign(ONE).replace('/one/', '/two/'))).toBe('403 AccessDenied');
    expect(await view(withPolicy(ONE, policy(bench.urlOf('/albums/two/*'), {})))).toBe('403 AccessDenied');
    expect(await view(withPolicy(ONE, policy(bench.urlOf(ONE), { IpAddress: { 'AWS:SourceIp': '192.0.2.0/24' } })))).toBe('403 AccessDenied');
    // An expiry is a whole second, rounded: one more than the hour is past it.
    const late = bench.sign(ONE);
    await bench.sandbox.clock.sleep(3_601_000);
    expect(await view(late)).toBe('403 AccessDenied');
  });

  it('serves a signed URL after an invalidation where the origin allows, and none where it denies', async () => {
    const url = bench.sign(ONE);
    await view(url);
    await bench.client.send(invalidation([ONE]));
    await bench.sandbox.clock.sleep(INVALIDATION_MS);
    expect(await view(url)).toBe('200 Miss');
    await deny('albums/one/*');
    await bench.client.send(invalidation([ONE], 'again'));
    await bench.sandbox.clock.sleep(INVALIDATION_MS);
    expect(await view(url)).toBe('403 AccessDenied');
  });
});
