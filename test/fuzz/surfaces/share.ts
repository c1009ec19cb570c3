import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import fc from 'fast-check';
import { judgeShareLink, SharesSchema } from '../../../aws/share-links.ts';
import { mangled } from '../mangle.ts';
import { surface, Violation } from '../surface.ts';

const shares = SharesSchema.parse({});
const dynamo = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const reads = mockClient(dynamo);
const NOW = '2026-06-01T00:00:00.000Z';
const LINK = { linkId: 'l1', albumId: 'summer', ownerId: 'owner-1', bucket: 'family-photos', objectKey: 'albums/summer/1.jpg', status: 'active', issuedAt: '2026-01-01T00:00:00.000Z', expiresAt: '2026-12-31T00:00:00.000Z', epochs: { album: 3, owner: 0, bucket: 0 } };
const SCOPE = { scope: 'album#summer', epoch: 4, revoked: [{ through: 2, incident: 'inc-1' }] };

/**
 * A link and its album's epochs as a table could hold them after somebody's migration or an attacker's write. Nothing throws but a
 * read that failed, and a link lives only where everything that could kill it was read and does not.
 */
export const share = surface('share', 'items of share links and of their epochs', () => ({
  cases: fc.tuple(mangled(LINK), mangled(SCOPE)).filter(([link]) => typeof link === 'object' && link !== null),
  holds: async ([item, scope]) => {
    // What it remembers of every call makes the next one slower.
    reads.reset();
    reads.on(BatchGetCommand).resolves({ Responses: { [shares.epochs?.table ?? '']: isItem(scope) ? [scope] : [] } });
    const link = item as Readonly<Record<string, unknown>>;
    const { live } = await judgeShareLink(dynamo, link, shares, NOW);
    if (!live) return;
    if (link['status'] !== 'active') throw new Violation(`lives with status ${JSON.stringify(link['status'])}`);
    const expires = link['expiresAt'] ?? null;
    if (expires !== null && !(typeof expires === 'string' && Date.parse(expires) > Date.parse(NOW))) throw new Violation(`lives although it expires at ${JSON.stringify(expires)}`);
    if ((link['endedAt'] ?? null) !== null) throw new Violation('lives although its owner ended it');
    if (isItem(scope) && typeof link['albumId'] === 'string' && scope['scope'] === `album#${link['albumId']}` && (scope['revoked'] ?? null) !== null) {
      const ranges = scope['revoked'];
      const epoch = (Object(link['epochs']) as { readonly album?: unknown }).album ?? 0;
      const spared = Array.isArray(ranges) && ranges.every((range: unknown) => Number.isSafeInteger((Object(range) as { readonly through?: unknown }).through) && Number.isSafeInteger(epoch) && (epoch as number) > ((range as { readonly through: number }).through));
      if (!spared) throw new Violation(`lives in epoch ${JSON.stringify(epoch)} although ${JSON.stringify(ranges)} is revoked`);
    }
  },
}));

function isItem(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
