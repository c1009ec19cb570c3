import { z } from 'zod';

/** `shares` of `stopbath.config.json`: how the photo service keeps its share links. The contract is in docs/share-links.md. Made when it is asked for, as not every function reads it. */
export function sharesSchema() {
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

  const Signer = z.strictObject({
    role: z.string().regex(/^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/, 'must be the ARN of a role: arn:aws:iam::111122223333:role/name'),
    bucket: z.string().min(3).max(63),
    prefix: z.string().max(1024).default(''),
  });

  const Distribution = z.strictObject({
    url: z.url({ protocol: /^https?$/ }).describe('Where viewers reach it, without a slash at the end: https://photos.example'),
    probeKey: z
      .strictObject({ id: name, parameter: z.string().regex(/^\/[\w./-]{1,1000}$/, 'must be the name of a parameter: /photos/cloudfront-probe-key') })
      .nullable()
      .default(null)
      .describe("A key of the distribution's key group that the suite's probe signs with: its id, and the SecureString that holds the private key (PEM). null: its URLs are not signed, or cannot be proven dead."),
  });

  const Cdn = z.strictObject({
    cacheTags: z
      .strictObject({ album: z.string().includes('{albumId}').nullable().default(null), owner: z.string().includes('{ownerId}').nullable().default(null) })
      .prefault({})
      .describe('The cache tags that the origin gives a picture, {albumId} and {ownerId} for the ids: album:{albumId}. null: invalidations go by path.'),
    distributions: z.record(z.string().regex(/^[A-Z0-9]{5,32}$/, 'must be the id of a distribution: EDFDVBD6EXAMPLE'), Distribution).default({}).describe('Distributions, by id, whose URLs the probe can ask. All that read an affected bucket are closed, whether they are here or not.'),
  });

  return z
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
      signers: z
        .array(Signer)
        .default([])
        .describe('Roles that sign URLs of pictures and do nothing else, and where: their older sessions are denied, and they are assumed again. Without one, all presigned URLs of affected pictures are denied.'),
      objectTag: z.string().regex(/^[\w.:/=+@-]{1,128}$/, 'must be a tag key').nullable().default(null).describe("The tag of an object that holds its album's id. null: pictures are denied by where they lie."),
      cdn: Cdn.prefault({}),
    })
    .describe("The photo service's own share tables, as docs/share-links.md says.");
}

export type Shares = Readonly<z.infer<ReturnType<typeof sharesSchema>>>;
export type LinkAttribute = keyof Shares['links']['attributes'];
