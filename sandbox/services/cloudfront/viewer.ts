import { AwsError, type Caller, type HttpRequest, type HttpResponse, type World } from '../../service.ts';
import type { Cached, Distribution } from './distribution.ts';
import { decoded, isEvicted } from './invalidations.ts';
import { checkSignedUrl } from './signed-url.ts';

/** Where a distribution lies on the sandbox's endpoint, for clients that cannot choose a `Host`: `/_cloudfront/<id>/…` */
const PREFIX = /^\/_cloudfront\/([A-Z0-9]+)(\/.*)$/s;
/** Seconds that an error is kept. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/custom-error-pages-expiration.html */
const ERROR_TTL = 10;

interface Viewed {
  readonly distribution: Distribution;
  readonly path: string;
}

/** What a viewer asks for: by the distribution's own domain, or by its id in the path. */
export function distributionOf(distributions: ReadonlyMap<string, Distribution>, request: Pick<HttpRequest, 'host' | 'path'>): Viewed | null {
  const [, id = '', path = '/'] = PREFIX.exec(request.path) ?? [];
  const byPath = distributions.get(id);
  if (byPath) return { distribution: byPath, path };
  const byHost = request.host.endsWith('.cloudfront.net') ? [...distributions.values()].find(({ domainName }) => domainName === request.host) : undefined;
  return byHost ? { distribution: byHost, path: request.path } : null;
}

/**
 * What a viewer gets: the URL's signature is checked first, then the cache answers, then the origin. What is cached is
 * served whatever the origin would say by now.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-how-signed-urls-work.html
 */
export async function serveViewer(world: World, distributions: ReadonlyMap<string, Distribution>, request: HttpRequest): Promise<HttpResponse> {
  const viewed = distributionOf(distributions, request);
  if (!viewed) return refused(new AwsError('NoSuchDistribution', 'The specified distribution does not exist.', 404));
  try {
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new AwsError('MethodNotAllowed', 'This distribution is not configured to allow the HTTP request method that was used for this request.', 403);
    const { distribution } = viewed;
    if (distribution.keys) checkSignedUrl(distribution.keys, request, world);
    return await serve(world, distribution, decoded(viewed.path));
  } catch (error) {
    if (error instanceof AwsError) return refused(error);
    throw error;
  }
}

async function serve(world: World, distribution: Distribution, path: string): Promise<HttpResponse> {
  const now = world.clock.now();
  const kept = distribution.cache.get(path);
  if (kept && now < kept.expiresAt && !isEvicted(distribution, path, kept, now)) {
    return answer(kept, 'Hit from cloudfront', { age: String(Math.floor((now - kept.storedAt) / 1000)) });
  }
  distribution.cache.delete(path);
  const fetched = await fetchOrigin(world, distribution, path, now);
  if (now < fetched.expiresAt) distribution.cache.set(path, fetched);
  return answer(fetched, fetched.status < 400 ? 'Miss from cloudfront' : 'Error from cloudfront');
}

/** Reads the bucket with origin access control: as CloudFront, for this distribution. */
async function fetchOrigin(world: World, distribution: Distribution, path: string, now: number): Promise<Cached> {
  const caller: Caller = { kind: 'service', service: 'cloudfront.amazonaws.com', sourceArn: distribution.arn };
  const none = { tags: new Set<string>(), storedAt: now };
  try {
    const object = readObject(await world.call('s3', 'GetObject', { Bucket: distribution.bucket, Key: path.slice(1) }, caller));
    const tagged = distribution.cacheTagHeader === null ? undefined : object.headers[distribution.cacheTagHeader];
    const tags = new Set((tagged ?? '').split(',').map((tag) => tag.trim().toLowerCase()).filter((tag) => tag !== '').slice(0, TAGS));
    return { ...none, ...object, status: 200, tags, expiresAt: now + 1000 * ttlOf(distribution, object.headers['cache-control']) };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Of S3's errors 404 and 5xx are kept; 403 only with a Cache-Control, which S3 does not send with it.
    // https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html#HTTPStatusCodes-cached-errors
    const isKept = error.status === 404 || error.status >= 500;
    const page = refused(error);
    return { ...none, status: error.status, headers: page.headers, body: Buffer.from(page.body), expiresAt: now + (isKept ? ERROR_TTL * 1000 : 0) };
  }
}

/** "CloudFront processes up to 50 tags per cached object." */
const TAGS = 50;

/** @see https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html (no-store, max-age, between minimum and maximum) */
function ttlOf({ ttl }: Distribution, cacheControl = ''): number {
  const asked = /\b(?:no-store|no-cache|private)\b/i.test(cacheControl) ? 0 : /\bs-maxage=(\d+)/i.exec(cacheControl)?.[1] ?? /\bmax-age=(\d+)/i.exec(cacheControl)?.[1] ?? ttl.default;
  return Math.min(ttl.max, Math.max(ttl.min, Number(asked)));
}

function readObject(output: unknown): { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array } {
  const object = new Map(typeof output === 'object' && output !== null ? Object.entries(output) : []);
  const metadata: unknown = object.get('Metadata');
  const own = typeof metadata === 'object' && metadata !== null ? Object.entries(metadata).map(([name, value]): [string, string] => [`x-amz-meta-${name.toLowerCase()}`, String(value)]) : [];
  const named = [['ContentType', 'content-type'], ['CacheControl', 'cache-control'], ['ETag', 'etag']] as const;
  const body: unknown = object.get('Body');
  return {
    headers: Object.fromEntries([...own, ...named.flatMap(([member, header]) => (typeof object.get(member) === 'string' ? [[header, String(object.get(member))]] : []))]),
    body: body instanceof Uint8Array ? body : new Uint8Array(),
  };
}

function answer({ status, headers, body }: Cached, cache: string, more: Readonly<Record<string, string>> = {}): HttpResponse {
  return { status, headers: { ...headers, ...more, 'x-cache': cache, via: '1.1 sandbox.cloudfront.net (CloudFront)' }, body };
}

function refused(error: AwsError): HttpResponse {
  const text = error.message.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return {
    status: error.status,
    headers: { 'content-type': 'application/xml', 'x-cache': 'Error from cloudfront' },
    body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${error.code}</Code><Message>${text}</Message></Error>`,
  };
}
