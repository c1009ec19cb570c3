import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  PutObjectTaggingCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { skippingClock } from '../../clock.ts';
import { messageOf, outcomeOf, startBench, type Bench } from './harness.ts';
import { rangeOf } from './range.ts';

let bench: Bench;
let Bucket: string;
let count = 0;
const clock = skippingClock();

beforeAll(async () => {
  bench = await startBench({ clock });
});
afterAll(() => bench.stop());
beforeEach(async () => {
  Bucket = `objects-${++count}`;
  await bench.admin.send(new CreateBucketCommand({ Bucket }));
});

const put = (Key: string, Body: string | Uint8Array, more: Partial<PutObjectCommandInput> = {}) => bench.admin.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const get = async (Key: string, VersionId?: string) => (await bench.admin.send(new GetObjectCommand({ Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) }))).Body?.transformToString();
const versioning = (Status: 'Enabled' | 'Suspended') => bench.admin.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));

describe('an object', () => {
  it('comes back as it was put, bytes and headers', async () => {
    const Body = Uint8Array.from({ length: 300 }, (_, n) => n % 256);
    const { ETag } = await put('a b/ü+%?.jpg', Body, { ContentType: 'image/jpeg', CacheControl: 'no-store', Metadata: { album: 'one' }, Tagging: 'a=1&b=2', ChecksumAlgorithm: 'SHA256' });
    const read = await bench.admin.send(new GetObjectCommand({ Bucket, Key: 'a b/ü+%?.jpg', ChecksumMode: 'ENABLED' }));
    expect(await read.Body?.transformToByteArray()).toEqual(Body);
    expect(read).toMatchObject({
      ETag: `"${createHash('md5').update(Body).digest('hex')}"`,
      ContentType: 'image/jpeg',
      CacheControl: 'no-store',
      ContentLength: 300,
      TagCount: 2,
      Metadata: { album: 'one' },
      ChecksumSHA256: createHash('sha256').update(Body).digest('base64'),
    });
    expect(ETag).toBe(read.ETag);
    expect(await bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'a b/ü+%?.jpg' }))).toMatchObject({ ContentLength: 300, ETag });
  });

  it('is read in part, by RFC 9110’s single range and as S3 takes the others', async () => {
    await put('digits', '0123456789');
    const part = await bench.admin.send(new GetObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=2-4' }));
    expect([await part.Body?.transformToString(), part.ContentRange, part.$metadata.httpStatusCode]).toEqual(['234', 'bytes 2-4/10', 206]);
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket, Key: 'digits', Range: 'bytes=100-200' })))).toBe('416 InvalidRange');
  });

  it.each([
    ['bytes=1-', { start: 1, end: 9 }],
    ['bytes=-2', { start: 8, end: 9 }],
    ['bytes=-15', { start: 0, end: 9 }],
    ['bytes=0-100', { start: 0, end: 9 }],
    ['bytes=1-0', null],
    ['bytes=-', null],
    ['bytes=0-1,3-4', null],
    ['0-1', null],
  ])('gives %s of ten bytes as %o', (header, expected) => {
    expect(rangeOf(header, 10)).toEqual(expected);
  });

  it('is missing by name', async () => {
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket, Key: 'none' })))).toBe('404 NoSuchKey');
    expect(await outcomeOf(bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toMatch(/^404/);
    expect(await outcomeOf(bench.admin.send(new GetObjectTaggingCommand({ Bucket, Key: 'none' })))).toBe('404 NoSuchKey');
  });

  it('is written once with If-None-Match, and over a known one with If-Match', async () => {
    const { ETag = '' } = await put('once', 'first', { IfNoneMatch: '*' });
    expect(await outcomeOf(put('once', 'second', { IfNoneMatch: '*' }))).toBe('412 PreconditionFailed');
    expect(await outcomeOf(put('once', 'second', { IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
    expect(await outcomeOf(put('never', 'second', { IfMatch: ETag }))).toBe('404 NoSuchKey');
    expect(await outcomeOf(put('once', 'second', { IfMatch: '*' }))).toBe('501 NotImplemented');
    expect(await get('once')).toBe('first');
    expect(await outcomeOf(put('once', 'second', { IfMatch: ETag }))).toBe('ok');
  });

  it('is read only where it changed, or did not', async () => {
    const { ETag = '' } = await put('same', 'same');
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket, Key: 'same', IfNoneMatch: ETag })))).toMatch(/^304/);
    expect(await outcomeOf(bench.admin.send(new GetObjectCommand({ Bucket, Key: 'same', IfMatch: '"other"' })))).toBe('412 PreconditionFailed');
  });

  it('is refused where its bytes are not those that were meant', async () => {
    expect(await outcomeOf(put('bad', 'these', { ChecksumSHA256: createHash('sha256').update('those').digest('base64') }))).toBe('400 BadDigest');
    expect(await outcomeOf(bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'bad' })))).toMatch(/^404/);
  });

  it('is copied with its headers and tags, or with new ones', async () => {
    await put('from here', 'picture', { ContentType: 'image/jpeg', Tagging: 'a=1' });
    await bench.admin.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `${Bucket}/from%20here` }));
    expect(await bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).toMatchObject({ ContentType: 'image/jpeg' });
    expect((await bench.admin.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))).TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    await bench.admin.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: `/${Bucket}/from%20here`, MetadataDirective: 'REPLACE', ContentType: 'text/plain', TaggingDirective: 'REPLACE', Tagging: 'b=2' }));
    expect(await bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'to' }))).toMatchObject({ ContentType: 'text/plain' });
    expect((await bench.admin.send(new GetObjectTaggingCommand({ Bucket, Key: 'to' }))).TagSet).toEqual([{ Key: 'b', Value: '2' }]);
    expect(await outcomeOf(bench.admin.send(new CopyObjectCommand({ Bucket, Key: 'to', CopySource: 'nokey' })))).toBe('400 InvalidArgument');
  });

  it('has tags of its own, ten at most, and an ACL that is its owner’s', async () => {
    await put('tagged', 'a');
    await bench.admin.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet: [{ Key: 'a', Value: '1' }] } }));
    expect((await bench.admin.send(new GetObjectTaggingCommand({ Bucket, Key: 'tagged' }))).TagSet).toEqual([{ Key: 'a', Value: '1' }]);
    const TagSet = Array.from({ length: 11 }, (_, n) => ({ Key: `k${n}`, Value: '' }));
    expect(await outcomeOf(bench.admin.send(new PutObjectTaggingCommand({ Bucket, Key: 'tagged', Tagging: { TagSet } })))).toBe('400 InvalidTag');
    expect(await outcomeOf(put('tagged', 'b', { Tagging: 'a=1&a=2' }))).toBe('400 InvalidArgument');
    const { Grants } = await bench.admin.send(new GetObjectAclCommand({ Bucket, Key: 'tagged' }));
    expect(Grants?.map((grant) => grant.Permission)).toEqual(['FULL_CONTROL']);
  });
});

