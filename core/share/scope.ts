import type { Json } from '../bucket.ts';
import type { Incident } from '../incident.ts';

/** Which links a revocation is about. */
export type ShareScope =
  | { readonly kind: 'links'; readonly linkIds: readonly string[] }
  | { readonly kind: 'album'; readonly albumId: string }
  | { readonly kind: 'owner'; readonly ownerId: string }
  | { readonly kind: 'bucket'; readonly bucket: string }
  | { readonly kind: 'prefix'; readonly bucket: string; readonly prefix: string }
  | { readonly kind: 'objects'; readonly bucket: string; readonly objectKeys: readonly string[] }
  | { readonly kind: 'issuer'; readonly principal: string; readonly since: string };

/** The incident says nothing that links could be found by. */
export class ScopeError extends Error {
  override readonly name = 'ScopeError';
}

/**
 * The scope of an incident: a responder's inputs, or the object that an event named.
 *
 * @throws {ScopeError} where its target is nothing that has links
 */
export function scopeOf({ id, target, inputs }: Pick<Incident, 'id' | 'target' | 'inputs'>): ShareScope {
  switch (target.kind) {
    case 'link':
      return { kind: 'links', linkIds: texts(inputs['linkIds']) };
    case 'album':
      return { kind: 'album', albumId: text(inputs['albumId']) ?? target.name };
    case 'owner':
      return { kind: 'owner', ownerId: text(inputs['ownerId']) ?? target.name };
    case 'principal': {
      const since = text(inputs['since']);
      if (since === null) throw new ScopeError(`${id}: since when ${target.arn} issued bad links is not said: give since`);
      // As it was said: links carry their issuer's ARN with its path, and the target's has none.
      return { kind: 'issuer', principal: text(inputs['issuedBy']) ?? target.arn, since };
    }
    case 'object': {
      const [bucket = '', ...key] = (target.arn.split(':::')[1] ?? '').split('/');
      return { kind: 'objects', bucket, objectKeys: [key.join('/')] };
    }
    case 'bucket': {
      const prefix = text(inputs['prefix']);
      const objectKeys = texts(inputs['objectKeys']);
      if (prefix !== null && objectKeys.length > 0) throw new ScopeError(`${id}: prefix and objectKeys are given: give one of them`);
      if (objectKeys.length > 0) return { kind: 'objects', bucket: target.name, objectKeys };
      return prefix === null ? { kind: 'bucket', bucket: target.name } : { kind: 'prefix', bucket: target.name, prefix };
    }
    default:
      throw new ScopeError(`${id} is about a ${target.kind}: links are found by link, album, owner, bucket, object or issuer`);
  }
}

/** The key in the epochs table by which one write kills the whole scope; `null` where only the sweep can. */
export function epochScopeOf(scope: ShareScope): string | null {
  if (scope.kind === 'album') return `album#${scope.albumId}`;
  if (scope.kind === 'owner') return `owner#${scope.ownerId}`;
  return scope.kind === 'bucket' ? `bucket#${scope.bucket}` : null;
}

/** The kind of the epoch that `epochScopeOf` names. */
export function epochKindOf(scope: ShareScope): 'album' | 'owner' | 'bucket' | null {
  return scope.kind === 'album' || scope.kind === 'owner' || scope.kind === 'bucket' ? scope.kind : null;
}

/** In words, for a title. Says nothing of who the owner is. */
export function scopePhrase(scope: ShareScope): string {
  switch (scope.kind) {
    case 'links':
      return scope.linkIds.length === 1 ? 'the link' : `${scope.linkIds.length} links`;
    case 'album':
      return 'every link to the album or a picture in it';
    case 'owner':
      return 'every link of the owner';
    case 'bucket':
      return 'every link into the bucket';
    case 'prefix':
      return `every link under the prefix ${scope.prefix}`;
    case 'objects':
      return scope.objectKeys.length === 1 ? 'every link to the object' : `every link to ${scope.objectKeys.length} objects`;
    case 'issuer':
      return `every link that was issued by ${scope.principal} since ${scope.since}`;
  }
}

/**
 * A run of links in an index, by the range key: where to look for a scope's links. `from` is exclusive and `to` inclusive, so
 * that runs can be cut and joined without losing or doubling a link.
 */
export interface Lane {
  readonly index: 'album' | 'owner' | 'bucket' | 'issuer';
  readonly hash: string;
  /** Of the range key: all, those at or after a value, those with a prefix, or one value. */
  readonly range: { readonly all: true } | { readonly since: string } | { readonly prefix: string } | { readonly only: string };
}

/** Where the links of a scope are found; none for links that are named. */
export function lanesOf(scope: ShareScope): readonly Lane[] {
  switch (scope.kind) {
    case 'links':
      return [];
    case 'album':
      return [{ index: 'album', hash: scope.albumId, range: { all: true } }];
    case 'owner':
      return [{ index: 'owner', hash: scope.ownerId, range: { all: true } }];
    case 'bucket':
      return [{ index: 'bucket', hash: scope.bucket, range: { all: true } }];
    case 'prefix':
      return [{ index: 'bucket', hash: scope.bucket, range: { prefix: scope.prefix } }];
    case 'objects':
      return scope.objectKeys.map((only) => ({ index: 'bucket', hash: scope.bucket, range: { only } }));
    case 'issuer':
      return [{ index: 'issuer', hash: scope.principal, range: { since: scope.since } }];
  }
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function texts(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
