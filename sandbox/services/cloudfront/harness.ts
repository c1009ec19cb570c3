import { generateKeyPairSync } from 'node:crypto';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/cloudfront-signer';
import { realClock, skippingClock } from '../../clock.ts';
import { startSandbox, type Sandbox } from '../../sandbox.ts';
import { createCloudFront, type CloudFront } from '../cloudfront.ts';
import type { NewDistribution } from './distribution.ts';
import { createS3 } from '../s3.ts';

/** A bucket with two pictures behind a distribution, for tests of CloudFront. */
export interface Bench {
  readonly sandbox: Sandbox;
  readonly service: CloudFront;
  readonly client: CloudFrontClient;
  readonly s3: S3Client;
  readonly bucket: string;
  readonly id: string;
  /** A URL of the distribution, not signed. */
  readonly urlOf: (path: string) => string;
  /** The same, signed for an hour with the trusted key of that kind. */
  readonly sign: (path: string, more?: Partial<Parameters<typeof getSignedUrl>[0]>) => string;
  readonly stop: () => Promise<void>;
}

export const KEYS = { rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }), ecdsa: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }) } as const;
export const INVALIDATION_MS = 2_000;
const ID = 'E2026EXAMPLE';
const BUCKET = 'cdn-photos';

export async function startBench(made: Partial<NewDistribution> = {}, time: 'real' | 'skipping' = 'skipping'): Promise<Bench> {
  const services: CloudFront[] = [];
  const clock = time === 'real' ? realClock() : skippingClock();
  const sandbox = await startSandbox({
    clock,
    services: (world) => {
      services.push(createCloudFront(world, { invalidationMs: INVALIDATION_MS }));
      return [createS3(world), ...services];
    },
  });
  const [service] = services;
  if (!service) throw new Error('the sandbox made no CloudFront');
  const config = { endpoint: sandbox.endpoint, region: 'us-east-1', credentials: sandbox.admin };
  const [client, s3] = [new CloudFrontClient(config), new S3Client({ ...config, forcePathStyle: true })];
  service.distribute({ id: ID, domainName: 'd2026example.cloudfront.net', bucket: BUCKET, cacheTagHeader: 'x-amz-meta-cache-tag', ...made });
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy: policyOf() }));
  for (const [key, tag] of [['albums/one/1.jpg', 'album:one, owner:rosa'], ['albums/two/1.jpg', 'album:two']] as const) {
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: key, ContentType: 'image/jpeg', Metadata: { 'cache-tag': tag } }));
  }
  const urlOf = (path: string) => `${sandbox.endpoint}/_cloudfront/${ID}${path}`;
  const pem = KEYS.rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    sandbox,
    service,
    client,
    s3,
    bucket: BUCKET,
    id: ID,
    urlOf,
    sign: (path, more) => getSignedUrl(Object.assign({ url: urlOf(path), keyPairId: 'KRSA', privateKey: pem, dateLessThan: new Date(clock.now() + 3_600_000) }, more)),
    stop: async () => {
      client.destroy();
      s3.destroy();
      await sandbox.stop();
    },
  };
}

/** The bucket's policy: the distribution reads, by origin access control, except for what is denied to it. */
export function policyOf(...denied: readonly string[]): string {
  const Condition = { StringEquals: { 'AWS:SourceArn': `arn:aws:cloudfront::111122223333:distribution/${ID}` } };
  const statement = (Effect: string, Resource: readonly string[]) => ({ Effect, Principal: { Service: 'cloudfront.amazonaws.com' }, Action: 's3:GetObject', Resource, Condition });
  const arn = `arn:aws:s3:::${BUCKET}`;
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement('Allow', [`${arn}/*`]), ...(denied.length > 0 ? [statement('Deny', denied.map((path) => `${arn}/${path}`))] : [])] });
}

export const publicPems = (): Readonly<Record<string, string>> => ({
  KRSA: KEYS.rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  KEC: KEYS.ecdsa.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
});
