import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import type { histories } from './histories.ts';

/** What each history's replay says against: a DeterminismViolationError as a rule; nothing where it replays. */
export async function replay(
  workflowBundle: WorkflowBundleOption,
  recorded: ReturnType<typeof histories>,
): Promise<Map<string, Error | undefined>> {
  const said = new Map<string, Error | undefined>();
  const named = recorded.map(({ name, history }) => ({ workflowId: name, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle }, named)) {
    said.set(workflowId, error);
  }
  return said;
}
