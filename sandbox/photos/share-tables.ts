import { BatchWriteItemCommand, CreateTableCommand, type DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { sharesSchema, type Shares } from '../../core/share/config.ts';

/** A link as the photo service writes it: the contract of docs/share-links.md. */
export interface StoredLink {
  readonly linkId: string;
  readonly tokenHash: string;
  readonly albumId: string;
  readonly ownerId: string;
  readonly bucket: string;
  readonly objectKey: string;
  readonly issuedBy: string;
  readonly issuedAt: string;
  readonly expiresAt?: string;
  readonly status: string;
  readonly epochs?: { readonly album: number; readonly owner: number; readonly bucket: number };
  readonly endedAt?: string;
}

/** The names of the contract, none of them changed. */
export const DEFAULT_SHARES: Shares = sharesSchema().parse({});

/** The two share tables as docs/share-links.md has them. */
export async function createShareTables(dynamo: DynamoDBClient): Promise<void> {
  const { links, epochs } = DEFAULT_SHARES;
  const index = (IndexName: string, hash: string, range: string) => ({
    IndexName,
    KeySchema: [{ AttributeName: hash, KeyType: 'HASH' as const }, { AttributeName: range, KeyType: 'RANGE' as const }],
    Projection: { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: ['albumId', 'ownerId', 'bucket', 'objectKey', 'issuedAt'].filter((name) => name !== hash && name !== range) },
  });
  await Promise.all([
    dynamo.send(
      new CreateTableCommand({
        TableName: links.table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: ['linkId', 'albumId', 'ownerId', 'bucket', 'objectKey', 'issuedBy', 'issuedAt'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
        KeySchema: [{ AttributeName: 'linkId', KeyType: 'HASH' }],
        GlobalSecondaryIndexes: [
          index(links.indexes.album, 'albumId', 'issuedAt'),
          index(links.indexes.owner, 'ownerId', 'issuedAt'),
          index(links.indexes.bucket, 'bucket', 'objectKey'),
          index(links.indexes.issuer, 'issuedBy', 'issuedAt'),
        ],
      }),
    ),
    dynamo.send(
      new CreateTableCommand({
        TableName: epochs?.table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'scope', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'scope', KeyType: 'HASH' }],
      }),
    ),
  ]);
}

/** Writes links in batches, several at once. */
export async function putShareLinks(dynamo: DynamoDBClient, links: Iterable<StoredLink>): Promise<void> {
  const batches = batchesOf(links);
  const worker = async () => {
    for (const batch of batches) await dynamo.send(new BatchWriteItemCommand({ RequestItems: { [DEFAULT_SHARES.links.table]: batch } }));
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

/** 25 writes are the most that BatchWriteItem takes. */
function* batchesOf(links: Iterable<StoredLink>): Generator<WriteRequest[]> {
  let batch: WriteRequest[] = [];
  for (const link of links) {
    batch.push({ PutRequest: { Item: marshall(link, { removeUndefinedValues: true }) } });
    if (batch.length < 25) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
