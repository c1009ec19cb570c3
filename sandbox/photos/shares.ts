import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { epochsNow, SharesSchema, type Shares as SharesConfig } from '../../aws/share-links.ts';
import type { Account } from '../account.ts';
import type { Caller } from '../service.ts';
import { ALBUMS } from './albums.ts';
import { createShareEndpoint } from './endpoint.ts';
import type { Photos } from './seed.ts';
import { createShareTables, putShareLinks, type StoredLink } from './share-tables.ts';

/** What the photo service keeps of its share links, and how it serves them: by the contract in docs/share-links.md. */
export interface Shares {
  /** `shares` of `stopbath.config.json` as this service would write it. */
  readonly config: SharesConfig;
  /** Links that were shared before anything happened. */
  readonly links: { readonly album: Link; readonly picture: Link; readonly other: Link; readonly expired: Link; readonly ended: Link };
  /** Makes a link as the service does, now. */
  readonly share: (to: To) => Promise<Link>;
  /** What an owner does who ends a link. */
  readonly end: (linkId: string) => Promise<void>;
  /** Writes many links to an album in moments, for measurements: `<albumId>-1` up to `<albumId>-<count>`, a second apart. */
  readonly fill: (count: number, to: Omit<To, 'expiresAt'>) => Promise<void>;
  /** The URL of a link of `fill`. */
  readonly urlOf: (linkId: string) => string;
  /** What `/s/<link>` answers, to whoever holds it. */
  readonly open: (url: string) => Promise<Opened>;
  /** What somebody does who has stolen a session of the signer: signs a picture's URL for as long as S3 lets him. */
  readonly mint: (key: string) => Promise<string>;
  /** The id of the distribution in front of the family bucket. */
  readonly distribution: string;
  readonly close: () => Promise<void>;
}

/** A link as its holder has it. The secret in the URL is stored nowhere. */
export interface Link {
  readonly linkId: string;
  readonly url: string;
}

/** What a link is to: an album, or one picture of it. */
export interface To {
  /** One of `ALBUMS`, or another one that is empty. */
  readonly album: string;
  readonly objectKey?: string;
  /** ISO 8601 */
  readonly expiresAt?: string;
  /** The ARN of the role that makes it; the service's own unless told. */
  readonly issuedBy?: string;
}

export interface Opened {
  readonly status: number;
  /** Empty where the link is dead. */
  readonly pictures: readonly { readonly key: string; readonly original: string; readonly preview: string }[];
}

export const DISTRIBUTION = 'EPHOTOS2026';
/** Key pairs by which CloudFront knows who signed: the service's own and the suite's probe's. Made once a process: RSA takes its time. */
const KEY_PAIRS = { service: generateKeyPairSync('rsa', { modulusLength: 2048 }), probe: generateKeyPairSync('rsa', { modulusLength: 2048 }) } as const;
/** The longest that S3 lets a presigned URL live, in seconds; its session's end is sooner. */
const A_WEEK = 604_800;
const FILLED_SECRET = 'filled';

/**
 * Creates the share tables, a distribution and the endpoint `/s/<linkId>.<secret>` on the sandbox's port.
 */
