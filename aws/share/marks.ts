import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { UpdateCommand, type UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Shares } from '../../core/share/config.ts';
import { later, MAKERS_CLOCK_MS, type Cutoff } from '../../core/share/revocation.ts';
import type { SweepOutcome } from '../../core/share/tally.ts';
import type { Tools } from '../function.ts';
import { shareLinkOf } from '../share-links.ts';

type Share = Pick<Tools, 'clients' | 'now'> & { readonly settings: Pick<Tools['settings'], 'STOPBATH_SHARES'> };
type Item = Readonly<Record<string, unknown>>;

/**
 * Marks one link revoked by an incident, in one conditional write: only a link that works, or that an incident has revoked
 * already, and only one that is older than the cutoff: one that says it was issued later than now, or before the epoch that it carries
 * had begun, was made by a liar, and is as old as any. A link that the incident has marked before counts as changed, so that a sweep that was cut short counts right when it is done again.
 */
export async function markLink(tools: Share, linkId: string, incident: string, cutoff: Cutoff): Promise<SweepOutcome> {
  const shares = tools.settings.STOPBATH_SHARES;
  const { attributes, values } = shares.links;
  const now = tools.now();
  const ahead = later(now, MAKERS_CLOCK_MS);
  const until = cutoff === null ? '' : 'kind' in cutoff ? later(cutoff.since, -MAKERS_CLOCK_MS) : cutoff.issuedUntil;
  // Old is all that does not prove to be new: what has no instant, or no number, too.
  const fresh = cutoff === null ? null : 'kind' in cutoff ? '#epochs.#kind > :through AND #issuedAt >= :until AND #issuedAt <= :ahead' : '#issuedAt > :until AND #issuedAt <= :ahead';
  const met = await write(tools, {
    ...addressOf(shares, linkId),
    UpdateExpression: 'SET #status = :revoked, #from = if_not_exists(#from, #status), #at = if_not_exists(#at, :now) ADD #revocations :set',
    ConditionExpression: `(#status = :active OR (#status = :revoked AND attribute_exists(#revocations))) AND NOT contains(#revocations, :incident) AND ${NOT_ENDED}${fresh === null ? '' : ` AND NOT (${fresh})`}`,
    ExpressionAttributeNames: {
      '#status': attributes.status,
      '#from': attributes.revokedFrom,
      '#at': attributes.revokedAt,
      '#revocations': attributes.revocations,
      '#ended': attributes.endedAt,
      ...(cutoff === null ? {} : { '#issuedAt': attributes.issuedAt, ...('kind' in cutoff ? { '#epochs': attributes.epochs, '#kind': cutoff.kind } : {}) }),
    },
    ExpressionAttributeValues: { ':active': values.active, ':revoked': values.revoked, ':now': now, ':set': new Set([incident]), ':incident': incident, ':null': 'NULL', ...(cutoff === null ? {} : { ':until': until, ':ahead': ahead, ...('kind' in cutoff ? { ':through': cutoff.through } : {}) }) },
  });
  if (met === 'written') return 'changed';
  if (met === null) return 'gone';
  if (incidentsOf(met, shares).includes(incident)) return 'changed';
  const link = shareLinkOf(met, shares);
  const issuedAt = String(met[attributes.issuedAt]);
  if (cutoff !== null && issuedAt <= ahead && ('kind' in cutoff ? (link.epochs[cutoff.kind] ?? 0) > cutoff.through && issuedAt >= until : issuedAt > until)) return 'newer';
  return link.endedAt === null ? 'other' : 'ended';
}

/** How often two restores of one link may meet. */
const TRIES = 4;

/**
 * Takes an incident's mark off one link. The last mark to go gives back the status from before, unless the owner ended the
 * link meanwhile or the service gave it another status: then it stays what it is.
 */
export async function unmarkLink(tools: Share, linkId: string, incident: string): Promise<SweepOutcome> {
  const shares = tools.settings.STOPBATH_SHARES;
  const { attributes, values } = shares.links;
  const names = { '#status': attributes.status, '#from': attributes.revokedFrom, '#at': attributes.revokedAt, '#revocations': attributes.revocations, '#ended': attributes.endedAt };
  const all = { ':set': new Set([incident]), ':incident': incident, ':one': 1, ':revoked': values.revoked, ':null': 'NULL' };
  const common = { ...addressOf(shares, linkId), ExpressionAttributeNames: names };
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const met = await write(tools, {
      ...common,
      UpdateExpression: 'SET #status = if_not_exists(#from, :active) REMOVE #from, #at DELETE #revocations :set',
      ConditionExpression: `contains(#revocations, :incident) AND size(#revocations) = :one AND #status = :revoked AND ${NOT_ENDED}`,
      ExpressionAttributeValues: { ...all, ':active': values.active },
    });
    if (met === 'written') return 'changed';
    if (met === null) return 'gone';
    const holders = incidentsOf(met, shares);
    if (!holders.includes(incident)) return 'untouched';
    const theirs = holders.length > 1;
    const left = await write(tools, {
      ...common,
      UpdateExpression: theirs ? 'DELETE #revocations :set' : 'REMOVE #from, #at DELETE #revocations :set',
      ConditionExpression: theirs ? 'contains(#revocations, :incident) AND size(#revocations) > :one' : `contains(#revocations, :incident) AND size(#revocations) = :one AND (#status <> :revoked OR NOT ${NOT_ENDED})`,
      ExpressionAttributeNames: theirs ? { '#revocations': attributes.revocations } : names,
      ExpressionAttributeValues: theirs ? { ':set': all[':set'], ':incident': incident, ':one': 1 } : all,
    });
    if (left === 'written') return theirs ? 'held' : shareLinkOf(met, shares).endedAt === null ? 'other' : 'ended';
  }
  throw new Error(`link ${linkId} is being changed by somebody else all the time`);
}

/** A service may write the attribute as NULL where nobody has ended the link. */
const NOT_ENDED = '(attribute_not_exists(#ended) OR attribute_type(#ended, :null))';

function addressOf({ links }: Shares, linkId: string): Pick<UpdateCommandInput, 'TableName' | 'Key'> {
  return { TableName: links.table, Key: { [links.attributes.linkId]: linkId } };
}

/** @returns `written`, or the item that the condition met; `null` where there is none */
async function write(tools: Share, input: UpdateCommandInput): Promise<'written' | Item | null> {
  try {
    await tools.clients.dynamo.send(new UpdateCommand({ ...input, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }));
    return 'written';
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
    // The document client leaves what an error carries as it came.
    return error.Item ? unmarshall(error.Item) : null;
  }
}

/** The incidents whose mark is on a link. */
export function incidentsOf(item: Item, { links }: Shares): readonly string[] {
  const marks = item[links.attributes.revocations];
  return marks instanceof Set ? [...marks].map(String) : [];
}
