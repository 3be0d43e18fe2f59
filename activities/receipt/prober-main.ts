/** The prober as a process of its own, so that it outlives the worker: `prober-main.js <input as JSON>`. */
import { probeOnAndOn } from './prober.ts';

const end = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end.abort());
await probeOnAndOn(JSON.parse(process.argv[2]!), end.signal);
