import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutBucketPolicyCommand,
  PutBucketWebsiteCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import * as control from '@aws-sdk/client-s3-control';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { canonicalUserId } from '../../auth/accounts.ts';
import { skippingClock } from '../../clock.ts';
import type { Credentials } from '../../service.ts';
import { messageOf, outcomeOf, startBench, type Bench } from './harness.ts';

const HOME = '111122223333';
const FOREIGN = '444455556666';
const NO_BLOCK = { BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false };

let bench: Bench;
let Bucket: string;
let powerless: Credentials;
let count = 0;

beforeAll(async () => {
  bench = await startBench();
  powerless = bench.sandbox.createUser('powerless');
});
afterAll(() => bench.stop());
beforeEach(async () => {
  Bucket = `access-${++count}`;
  await bench.admin.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter' }));
  await bench.admin.send(new DeletePublicAccessBlockCommand({ Bucket }));
  await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a/1', Body: 'picture', Tagging: 'album=one' }));
});

const arn = (key = '*') => `arn:aws:s3:::${Bucket}/${key}`;
const putPolicy = (...statements: readonly object[]) => bench.admin.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }));
const block = (on: Partial<typeof NO_BLOCK>) => bench.admin.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: { ...NO_BLOCK, ...on } }));
const everyone = (more: object = {}) => ({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: arn(), ...more });
const reads = (credentials: Credentials) => outcomeOf(bench.as(credentials).send(new GetObjectCommand({ Bucket, Key: 'a/1' })));
const anonymously = async (path = '/a/1') => (await bench.anonymous(`/${Bucket}${path}`)).status;
const foreignReads = () => reads(bench.sandbox.foreign.admin);

describe('identity and bucket policy', () => {
  it('lets nobody in whom neither names', async () => {
    expect(await anonymously()).toBe(403);
    expect(await foreignReads()).toBe('403 AccessDenied');
    expect(await reads(powerless)).toBe('403 AccessDenied');
    expect(await reads(bench.sandbox.admin)).toBe('ok');
  });

  it('are either enough within the account, and both needed from another', async () => {
    const powerlessAbroad = bench.sandbox.createUser(`powerless-${count}`, undefined, FOREIGN);
    await putPolicy({ Effect: 'Allow', Principal: { AWS: [`arn:aws:iam::${HOME}:user/powerless`, `arn:aws:iam::${FOREIGN}:root`] }, Action: 's3:GetObject', Resource: arn() });
    expect(await reads(powerless)).toBe('ok');
    expect(await foreignReads()).toBe('ok');
    expect(await reads(powerlessAbroad)).toBe('403 AccessDenied');
  });

  it('leave it to the account’s own policies where the account itself is named', async () => {
    await putPolicy({ Effect: 'Allow', Principal: { AWS: HOME }, Action: 's3:GetObject', Resource: arn() });
    expect(await reads(powerless)).toBe('403 AccessDenied');
    expect(await reads(bench.sandbox.root)).toBe('ok');
  });

  it('deny whatever else allows', async () => {
    await putPolicy(everyone(), { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn('a/*') });
    expect(await reads(bench.sandbox.admin)).toBe('403 AccessDenied');
    expect(await anonymously()).toBe(403);
  });

  it('say why within the account, and nothing to others', async () => {
    const message = (credentials: Credentials) => messageOf(bench.as(credentials).send(new GetObjectCommand({ Bucket, Key: 'a/1' })));
    const who = `User: arn:aws:iam::${HOME}:user/powerless is not authorized to perform: s3:GetObject on resource: "${arn('a/1')}"`;
    expect(await message(powerless)).toBe(`${who} because no identity-based policy allows the s3:GetObject action`);
    await putPolicy({ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn() });
    expect(await message(powerless)).toBe(`${who} with an explicit deny in a resource-based policy`);
    expect(await message(bench.sandbox.foreign.admin)).toBe('Access Denied');
  });

  it('see the request’s own keys: prefix, object tags, how it was signed', async () => {
    await putPolicy(
      { Effect: 'Allow', Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}`, Condition: { StringLike: { 's3:prefix': 'a/*' } } },
      everyone({ Condition: { StringEquals: { 's3:ExistingObjectTag/album': 'one' } } }),
    );
    await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a/2', Body: 'other', Tagging: 'album=two' }));
    expect(await anonymously('?list-type=2&prefix=a/b')).toBe(200);
    expect(await anonymously('?list-type=2')).toBe(403);
    expect([await anonymously('/a/1'), await anonymously('/a/2')]).toEqual([200, 403]);
  });

  it('tell an AWS service by its principal and what it acts for', async () => {
    const source = `arn:aws:cloudfront::${HOME}:distribution/E1`;
    await putPolicy({ Effect: 'Allow', Principal: { Service: 'cloudfront.amazonaws.com' }, Action: 's3:GetObject', Resource: arn(), Condition: { StringEquals: { 'AWS:SourceArn': source } } });
    const asService = (service: string, sourceArn: string) =>
      bench.sandbox.world.call('s3', 'GetObject', { Bucket, Key: 'a/1' }, { kind: 'service', service, sourceArn }).then(
        () => 'ok',
        (error: Error) => error.message,
      );
    expect(await asService('cloudfront.amazonaws.com', source)).toBe('ok');
    expect(await asService('cloudfront.amazonaws.com', `arn:aws:cloudfront::${HOME}:distribution/E2`)).toBe('Access Denied');
    expect(await asService('logging.s3.amazonaws.com', source)).toBe('Access Denied');
    await putPolicy({ Effect: 'Allow', Principal: { Service: 'cloudfront.amazonaws.com' }, Action: 's3:GetObject', Resource: arn() }, everyone());
    await block({ RestrictPublicBuckets: true });
    expect(await asService('cloudfront.amazonaws.com', source)).toBe('ok');
  });
});

describe('a missing key', () => {
  it('is a 404 to those who may list and a 403 to all others', async () => {
    const reader = bench.sandbox.createUser(`reader-${count}`, { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }] });
    const lister = bench.sandbox.createUser(`lister-${count}`, { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' }] });
    const missing = (credentials: Credentials) => outcomeOf(bench.as(credentials).send(new GetObjectCommand({ Bucket, Key: 'none' })));
    expect(await missing(reader)).toBe('403 AccessDenied');
    expect(await messageOf(bench.as(reader).send(new GetObjectCommand({ Bucket, Key: 'none' })))).toContain('because no identity-based policy allows the s3:ListBucket action');
    expect(await missing(lister)).toBe('404 NoSuchKey');
    expect(await reads(lister)).toBe('403 AccessDenied');
    await putPolicy(everyone());
    expect(await anonymously('/none')).toBe(403);
    await putPolicy(everyone(), { Effect: 'Allow', Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` });
    expect(await anonymously('/none')).toBe(404);
  });
});

