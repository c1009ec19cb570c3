import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { StateMovedError } from '../../core/apply.ts';
import type { Json } from '../../core/bucket.ts';
import { same } from '../../core/quarantine/levels.ts';
import { epochScopeOf, scopePhrase } from '../../core/share/scope.ts';
import { UNTOUCHED, type ScopeState } from '../../core/share/link.ts';
import { epochUndo, OWNER } from '../../core/share/undo.ts';
import type { Tools } from '../function.ts';
import { succeeded } from '../records.ts';
import { readScopes } from '../share-links.ts';
import type { ShareKind } from './kind.ts';

const stateSchema = z.strictObject({ epoch: z.int().nonnegative(), revoked: z.array(z.strictObject({ through: z.int().nonnegative(), incident: z.string().min(1) })) });

/** The one write that kills every link of an album, an owner or a bucket. */
export const epochKind: ShareKind = {
  kind: 'epoch',
  plan: async ({ incident, scope }, tools) => {
    const key = epochScopeOf(scope);
    if (key === null) return { changes: [], notes: ['There is no epoch for such links: the sweep alone revokes, link by link.'] };
    if (tools.settings.STOPBATH_SHARES.epochs === null) return { changes: [], notes: ['The share service checks no epochs (shares.epochs is null): the sweep alone revokes, link by link.'] };
    const now = await stateOf(key, tools);
    const after = { epoch: now.epoch + 1, revoked: [...now.revoked, { through: now.epoch, incident: incident.id }] };
    const undo = epochUndo(tools.settings.STOPBATH_SHARES, scope.kind === 'owner' ? `owner#${OWNER}` : key, now, after);
    return { changes: [{ setting: `epoch:${scope.kind}`, title: `Raise the epoch: ${scopePhrase(scope)} made until now is dead in one write`, before: asJson(now), after: asJson(after), ...(undo ? { undo } : {}) }], notes: [] };
  },
  read: async (_, tools, { scope }) => {
    const key = epochScopeOf(scope);
    return key === null ? null : asJson(await stateOf(key, tools));
  },
  write: async ({ setting, before, after }, { scope }, tools) => {
    const key = epochScopeOf(scope);
    if (key === null || tools.settings.STOPBATH_SHARES.epochs === null) throw new StateMovedError(`${setting}: the share service has no such epoch any more. Plan again.`);
    if (await replace(key, stateSchema.parse(before), stateSchema.parse(after), tools)) return;
    // An earlier try that was cut short, or one that still runs, may have come first with the very same.
    if (!same(asJson(await stateOf(key, tools)), after)) throw new StateMovedError(`${setting} was changed by somebody else at this moment. Plan again.`);
  },
  // Numbers never go back, and other incidents' ranges stay: a restore takes out its own, whatever else has happened since.
  takeBack: (entry, present) => {
    const now = stateSchema.parse(present);
    return { value: asJson({ ...now, revoked: now.revoked.filter(({ incident }) => incident !== entry.incident) }), note: null };
  },
  // Other incidents raise the same epoch and take their own ranges out: this one's are what counts.
  holds: ({ after, direction, incident }, present) => {
    const [was, now] = [stateSchema.parse(after), stateSchema.parse(present)];
    const mine = (state: ScopeState) => state.revoked.filter((range) => range.incident === incident).length;
    return now.epoch >= was.epoch && (direction === 'contain' ? mine(now) >= mine(was) : mine(now) === 0);
  },
};

async function stateOf(key: string, tools: Tools): Promise<ScopeState> {
  return (await readScopes(tools.clients.dynamo, [key], tools.settings.STOPBATH_SHARES)).get(key) ?? UNTOUCHED;
}

/** @returns false where the scope is not as `before` says any more */
async function replace(key: string, before: ScopeState, after: ScopeState, tools: Tools): Promise<boolean> {
  const { epochs } = tools.settings.STOPBATH_SHARES;
  if (epochs === null) return false;
  const { scope, epoch, revoked } = epochs.attributes;
  // Range by range, by plain values: not everything that speaks DynamoDB compares lists of maps by what is in them.
  const ranges = before.revoked.map((_, n) => `#revoked[${n}].#through = :through${n} AND #revoked[${n}].#incident = :incident${n}`);
  const asBefore = [`(#epoch = :epoch${before.epoch === 0 ? ' OR attribute_not_exists(#epoch)' : ''})`, `(size(#revoked) = :count${before.revoked.length === 0 ? ' OR attribute_not_exists(#revoked)' : ''})`, ...ranges];
  return await succeeded(
    tools.clients.dynamo.send(
      new UpdateCommand({
        TableName: epochs.table,
        Key: { [scope]: key },
        UpdateExpression: 'SET #epoch = :nextEpoch, #revoked = :nextRevoked',
        ConditionExpression: asBefore.join(' AND '),
        ExpressionAttributeNames: { '#epoch': epoch, '#revoked': revoked, ...(ranges.length === 0 ? {} : { '#through': 'through', '#incident': 'incident' }) },
        ExpressionAttributeValues: {
          ':epoch': before.epoch,
          ':count': before.revoked.length,
          ...Object.fromEntries(before.revoked.flatMap(({ through, incident }, n): [string, unknown][] => [[`:through${n}`, through], [`:incident${n}`, incident]])),
          ':nextEpoch': after.epoch,
          ':nextRevoked': after.revoked,
        },
      }),
    ),
  );
}

function asJson(state: ScopeState): Json {
  return { epoch: state.epoch, revoked: state.revoked.map(({ through, incident }) => ({ through, incident })) };
}
