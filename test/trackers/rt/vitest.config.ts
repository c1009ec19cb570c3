import { defineConfig } from 'vitest/config';

/** `npm run test:rt`: against a Request Tracker that is installed here. Not in `npm test`: it takes minutes, and Perl. */
export default defineConfig({
  test: { include: ['test/trackers/rt/*.real.ts'], pool: 'forks', reporters: ['default', './test/count-reporter.ts'], testTimeout: 120_000, hookTimeout: 300_000 },
});
