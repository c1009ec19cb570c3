import { CreateInvalidationCommand, GetInvalidationCommand } from '@aws-sdk/client-cloudfront';
import { z } from 'zod';
import { digestOf } from '../../core/canonical.ts';
import { cloudfrontOf } from '../clients.ts';
import type { Json } from '../../core/bucket.ts';
import { evictionByPath, evictionByTag, isCacheTag, type Eviction } from '../../core/share/eviction.ts';
import { BusyError, codeOf } from '../errors.ts';
import type { Tools } from '../function.ts';
import { partitionOf } from '../partitions.ts';
import { get, putNew } from '../records.ts';
import { lookAtCdn } from './cdn-look.ts';
import { distributionsOf, type CdnOrigin } from './distributions.ts';
import type { Reach, ShareAim, ShareContext, ShareKind } from './kind.ts';

const made = z.object({ invalidation: z.string(), items: z.array(z.string()) });
const wanted = z.strictObject({ items: z.array(z.string()).min(1) });

/** What CloudFront has cached of the affected pictures: evicted after the origin was denied, and in force once that is completed. */
export const cdnKind: ShareKind = {
  kind: 'cdn',
  plan: async (context, tools) => {
    const read = context.reach.filter(({ prefixes, keys }) => prefixes.length + keys.length > 0).map(async (reach) => (await distributionsOf(tools, reach.bucket, context.ahead?.distributions)).map((cdn) => ({ ...reach, ...cdn })));
    // One invalidation a distribution, whatever it reads: its limits are for all of it.
    const planned = [...Map.groupBy((await Promise.all(read)).flat(), ({ id }) => id).values()].map((places) => planOf(places, context, tools));
    return { changes: planned.flatMap(({ change }) => change), notes: planned.flatMap(({ notes }) => notes) };
  },
  read: async (setting, tools, aim) => {
    const found = await invalidationOf(setting, aim, tools);
    return found && { items: found.items };
  },
  write: async ({ setting, after }, context, tools) => {
    const { items } = wanted.parse(after);
    const DistributionId = idOf(setting);
    // The same reference and paths are the same invalidation: a try whose answer was lost makes no second one. Other paths under one
    // reference would be refused (InvalidationBatchAlreadyExists).
    const CallerReference = `${context.execution}-${DistributionId}-${digestOf(items).slice(0, 16)}`;
    const Paths = { Quantity: items.length, Items: items.map((item) => named(item, context)) };
    const { Invalidation } = await cloudfrontOf(tools.clients).send(new CreateInvalidationCommand({ DistributionId, InvalidationBatch: { CallerReference, Paths } })).catch((cause: unknown) => {
      if (codeOf(cause) !== 'TooManyInvalidationsInProgress') throw cause;
      throw new BusyError('too many invalidations are in progress: it is asked for again when some of them have ended', { cause });
    });
    await putNew(tools, { ...keyOf(setting, context), invalidation: Invalidation?.Id ?? '', items });
  },
  // What was evicted comes back by itself, as soon as the origin lets CloudFront read.
  takeBack: (_, present) => ({ value: present, note: null }),
  pending: async ({ setting }, tools, context) => {
    const found = await invalidationOf(setting, context, tools);
    if (!found) return null;
    const { Invalidation } = await cloudfrontOf(tools.clients).send(new GetInvalidationCommand({ DistributionId: idOf(setting), Id: found.invalidation }));
    return Invalidation?.Status === 'Completed' ? null : `invalidation ${found.invalidation} of ${idOf(setting)} is in progress`;
  },
  look: async (plan, context, tools) => {
    if (!plan.changes.some(({ setting }) => setting.startsWith('cdn:'))) return [];
    return await lookAtCdn(context.reach, tools);
  },
};

type Place = Reach & CdnOrigin;

function planOf(places: readonly Place[], context: ShareContext, tools: Tools): { readonly change: readonly { setting: string; title: string; before: Json; after: Json }[]; readonly notes: readonly string[] } {
  const { items, notes } = evictionOf(places, context, tools);
  if (items.length === 0) return { change: [], notes };
  const id = places[0]?.id ?? '';
  const title = `Invalidate ${items.length === 1 ? items[0] : `${items.length} paths`} in the caches of ${id}`;
  return { change: [{ setting: `cdn:${id}`, title, before: null, after: { items: [...items] } }], notes: notes.map((note) => `${id}: ${note}`) };
}

function evictionOf(places: readonly Place[], context: ShareContext, { settings }: Tools): Eviction {
  const { album, owner } = settings.STOPBATH_SHARES.cdn.cacheTags;
  const { scope } = context;
  const tag = scope.kind === 'album' ? album?.replaceAll('{albumId}', scope.albumId) : scope.kind === 'owner' ? owner : null;
  // An owner's id stays out of the plan: the tag is filled in when it is used.
  if (places.every(({ tags }) => tags) && typeof tag === 'string' && isCacheTag(named(tag, context))) return evictionByTag(tag);
  return evictionByPath(places);
}

function named(item: string, { scope }: ShareContext): string {
  return scope.kind === 'owner' ? item.replaceAll('{ownerId}', scope.ownerId) : item;
}

async function invalidationOf(setting: string, aim: ShareAim, tools: Tools): Promise<z.infer<typeof made> | null> {
  const { pk, sk } = keyOf(setting, aim);
  const item = await get(tools, pk, sk);
  return item ? made.parse(item) : null;
}

function keyOf(setting: string, { incident, execution }: ShareAim): { readonly pk: string; readonly sk: string } {
  return { pk: partitionOf('INCIDENT', incident.id), sk: `INVALIDATION#${execution}#${idOf(setting)}` };
}

function idOf(setting: string): string {
  return setting.slice(setting.indexOf(':') + 1);
}
