import { defineConfig } from 'vitest/config';

/** For tests of the source itself, which need no servers. */
export default defineConfig({ test: { include: ['test/architecture.test.ts'], pool: 'forks' } });
