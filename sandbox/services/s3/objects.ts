import type {
  CopyObjectCommandInput,
  CopyObjectCommandOutput,
  GetObjectCommandInput,
  GetObjectCommandOutput,
  HeadObjectCommandInput,
  HeadObjectCommandOutput,
  PutObjectCommandInput,
  PutObjectCommandOutput,
} from '@aws-sdk/client-s3';
import { createHash, randomBytes } from 'node:crypto';
import { canonicalUserId } from '../../auth/accounts.ts';
import { AwsError, operation, type Call, type Need, type Operation } from '../../service.ts';
import { isBucketOwnerFullControl, privateAcl, requestedAcl, type AclInput } from './acl.ts';
import { assertMayLearn } from './access.ts';
import { aclKeys, bucketArn, objectNeed, onObject } from './actions.ts';
import { decoded, invalidArgument, invalidRequest, noSuchKey, preconditionFailed } from './errors.ts';
import { retentionOfNew, type LockInput } from './lock.ts';
import { newAcl } from './permissions.ts';
import { latest } from './propagation.ts';
import { rangeOf } from './range.ts';
import { bucketOf, canonicalUserOf, objectOf, versionOf, type Bucket, type ObjectHeaders, type ObjectVersion, type S3State, type Version } from './state.ts';
import { tagsOfHeader } from './tags.ts';

/** As the wire gives and takes bodies: bytes, not streams. */
type PutInput = Omit<PutObjectCommandInput, 'Body'> & { readonly Body?: Uint8Array | string };
type GetOutput = Omit<GetObjectCommandOutput, 'Body'> & { readonly Body: Uint8Array };