describe('versions', () => {
  it('are kept, newest first; a delete marker hides them and deleting it shows them again', async () => {
    await versioning('Enabled');
    const first = (await put('a', 'one')).VersionId;
    const second = (await put('a', 'two')).VersionId;
    const marker = await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await outcomeOf(get('a'))).toBe('404 NoSuchKey');
    expect(await outcomeOf(get('a', marker.VersionId))).toBe('405 MethodNotAllowed');
    expect([await get('a', first), await get('a', second)]).toEqual(['one', 'two']);
    const listed = await bench.admin.send(new ListObjectVersionsCommand({ Bucket }));
    expect(listed.Versions?.map((version) => [version.VersionId, version.IsLatest])).toEqual([[second, false], [first, false]]);
    expect(listed.DeleteMarkers?.map((version) => [version.VersionId, version.IsLatest])).toEqual([[marker.VersionId, true]]);
    await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: marker.VersionId }));
    expect(await get('a')).toBe('two');
    await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId: second }));
    expect(await get('a')).toBe('one');
    expect(await outcomeOf(get('a', second))).toBe('404 NoSuchVersion');
    expect(await outcomeOf(get('a', 'no-version'))).toBe('400 InvalidArgument');
  });

  it('end where versioning is suspended: one version called null, the old ones kept', async () => {
    await versioning('Enabled');
    const kept = (await put('a', 'kept')).VersionId;
    await versioning('Suspended');
    await put('a', 'null one');
    await put('a', 'null two');
    const ids = async () => (await bench.admin.send(new ListObjectVersionsCommand({ Bucket }))).Versions?.map((version) => version.VersionId);
    expect(await ids()).toEqual(['null', kept]);
    await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(await ids()).toEqual([kept]);
  });

  it('do not exist in a bucket that never had them', async () => {
    expect((await put('a', 'one')).VersionId).toBeUndefined();
    await put('a', 'two');
    await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect((await bench.admin.send(new ListObjectVersionsCommand({ Bucket }))).Versions ?? []).toEqual([]);
  });
});

