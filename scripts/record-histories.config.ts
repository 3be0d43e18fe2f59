import { defineConfig } from 'vitest/config';
import suite from '../vitest.config.ts';

/** Records the histories that the suite replays, on the suite's own servers. */
export default defineConfig({ test: { ...suite.test, include: ['test/replay/record.ts'] } });
