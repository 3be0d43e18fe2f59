// The product's worker, killed from outside of it: an activity interceptor that only tests have ends the process with
// SIGKILL before or after an activity's effect, once for each activity of the run, and keeps a list of what it did.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { runWorker } from '../../dist/worker/main.js';

const [taskQueue, environments, when, journal] = process.argv.slice(2);

function crashOnce(moment, { activityId, activityType }) {
  const line = `${moment} ${activityId} ${activityType}`;
  if (moment !== momentFor(activityId) || readFileSync(journal, 'utf8').split('\n').includes(line)) return;
  appendFileSync(journal, `${line}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** `in turn`: before the effect of every other one, after that of the others. */
function momentFor(activityId) {
  if (when !== 'in turn') return when;
  return Number(activityId) % 2 === 1 ? 'before' : 'after';
}

/** `hang:startInstance`: that activity does not begin until somebody writes the file `<journal>.go`. */
async function hang({ activityType }) {
  if (when !== `hang:${activityType}`) return;
  appendFileSync(journal, `hangs in ${activityType}\n`);
  while (!existsSync(`${journal}.go`)) await sleep(50);
}

const crash = (context) => ({
  inbound: {
    async execute(input, next) {
      crashOnce('before', context.info);
      await hang(context.info);
      const result = await next(input);
      crashOnce('after', context.info);
      return result;
    },
  },
});

await runWorker({ taskQueue, environments, interceptors: when ? [crash] : [] });
