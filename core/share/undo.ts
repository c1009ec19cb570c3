import type { Json } from '../bucket.ts';
import type { UndoRequest } from '../incident.ts';
import type { Shares } from './config.ts';
import type { ScopeState } from './link.ts';
import { lanesOf, type Lane, type ShareScope } from './scope.ts';

/** Stands for the owner's id, which no plan holds: filled in where an undo is shown. */
export const OWNER = '{ownerId}';

/**
 * Takes an incident's range out of a scope again, as DynamoDB takes it: only while nobody has added another since, whose links
 * would live with it.
 *
 * @param key - of the epochs table: `album#summer-2026`
 */
export function epochUndo({ epochs }: Shares, key: string, before: ScopeState, after: ScopeState): UndoRequest | null {
  if (epochs === null) return null;
  const { scope, revoked } = epochs.attributes;
  const ranges = before.revoked.map(({ through, incident }) => ({ M: { through: { N: String(through) }, incident: { S: incident } } }));
  return {
    service: 'dynamodb',
    operation: 'UpdateItem',
    input: {
      TableName: epochs.table,
      Key: { [scope]: { S: key } },
      UpdateExpression: 'SET #revoked = :before',
      ConditionExpression: 'size(#revoked) = :count',
      ExpressionAttributeNames: { '#revoked': revoked },
      ExpressionAttributeValues: { ':before': { L: ranges }, ':count': { N: String(after.revoked.length) } },
    },
  };
}

/** Gives back every link that only this incident revoked, and takes its mark off those that others revoke too. */
export function sweepUndo(shares: Shares, scope: ShareScope, incident: string): UndoRequest {
  const { table, attributes, values } = shares.links;
  const mark = { ':incident': { S: incident }, ':set': { SS: [incident] }, ':one': { N: '1' } };
  return {
    service: 'dynamodb',
    operation: 'UpdateItem',
    input: {
      TableName: table,
      UpdateExpression: 'SET #status = if_not_exists(#from, :active) REMOVE #from, #at DELETE #marks :set',
      ConditionExpression: 'contains(#marks, :incident) AND size(#marks) = :one AND #status = :revoked AND (attribute_not_exists(#ended) OR attribute_type(#ended, :null))',
      ExpressionAttributeNames: { '#status': attributes.status, '#from': attributes.revokedFrom, '#at': attributes.revokedAt, '#marks': attributes.revocations, '#ended': attributes.endedAt },
      ExpressionAttributeValues: { ...mark, ':active': { S: values.active }, ':revoked': { S: values.revoked }, ':null': { S: 'NULL' } },
    },
    each: {
      key: attributes.linkId,
      ids: scope.kind === 'links' ? [...scope.linkIds] : [],
      queries: lanesOf(scope).map((lane) => queryOf(shares, lane)),
      otherwise: {
        TableName: table,
        UpdateExpression: 'DELETE #marks :set',
        ConditionExpression: 'contains(#marks, :incident) AND size(#marks) > :one',
        ExpressionAttributeNames: { '#marks': attributes.revocations },
        ExpressionAttributeValues: mark,
      },
    },
  };
}

function queryOf({ links }: Shares, lane: Lane): { readonly [key: string]: Json } {
  const { albumId, ownerId, bucket, issuedBy, issuedAt, objectKey } = links.attributes;
  const hash = { album: albumId, owner: ownerId, bucket, issuer: issuedBy }[lane.index];
  const base = { TableName: links.table, IndexName: links.indexes[lane.index] };
  const of = { ':hash': { S: lane.index === 'owner' ? OWNER : lane.hash } };
  if ('all' in lane.range) return { ...base, KeyConditionExpression: '#hash = :hash', ExpressionAttributeNames: { '#hash': hash }, ExpressionAttributeValues: of };
  const [condition, value] = 'since' in lane.range ? ['#range >= :range', lane.range.since] : 'prefix' in lane.range ? ['begins_with(#range, :range)', lane.range.prefix] : ['#range = :range', lane.range.only];
  return { ...base, KeyConditionExpression: `#hash = :hash AND ${condition}`, ExpressionAttributeNames: { '#hash': hash, '#range': lane.index === 'bucket' ? objectKey : issuedAt }, ExpressionAttributeValues: { ...of, ':range': { S: value } } };
}