describe('Object Lock', () => {
  const day = 86_400_000;
  const until = (ms: number) => new Date(clock.now() + ms);
  const remove = (Key: string, VersionId: string | undefined, bypass = false) => bench.admin.send(new DeleteObjectCommand({ Bucket, Key, VersionId, BypassGovernanceRetention: bypass }));
  const retain = (Key: string, Mode: 'COMPLIANCE' | 'GOVERNANCE', RetainUntilDate: Date, bypass = false) =>
    bench.admin.send(new PutObjectRetentionCommand({ Bucket, Key, Retention: { Mode, RetainUntilDate }, BypassGovernanceRetention: bypass }));

  beforeEach(async () => {
    Bucket = `locked-${++count}`;
    await bench.admin.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true }));
  });

  it('keeps a version under compliance from everybody until its time, and from a shorter time', async () => {
    const { VersionId } = await put('a', 'evidence', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until(10 * day) });
    expect(await messageOf(remove('a', VersionId, true))).toBe('Access Denied because object protected by object lock.');
    expect(await outcomeOf(retain('a', 'COMPLIANCE', until(day), true))).toBe('403 AccessDenied');
    expect(await outcomeOf(retain('a', 'GOVERNANCE', until(20 * day), true))).toBe('403 AccessDenied');
    expect(await outcomeOf(retain('a', 'COMPLIANCE', until(20 * day)))).toBe('ok');
    expect((await bench.admin.send(new GetObjectRetentionCommand({ Bucket, Key: 'a' }))).Retention?.Mode).toBe('COMPLIANCE');
    const marker = await bench.admin.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    expect(marker.DeleteMarker).toBe(true);
    expect(await get('a', VersionId)).toBe('evidence');
  });

  it('lets a version go once its time is over', async () => {
    const { VersionId } = await put('a', 'evidence', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until(day) });
    await clock.sleep(day + 1000);
    expect(await outcomeOf(remove('a', VersionId))).toBe('ok');
    expect(await outcomeOf(get('a', VersionId))).toBe('404 NoSuchVersion');
  });

  it('lets governance be bypassed by those who may, and a legal hold by nobody', async () => {
    const deleter = bench.sandbox.createUser('deleter', { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:DeleteObject*', Resource: '*' }] });
    const governed = { ObjectLockMode: 'GOVERNANCE' as const, ObjectLockRetainUntilDate: until(day) };
    const { VersionId: held } = await put('held', 'held', { ...governed, ObjectLockLegalHoldStatus: 'ON' });
    expect(await outcomeOf(remove('held', held, true))).toBe('403 AccessDenied');
    const { VersionId } = await put('a', 'governed', governed);
    expect(await outcomeOf(remove('a', VersionId))).toBe('403 AccessDenied');
    expect(await outcomeOf(bench.as(deleter).send(new DeleteObjectCommand({ Bucket, Key: 'a', VersionId, BypassGovernanceRetention: true })))).toBe('403 AccessDenied');
    expect(await outcomeOf(remove('a', VersionId, true))).toBe('ok');
  });

  it('gives new versions the bucket’s default, and is not for buckets without it', async () => {
    await bench.admin.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 3 } } } }));
    const { VersionId } = await put('a', 'evidence');
    const head = await bench.admin.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    expect(head.ObjectLockMode).toBe('COMPLIANCE');
    expect(await outcomeOf(remove('a', VersionId))).toBe('403 AccessDenied');
    expect(await outcomeOf(put('a', 'past', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: new Date(0) }))).toBe('400 InvalidArgument');
    expect(await outcomeOf(put('a', 'half', { ObjectLockMode: 'COMPLIANCE' }))).toBe('400 InvalidRequest');
    Bucket = `objects-${++count}`;
    await bench.admin.send(new CreateBucketCommand({ Bucket }));
    expect(await outcomeOf(put('a', 'a', { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until(day) }))).toBe('400 InvalidRequest');
  });
});

