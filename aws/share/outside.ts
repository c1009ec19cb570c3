import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { getSignedUrl as signForCloudFront } from '@aws-sdk/cloudfront-signer';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { s3Of, ssmOf, stsOf } from '../clients.ts';
import type { Answer } from '../../core/quarantine/look.ts';
import type { Tools } from '../function.ts';
import type { Reach } from './kind.ts';

/** Temporary credentials, and until when they last (ISO 8601). */
export interface Session {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiresAt: string;
}

/** How long a URL of the probe's own lives, in seconds: no longer than the request that it is made for. */
const URL_SECONDS = 60;
const TIMEOUT_MS = 8_000;

/**
 * What whoever holds a URL gets: one byte is asked for, and it is not read. A refusal counts only where S3 says that access
 * is denied: a URL that has expired, or that nobody ever signed rightly, proves nothing and is `unknown`.
 */
export async function askUrl(url: string): Promise<Answer> {
  try {
    const response = await fetch(url, { headers: { range: 'bytes=0-0' }, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const error = response.ok || response.status === 416 ? null : (await response.text()).slice(0, 2000);
    await response.body?.cancel().catch(() => undefined);
    if (error === null) return 'served';
    // CloudFront's own refusal of a signature reads "Access denied"; S3's reads otherwise.
    const isDenied = response.status === 403 && /<Code>AccessDenied<\/Code>/.test(error) && !/Request has expired|<Message>Access denied<\/Message>/.test(error);
    return isDenied ? 'refused' : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** A URL of an object as a session signs it. It is in memory only, for as long as it takes to ask it. */
export async function presigned(session: Session, region: string, place: { readonly bucket: string; readonly key: string }): Promise<string> {
  const s3 = new S3Client({ region, credentials: { ...session } });
  try {
    return await getSignedUrl(s3, new GetObjectCommand({ Bucket: place.bucket, Key: place.key }), { expiresIn: URL_SECONDS });
  } finally {
    s3.destroy();
  }
}

/** A session of the suite's probe role; `null` where there is none. */
export async function probeSession({ clients, settings }: Tools): Promise<Session | null> {
  const role = settings.STOPBATH_PROBE_ROLE_ARN;
  return role === null ? null : await assume(stsOf(clients), { RoleArn: role, RoleSessionName: 'stopbath-verify', DurationSeconds: 900 });
}

/**
 * A session of a role that lets the probe in, narrowed to one object: it can read that, and nothing else.
 *
 * @param seconds - at most an hour, since one role assumes another
 */
export async function sessionOf(tools: Tools, role: string, place: { readonly bucket: string; readonly key: string }, seconds: number): Promise<Session | null> {
  const probe = await probeSession(tools);
  if (!probe) return null;
  const sts = new STSClient({ region: tools.settings.AWS_REGION, credentials: { ...probe } });
  const Resource = `arn:aws:s3:::${place.bucket}/${place.key.replaceAll(/[*?$]/g, '?')}`;
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource }] });
  try {
    return await assume(sts, { RoleArn: role, RoleSessionName: 'stopbath-probe', DurationSeconds: seconds, Policy });
  } finally {
    sts.destroy();
  }
}

/** A URL of a distribution, signed with the probe's own key where viewers must sign. */
export async function viewerUrl(tools: Tools, id: string, path: string): Promise<string | null> {
  const known = tools.settings.STOPBATH_SHARES.cdn.distributions[id];
  if (!known) return null;
  const url = known.url.replace(/\/$/, '') + path;
  if (known.probeKey === null) return url;
  const { Parameter } = await ssmOf(tools.clients).send(new GetParameterCommand({ Name: known.probeKey.parameter, WithDecryption: true }));
  if (Parameter?.Value === undefined) return null;
  return signForCloudFront({ url, keyPairId: known.probeKey.id, privateKey: Parameter.Value, dateLessThan: new Date(Date.parse(tools.now()) + URL_SECONDS * 1000) });
}

/** Places of each kind that are tried for an object. */
const TRIED = 5;

/** An object to try, of those that a reach names; `null` where there is none. It enters no plan and no record. */
export async function sampleOf({ clients, settings }: Tools, { bucket, keys, prefixes }: Reach): Promise<{ readonly bucket: string; readonly key: string } | null> {
  // A key stands before all that begin with it; of a picture that was deleted nobody gets anything, which proves nothing.
  const wanted = [...keys.slice(0, TRIED).map((key) => ({ Prefix: key, isKey: true })), ...prefixes.slice(0, TRIED).map((Prefix) => ({ Prefix, isKey: false }))];
  for (const { Prefix, isKey } of wanted) {
    const { Contents } = await s3Of(clients).send(new ListObjectsV2Command({ Bucket: bucket, Prefix, MaxKeys: 1, ExpectedBucketOwner: settings.STOPBATH_ACCOUNT }));
    const key = Contents?.[0]?.Key;
    if (key !== undefined && (!isKey || key === Prefix)) return { bucket, key };
  }
  return null;
}

async function assume(sts: STSClient, input: AssumeRoleCommandInput): Promise<Session | null> {
  const { Credentials: made } = await sts.send(new AssumeRoleCommand(input));
  if (!made?.AccessKeyId || !made.SecretAccessKey || !made.SessionToken) return null;
  return { accessKeyId: made.AccessKeyId, secretAccessKey: made.SecretAccessKey, sessionToken: made.SessionToken, expiresAt: (made.Expiration ?? new Date(0)).toISOString() };
}
