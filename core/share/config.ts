import { z } from 'zod';

const name = z.string().min(1).max(255);
/** Table and index names as DynamoDB takes them. */
const tableName = z.string().regex(/^[\w.-]{3,255}$/, 'must be a DynamoDB table or index name: 3 to 255 of a-z, A-Z, 0-9, _, . and -');

const LinkAttributes = z.strictObject({
  linkId: name.default('linkId'),
  albumId: name.default('albumId'),
  ownerId: name.default('ownerId'),
  bucket: name.default('bucket'),
  objectKey: name.default('objectKey'),
  issuedBy: name.default('issuedBy'),
  issuedAt: name.default('issuedAt'),
  expiresAt: name.default('expiresAt'),
  status: name.default('status'),
  epochs: name.default('epochs'),
  endedAt: name.default('endedAt'),
  revocations: name.default('revocations'),
  revokedFrom: name.default('revokedFrom'),
  revokedAt: name.default('revokedAt'),
});

const EpochAttributes = z.strictObject({ scope: name.default('scope'), epoch: name.default('epoch'), revoked: name.default('revoked') });

/** `shares` of `stopbath.config.json`: how the photo service keeps its share links. The contract is in docs/share-links.md. */
export const SharesSchema = z
  .strictObject({
    links: z
      .strictObject({
        table: tableName.default('photo-share-links'),
        attributes: LinkAttributes.prefault({}).describe('What the service calls them.'),
        indexes: z
          .strictObject({ album: tableName.default('byAlbum'), owner: tableName.default('byOwner'), bucket: tableName.default('byBucket'), issuer: tableName.default('byIssuer') })
          .prefault({})
          .describe('Global secondary indexes: album, owner and issuer ordered by issuedAt, bucket by objectKey.'),
        values: z
          .strictObject({ active: name.default('active'), revoked: name.default('revoked') })
          .prefault({})
          .describe('The status of a link that works, and the one that a revocation gives it.'),
      })
      .prefault({}),
    epochs: z
      .strictObject({ table: tableName.default('photo-share-epochs'), attributes: EpochAttributes.prefault({}) })
      .nullable()
      .prefault({})
      .describe('null: the service checks no epochs, and the sweep alone revokes.'),
    endpoint: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .describe('Where the service serves links, with the slash: https://photos.example/s/. null: links cannot be fetched, and nothing is called proven.'),
  })
  .describe("The photo service's own share tables, as docs/share-links.md says.");

export type Shares = Readonly<z.infer<typeof SharesSchema>>;
export type LinkAttribute = keyof Shares['links']['attributes'];
