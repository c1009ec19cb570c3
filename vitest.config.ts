import { defineConfig } from 'vitest/config';
import LongestFirst from './test/longest-first.ts';

export default defineConfig({
  test: {
    include: ['{core,aws,functions,cli,sandbox,deploy,test}/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Vitest leaves one processor idle, unless told.
    maxWorkers: '100%',
    // Scenarios: while one's functions run, another's services answer.
    maxConcurrency: 3,
    sequence: { sequencer: LongestFirst },
    reporters: ['default', './test/count-reporter.ts'],
    // For what hangs; a machine that is busy is no failure.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
