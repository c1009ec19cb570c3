import * as sdk from '@aws-sdk/client-cloudfront';
import type {
  CreateInvalidationCommandInput,
  CreateInvalidationCommandOutput,
  GetDistributionCommandInput,
  GetDistributionCommandOutput,
  GetInvalidationCommandInput,
  GetInvalidationCommandOutput,
  ListDistributionsCommandInput,
  ListDistributionsCommandOutput,
} from '@aws-sdk/client-cloudfront';
import { AwsError, operation, type Call, type Need, type Service, type World } from '../service.ts';
import { describe, distributionArn, makeDistribution, summarise, type Distribution, type NewDistribution } from './cloudfront/distribution.ts';
import { asOutput, invalidate, statusAt } from './cloudfront/invalidations.ts';
import { distributionOf, serveViewer } from './cloudfront/viewer.ts';

export interface CloudFront extends Service {
  /** Puts a distribution in front of a bucket: for seeds. Nothing that the suite does makes one. */
  readonly distribute: (made: NewDistribution) => Distribution;
}

/**
 * As much of a CloudFront as revoking needs: distributions in front of buckets, a cache, signed URLs, invalidations.
 * One edge location stands for all of them.
 *
 * @param options.invalidationMs - how long an invalidation is in progress; what it names is served until then
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudfront.html (resources of actions)
 */
export function createCloudFront(world: World, options: { readonly invalidationMs?: number } = {}): CloudFront {
  const { invalidationMs = 2_000 } = options;
  const distributions = new Map<string, Distribution>();
  const find = (id: string | undefined, call: Call): Distribution => {
    const distribution = distributions.get(id ?? '');
    if (distribution?.account !== accountOf(call)) throw new AwsError('NoSuchDistribution', 'The specified distribution does not exist.', 404);
    return distribution;
  };
  const onDistribution = (action: string) => (input: { readonly Id?: string | undefined; readonly DistributionId?: string | undefined }, call: Call): readonly Need[] => [
    { action: `cloudfront:${action}`, resource: distributionArn(accountOf(call), input.DistributionId ?? input.Id ?? '') },
  ];

  return {
    name: 'cloudfront',
    sdk,
    protocol: 'rest-xml',
    operations: {
      ListDistributions: operation<ListDistributionsCommandInput, ListDistributionsCommandOutput>({
        needs: () => [{ action: 'cloudfront:ListDistributions', resource: '*' }],
        run: ({ Marker = '', MaxItems = 100 }, call) => {
          if (MaxItems < 1 || MaxItems > 100) throw new AwsError('InvalidArgument', `MaxItems is ${MaxItems}: must be between 1 and 100.`);
          const own = [...distributions.values()].filter(({ account }) => account === accountOf(call));
          const start = own.findIndex(({ id }) => id === Marker) + 1;
          const page = own.slice(start, start + MaxItems);
          const IsTruncated = start + MaxItems < own.length;
          const NextMarker = IsTruncated ? { NextMarker: page.at(-1)?.id ?? '' } : {};
          return { DistributionList: { Marker, MaxItems, IsTruncated, Quantity: page.length, Items: page.map(summarise), ...NextMarker } };
        },
      }),
      GetDistribution: operation<GetDistributionCommandInput, GetDistributionCommandOutput>({
        needs: onDistribution('GetDistribution'),
        run: ({ Id }, call) => {
          const distribution = find(Id, call);
          const running = distribution.invalidations.filter((invalidation) => statusAt(invalidation, world.clock.now()) === 'InProgress').length;
          return { ETag: 'E2QWRUHEXAMPLE', Distribution: describe(distribution, running) };
        },
      }),
      CreateInvalidation: operation<CreateInvalidationCommandInput, CreateInvalidationCommandOutput>({
        needs: onDistribution('CreateInvalidation'),
        run: ({ DistributionId, InvalidationBatch }, call) => {
          const distribution = find(DistributionId, call);
          const made = invalidate(distribution, InvalidationBatch, { now: world.clock.now(), takesMs: invalidationMs, random: world.random });
          const Location = `https://cloudfront.amazonaws.com/2020-05-31/distribution/${distribution.id}/invalidation/${made.id}`;
          return { Location, Invalidation: asOutput(made, world.clock.now()) };
        },
      }),
      GetInvalidation: operation<GetInvalidationCommandInput, GetInvalidationCommandOutput>({
        needs: onDistribution('GetInvalidation'),
        run: ({ DistributionId, Id }, call) => {
          const found = find(DistributionId, call).invalidations.find(({ id }) => id === Id);
          if (!found) throw new AwsError('NoSuchInvalidation', 'The specified invalidation does not exist.', 404);
          return { Invalidation: asOutput(found, world.clock.now()) };
        },
      }),
    },
    http: {
      serves: (request) => distributionOf(distributions, request) !== null,
      handle: (request) => serveViewer(world, distributions, request),
    },
    distribute: (made) => {
      const distribution = makeDistribution(made, world);
      distributions.set(distribution.id, distribution);
      return distribution;
    },
  };
}

function accountOf(call: Call): string {
  return 'account' in call.caller ? call.caller.account : call.world.account;
}
