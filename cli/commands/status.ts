import { sameRun } from '../command-line.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { paintFor } from '../render/text.ts';
import { renderTree } from '../render/tree.ts';
import { withSession } from '../temporal/connect.ts';
import { findRun, nobodyKnows, readStatus } from '../temporal/runs.ts';
import { print, printJson } from '../terminal.ts';

/** Prints where the newest run (or `--run`) stands; 0 whatever its outcome, since looking has succeeded. */
export async function status(options: CommonOptions & { run?: string }): Promise<ExitCode> {
  return withSession(options, async (session) => {
    const run = await findRun(session, options);
    const found = await readStatus(session, run);
    if (!found) throw nobodyKnows(run);
    if (options.json) printJson({ ...found, workflowId: run.workflowId, runId: run.runId });
    else {
      const paint = paintFor(process.stdout);
      print(renderTree(found, { now: Date.now(), paint, sameRun: sameRun(options) }).join('\n'));
    }
    return exitCodes.succeeded;
  });
}
