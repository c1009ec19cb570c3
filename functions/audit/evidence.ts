import { GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { s3Of } from '../../aws/clients.ts';
import { codeOf } from '../../aws/errors.ts';
import type { Tools } from '../../aws/function.ts';
import { httpAnswer, type HttpAnswer } from '../../aws/http.ts';
import { evidenceOf, fetchSeal, publicKeys } from '../../aws/seals.ts';
import { SealError } from '../../core/seal.ts';

/** What one answer holds at most, bytes: Lambda allows 6 MB, and base64 makes a third more of it. A record has at most half of this. */
const ROOM = 3_000_000;
const AT_ONCE = 16;

/**
 * The evidence bucket, read for an auditor, who has no permission on it: everything comes from S3 itself and not from the table, so that
 * what is checked is what lies there.
 *
 * `/evidence/keys` → `{ keys: [{ fingerprint, publicKey }] }`, oldest first, as KMS says them;
 * `/evidence/files?prefix=seals/&key=…&version=…` → a page of all versions, `{ files: [{ key, versionId, at, deleted }], next }`, after that key and version;
 * `/evidence/file?key=…&version=…` → one, `{ base64 }`;
 * `/evidence/records?seal=3&from=0` → the records of a seal from that one on, as many as fit: `{ records: [{ base64 }], next }`, `null` where one is not there.
 */
export async function evidence(what: string | undefined, query: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  switch (what) {
    case 'keys':
      return httpAnswer(200, { keys: (await publicKeys(tools)).map(({ fingerprint, publicKey }) => ({ fingerprint, publicKey })) });
    case 'files':
      return await files(query, tools);
    case 'file':
      return await file(query, tools);
    case 'records':
      return await records(query, tools);
    default:
      return httpAnswer(404, { error: `there is no /evidence/${what ?? ''}; there are /evidence/keys, /evidence/files, /evidence/file and /evidence/records` });
  }
}

async function files({ prefix = '', key, version }: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  if (!/^(records|seals)\//.test(prefix)) return httpAnswer(400, { error: `prefix is ${JSON.stringify(prefix)}: use records/ or seals/` });
  const page = await s3Of(tools.clients).send(new ListObjectVersionsCommand({ ...evidenceOf(tools), Prefix: prefix, KeyMarker: key, VersionIdMarker: version, MaxKeys: 1000 }));
  const shown = (deleted: boolean) => ({ Key = '', VersionId = '', LastModified }: { readonly Key?: string | undefined; readonly VersionId?: string | undefined; readonly LastModified?: Date | undefined }) => ({ key: Key, versionId: VersionId, at: LastModified?.toISOString() ?? null, deleted });
  const found = [...(page.Versions ?? []).map(shown(false)), ...(page.DeleteMarkers ?? []).map(shown(true))].toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return httpAnswer(200, { files: found, next: page.IsTruncated ? { key: page.NextKeyMarker ?? '', version: page.NextVersionIdMarker ?? '' } : null });
}

async function file({ key = '', version }: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  if (!/^(records|seals)\/./.test(key)) return httpAnswer(400, { error: `key is ${JSON.stringify(key)}: use one of /evidence/files` });
  const bytes = await read(key, version, tools);
  return bytes === null ? httpAnswer(404, { error: `there is no ${JSON.stringify(key)}${version === undefined ? '' : ` in version ${JSON.stringify(version)}`}` }) : httpAnswer(200, { base64: Buffer.from(bytes).toString('base64') });
}

async function records({ seal = '', from = '0' }: Readonly<Record<string, string>>, tools: Tools): Promise<HttpAnswer> {
  if (!/^[1-9]\d{0,9}$/.test(seal) || !/^\d{1,6}$/.test(from)) return httpAnswer(400, { error: `seal is ${JSON.stringify(seal)} and from is ${JSON.stringify(from)}: numbers are needed` });
  let named;
  try {
    named = (await fetchSeal(tools, Number(seal))).file.seal.records;
  } catch (error) {
    if (error instanceof SealError || codeOf(error) === 'NoSuchKey') return httpAnswer(404, { error: `seal ${seal} cannot be read: ${error instanceof Error ? error.message : ''}` });
    throw error;
  }
  const contents: { readonly base64: string | null }[] = [];
  let [next, room] = [Number(from), ROOM];
  while (next < named.length && room > 0) {
    const some = await Promise.all(named.slice(next, next + AT_ONCE).map(({ key, versionId }) => read(key, versionId, tools)));
    for (const bytes of some) {
      // What does not fit any more is read again for the next page; the first one always goes.
      if (contents.length > 0 && (bytes?.length ?? 0) > room) return httpAnswer(200, { records: contents, next });
      contents.push({ base64: bytes && Buffer.from(bytes).toString('base64') });
      room -= bytes?.length ?? 0;
      next++;
    }
  }
  return httpAnswer(200, { records: contents, next: next < named.length ? next : null });
}

async function read(Key: string, VersionId: string | undefined, tools: Tools): Promise<Uint8Array | null> {
  try {
    const { Body } = await s3Of(tools.clients).send(new GetObjectCommand({ ...evidenceOf(tools), Key, VersionId }));
    return (await Body?.transformToByteArray()) ?? null;
  } catch (error) {
    // Without permission to list, S3 says 403 of a key that is not there; of a version it says NoSuchVersion.
    if (['NoSuchKey', 'NoSuchVersion', 'MethodNotAllowed', 'AccessDenied'].includes(codeOf(error) ?? '')) return null;
    throw error;
  }
}
