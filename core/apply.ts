import type { Json } from './bucket.ts';
import type { Change } from './incident.ts';
import { same } from './quarantine/levels.ts';

/** The state is neither the plan's before nor on the way to its after: somebody else changed it. Plan again. */
export class StateMovedError extends Error {
  override readonly name = 'StateMovedError';
}

/**
 * What of a plan is still to do, given the present state: applying twice gives the same end as once.
 * A setting that several changes pass through counts as far as its furthest change that the state shows.
 *
 * @throws {StateMovedError} where a setting is neither before nor after any of its changes
 */
export function remaining(changes: readonly Change[], settingNow: (setting: string) => Json): readonly Change[] {
  const bySetting = Map.groupBy(changes, (change) => change.setting);
  const done = new Set<number>();
  for (const [setting, steps] of bySetting) {
    const now = settingNow(setting);
    const first = steps[0];
    // A setting may end where it began (a block lifted to write a policy under it): then all of it is to do again.
    const untouched = first !== undefined && same(first.before, now);
    const reached = untouched ? -1 : steps.findLastIndex((step) => same(step.after, now));
    if (reached === -1 && !untouched) {
      throw new StateMovedError(`${setting} is no longer what the plan saw; nothing was changed. Plan again.`);
    }
    for (const step of steps.slice(0, reached + 1)) done.add(step.seq);
  }
  return changes.filter((change) => !done.has(change.seq));
}