export async function seedShares(account: Account, people: Photos): Promise<Shares> {
  const { world } = account;
  const { family } = people;
  const config = configOf(account, people.roles.signer, family);
  account.cloudfront.distribute({
    id: DISTRIBUTION,
    domainName: 'd2026photos.cloudfront.net',
    bucket: family,
    cacheTagHeader: 'x-amz-meta-cache-tag',
    trustedKeys: { KPHOTOS: pem(KEY_PAIRS.service.publicKey, 'spki'), KPROBE: pem(KEY_PAIRS.probe.publicKey, 'spki') },
  });
  await world.call('ssm', 'PutParameter', { Name: PROBE_KEY, Value: pem(KEY_PAIRS.probe.privateKey, 'pkcs8'), Type: 'SecureString' }, rootOf(account));

  const dynamo = new DynamoDBClient({ endpoint: account.endpoint, region: world.region, credentials: account.admin });
  await createShareTables(dynamo);
  const documents = DynamoDBDocumentClient.from(dynamo, { marshallOptions: { removeUndefinedValues: true } });
  const { table } = config.links;
  const now = () => new Date(account.clock.now()).toISOString();

  const itemOf = (linkId: string, secret: string, { album, objectKey, expiresAt, issuedBy = people.roles.service }: To, issuedAt: string, epochs: NonNullable<StoredLink['epochs']>): StoredLink => {
    const { prefix, owner } = ALBUMS.find(({ id }) => id === album) ?? { prefix: `albums/${album}/`, owner: `owner-of-${album}` };
    const place = { albumId: album, ownerId: owner, bucket: family };
    return { linkId, tokenHash: sha256(secret), ...place, objectKey: objectKey ?? prefix, issuedBy, issuedAt, ...(expiresAt === undefined ? {} : { expiresAt }), status: config.links.values.active, epochs };
  };
  const share: Shares['share'] = async (to) => {
    const [linkId, secret] = [randomBytes(9).toString('base64url'), randomBytes(24).toString('base64url')];
    const { albumId, ownerId, bucket } = itemOf(linkId, secret, to, now(), { album: 0, owner: 0, bucket: 0 });
    const epochs = await epochsNow(documents, { albumId, ownerId, bucket }, config);
    await documents.send(new PutCommand({ TableName: table, Item: itemOf(linkId, secret, to, now(), { album: 0, owner: 0, bucket: 0, ...epochs }) }));
    return { linkId, url: `${account.endpoint}/s/${linkId}.${secret}` };
  };
  const end: Shares['end'] = async (linkId) => {
    const { Item } = await documents.send(new GetCommand({ TableName: table, Key: { linkId } }));
    await documents.send(new PutCommand({ TableName: table, Item: { ...Item, linkId, endedAt: now() } }));
  };

  const endpoint = createShareEndpoint({ account, people, config, family, distribution: DISTRIBUTION, keyPairId: 'KPHOTOS', privateKey: pem(KEY_PAIRS.service.privateKey, 'pkcs8') });
  account.register(endpoint);
  const yesterday = new Date(account.clock.now() - 86_400_000).toISOString();
  const [summer, , steps] = ALBUMS;
  const [album, picture, other, expired, ended] = await Promise.all([
    share({ album: summer.id }),
    share({ album: summer.id, objectKey: `${summer.prefix}0001.jpg` }),
    share({ album: steps.id }),
    share({ album: summer.id, expiresAt: yesterday }),
    share({ album: summer.id }),
  ]);
  await end(ended.linkId);

  return {
    config,
    links: { album, picture, other, expired, ended },
    share,
    end,
    fill: async (count, to) => {
      const begin = account.clock.now() - count * 1000;
      const links = Array.from({ length: count }, (_, index) => itemOf(`${to.album}-${index + 1}`, FILLED_SECRET, to, new Date(begin + index * 1000).toISOString(), { album: 0, owner: 0, bucket: 0 }));
      await putShareLinks(dynamo, links);
    },
    urlOf: (linkId) => `${account.endpoint}/s/${linkId}.${FILLED_SECRET}`,
    open: (url) => account.clock.work(() => open(url)),
    mint: async (Key) => {
      const s3 = await people.s3('photo-signer');
      try {
        return await getSignedUrl(s3, new GetObjectCommand({ Bucket: family, Key }), { expiresIn: A_WEEK, signingDate: new Date(account.clock.now()) });
      } finally {
        s3.destroy();
      }
    },
    distribution: DISTRIBUTION,
    close: async () => {
      dynamo.destroy();
      await endpoint.close();
    },
  };
}

const PROBE_KEY = '/photos/cloudfront-probe-key';

function configOf({ endpoint }: Account, role: string, bucket: string): SharesConfig {
  return SharesSchema.parse({
    endpoint: `${endpoint}/s/`,
    signers: [{ role, bucket, prefix: 'albums/' }],
    cdn: {
      cacheTags: { album: 'album:{albumId}', owner: 'owner:{ownerId}' },
      distributions: { [DISTRIBUTION]: { url: `${endpoint}/_cloudfront/${DISTRIBUTION}`, probeKey: { id: 'KPROBE', parameter: PROBE_KEY } } },
    },
  });
}

async function open(url: string): Promise<Opened> {
  const response = await fetch(url);
  const body: unknown = await response.json();
  return { status: response.status, pictures: Array.isArray(body) ? (body as Opened['pictures']) : [] };
}

function rootOf({ accounts }: Account): Caller {
  const arn = `arn:aws:iam::${accounts.home}:root`;
  return { kind: 'root', account: accounts.home, principalArn: arn, arn, userId: accounts.home };
}

function pem(key: { readonly export: (options: { readonly type: 'spki' | 'pkcs8'; readonly format: 'pem' }) => string | Buffer }, type: 'spki' | 'pkcs8'): string {
  return key.export({ type, format: 'pem' }).toString();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
