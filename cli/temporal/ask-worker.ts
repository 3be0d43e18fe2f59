import type { DeployRequest } from '../../workflows/messages.ts';
import { oneLine } from '../render/text.ts';
import { complain } from '../terminal.ts';
import type { Session } from './connect.ts';
import { type Looking, startLooking } from './start-looking.ts';
import { resultOf } from './while-waiting.ts';
import { requireWorker } from './workers.ts';

/** What a worker sees, or plans; says meanwhile why it tries again. Changes nothing. Throws what the workflow failed with. */
export async function askWorker<T>(
  session: Session,
  workflow: Looking,
  request: DeployRequest,
  taskQueue: string,
): Promise<T> {
  await requireWorker(session, taskQueue);
  const handle = await startLooking(session, workflow, request, taskQueue);
  return await resultOf<T>(session, handle, ({ message }) => complain(`Trying again: ${oneLine(message)}`));
}
