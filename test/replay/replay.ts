import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { histories } from './histories.ts';

/** What each history's replay says against: a DeterminismViolationError as a rule; nothing where it replays. */
export async function replay(
  workflowBundle: WorkflowBundleOption,
  recorded: ReturnType<typeof histories>,
): Promise<Map<string, Error | undefined>> {
  const said = new Map<string, Error | undefined>();
  for (const { name, history } of recorded) {
    // Its own id: a deploy's id is its lock, and a run refuses to go under another one.
    const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? name;
    for await (const { error } of Worker.runReplayHistories({ workflowBundle }, [{ workflowId, history }])) {
      said.set(name, error);
    }
  }
  return said;
}
