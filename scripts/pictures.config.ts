import { defineConfig } from 'vitest/config';
import suite from '../vitest.config.ts';

/** Makes the pictures of docs/pictures anew, on the suite's own servers. */
export default defineConfig({ test: { ...suite.test, include: ['scripts/pictures.ts'] } });
