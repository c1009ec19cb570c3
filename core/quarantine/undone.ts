import type { BucketState } from '../bucket.ts';
import type { KnownState } from '../exposure.ts';
import { quarantine, same, type QuarantineOptions } from './levels.ts';

/**
 * What of a quarantine is no longer there: settings that it would have to change again, tags aside, which stop nobody.
 * Empty where the bucket is as closed as it was left, or where not all of its settings are known.
 */
export function undone(state: KnownState | undefined, options: QuarantineOptions): readonly string[] {
  if (!state || !isWhole(state)) return [];
  const bySetting = Map.groupBy(quarantine(state, options).changes, ({ setting }) => setting);
  // A block that is lifted only to write the policy under it is as it was left.
  return [...bySetting].filter(([setting, steps]) => setting !== 'tagging' && !same(steps[0]?.before, steps.at(-1)?.after)).map(([setting]) => setting);
}

function isWhole(state: KnownState): state is BucketState {
  return (['bucket', 'account', 'publicAccessBlock', 'policy', 'lifecycle', 'tagging', 'accessPoints'] as const).every((key) => state[key] !== undefined);
}
