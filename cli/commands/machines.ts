import { defaultTaskQueue, lookWorkflow } from '../../workflows/messages.ts';
import type { TargetLook } from '../../workflows/runbook/target-look.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { type CommonOptions, taskQueueOf } from '../options.ts';
import { renderMachines } from '../render/machines.ts';
import { oneLine, paintFor } from '../render/text.ts';
import { toRequest } from '../request.ts';
import { loadRunbook } from '../runbook/load.ts';
import { withSession } from '../temporal/connect.ts';
import { startLooking } from '../temporal/start-looking.ts';
import { resultOf } from '../temporal/while-waiting.ts';
import { requireWorker } from '../temporal/workers.ts';
import { complain, print, printJson } from '../terminal.ts';

/** Looks at every machine on a worker, and prints what runs there. Changes nothing. */
export async function machines(options: CommonOptions): Promise<ExitCode> {
  const request = toRequest(loadRunbook(options.file), options, 'reconcile');
  const taskQueue = taskQueueOf(options, defaultTaskQueue);
  const found = await withSession(options, async (session) => {
    await requireWorker(session, taskQueue);
    const handle = await startLooking(session, lookWorkflow, request, taskQueue);
    return resultOf<TargetLook[]>(session, handle, ({ message }) => complain(`Trying again: ${oneLine(message)}`));
  });
  if (options.json) printJson(found);
  else print(renderMachines(found, paintFor(process.stdout)));
  return exitCodes.succeeded;
}
