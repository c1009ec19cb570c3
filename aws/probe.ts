import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { anonymousS3Of } from './clients.ts';
import type { AccessPoint, BucketState } from '../core/bucket.ts';
import type { Answer } from '../core/quarantine/look.ts';
import type { BucketAddress } from './bucket.ts';
import { inTurns } from './concurrently.ts';
import { codeOf, isRefusal } from './errors.ts';
import type { Tools } from './function.ts';
import { assumeMember, memberRole } from './member.ts';

/** How many objects a look tries to read. */
const SAMPLES = 3;
/** How many access points a look tries; more are closed by the same block. */
const MAX_DOORS = 10;
/** A name that no object has: where a listing is allowed, S3 answers 404 to it, otherwise 403. */
const NO_SUCH_KEY = 'stopbath-probe-of-a-name-that-does-not-exist';

/** A few keys of the bucket to try from outside. They stay in memory: no key enters a plan or a record. */
export async function sampleKeys(s3: S3Client, address: BucketAddress): Promise<readonly string[]> {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: address.bucket, MaxKeys: SAMPLES, ExpectedBucketOwner: address.account })).catch((error: unknown) => {
    // A policy that shows the suite no names: then a name that no object has is asked for.
    if (isRefusal(error)) return { Contents: [] };
    throw error;
  });
  return (Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key]));
}

/**
 * What nobody in particular gets from a bucket: objects and the listing, asked without a signature, at the bucket's own
 * door and at its access points'. One answered request is `served`; `refused` takes a refusal of every one.
 */
export async function askAnonymously(clients: Pick<Tools['clients'], 'region'>, { bucket, accessPoints }: Pick<BucketState, 'bucket' | 'accessPoints'>, keys: readonly string[]): Promise<Answer> {
  const s3 = anonymousS3Of(clients);
  const doors = [bucket, ...accessPoints.flatMap(doorOf).slice(0, MAX_DOORS)];
  return worst((await inTurns(doors, async (door) => await Promise.all([...(keys.length > 0 ? keys : [NO_SUCH_KEY]).map((key) => read(s3, door, key)), list(s3, door)]))).flat());
}

/** An access point without a policy, or of a VPC, opens to nobody on the internet. */
function doorOf({ alias, policy, networkOrigin }: AccessPoint): readonly string[] {
  return alias && policy !== null && networkOrigin !== 'VPC' ? [alias] : [];
}

async function list(s3: S3Client, door: string): Promise<Answer> {
  return await answerOf(s3.send(new ListObjectsV2Command({ Bucket: door, MaxKeys: 1 })));
}

/** The same as a principal inside the account that no deny exempts: the probe role, which only this may assume. */
export async function askFromInside(tools: Tools, address: BucketAddress, keys: readonly string[]): Promise<Answer> {
  const own = tools.settings.STOPBATH_PROBE_ROLE_ARN;
  if (own === null) return 'unknown';
  const role = tools.settings.STOPBATH_ACCOUNTS.includes(address.account) ? memberRole(tools, address.account, 'probe') : own;
  const s3 = new S3Client({ region: address.region, maxAttempts: 1, credentials: await assumeMember(tools, role, 'stopbath-verify') });
  try {
    return worst(await Promise.all((keys.length > 0 ? keys : [NO_SUCH_KEY]).map((Key) => read(s3, address.bucket, Key))));
  } finally {
    s3.destroy();
  }
}

async function read(s3: S3Client, Bucket: string, Key: string): Promise<Answer> {
  // One byte is enough to know, and a picture is nobody's business here.
  const answer = s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=0-0' }));
  return await answerOf(answer.then((output) => output.Body?.transformToByteArray()));
}

async function answerOf(request: Promise<unknown>): Promise<Answer> {
  try {
    await request;
    return 'served';
  } catch (error) {
    if (isRefusal(error)) return 'refused';
    // 404 tells an outsider that the name is free: S3 says so only to who may list.
    return codeOf(error) === 'NoSuchKey' || codeOf(error) === 'InvalidRange' ? 'served' : 'unknown';
  }
}

function worst(answers: readonly Answer[]): Answer {
  if (answers.includes('served')) return 'served';
  return answers.includes('unknown') ? 'unknown' : 'refused';
}
