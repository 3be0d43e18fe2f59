import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkerOptions } from '@temporalio/worker';

const built = fileURLToPath(new URL('../workflow-bundle.js', import.meta.url));
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
const source = (name: string) => fileURLToPath(new URL(`../workflows/${name}.${extension}`, import.meta.url));

export type WorkflowCode = Pick<WorkerOptions, 'workflowBundle'>;

/** Bundled while building, since that takes a second that every start, and every restart after a crash, would pay. */
export async function workflowCode(): Promise<WorkflowCode> {
  return { workflowBundle: existsSync(built) ? { codePath: built } : { code: await bundleWorkflows() } };
}

/** The bundle's text; for building, and for tests that replay. */
export async function bundleWorkflows(): Promise<string> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: source('index'),
    workflowInterceptorModules: [source('tolerate-signals')],
  });
  return code;
}
