import { createHash, timingSafeEqual } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl as signForCloudFront } from '@aws-sdk/cloudfront-signer';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { judgeShareLink, type Shares as SharesConfig } from '../../aws/share-links.ts';
import type { Sandbox } from '../sandbox.ts';
import type { HttpRequest, HttpResponse, Service } from '../service.ts';
import type { People } from './people.ts';

export interface EndpointOptions {
  readonly account: Sandbox;
  readonly people: People;
  readonly config: SharesConfig;
  readonly family: string;
  readonly distribution: string;
  readonly keyPairId: string;
  /** PEM */
  readonly privateKey: string;
}

/** Seconds that a URL lives which the service hands out. */
const URL_SECONDS = 300;
/** How long a session is used before a new one is assumed, ms. */
const SESSION_MS = 50 * 60_000;
const PATH = /^\/s\/([\w-]{1,64})\.([\w-]{1,128})$/;

/**
 * The photo service's share endpoint: `GET /s/<linkId>.<secret>`. Asks `judgeShareLink` before it looks at the secret, and
 * hands out, for each picture, a presigned URL of the original and a CloudFront URL of the preview; signed in a session of a
 * role that does nothing else, which is assumed again when S3 refuses it. As docs/share-links.md asks.
 */
export function createShareEndpoint(options: EndpointOptions): Service & { readonly close: () => Promise<void> } {
  const { account, config } = options;
  const sessions = { service: keptSession(options, 'photo-service'), signer: keptSession(options, 'photo-signer') };

  const serve = async (request: HttpRequest): Promise<HttpResponse> => {
    const [, linkId = '', secret = ''] = PATH.exec(request.path) ?? [];
    try {
      const service = await sessions.service.use();
      const { Item: item } = await service.documents.send(new GetCommand({ TableName: config.links.table, Key: { [config.links.attributes.linkId]: linkId }, ConsistentRead: true }));
      if (!item) return json(404, { message: 'There is no such link.' });
      const verdict = await judgeShareLink(service.documents, item, config, new Date(account.clock.now()).toISOString());
      if (!verdict.live) return json(410, { message: 'This link does not work any more.' });
      if (!isSecret(secret, String(item['tokenHash']))) return json(403, { message: 'This is not the whole link.' });
      const keys = await keysOf(service.s3, options.family, String(item[config.links.attributes.objectKey]));
      const signer = await workingSigner(sessions.signer, options.family, keys);
      if (!signer) return json(503, { message: 'Pictures cannot be handed out at this moment.' });
      return json(200, await Promise.all(keys.map((key) => handOut(options, signer, key))));
    } catch (error) {
      // A task that is refused everything fails its health check, and another one is started in its place.
      if (error instanceof Error && error.name.startsWith('AccessDenied')) await sessions.service.close();
      // The scopes could not be read, or S3 did not answer: nobody knows, so there is no picture.
      return json(503, { message: 'This link cannot be checked at this moment.' });
    }
  };

  return {
    name: 'photos',
    sdk: {},
    protocol: 'rest-json',
    operations: {},
    http: { serves: (request) => request.method === 'GET' && PATH.test(request.path), handle: serve },
    close: async () => void (await Promise.all([sessions.service.close(), sessions.signer.close()])),
  };
}

interface Session {
  readonly s3: S3Client;
  readonly documents: DynamoDBDocumentClient;
}

interface KeptSession {
  /** The session as it is; or, asked to renew, the role assumed again. */
  readonly use: (renew?: boolean) => Promise<Session>;
  readonly close: () => Promise<void>;
}

function keptSession({ account, people }: EndpointOptions, who: 'photo-service' | 'photo-signer'): KeptSession {
  let kept: { readonly session: Promise<Session>; readonly since: number } | null = null;
  const close = async () => {
    const old = await kept?.session.catch(() => null);
    kept = null;
    old?.s3.destroy();
    old?.documents.destroy();
  };
  const open = async (): Promise<Session> => {
    const credentials = await people.credentialsOf(who);
    // The sandbox's clock may be ahead of the machine's.
    const config = { endpoint: account.endpoint, region: account.world.region, credentials, systemClockOffset: account.clock.now() - Date.now() };
    return { s3: new S3Client({ ...config, forcePathStyle: true }), documents: DynamoDBDocumentClient.from(new DynamoDBClient(config)) };
  };
  return {
    close,
    use: async (renew = false) => {
      if (kept && (renew || account.clock.now() - kept.since > SESSION_MS)) await close();
      kept ??= { session: open(), since: account.clock.now() };
      return await kept.session;
    },
  };
}

/** The signer's client, in its present session or, where S3 refuses that, in a new one; `null` where S3 refuses this too. */
async function workingSigner(session: KeptSession, Bucket: string, [Key]: readonly string[]): Promise<S3Client | null> {
  for (const renew of [false, true]) {
    const { s3 } = await session.use(renew);
    const works = Key === undefined || (await s3.send(new HeadObjectCommand({ Bucket, Key })).then(() => true, () => false));
    if (works) return s3;
  }
  return null;
}

async function handOut({ account, family, distribution, keyPairId, privateKey }: EndpointOptions, signer: S3Client, key: string) {
  const now = account.clock.now();
  const path = key.split('/').map(encodeURIComponent).join('/');
  return {
    key,
    original: await getSignedUrl(signer, new GetObjectCommand({ Bucket: family, Key: key }), { expiresIn: URL_SECONDS, signingDate: new Date(now) }),
    preview: signForCloudFront({ url: `${account.endpoint}/_cloudfront/${distribution}/${path}`, keyPairId, privateKey, dateLessThan: new Date(now + URL_SECONDS * 1000) }),
  };
}

/** A picture's own key, or those under an album's prefix. */
async function keysOf(s3: S3Client, Bucket: string, objectKey: string): Promise<readonly string[]> {
  if (!objectKey.endsWith('/')) return [objectKey];
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: objectKey, MaxKeys: 20 }));
  return Contents.flatMap(({ Key }) => Key ?? []);
}

function isSecret(secret: string, hash: string): boolean {
  const given = createHash('sha256').update(secret).digest();
  const known = Buffer.from(hash, 'hex');
  return given.length === known.length && timingSafeEqual(given, known);
}

function json(status: number, body: unknown): HttpResponse {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(body) };
}
