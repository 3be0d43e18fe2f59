import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks', // with threads, Temporal's native part crashes when a second file starts
    maxWorkers: 2, // the tests run real servers: more at once only makes each of them slower
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