describe('presigned URLs', () => {
  const presign = (key = 'a/1', versionId?: string) => getSignedUrl(bench.admin, new GetObjectCommand({ Bucket, Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) }), { expiresIn: 60 });

  it('are what their signer may, and can be denied by how they are signed', async () => {
    const url = await presign();
    expect((await fetch(url)).status).toBe(200);
    await putPolicy({ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn(), Condition: { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } } });
    expect((await fetch(url)).status).toBe(403);
    expect(await reads(bench.sandbox.admin)).toBe('ok');
  });

  it('can be denied by age', async () => {
    const url = await presign();
    await putPolicy({ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn(), Condition: { NumericGreaterThan: { 's3:signatureAge': '0' } } });
    expect((await fetch(url)).status).toBe(403);
    await putPolicy({ Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: arn(), Condition: { NumericGreaterThan: { 's3:signatureAge': '600000' } } });
    expect((await fetch(url)).status).toBe(200);
  });

  it('are nothing once they are changed', async () => {
    const url = await presign();
    expect((await fetch(url.replace('a/1', 'a/2'))).status).toBe(403);
  });
});

describe('ACLs', () => {
  const publish = (Key = 'a/1') => bench.admin.send(new PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' }));

  it('of an object let everybody read it, and only it', async () => {
    await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a/2', Body: 'other' }));
    await publish();
    expect([await anonymously('/a/1'), await anonymously('/a/2'), await anonymously('?list-type=2')]).toEqual([200, 403, 403]);
    expect(await foreignReads()).toBe('ok');
    expect(await reads(powerless)).toBe('ok');
  });

  it('of the bucket let everybody list, not read', async () => {
    await bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' }));
    expect([await anonymously('?list-type=2'), await anonymously('/a/1'), await anonymously('/none')]).toEqual([200, 403, 404]);
  });

  it('for authenticated users are for those who sign', async () => {
    await bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'authenticated-read' }));
    expect(await anonymously()).toBe(403);
    expect(await foreignReads()).toBe('ok');
  });

  it('for an account let in those whom the account lets out', async () => {
    await bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', GrantRead: `id=${canonicalUserId(FOREIGN)}` }));
    expect(await anonymously()).toBe(403);
    expect(await foreignReads()).toBe('ok');
    expect(await reads(bench.sandbox.createUser(`stranger-${count}`, undefined, FOREIGN))).toBe('403 AccessDenied');
  });

  it('let everybody add to a bucket that is open to write, but not overwrite', async () => {
    await bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read-write' }));
    const put = async (key: string) => (await bench.anonymous(`/${Bucket}/${key}`, { method: 'PUT', body: 'x' })).status;
    expect([await put('new'), await put('a/1')]).toEqual([200, 403]);
    expect(await outcomeOf(bench.foreign.send(new DeleteObjectCommand({ Bucket, Key: 'a/1' })))).toBe('403 AccessDenied');
  });

  it('leave an uploader’s object to the uploader, whatever the bucket’s policy allows', async () => {
    await putPolicy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${FOREIGN}:root` }, Action: 's3:PutObject', Resource: arn() }, everyone());
    await bench.foreign.send(new PutObjectCommand({ Bucket, Key: 'theirs', Body: 'x' }));
    const adminReads = () => outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket, Key: 'theirs' })));
    expect([await adminReads(), await anonymously('/theirs')]).toEqual(['403 AccessDenied', 403]);
    await bench.admin.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }));
    expect([await adminReads(), await anonymously('/theirs')]).toEqual(['ok', 200]);
  });

  it('grant nothing once the bucket’s owner owns everything', async () => {
    await publish();
    await bench.admin.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] } }));
    expect(await anonymously()).toBe(403);
  });
});

describe('Block Public Access', () => {
  it('BlockPublicAcls refuses new public ACLs and leaves those there are', async () => {
    await bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'public-read' }));
    await block({ BlockPublicAcls: true });
    expect(await anonymously()).toBe(200);
    expect(await outcomeOf(bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'public-read' })))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutObjectCommand({ Bucket, Key: 'a/2', Body: 'x', ACL: 'authenticated-read' })))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', GrantRead: `id=${canonicalUserId(FOREIGN)}` })))).toBe('ok');
  });

  it('IgnorePublicAcls ignores public ACLs, takes new ones, and leaves policies alone', async () => {
    await bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'public-read' }));
    await block({ IgnorePublicAcls: true });
    expect(await anonymously()).toBe(403);
    expect(await foreignReads()).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.admin.send(new PutObjectAclCommand({ Bucket, Key: 'a/1', ACL: 'public-read' })))).toBe('ok');
    await putPolicy(everyone());
    expect(await anonymously()).toBe(200);
  });

  it('BlockPublicPolicy leaves a public policy that is there', async () => {
    await putPolicy(everyone());
    await block({ BlockPublicPolicy: true });
    expect(await anonymously()).toBe(200);
    expect(await outcomeOf(putPolicy(everyone()))).toBe('403 AccessDenied');
  });

  it('RestrictPublicBuckets cuts everybody outside the account off a bucket with a public policy, named ones too', async () => {
    const named = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${FOREIGN}:root` }, Action: 's3:GetObject', Resource: arn() };
    await putPolicy(named, everyone());
    await block({ RestrictPublicBuckets: true });
    expect(await anonymously()).toBe(403);
    expect(await foreignReads()).toBe('403 AccessDenied');
    expect(await reads(powerless)).toBe('ok');
    await putPolicy(named);
    expect(await foreignReads()).toBe('ok');
  });

  it('counts the account’s with the bucket’s, the stricter one wins', async () => {
    await putPolicy(everyone());
    await bench.control.send(new control.PutPublicAccessBlockCommand({ AccountId: HOME, PublicAccessBlockConfiguration: { ...NO_BLOCK, RestrictPublicBuckets: true } }));
    expect(await anonymously()).toBe(403);
    await bench.control.send(new control.DeletePublicAccessBlockCommand({ AccountId: HOME }));
    expect(await anonymously()).toBe(200);
  });
});

