import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { endTogether } from '../../parts/end-together.ts';
import { freePort } from '../../parts/ports.ts';
import { endProcess } from '../../parts/processes.ts';
import { searchAttributeNames } from '../../workflows/messages.ts';
import { until } from './bounded.ts';

/** `temporal server start-dev` with a database file and no other setting, as anybody would type it. */
export async function startDefaultServer(bin: string, folder: string) {
  const database = join(folder, 'default.db');
  const port = await freePort();
  const attributes = searchAttributeNames.flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
  const where = ['--ip', '127.0.0.1', '--port', String(port), '--headless', '--db-filename', database];
  const args = ['server', 'start-dev', ...where, '--log-level', 'error', ...attributes];
  const child = spawn(bin, args, { stdio: 'ignore' });
  const callOff = endTogether(child.pid!, database, 'TERM');
  const address = `127.0.0.1:${port}`;
  const stop = async () => {
    await endProcess(child.pid!, database, 'SIGTERM', 10_000);
    callOff();
  };
  try {
    await until(60_000, 'the dev server with its default settings did not answer', () => answers(address));
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, stop };
}

async function answers(address: string): Promise<boolean> {
  const connection = Connection.lazy({ address, connectTimeout: 1_000 });
  try {
    // The namespace is made a moment after the port is open.
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
