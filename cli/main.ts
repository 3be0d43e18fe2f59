#!/usr/bin/env node
import module from 'node:module';

// First, so that everything below is read from the cache; Node 20 has none.
(module as { enableCompileCache?: () => void }).enableCompileCache?.();
// `holdpoint history | head` closes the pipe while there is more to write.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
