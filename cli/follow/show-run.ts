import { sameRun } from '../command-line.ts';
import { type ExitCode, exitCodeOf, exitCodes } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { paintFor } from '../render/text.ts';
import type { Session } from '../temporal/connect.ts';
import { lookForRun, nobodyKnows, type Run } from '../temporal/runs.ts';
import { complain, print, printJsonLine } from '../terminal.ts';
import { detachOnSignals } from './detach.ts';
import { follow } from './follow.ts';
import { createJsonView } from './json-view.ts';
import { createLineView } from './line-view.ts';
import { createLiveView } from './live-view.ts';
import type { View } from './view.ts';

/** Follows a run to its end on this terminal; Ctrl-C stops looking, never the run. Returns the exit code of its outcome. */
export async function showRun(session: Session, run: Run, options: CommonOptions): Promise<ExitCode> {
  const detach = detachOnSignals();
  try {
    const followed = await follow(session, run, viewFor(options), detach.signal);
    if (followed.kind === 'detached') {
      complain(`\nDetached; the deploy goes on. Look again: holdpoint watch${sameRun(options)}`);
      return exitCodes.detached;
    }
    if (followed.status) return exitCodeOf(followed.status);
    throw nobodyKnows((await lookForRun(session, run.workflowId, run.runId)) ?? { ...run, open: false });
  } finally {
    detach.release();
  }
}

function viewFor(options: CommonOptions): View {
  if (options.json) return createJsonView(printJsonLine);
  const where = sameRun(options);
  const paint = paintFor(process.stdout);
  const live = process.stdout.isTTY && process.env.TERM !== 'dumb' && !process.env.CI;
  return live
    ? createLiveView(process.stdout, where, paint, 'Ctrl-C detaches; the deploy goes on')
    : createLineView(print, where, paint);
}
