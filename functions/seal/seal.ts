import { SignCommand } from '@aws-sdk/client-kms';
import { kmsOf } from '../../aws/clients.ts';
import type { Tools } from '../../aws/function.ts';
import { bookSeal, fetchSeal, findUnsealed, lastSeal, publicKeys, writeSeal, type Found, type PublicKey } from '../../aws/seals.ts';
import { nextSeal, readSeal, RECORDS_PER_SEAL, SealError, sealKey, sealText, signatureHolds, signedDigest, type Seal, type SealHead, type SealSignature } from '../../core/seal.ts';
import { WRITING_MS } from '../../core/verify.ts';

export interface Sealed {
  /** How many seals were made; one at least, also where nothing came on record. */
  readonly seals: number;
  readonly records: number;
  /** Seals of an earlier run that were in the bucket and not booked. */
  readonly healed: number;
  /** The number of the last one. */
  readonly last: number;
}

/**
 * Seals all that was announced and lies in the bucket. Its number is what excludes: S3 takes each number once. Whoever finds the
 * number taken adopts the seal that took it, after a check of its signature, and goes on from there; so a crash at any
 * point is healed by the next run, and two runs at once make one chain.
 */
export async function sealEvidence(tools: Tools): Promise<Sealed> {
  const keys = await publicKeys(tools);
  let head = await lastSeal(tools);
  if (head && tools.now() > head.due) tools.log.error('sealing is late', { last: head.number, due: head.due });
  let [seals, records, healed] = [0, 0, 0];
  let from: Found['next'] = null;
  for (let more = true; more; ) {
    const before = new Date(Date.parse(tools.now()) - WRITING_MS).toISOString();
    const found: Found = await findUnsealed(tools, { limit: RECORDS_PER_SEAL, from, before });
    const signers = signersAfter(head, keys);
    const seal = nextSeal(head, {
      bucket: tools.settings.STOPBATH_EVIDENCE_BUCKET,
      at: laterOf(tools.now(), head?.at),
      keys: signers.map(({ fingerprint }) => fingerprint),
      records: found.records,
      lost: found.lost,
      everySeconds: tools.settings.STOPBATH_SEAL_EVERY_MINUTES * 60,
    });
    const text = sealText(seal, await Promise.all(signers.map((key) => sign(seal, key, tools))));
    // Before it takes its number for good: what cannot be read again would stop every seal after it.
    const file = readSeal(text);
    const versionId = await writeSeal(tools, seal.number, text);
    if (versionId === null) {
      head = await adopt(head, seal.number, keys, tools);
      healed++;
      from = null;
      continue;
    }
    await bookSeal(tools, file, versionId);
    head = headOf(file);
    seals++;
    records += seal.count;
    from = found.next;
    more = from !== null;
  }
  tools.log.info(`sealed ${records} records`, { seals, healed, last: head?.number });
  return { seals, records, healed, last: head?.number ?? 0 };
}

/** The newest key; where the last seal was signed by another one, that one too: it is what vouches for its successor. */
function signersAfter(head: SealHead | null, keys: readonly PublicKey[]): readonly PublicKey[] {
  const newest = keys.at(-1);
  if (!newest) throw new Error('STOPBATH_SEAL_KEYS names no key: deploy again');
  const before = head?.keys.at(-1) ?? newest.fingerprint;
  if (before === newest.fingerprint) return [newest];
  const old = keys.find(({ fingerprint }) => fingerprint === before);
  if (!old) throw new SealError(`seal ${head?.number} was signed by the key ${before}, which is not among STOPBATH_SEAL_KEYS: without its signature nobody would have to trust the new one. Keep the old key configured.`);
  return [old, newest];
}

/** @see https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html (ECDSA over a digest; the signature is DER, ANS X9.62) */
async function sign(seal: Seal, { arn, fingerprint, publicKey }: PublicKey, tools: Tools): Promise<SealSignature> {
  const { Signature } = await kmsOf(tools.clients).send(new SignCommand({ KeyId: arn, Message: signedDigest(seal), MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' }));
  if (!Signature) throw new Error(`KMS returned no signature by ${arn}`);
  return { algorithm: 'ECDSA_SHA_256', key: fingerprint, publicKey, signature: Buffer.from(Signature).toString('base64') };
}

/** Takes over a seal that lies in the bucket and is not booked: only where it is ours, and follows ours. */
async function adopt(head: SealHead | null, number: number, keys: readonly PublicKey[], tools: Tools): Promise<SealHead> {
  const { file, versionId } = await fetchSeal(tools, number);
  const { seal, signatures } = file;
  const wanted = signersAfter(head, keys).map(({ fingerprint }) => fingerprint);
  const known = new Set(keys.map(({ fingerprint }) => fingerprint));
  const isSigned = signatures.length > 0 && signatures.every((signature) => known.has(signature.key) && signatureHolds(file, signature)) && signatures.some(({ key }) => wanted.includes(key));
  if (!isSigned || seal.number !== number || seal.previous !== (head?.sha256 ?? null)) {
    throw new SealError(`what lies at ${sealKey(number)} is no seal of ours that follows seal ${head?.number ?? 0}: somebody else wrote it. Nothing is sealed until it is looked at.`);
  }
  await bookSeal(tools, file, versionId);
  tools.log.warn(`seal ${number} was written and not booked: it is now`);
  return headOf(file);
}

function headOf({ seal, sha256 }: { readonly seal: Seal; readonly sha256: string }): SealHead {
  return { number: seal.number, sha256, at: seal.at, due: seal.due, keys: seal.keys };
}

function laterOf(now: string, before: string | undefined): string {
  return before !== undefined && before > now ? before : now;
}
