import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';

const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
const source = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../workflows/index.ts' : '../workflows/index.js', import.meta.url),
);

export type WorkflowCode = Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'>;

/** Bundled while building, since that takes a second that every start, and every restart after a crash, would pay. */
export function workflowCode(): WorkflowCode {
  return existsSync(built) ? { workflowBundle: { codePath: built } } : { workflowsPath: source };
}

/** The bundle's text; for building, and for tests that replay. */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({ workflowsPath: source });
  return code;
}
