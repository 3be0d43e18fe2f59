import { defineConfig } from 'vitest/config';
import suite from '../vitest.config.ts';

/** Slow campaigns, on the suite's own servers: every fault at every machine, kills in every step. */
export default defineConfig({
  test: { ...suite.test, include: ['test/campaigns/*.campaign.ts'], fileParallelism: false },
});
