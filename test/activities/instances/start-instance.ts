/** A worker of its own for tests that kill it: `start-instance.ts <target> <slot> <spec>` as JSON. */
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { createProcessInstances } from '../../../activities/instances/process.ts';

const [target, slot, spec] = process.argv.slice(2).map((text) => JSON.parse(text));
process.stdout.write('up\n');
await createProcessInstances(target, createLocalHost()).ensureRunning(slot, spec, {});
process.stdout.write('started\n');
setInterval(() => {}, 60_000);