/** Objects: written, read and copied. */
export function objectOperations(state: S3State): Readonly<Record<string, Operation>> {
  const read = onObject<GetObjectCommandInput>(state, 's3:GetObject', 's3:GetObjectVersion');
  return {
    PutObject: operation<PutInput, PutObjectCommandOutput>({
      needs: (input) => writeNeeds(state, input, { 's3:if-none-match': input.IfNoneMatch, 's3:if-match': input.IfMatch }),
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        assertWritable(bucket, input);
        const body = typeof input.Body === 'string' ? Buffer.from(input.Body) : (input.Body ?? new Uint8Array());
        const checksums = checksumsOf(input);
        const locking = input.ObjectLockMode ?? input.ObjectLockRetainUntilDate ?? input.ObjectLockLegalHoldStatus;
        if (locking !== undefined && input.ContentMD5 === undefined && Object.keys(checksums).length === 0) {
          throw invalidRequest('Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters');
        }
        const version = put(state, bucket, input, call, { body, checksums, headers: headersOf(input) });
        return { ETag: version.etag, ServerSideEncryption: 'AES256', ...checksums, ...versionField(bucket, version) };
      },
    }),
    GetObject: operation<GetObjectCommandInput, GetOutput>({
      needs: read,
      run: (input, call) => {
        const { bucket, object } = find(state, input, call, 'GET');
        assertReadable(object, input);
        const range = rangeOf(input.Range, object.body.length);
        return {
          ...describe(bucket, object, input),
          Body: range ? object.body.subarray(range.start, range.end + 1) : object.body,
          ...(range ? { ContentLength: range.end + 1 - range.start, ContentRange: `bytes ${range.start}-${range.end}/${object.body.length}` } : {}),
          ...(object.tags.length > 0 ? { TagCount: object.tags.length } : {}),
        };
      },
    }),
    HeadObject: operation<HeadObjectCommandInput, HeadObjectCommandOutput>({
      needs: read,
      run: (input, call) => {
        const { bucket, object } = find(state, input, call, 'HEAD');
        assertReadable(object, input);
        return describe(bucket, object, input);
      },
    }),
    CopyObject: operation<CopyObjectCommandInput, CopyObjectCommandOutput>({
      needs: (input) => {
        const source = sourceOf(input);
        return [objectNeed(state, source, source.VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion'), ...writeNeeds(state, input, { 's3:x-amz-copy-source': input.CopySource })];
      },
      run: (input, call) => {
        const bucket = bucketOf(state, input);
        const { object } = find(state, { ...sourceOf(input), ExpectedBucketOwner: input.ExpectedSourceBucketOwner }, call, 'GET');
        if (input.CopySourceIfMatch !== undefined && unquoted(input.CopySourceIfMatch) !== unquoted(object.etag)) throw preconditionFailed('x-amz-copy-source-If-Match');
        assertWritable(bucket, input);
        const version = put(state, bucket, input, call, {
          body: object.body,
          checksums: object.checksums,
          headers: input.MetadataDirective === 'REPLACE' ? headersOf(input) : object.headers,
          ...(input.TaggingDirective === 'REPLACE' ? {} : { tags: object.tags }),
        });
        return {
          CopyObjectResult: { ETag: version.etag, LastModified: version.modified },
          ServerSideEncryption: 'AES256',
          ...versionField(bucket, version),
          ...(object.id === 'null' ? {} : { CopySourceVersionId: object.id }),
        };
      },
    }),
  };
}

type WriteInput = AclInput &
  LockInput & {
    readonly Bucket?: string | undefined;
    readonly Key?: string | undefined;
    readonly Tagging?: string | undefined;
    readonly IfMatch?: string | undefined;
    readonly IfNoneMatch?: string | undefined;
  };

function writeNeeds(state: S3State, input: WriteInput, context: Readonly<Record<string, unknown>>): readonly Need[] {
  const tags = tagsOfHeader(input.Tagging);
  const keys = {
    ...context,
    ...aclKeys(input),
    's3:object-lock-mode': input.ObjectLockMode,
    's3:object-lock-retain-until-date': input.ObjectLockRetainUntilDate,
    's3:object-lock-legal-hold': input.ObjectLockLegalHoldStatus,
    ...(tags.length > 0 ? { 's3:requestobjecttagkeys': tags.map((tag) => tag.Key) } : {}),
    ...Object.fromEntries(tags.map((tag) => [`s3:requestobjecttag/${tag.Key.toLowerCase()}`, tag.Value])),
  };
  const actions = [
    's3:PutObject',
    ...(requestedAcl(input, '', '') ? ['s3:PutObjectAcl'] : []),
    ...(tags.length > 0 ? ['s3:PutObjectTagging'] : []),
    ...(input.ObjectLockMode ? ['s3:PutObjectRetention'] : []),
    ...(input.ObjectLockLegalHoldStatus ? ['s3:PutObjectLegalHold'] : []),
  ];
  return actions.map((action) => objectNeed(state, input, action, keys));
}

/**
 * @throws {AwsError} PreconditionFailed 412, NoSuchKey 404, NotImplemented 501
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
function assertWritable(bucket: Bucket, input: WriteInput): void {
  const current = versionOf(bucket, input.Key ?? '');
  const object = current && !current.marker ? current : undefined;
  if (input.IfNoneMatch !== undefined) {
    if (input.IfNoneMatch !== '*') throw notAccepted('If-None-Match');
    if (object) throw preconditionFailed('If-None-Match');
  }
  if (input.IfMatch === undefined) return;
  if (input.IfMatch === '*') throw notAccepted('If-Match');
  if (!object) throw noSuchKey(input.Key ?? '');
  if (unquoted(input.IfMatch) !== unquoted(object.etag)) throw preconditionFailed('If-Match');
}

function notAccepted(header: string): AwsError {
  return new AwsError('NotImplemented', 'A header you provided implies functionality that is not implemented', 501, {
    Header: header,
    additionalMessage: `We don't accept the provided value of ${header} header for this API`,
  });
}

interface Content {
  readonly body: Uint8Array;
  readonly checksums: Readonly<Record<string, string>>;
  readonly headers: ObjectHeaders;
  /** Taken from the source of a copy; else from the request. */
  readonly tags?: ObjectVersion['tags'];
}

function put(state: S3State, bucket: Bucket, input: WriteInput, call: Call, content: Content): ObjectVersion {
  const key = input.Key ?? '';
  if (Buffer.byteLength(key) > 1024) throw new AwsError('KeyTooLongError', 'Your key is too long', 400);
  const bucketOwner = canonicalUserId(bucket.account);
  const enforced = latest(bucket.ownership) === 'BucketOwnerEnforced';
  const given = requestedAcl(input, bucketOwner, bucketOwner) !== null && !(enforced && isBucketOwnerFullControl(input, bucketOwner));
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
  const toBucketOwner = enforced || (latest(bucket.ownership) === 'BucketOwnerPreferred' && input.ACL === 'bucket-owner-full-control');
  const owner = toBucketOwner ? bucketOwner : canonicalUserOf(call.caller);
  const version: ObjectVersion = {
    marker: false,
    id: bucket.versioning === 'Enabled' ? newVersionId() : 'null',
    modified: new Date(call.time),
    owner,
    body: content.body,
    etag: `"${createHash('md5').update(content.body).digest('hex')}"`,
    acl: given ? newAcl(state, bucket, input, owner, call, { action: 's3:PutObject', resource: `${bucketArn(bucket.name)}/${key}` }) : privateAcl(owner),
    tags: content.tags ?? tagsOfHeader(input.Tagging),
    headers: content.headers,
    checksums: content.checksums,
    retention: retentionOfNew(bucket, input, call),
    legalHold: input.ObjectLockLegalHoldStatus === 'ON',
  };
  addVersion(bucket, key, version);
  return version;
}

