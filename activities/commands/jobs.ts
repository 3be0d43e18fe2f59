import type { JobsPort } from '../../workflows/ports.ts';
import { forgetJob, runJob } from './job.ts';

/** Commands of a release on this machine, in its folder; `folder` is the target's, for their markers. */
export function processJobs(folder: string): JobsPort {
  return {
    run: ({ release, ...input }) => runJob({ ...input, folder, cwd: release.folder }),
    forget: (key) => forgetJob(folder, key),
  };
}
