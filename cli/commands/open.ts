import { spawn } from 'node:child_process';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { CommonOptions } from '../options.ts';
import { Problem } from '../problem.ts';
import { withSession } from '../temporal/connect.ts';
import { findRun } from '../temporal/runs.ts';
import { runPage, uiBase } from '../temporal/ui.ts';
import { print, printJson } from '../terminal.ts';

/** Prints the URL of the run's page in the Temporal UI, and opens it unless `--print`. */
export async function open(options: CommonOptions & { run?: string; print?: boolean }): Promise<ExitCode> {
  const url = await withSession(options, async (session) => {
    const run = await findRun(session, options);
    const base = uiBase(session.address);
    if (base) return runPage(base, session.namespace, run.workflowId, run.runId);
    throw new Problem(exitCodes.usage, `Where the Temporal UI of ${session.address} is cannot be told.`, [
      'Say it once: export HOLDPOINT_UI_URL=https://temporal.example.com',
    ]);
  });
  if (options.json) printJson({ url });
  else print(url);
  if (!options.print && !options.json) openBrowser(url);
  return exitCodes.succeeded;
}

/** Without a browser the printed URL has to do. */
function openBrowser(url: string): void {
  const [command, ...argv] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['explorer.exe', url]
        : ['xdg-open', url];
  const child = spawn(command!, argv, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
