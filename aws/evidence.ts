import { randomUUID } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Of } from './clients.ts';
import { recordKey, recordText, type EvidenceRecord, type RecordKind } from '../core/evidence.ts';
import { withRecordedDigests } from '../core/plan.ts';
import { ownersIn, replacing, withoutSecrets } from '../core/redact.ts';
import { allOrThrow } from './concurrently.ts';
import { codeOf } from './errors.ts';
import type { Tools } from './function.ts';
import { pseudonymOf } from './owners.ts';
import { againOf, announcedIn } from './partitions.ts';
import { put, putNew, type Item } from './records.ts';

/** Where a record lies and what it says, for whoever checks it later. */
export interface EvidencePointer {
  readonly key: string;
  readonly sha256: string;
}

/**
 * Writes a record, once: a key that exists is left as it is. It is announced in the table first, so that whatever comes to lie
 * in the bucket is looked for by the next seal, also when the writer dies right after.
 *
 * @param about - the target of its incident: an owner whom the body may name in prose only
 *
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html (`If-None-Match: *`, 412 where the key exists)
 */
export async function putEvidence(tools: Pick<Tools, 'settings' | 'clients'>, record: Omit<EvidenceRecord, 'schemaVersion'>, about?: unknown): Promise<EvidencePointer> {
  const { pointer, text } = await recordFor(tools, record, about);
  await announce(tools, announcementOf(record, pointer));
  return await write(tools, pointer, text);
}

/** A record that is announced by its name, before anybody knows what it will say. */
export type Named = Pick<EvidenceRecord, 'kind' | 'id' | 'incident' | 'at'>;

/**
 * Announces a record while what it will say is still being read, for whoever cannot wait afterwards. Its hash is not known yet: what makes the
 * name the suite's own is that nobody can guess it. A name that nothing was written under means nothing.
 *
 * @param about - what the name begins with: an execution
 */
export async function nameEvidence(tools: Pick<Tools, 'settings' | 'clients' | 'now'>, kind: RecordKind, about: string, incident: string): Promise<Named> {
  const named: Named = { kind, id: `${about}/${randomUUID()}`, incident, at: tools.now() };
  await put(tools, { pk: announcedIn(kind), sk: recordKey(kind, named.id), ...named });
  return named;
}

/** Writes a record under a name that was announced, and beside it says its hash. Where its writer dies in between, the sealer takes what lies under the name. */
export async function putNamed(tools: Pick<Tools, 'settings' | 'clients'>, named: Named, { drill, body }: Pick<EvidenceRecord, 'drill' | 'body'>, about?: unknown): Promise<EvidencePointer> {
  const record = { ...named, drill, body };
  const { pointer, text } = await recordFor(tools, record, about);
  const [written] = await allOrThrow([write(tools, pointer, text), put(tools, { ...announcementOf(record, pointer), named: true })]);
  return written;
}

function announcementOf({ kind, id, incident, at, drill }: Omit<EvidenceRecord, 'schemaVersion' | 'body'>, { key, sha256 }: EvidencePointer) {
  return { pk: announcedIn(kind), sk: key, kind, id, incident, at, drill, sha256 };
}

async function recordFor(tools: Pick<Tools, 'settings' | 'clients'>, record: Omit<EvidenceRecord, 'schemaVersion'>, about: unknown): Promise<{ readonly pointer: EvidencePointer; readonly text: string }> {
  const { text, ...pointer } = recordText({ ...record, body: await fitToLock(tools, record.body, about), schemaVersion: 1 });
  return { pointer, text };
}

async function write(tools: Pick<Tools, 'settings' | 'clients'>, { key, sha256 }: EvidencePointer, text: string): Promise<EvidencePointer> {
  try {
    await s3Of(tools.clients).send(
      new PutObjectCommand({
        Bucket: tools.settings.STOPBATH_EVIDENCE_BUCKET,
        Key: key,
        Body: text,
        ContentType: 'application/json',
        IfNoneMatch: '*',
        ExpectedBucketOwner: tools.settings.STOPBATH_ACCOUNT,
        ChecksumAlgorithm: 'SHA256',
      }),
    );
  } catch (error) {
    if (codeOf(error) !== 'PreconditionFailed') throw error;
  }
  return { key, sha256 };
}

/** The first word stays; a later try says that it may write other bytes (another time stands in them), and that both are the suite's. */
async function announce(tools: Pick<Tools, 'settings' | 'clients'>, item: Item & { readonly sha256: string }): Promise<void> {
  if (!(await putNew(tools, item))) await put(tools, { pk: againOf(item.sk), sk: item.sha256 });
}

/** What a locked record may say: no secrets, and owners by their pseudonyms only, so that they can still be forgotten. */
async function fitToLock(tools: Pick<Tools, 'settings' | 'clients'>, body: unknown, about: unknown): Promise<unknown> {
  // Through JSON first, so that what is looked at is what is written.
  const text = JSON.stringify(body);
  const kept = withoutSecrets(JSON.parse(text));
  const pseudonyms = await Promise.all([...ownersIn([kept, about])].map(async (owner) => [owner, await pseudonymOf(tools, owner)] as const));
  const fit = replacing(kept, new Map(pseudonyms));
  return JSON.stringify(fit) === text ? fit : withRecordedDigests(fit);
}
