/** A worker of its own for tests that kill it: `start-host-job.ts <folder> <input as JSON>`. */
import { hostJobs } from '../../../activities/commands/host-jobs.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';

const [folder, input] = process.argv.slice(2).map((word) => JSON.parse(word));
process.stdout.write('up\n');
const result = await hostJobs(createLocalHost(), folder).run({ ...input, signal: new AbortController().signal });
process.stdout.write(`${JSON.stringify(result)}\n`);
