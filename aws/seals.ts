import { GetPublicKeyCommand } from '@aws-sdk/client-kms';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { DeleteCommand, QueryCommand, type QueryCommandOutput } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { kmsOf, s3Of } from './clients.ts';
import { kindOf, RECORD_KINDS, type RecordKind } from '../core/evidence.ts';
import { fingerprintOf, readSeal, sealKey, type SealedRecord, type SealFile, type SealHead } from '../core/seal.ts';
import { together } from '../core/together.ts';
import { codeOf, isForbidden, PermissionError } from './errors.ts';
import type { Tools } from './function.ts';
import { measure } from './metrics.ts';
import { againOf, announcedBy, announcedIn, partitionOf } from './partitions.ts';
import { asItem, get, put, putNew, type Item } from './records.ts';

/** How many items or objects are asked for at once. */
const AT_ONCE = 50;
const SEALS = 'SEALS';

const headShape = z.object({ number: z.number(), sha256: z.string(), at: z.string(), due: z.string(), keys: z.array(z.string()) });

/** The last seal that was booked; `null` where there is none. A later one may lie in the bucket already. */
export async function lastSeal(tools: Tools): Promise<SealHead | null> {
  const { Items = [] } = await tools.clients.dynamo.send(
    new QueryCommand({
      TableName: tools.settings.STOPBATH_TABLE,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': SEALS, ':prefix': 'SEAL#' },
      ConsistentRead: true,
      ScanIndexForward: false,
      Limit: 1,
    }),
  );
  return Items[0] === undefined ? null : headShape.parse(Items[0]);
}

/** What is to be sealed: a page of what was announced, and what became of it. */
export interface Found {
  readonly records: readonly SealedRecord[];
  /** Announced longer ago than any writer lives, and not there; or something else lies in its place. */
  readonly lost: readonly Omit<SealedRecord, 'versionId'>[];
  /** Where the next page begins; `null` after the last. */
  readonly next: Place | null;
}

/** How far the kinds were read: those that are left, the first of them after an item that a page ended with. */
interface Place {
  readonly kinds: readonly RecordKind[];
  readonly after?: Readonly<Record<string, unknown>> | undefined;
}

/** Announced by its name alone, a record has no hash yet, and nobody knows whether it is of a drill. */
const announcement = z.object({ sk: z.string(), at: z.string(), sha256: z.string().optional(), named: z.boolean().default(false), incident: z.string().nullable(), drill: z.boolean().default(false) });
type Announcement = z.infer<typeof announcement>;

/**
 * @param before - what was announced earlier than this (ISO 8601) and is not there is lost; the rest may still be written
 */
export async function findUnsealed(tools: Tools, page: { readonly limit: number; readonly from: Found['next']; readonly before: string }): Promise<Found> {
  const { items, next } = await readAnnounced(tools, page.limit, page.from ?? { kinds: RECORD_KINDS });
  const states = await together(items, AT_ONCE, async ({ sk: key, at, sha256, named, incident }) => {
    const [booked, there] = await Promise.all([get(tools, homeOf(incident), `RECORD#${key}`), headOf(tools, key)]);
    // Written and sealed before, then announced again by a late retry.
    if (booked) await dropAnnouncement(tools, key);
    else if (there && (await isOurs(tools, key, sha256, there.sha256))) return { record: { at, key, sha256: there.sha256 ?? '', versionId: there.versionId } };
    else if (there || at < page.before) {
      if (there) {
        // Whoever can write here wrote it, before the suite or instead of it: it gets no seal, and the seal says that the record never came to lie there.
        tools.log.error('what lies in the place of a record is not what the suite announced', { key, announced: sha256 ?? null, found: there.sha256, versionId: there.versionId });
        measure(tools, { ForeignRecords: 1 });
      }
      if (sha256 !== undefined && named && !there) tools.log.warn('a record was announced by its name, and is not there: its writer failed', { key, sha256 });
      // A name promises no record until there is one: what it was announced for came to nothing, or was tried again under another name.
      if (sha256 !== undefined && (there || !named)) return { lost: { at, key, sha256 } };
      await dropAnnouncement(tools, key);
    }
    return {};
  });
  return {
    records: states.flatMap(({ record }) => record ?? []),
    lost: states.flatMap(({ lost }) => lost ?? []),
    next,
  };
}

/** What was announced, kind after kind, until there are as many as asked for. */
async function readAnnounced(tools: Tools, limit: number, { kinds, after }: Place): Promise<{ readonly items: readonly Announcement[]; readonly next: Place | null }> {
  const items: Announcement[] = [];
  while (kinds[0] !== undefined && items.length < limit) {
    const page: QueryCommandOutput = await tools.clients.dynamo.send(
      new QueryCommand({ TableName: tools.settings.STOPBATH_TABLE, ...announcedBy(kinds[0]), ConsistentRead: true, Limit: limit - items.length, ExclusiveStartKey: after }),
    );
    items.push(...(page.Items ?? []).map((item) => announcement.parse(item)));
    after = page.LastEvaluatedKey;
    if (after === undefined) kinds = kinds.slice(1);
  }
  return { items, next: kinds.length === 0 ? null : { kinds, after } };
}

/** Whether these bytes are some that the suite said it would write under this key; under a name that nobody can guess, whatever S3 has the hash of. */
async function isOurs(tools: Tools, key: string, announced: string | undefined, found: string | null): Promise<boolean> {
  return found !== null && (announced === undefined || found === announced || (await get(tools, againOf(key), found)) !== null);
}

