import { verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { globMatches } from '../../../core/glob.ts';
import { AwsError, type HttpRequest, type World } from '../../service.ts';

/** The parameters that signing adds; the rest of the query is the URL's own. */
const ADDED = ['Expires', 'Policy', 'Signature', 'Key-Pair-Id', 'Hash-Algorithm'];

const policySchema = z.object({
  Statement: z.tuple([
    z.object({
      Resource: z.string().optional(),
      Condition: z.object({
        DateLessThan: z.object({ 'AWS:EpochTime': z.number() }),
        DateGreaterThan: z.object({ 'AWS:EpochTime': z.number() }).optional(),
        IpAddress: z.object({ 'AWS:SourceIp': z.string() }).optional(),
      }),
    }),
  ]),
});

/**
 * Checks a signed URL, with a canned policy (`Expires`) or a custom one (`Policy`), against the keys that the
 * distribution trusts. Plain HTTP on loopback stands for TLS: a signature over `https://` is taken too.
 *
 * @throws {AwsError} 403 with CloudFront's codes
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-canned-policy.html
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-creating-signed-url-custom-policy.html
 * @see https://repost.aws/knowledge-center/cloudfront-troubleshoot-signed-url-cookies (texts of the errors)
 */
export function checkSignedUrl(keys: ReadonlyMap<string, KeyObject>, request: HttpRequest, world: World): void {
  const { query } = request;
  const id = query.get('Key-Pair-Id');
  if (!id) throw new AwsError('MissingKey', 'Missing Key-Pair-Id query parameter or cookie value', 403);
  const key = keys.get(id);
  if (!key) throw new AwsError('UnknownKey', 'Unknown Key', 403);
  const urls = urlsOf(request, world);
  const expires = query.get('Expires');
  const custom = query.get('Policy');
  const signature = fromUrl(query.get('Signature') ?? '');
  const hash = query.get('Hash-Algorithm') === 'SHA256' ? 'sha256' : 'sha1';
  const isSigned = (text: string) => verify(hash, Buffer.from(text), key, signature);
  const now = world.clock.now() / 1000;
  if (custom === null) {
    const signed = urls.some((url) => isSigned(`{"Statement":[{"Resource":"${url}","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`));
    if (!signed || !(now < Number(expires))) throw denied();
    return;
  }
  const text = fromUrl(custom).toString('utf8');
  const policy = isSigned(text) ? readPolicy(text) : null;
  if (!policy) throw denied();
  const { Resource = '*', Condition: conditions } = policy.Statement[0];
  const from = conditions.DateGreaterThan?.['AWS:EpochTime'] ?? 0;
  // Every viewer of the sandbox comes from loopback; a policy for other addresses lets none of them in.
  const isHere = /^(0\.0\.0\.0\/0|127\.0\.0\.1(\/32)?|127\.0\.0\.0\/8)$/.test(conditions.IpAddress?.['AWS:SourceIp'] ?? '0.0.0.0/0');
  const isMeant = urls.some((url) => globMatches(Resource, url));
  if (!isMeant || !isHere || !(now < conditions.DateLessThan['AWS:EpochTime']) || now < from) throw denied();
}

function urlsOf({ headers, path, query }: HttpRequest, world: World): readonly string[] {
  const own = new URLSearchParams([...query].filter(([name]) => !ADDED.includes(name))).toString();
  const rest = `://${headers['host'] ?? new URL(world.endpoint).host}${path}${own === '' ? '' : `?${own}`}`;
  return [`http${rest}`, `https${rest}`];
}

function readPolicy(text: string): z.infer<typeof policySchema> | null {
  try {
    return policySchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Base64 with `-`, `_` and `~` for `+`, `=` and `/`. */
function fromUrl(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', '+').replaceAll('_', '=').replaceAll('~', '/'), 'base64');
}

function denied(): AwsError {
  return new AwsError('AccessDenied', 'Access denied', 403);
}
