import type { EncodingType, ListObjectsCommandInput, ListObjectsCommandOutput, ListObjectsV2CommandInput, ListObjectsV2CommandOutput, ListObjectVersionsCommandInput, ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import { operation, type Operation } from '../../service.ts';
import { listingKeys, onBucket } from './actions.ts';
import { invalidArgument } from './errors.ts';
import { bucketOf, versionOf, type Bucket, type ObjectVersion, type S3State, type Version } from './state.ts';

const PAGE = 1000;

/** What a bucket holds, in the order of its keys' UTF-8 bytes. */
export function listingOperations(state: S3State): Readonly<Record<string, Operation>> {
  return {
    // What a plain `GET /bucket` is, and so what anybody who looks around sends first.
    ListObjects: operation<ListObjectsCommandInput, ListObjectsCommandOutput>({
      needs: onBucket('s3:ListBucket', listingKeys),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const encode = encoder(input.EncodingType);
        const { Marker: marker = '' } = input;
        const page = pageOf(currentOf(bucket), input, (entry) => entry.key > marker);
        return {
          ...headOf(bucket, input),
          Marker: encode(marker),
          IsTruncated: page.next !== null,
          // Without a delimiter the next page begins after the last key of this one, and S3 leaves that to the client.
          ...(page.next === null || input.Delimiter === undefined ? {} : { NextMarker: encode(page.next.key) }),
          Contents: page.entries.map((entry) => ({ ...describe(entry, encode), Owner: { ID: entry.value.owner } })),
          CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
        };
      },
    }),
    ListObjectsV2: operation<ListObjectsV2CommandInput, ListObjectsV2CommandOutput>({
      needs: onBucket('s3:ListBucket', listingKeys),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const encode = encoder(input.EncodingType);
        const after = input.ContinuationToken === undefined ? (input.StartAfter ?? '') : fromToken(input.ContinuationToken);
        const page = pageOf(currentOf(bucket), input, (entry) => entry.key > after);
        return {
          ...headOf(bucket, input),
          KeyCount: page.entries.length + page.prefixes.length,
          IsTruncated: page.next !== null,
          ...(input.StartAfter === undefined ? {} : { StartAfter: encode(input.StartAfter) }),
          ...(input.ContinuationToken === undefined ? {} : { ContinuationToken: input.ContinuationToken }),
          ...(page.next === null ? {} : { NextContinuationToken: toToken(page.next.key) }),
          Contents: page.entries.map((entry) => ({ ...describe(entry, encode), ...(input.FetchOwner ? { Owner: { ID: entry.value.owner } } : {}) })),
          CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
        };
      },
    }),
    ListObjectVersions: operation<ListObjectVersionsCommandInput, ListObjectVersionsCommandOutput>({
      needs: onBucket('s3:ListBucketVersions', listingKeys),
      run: (input) => {
        const bucket = bucketOf(state, input);
        const encode = encoder(input.EncodingType);
        const all = [...bucket.objects].flatMap(([key, versions]) => versions.map((value, index) => ({ key, value, isLatest: index === 0 })));
        const { KeyMarker: marker = '', VersionIdMarker: versionMarker } = input;
        const ofMarker = bucket.objects.get(marker)?.map((version) => version.id) ?? [];
        const page = pageOf(all, input, ({ key, value }) =>
          key > marker || (key === marker && versionMarker !== undefined && ofMarker.indexOf(value.id) > ofMarker.indexOf(versionMarker)),
        );
        const shown = (marked: boolean) => page.entries.filter(({ value }) => value.marker === marked);
        const common = ({ key, value, isLatest }: { readonly key: string; readonly value: Version; readonly isLatest: boolean }) => ({
          Key: encode(key),
          VersionId: value.id,
          IsLatest: isLatest,
          LastModified: value.modified,
          Owner: { ID: value.owner },
        });
        return {
          ...headOf(bucket, input),
          KeyMarker: encode(marker),
          VersionIdMarker: versionMarker ?? '',
          IsTruncated: page.next !== null,
          ...(page.next === null ? {} : { NextKeyMarker: encode(page.next.key), ...(page.next.value ? { NextVersionIdMarker: page.next.value.id } : {}) }),
          Versions: shown(false).map((entry) => ({
            ...common(entry),
            ...(entry.value.marker ? {} : { ETag: entry.value.etag, Size: entry.value.body.length }),
            StorageClass: 'STANDARD' as const,
          })),
          DeleteMarkers: shown(true).map(common),
          CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: encode(prefix) })),
        };
      },
    }),
  };
}

interface ListingInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly MaxKeys?: number | undefined;
  readonly EncodingType?: EncodingType | undefined;
}

/** What every listing says of itself. */
function headOf(bucket: Bucket, input: ListingInput) {
  const encode = encoder(input.EncodingType);
  return {
    Name: bucket.name,
    Prefix: encode(input.Prefix ?? ''),
    MaxKeys: input.MaxKeys ?? PAGE,
    ...(input.Delimiter === undefined ? {} : { Delimiter: encode(input.Delimiter) }),
    ...(input.EncodingType === undefined ? {} : { EncodingType: input.EncodingType }),
  };
}

interface Current {
  readonly key: string;
  readonly value: ObjectVersion;
}

/** Keys that are not deleted, with their current version. */
function currentOf(bucket: Bucket): readonly Current[] {
  return [...bucket.objects.keys()].flatMap((key) => {
    const version = versionOf(bucket, key);
    return version && !version.marker ? [{ key, value: version }] : [];
  });
}

function describe({ key, value }: Current, encode: (text: string) => string) {
  return { Key: encode(key), LastModified: value.modified, ETag: value.etag, Size: value.body.length, StorageClass: 'STANDARD' as const };
}

interface Listed {
  readonly key: string;
  readonly value: Version;
}

interface Page<Entry> {
  readonly entries: readonly Entry[];
  readonly prefixes: readonly string[];
  /** Where the next page begins after; `null` on the last one. A prefix has no version. */
  readonly next: { readonly key: string; readonly value: Version | null } | null;
}

function pageOf<Entry extends Listed>(
  all: readonly Entry[],
  input: ListingInput,
  isAfter: (entry: Entry) => boolean,
): Page<Entry> {
  const { Prefix: prefix = '', Delimiter: delimiter = '', MaxKeys: asked = PAGE } = input;
  const limit = Math.min(asked, PAGE);
  const entries: Entry[] = [];
  const prefixes = new Set<string>();
  let last: { readonly key: string; readonly value: Version | null } | null = null;
  // Sorting is stable: versions of one key stay newest first.
  const candidates = all.filter((entry) => entry.key.startsWith(prefix) && isAfter(entry)).sort((one, other) => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)));
  for (const entry of candidates) {
    const cut = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? null : entry.key.slice(0, cut + delimiter.length);
    if (group !== null && prefixes.has(group)) {
      last = { key: entry.key, value: entry.value };
      continue;
    }
    if (entries.length + prefixes.size >= limit) return { entries, prefixes: [...prefixes], next: limit === 0 ? null : last };
    if (group === null) entries.push(entry);
    else prefixes.add(group);
    last = { key: entry.key, value: entry.value };
  }
  return { entries, prefixes: [...prefixes], next: null };
}

/** `EncodingType=url`: keys hold characters that XML does not. Clients decode. */
function encoder(type: string | undefined): (text: string) => string {
  return type === 'url' ? (text) => encodeURIComponent(text).replaceAll('%2F', '/') : (text) => text;
}

function toToken(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function fromToken(token: string): string {
  if (!/^[\w-]+$/.test(token)) throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  return Buffer.from(token, 'base64url').toString();
}
