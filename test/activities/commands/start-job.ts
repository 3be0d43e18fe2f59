/** A worker of its own for tests that kill it: `start-job.ts <input as JSON>`. */
import { runJob } from '../../../activities/commands/job.ts';

const input = JSON.parse(process.argv[2]!);
process.stdout.write('up\n');
const result = await runJob({ ...input, signal: new AbortController().signal });
process.stdout.write(`${JSON.stringify(result)}\n`);