describe('propagation', () => {
  it('shows old and new mixed for a while, and a setting’s new value at once', async () => {
    const clock = skippingClock();
    const draws = [0.9, 0.1, 0.9, 0.1];
    const slow = await startBench({ clock, propagationMs: 6000, random: () => draws.shift() ?? 0.9 });
    try {
      const status = async () => (await slow.anonymous('/slow/key')).status;
      await slow.admin.send(new CreateBucketCommand({ Bucket: 'slow' }));
      await slow.admin.send(new PutObjectCommand({ Bucket: 'slow', Key: 'key', Body: 'x' }));
      await slow.admin.send(new DeletePublicAccessBlockCommand({ Bucket: 'slow' }));
      await slow.admin.send(new PutBucketPolicyCommand({ Bucket: 'slow', Policy: JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::slow/*' }] }) }));
      expect(await status()).toBe(403);
      slow.service.settle();
      expect(await status()).toBe(200);
      await slow.admin.send(new PutPublicAccessBlockCommand({ Bucket: 'slow', PublicAccessBlockConfiguration: { ...NO_BLOCK, RestrictPublicBuckets: true } }));
      expect(await status()).toBe(200);
      await clock.sleep(4000);
      draws.splice(0, draws.length, 0.9, 0.1, 0.9, 0.1);
      expect([await status(), await status(), await status(), await status()]).toEqual([200, 403, 200, 403]);
      // One request is judged by one state of things, however many questions it raises: here read, then list.
      draws.splice(0, draws.length, 0.9, 0.9, 0.9, 0.9);
      await slow.anonymous('/slow/none');
      expect(draws.length).toBe(3);
      await clock.sleep(2000);
      expect([await status(), await status()]).toEqual([403, 403]);
    } finally {
      await slow.stop();
    }
  });
});

describe('a website', () => {
  /** `fetch` sets `Host` itself. */
  const visit = (path: string) =>
    new Promise<{ readonly status: number | undefined; readonly body: string; readonly location: string | undefined }>((resolve, reject) => {
      const sent = request(bench.sandbox.endpoint + path, { headers: { host: `${Bucket}.s3-website-us-east-1.amazonaws.com` } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString(), location: response.headers.location }));
      });
      sent.on('error', reject);
      sent.end();
    });

  beforeEach(async () => {
    await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'index.html', Body: '<h1>Home</h1>', ContentType: 'text/html' }));
    await bench.admin.send(new PutObjectCommand({ Bucket, Key: 'error.html', Body: '<h1>Oh</h1>', ContentType: 'text/html' }));
    await bench.admin.send(new PutBucketWebsiteCommand({ Bucket, WebsiteConfiguration: { IndexDocument: { Suffix: 'index.html' }, ErrorDocument: { Key: 'error.html' } } }));
  });

  it('serves the public its index and its error document', async () => {
    await putPolicy(everyone());
    expect(await visit('/')).toMatchObject({ status: 200, body: '<h1>Home</h1>' });
    expect(await visit('/none')).toMatchObject({ status: 403, body: '<h1>Oh</h1>' });
    expect(await visit('/a/1')).toMatchObject({ status: 200, body: 'picture' });
  });

  it('serves nobody while public access is blocked, and says so in HTML with nothing of the request in it', async () => {
    await putPolicy(everyone());
    await block({ RestrictPublicBuckets: true });
    const { status, body } = await visit('/%3Cscript%3E');
    expect(status).toBe(403);
    expect(body).toContain('<li>Code: AccessDenied</li>');
    expect(body).not.toContain('<script>');
  });

  it('is none where it was not set up', async () => {
    Bucket = 'no-such-website';
    expect(await visit('/')).toMatchObject({ status: 404, body: expect.stringContaining('NoSuchBucket') });
  });
});

describe('a request to read an object’s head', () => {
  it('needs what reading it needs', async () => {
    expect(await outcomeOf(bench.as(powerless).send(new HeadObjectCommand({ Bucket, Key: 'a/1' })))).toMatch(/^403/);
    expect(await outcomeOf(bench.as(powerless).send(new ListObjectsV2Command({ Bucket })))).toBe('403 AccessDenied');
  });
});
