import type { Target } from '../../workflows/runbook/plan.ts';
import type { JobDeps } from '../migrations/run-once.ts';
import type { Mask } from '../secrets/mask.ts';
import { forgetJob, runJob } from './job.ts';

/** Jobs of a target: commands that outlive the worker, found again by their key. */
export function jobsOf({ folder }: Target, mask: Mask): JobDeps {
  return {
    runJob: (input) => runJob({ ...input, folder }),
    forgetJob: (key) => forgetJob(folder, key),
    mask: (text) => mask.text(text),
  };
}
