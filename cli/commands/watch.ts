import type { ExitCode } from '../exit-codes.ts';
import { showRun } from '../follow/show-run.ts';
import type { CommonOptions } from '../options.ts';
import { withSession } from '../temporal/connect.ts';
import { findRun } from '../temporal/runs.ts';

/** Follows the newest run (or `--run`) to its end. Returns the exit code of its outcome. */
export function watch(options: CommonOptions & { run?: string }): Promise<ExitCode> {
  return withSession(options, async (session) => showRun(session, await findRun(session, options), options));
}
