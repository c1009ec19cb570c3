import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['{core,aws,functions,cli,sandbox,deploy,test}/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    reporters: ['default', './test/count-reporter.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