/** What lies under a key, as S3 says it, not as its writer did. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
async function headOf(tools: Tools, Key: string): Promise<{ readonly versionId: string; readonly sha256: string | null } | null> {
  try {
    const head = await s3Of(tools.clients).send(new HeadObjectCommand({ ...evidenceOf(tools), Key, ChecksumMode: 'ENABLED' }));
    return { versionId: head.VersionId ?? '', sha256: head.ChecksumSHA256 === undefined ? null : Buffer.from(head.ChecksumSHA256, 'base64').toString('hex') };
  } catch (error) {
    if (codeOf(error) === 'NotFound') return null;
    // The answer to HEAD has no body, so that S3 cannot say what is missing.
    if (isForbidden(error)) throw new PermissionError(`${Key} may not be looked at: s3:GetObject is missing, or s3:ListBucket where nothing lies there`, { cause: error });
    throw error;
  }
}

/**
 * Writes the file of a seal, once: the number is taken by whoever writes it first.
 *
 * @returns its version; `null` where the number is taken
 */
export async function writeSeal(tools: Tools, number: number, text: string): Promise<string | null> {
  try {
    const { VersionId } = await s3Of(tools.clients).send(
      new PutObjectCommand({ ...evidenceOf(tools), Key: sealKey(number), Body: text, ContentType: 'application/x-ndjson', IfNoneMatch: '*', ChecksumAlgorithm: 'SHA256' }),
    );
    return VersionId ?? '';
  } catch (error) {
    // 409: another write of the same key was under way. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    if (codeOf(error) === 'PreconditionFailed' || codeOf(error) === 'ConditionalRequestConflict') return null;
    throw error;
  }
}

/** @throws {SealError} where what lies there is none */
export async function fetchSeal(tools: Tools, number: number): Promise<{ readonly file: SealFile; readonly versionId: string }> {
  const { Body, VersionId } = await s3Of(tools.clients).send(new GetObjectCommand({ ...evidenceOf(tools), Key: sealKey(number) }));
  return { file: readSeal((await Body?.transformToString()) ?? ''), versionId: VersionId ?? '' };
}

/**
 * Books a seal that lies in the bucket: each of its records gets its place in the index, then its announcement goes; the seal
 * comes last, so that a crash in between is healed by doing it again.
 */
export async function bookSeal(tools: Tools, { seal, sha256 }: SealFile, versionId: string): Promise<void> {
  await together(seal.records, AT_ONCE, async (record) => {
    const item = await get(tools, announcedIn(kindOf(record.key)), record.key);
    if (!item) return;
    const { incident, drill } = announcement.parse(item);
    await put(tools, { pk: homeOf(incident), sk: `RECORD#${record.key}`, ...record, kind: kindOf(record.key), drill, seal: seal.number });
    await dropAnnouncement(tools, record.key);
  });
  await together(seal.lost, AT_ONCE, async ({ key }) => await dropAnnouncement(tools, key));
  const { number, at, from, due, count, first, last, keys } = seal;
  await putNew(tools, { pk: SEALS, sk: `SEAL#${String(number).padStart(10, '0')}`, number, key: sealKey(number), versionId, sha256, at, from, due, count, first, last, keys, lost: seal.lost.length });
}

/** Records of an incident are indexed with it; the others by themselves. */
function homeOf(incident: string | null): string {
  return incident === null ? 'RECORDS' : partitionOf('RECORD', incident);
}

async function dropAnnouncement(tools: Tools, key: string): Promise<void> {
  await tools.clients.dynamo.send(new DeleteCommand({ TableName: tools.settings.STOPBATH_TABLE, Key: { pk: announcedIn(kindOf(key)), sk: key } }));
}

export function evidenceOf({ settings }: Pick<Tools, 'settings'>): { readonly Bucket: string; readonly ExpectedBucketOwner: string } {
  return { Bucket: settings.STOPBATH_EVIDENCE_BUCKET, ExpectedBucketOwner: settings.STOPBATH_ACCOUNT };
}

/** The seals that were booked, oldest first. @param after - the number of the last one that is known */
export async function bookedSeals(tools: Tools, after: number, limit: number): Promise<readonly Item[]> {
  const { Items = [] } = await tools.clients.dynamo.send(
    new QueryCommand({
      TableName: tools.settings.STOPBATH_TABLE,
      KeyConditionExpression: 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: { ':pk': SEALS, ':after': `SEAL#${String(after).padStart(10, '0')}` },
      Limit: limit,
    }),
  );
  return Items.map(asItem);
}

/** A key that signs seals, or did. */
export interface PublicKey {
  readonly arn: string;
  readonly fingerprint: string;
  /** base64 of the DER. */
  readonly publicKey: string;
}

/** @returns the configured keys, oldest first: the last one signs */
export async function publicKeys(tools: Tools): Promise<readonly PublicKey[]> {
  return await Promise.all(
    tools.settings.STOPBATH_SEAL_KEYS.map(async (arn) => {
      const { PublicKey: der } = await kmsOf(tools.clients).send(new GetPublicKeyCommand({ KeyId: arn }));
      if (!der) throw new Error(`KMS returned no public key for ${arn}`);
      return { arn, fingerprint: fingerprintOf(der), publicKey: Buffer.from(der).toString('base64') };
    }),
  );
}
