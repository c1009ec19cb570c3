import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take minutes, which would be a run's long end if they began last: a clone knows no durations yet. */
const LONGEST = ['test/scenarios.test.ts', 'test/permissions.test.ts'];

/** Vitest's own order, behind the longest. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((path) => moduleId.endsWith(path));
      return place < 0 ? LONGEST.length : place;
    };
    return (await super.sort(files)).toSorted((one, other) => rank(one) - rank(other));
  }
}