describe('deleting many', () => {
  it('answers for each key by itself', async () => {
    await versioning('Enabled');
    await put('a', 'a');
    await put('b', 'b');
    const keepsB = bench.sandbox.createUser(`keeps-b-${count}`, {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:*', Resource: '*' },
        { Effect: 'Deny', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${Bucket}/b` },
      ],
    });
    const answer = await bench.as(keepsB).send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a' }, { Key: 'b' }, { Key: 'a', VersionId: 'x'.repeat(32) }] } }));
    expect(answer.Deleted?.map(({ Key, DeleteMarker }) => [Key, DeleteMarker])).toEqual([['a', true]]);
    expect(answer.Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([['b', 'AccessDenied'], ['a', 'NoSuchVersion']]);
  });
});

describe('a listing', () => {
  const keysOf = (answer: { readonly Contents?: readonly { readonly Key?: string }[] }) => (answer.Contents ?? []).map((entry) => entry.Key);

  it('is in the order of the keys’ bytes, by prefix and folder, page after page', async () => {
    for (const key of ['b', 'a/2', 'a/1', 'a/x/1', 'ü', 'c d&<>']) await put(key, key);
    const all = await bench.admin.send(new ListObjectsV2Command({ Bucket }));
    expect(keysOf(all)).toEqual(['a/1', 'a/2', 'a/x/1', 'b', 'c d&<>', 'ü']);
    expect(all.KeyCount).toBe(6);
    const folder = await bench.admin.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/', Delimiter: '/' }));
    expect([keysOf(folder), folder.CommonPrefixes]).toEqual([['a/1', 'a/2'], [{ Prefix: 'a/x/' }]]);
    const seen: unknown[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await bench.admin.send(new ListObjectsV2Command({ Bucket, MaxKeys: 2, Delimiter: '/', ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }));
      seen.push([...(page.CommonPrefixes ?? []).map((entry) => entry.Prefix), ...keysOf(page)]);
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
    expect(seen).toEqual([['a/', 'b'], ['c d&<>', 'ü']]);
    expect(keysOf(await bench.admin.send(new ListObjectsV2Command({ Bucket, StartAfter: 'b' })))).toEqual(['c d&<>', 'ü']);
    const plain = await bench.admin.send(new ListObjectsCommand({ Bucket, Marker: 'a/2', Delimiter: '/', MaxKeys: 1 }));
    expect([plain.CommonPrefixes, plain.NextMarker]).toEqual([[{ Prefix: 'a/' }], 'a/x/1']);
    expect(await outcomeOf(bench.admin.send(new ListObjectsV2Command({ Bucket, ContinuationToken: '?' })))).toBe('400 InvalidArgument');
  });

  it('of versions goes on in the middle of a key', async () => {
    await versioning('Enabled');
    const ids = [];
    for (const body of ['1', '2', '3']) ids.unshift((await put('a', body)).VersionId);
    const first = await bench.admin.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2 }));
    const second = await bench.admin.send(new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, KeyMarker: first.NextKeyMarker, VersionIdMarker: first.NextVersionIdMarker }));
    expect([first.IsTruncated, second.IsTruncated]).toEqual([true, false]);
    expect([...(first.Versions ?? []), ...(second.Versions ?? [])].map((version) => version.VersionId)).toEqual(ids);
  });
});
