import type { Evidence, JobsPort } from '../../workflows/ports.ts';
import type { ActionOf } from '../../workflows/runbook/actions.ts';
import { refuse } from '../failures.ts';

const shownLines = 10;

/** A command of the runbook's own, once per `key`: a retry finds it running, or its end. Exit 0 is success. */
export async function runLine(
  { jobs, mask }: { jobs: JobsPort; mask(text: string): string },
  {
    command,
    release,
    env,
    key,
    signal,
  }: Pick<ActionOf<'run'>, 'command' | 'release'> & {
    env: Record<string, string>;
    key: string;
    signal: AbortSignal;
  },
): Promise<Evidence> {
  const { exitCode, output, attached, lost } = await jobs.run({ key, release, command, env, signal });
  const last = mask(output).trim().split('\n').slice(-shownLines).join('\n');
  const line = command.join(' ');
  if (lost) {
    throw refuse(
      'CommandLost',
      `${line} was ended from outside and nobody knows how far it came. Look, then retry or roll back.\n${last}`,
    );
  }
  if (exitCode !== 0) throw refuse('CommandFailed', `${line} ended with exit code ${exitCode}.\n${last}`);
  return { exitCode, attached, ...(last && { output: last.slice(-500) }) };
}
