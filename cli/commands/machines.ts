import { defaultTaskQueue, lookWorkflow } from '../../workflows/messages.ts';
import type { TargetLook } from '../../workflows/runbook/target-look.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type CommonOptions, taskQueueOf } from '../options.ts';
import { renderMachines } from '../render/machines.ts';
import { paintFor } from '../render/text.ts';
import { toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { askWorker } from '../temporal/ask-worker.ts';
import { withSession } from '../temporal/connect.ts';
import { print, printJson } from '../terminal.ts';

/** Looks at every machine on a worker, and prints what runs there. Changes nothing. */
export async function machines(options: CommonOptions): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, 'reconcile');
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const found = await withSession(options, (session) =>
    askWorker<TargetLook[]>(session, lookWorkflow, request, taskQueue),
  );
  if (options.json) printJson(found);
  else print(renderMachines(found, paintFor(process.stdout)));
  return exitCodes.succeeded;
}
