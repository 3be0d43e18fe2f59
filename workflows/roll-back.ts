import { messageOf } from './failure-message.ts';
import type { Operator } from './operator.ts';
import type { Run } from './run.ts';
import { clip } from './runbook/clip.ts';
import type { Step } from './runbook/plan.ts';
import { perform } from './steps/index.ts';
import { contextOf } from './steps/step-context.ts';

/**
 * Walks the undos, newest first. Waits for nobody. Stops at the first undo that fails, since the ones before it
 * rely on it (nothing may be stopped that still has traffic); returns what a person has to look at, or null.
 */
export async function rollBack(run: Run, operator: Operator, why: string): Promise<string | null> {
  if (run.undos.length === 0) return null;
  run.status.paused = null;
  run.enter('rolling back', why);
  run.note(clip(`Rolling back: ${why}`, longestLine));
  const undos = run.undos.toReversed();
  for (const [index, step] of undos.entries()) {
    const trouble = await undo(run, operator, step);
    if (trouble === null) continue;
    for (const { id, undo: left } of undos.slice(index + 1)) {
      run.line(id).undo = `Not taken back, since what comes before it failed: ${left?.sentence}`;
    }
    return trouble;
  }
  return null;
}

/** A longer line runs out at the timeline's edge; the whole sentence is in the result. */
const longestLine = 90;

async function undo(run: Run, operator: Operator, step: Step): Promise<string | null> {
  const { sentence, actions, until } = step.undo!;
  if (until && run.begun.has(until)) {
    run.mark(step, 'left', { undo: `Left as it is: ${until} had begun, so this is not safe to take back` });
    return null;
  }
  if (actions.length === 0) {
    run.mark(step, 'left', { undo: sentence });
    return null;
  }
  run.mark(step, 'undoing', { undo: sentence });
  try {
    for (const action of actions) {
      await perform(action, contextOf(run, operator, step, { purpose: 'undo', attempt: 1 }));
    }
  } catch (error) {
    const message = messageOf(error);
    run.mark(step, 'undo failed', { undo: `${sentence}: ${message}` });
    return `${sentence} failed: ${message}`;
  }
  run.mark(step, 'undone', { undo: sentence });
  return null;
}