/** Newest first; without versioning, or with it suspended, the version called `null` is replaced. */
export function addVersion(bucket: Bucket, key: string, version: Version): void {
  const kept = (bucket.objects.get(key) ?? []).filter((entry) => entry.id !== version.id);
  bucket.objects.set(key, [version, ...kept]);
}

export function newVersionId(): string {
  return randomBytes(24).toString('base64url');
}

interface ReadInput {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

function find(state: S3State, input: ReadInput, call: Call, method: string): { readonly bucket: Bucket; readonly object: ObjectVersion } {
  const bucket = bucketOf(state, input);
  try {
    return { bucket, object: objectOf(bucket, input.Key ?? '', input.VersionId, method) };
  } catch (error) {
    if (error instanceof AwsError && error.code === 'NoSuchKey') assertMayLearn(state, call, bucket);
    throw error;
  }
}

function assertReadable(object: ObjectVersion, input: { readonly IfMatch?: string | undefined; readonly IfNoneMatch?: string | undefined }): void {
  if (input.IfMatch !== undefined && input.IfMatch !== '*' && unquoted(input.IfMatch) !== unquoted(object.etag)) throw preconditionFailed('If-Match');
  if (input.IfNoneMatch !== undefined && (input.IfNoneMatch === '*' || unquoted(input.IfNoneMatch) === unquoted(object.etag))) throw new AwsError('NotModified', 'Not Modified', 304);
}

function describe(bucket: Bucket, object: ObjectVersion, input: GetObjectCommandInput | HeadObjectCommandInput): Omit<HeadObjectCommandOutput, '$metadata'> {
  return {
    AcceptRanges: 'bytes',
    LastModified: object.modified,
    ContentLength: object.body.length,
    ETag: object.etag,
    ServerSideEncryption: 'AES256',
    ...object.headers,
    ...(input.ResponseContentType === undefined ? {} : { ContentType: input.ResponseContentType }),
    ...(input.ResponseContentDisposition === undefined ? {} : { ContentDisposition: input.ResponseContentDisposition }),
    ...(input.ChecksumMode === 'ENABLED' && input.Range === undefined ? object.checksums : {}),
    ...versionField(bucket, object),
    ...(object.retention ? { ObjectLockMode: object.retention.mode, ObjectLockRetainUntilDate: object.retention.until } : {}),
    ...(object.legalHold ? { ObjectLockLegalHoldStatus: 'ON' as const } : {}),
  };
}

/** Objects of a bucket that never had versioning have a version in no answer. */
function versionField(bucket: Bucket, version: ObjectVersion): { readonly VersionId?: string } {
  return bucket.versioning === null || (bucket.versioning === 'Suspended' && version.id === 'null') ? {} : { VersionId: version.id };
}

function headersOf(input: Omit<PutObjectCommandInput, 'Body'> | CopyObjectCommandInput): ObjectHeaders {
  return {
    ContentType: input.ContentType ?? 'binary/octet-stream',
    CacheControl: input.CacheControl,
    ContentDisposition: input.ContentDisposition,
    ContentEncoding: input.ContentEncoding,
    ContentLanguage: input.ContentLanguage,
    WebsiteRedirectLocation: input.WebsiteRedirectLocation,
    Metadata: input.Metadata ?? {},
  };
}

/** The checksums that came with an upload, which the wire has checked, by member name of the SDK. */
function checksumsOf(input: PutInput): Readonly<Record<string, string>> {
  const { ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = input;
  const sent = Object.entries({ ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 });
  return Object.fromEntries(sent.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** `bucket/key?versionId=…`, percent-encoded, with or without a leading slash. */
function sourceOf(input: CopyObjectCommandInput): { readonly Bucket: string; readonly Key: string; readonly VersionId?: string } {
  const [, bucket, key, versionId] = /^\/?([^/]+)\/(.+?)(?:\?versionId=(.*))?$/s.exec(decoded(input.CopySource ?? '')) ?? [];
  if (bucket === undefined || key === undefined) throw invalidArgument('x-amz-copy-source', input.CopySource ?? '', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  return { Bucket: bucket, Key: key, ...(versionId === undefined ? {} : { VersionId: versionId }) };
}

function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}
