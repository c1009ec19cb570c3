import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { sharesSchema, type Shares } from '../core/share/config.ts';
import { checkShareLink, SCOPE_KINDS, scopeKey, scopesOf, UNTOUCHED, type LinkVerdict, type ScopeState, type ShareLink } from '../core/share/link.ts';

export { checkShareLink, scopeKey, scopesOf };
export const SharesSchema = /* @__PURE__ */ sharesSchema();
export type { LinkVerdict, ScopeState, ShareLink, Shares };

/** DynamoDB may leave keys of a batch unread under load. */
const TRIES = 5;

/**
 * What a share service imports: whether a link works, by one strongly consistent batch read of its three scopes.
 *
 * @param item - the link's item, as the service read it (strongly consistent too)
 * @param shares - `shares` of `stopbath.config.json`
 * @param now - ISO 8601 UTC with milliseconds
 * @throws where the scopes cannot be read: the service then answers 503, never the picture
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html (UnprocessedKeys; ConsistentRead)
 */
export async function judgeShareLink(dynamo: DynamoDBDocumentClient, item: Readonly<Record<string, unknown>>, shares: Shares, now: string): Promise<LinkVerdict> {
  const link = shareLinkOf(item, shares);
  return checkShareLink(link, await readScopes(dynamo, scopesOf(link), shares), now, shares.links.values.active);
}

/** The epochs that a link made now carries: read right before it is written. */
export async function epochsNow(dynamo: DynamoDBDocumentClient, link: Pick<ShareLink, 'albumId' | 'ownerId' | 'bucket'>, shares: Shares): Promise<ShareLink['epochs']> {
  const scopes = await readScopes(dynamo, scopesOf(link), shares);
  return Object.fromEntries(SCOPE_KINDS.map((kind) => [kind, (scopes.get(scopeKey(kind, link)) ?? UNTOUCHED).epoch]));
}

/** @returns every key that was asked for; `null` for a scope without an item. Without an epochs table all are `null`. */
export async function readScopes(dynamo: DynamoDBDocumentClient, keys: readonly string[], shares: Shares): Promise<ReadonlyMap<string, ScopeState | null>> {
  const found = new Map<string, ScopeState | null>(keys.map((key) => [key, null]));
  const { epochs } = shares;
  if (epochs === null) return found;
  const { scope, epoch, revoked } = epochs.attributes;
  let asked: Record<string, unknown>[] = keys.map((key) => ({ [scope]: key }));
  for (let attempt = 0; attempt < TRIES && asked.length > 0; attempt++) {
    const { Responses, UnprocessedKeys } = await dynamo.send(new BatchGetCommand({ RequestItems: { [epochs.table]: { Keys: asked, ConsistentRead: true } } }));
    for (const item of Responses?.[epochs.table] ?? []) found.set(textOf(item, scope) ?? '', { epoch: wholeOf(item[epoch]) ?? 0, revoked: rangesOf(item[revoked]) });
    asked = UnprocessedKeys?.[epochs.table]?.Keys ?? [];
  }
  if (asked.length > 0) throw new Error(`${epochs.table} left ${asked.length} of ${keys.length} scopes unread, ${TRIES} times in a row`);
  return found;
}

/** A link's item, under the names that the service gives its attributes. */
export function shareLinkOf(item: Readonly<Record<string, unknown>>, { links: { attributes }, epochs: known }: Shares): ShareLink {
  const text = (name: keyof typeof attributes) => textOf(item, attributes[name]);
  // One that is there and no text (a number of seconds, for one) is no reason to let a link live for ever.
  const instant = (name: 'expiresAt' | 'endedAt') => (item[attributes[name]] === undefined || item[attributes[name]] === null ? null : (text(name) ?? UNREADABLE));
  // Where nobody keeps epochs, none is ahead of its scope.
  const epochs = known === null ? null : item[attributes.epochs];
  const numbers = typeof epochs === 'object' && epochs !== null ? Object.entries(epochs) : [];
  return {
    linkId: text('linkId') ?? '',
    albumId: text('albumId') ?? '',
    ownerId: text('ownerId') ?? '',
    bucket: text('bucket') ?? '',
    status: text('status') ?? '',
    expiresAt: instant('expiresAt'),
    endedAt: instant('endedAt'),
    epochs: Object.fromEntries(SCOPE_KINDS.map((kind) => [kind, wholeOf(numbers.find(([name]) => name === kind)?.[1]) ?? 0])),
  };
}

/** No instant: a link with it has expired, and has ended. */
const UNREADABLE = 'unreadable';

/** `null` where it is no count from 0 up: a link without a readable epoch is older than every revocation. */
function wholeOf(value: unknown): number | null {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** `null` where the attribute is not there or no text. */
export function textOf(item: Readonly<Record<string, unknown>>, attribute: string): string | null {
  const value = item[attribute];
  return typeof value === 'string' ? value : null;
}

function rangesOf(value: unknown): ScopeState['revoked'] {
  if (value === undefined || value === null) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [null];
  return list.map((range) => {
    const { through, incident } = Object(range) as { readonly through?: unknown; readonly incident?: unknown };
    // Fails closed: a range that cannot be read revokes whatever the scope holds.
    return { through: wholeOf(through) ?? Infinity, incident: typeof incident === 'string' ? incident : '' };
  });
}
