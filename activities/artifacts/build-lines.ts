import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import { fill } from '../../workflows/runbook/fill.ts';
import type { Release } from '../../workflows/runbook/plan.ts';
import { refuse } from '../failures.ts';

const shownLines = 10;

export interface Building {
  host: HostPort;
  /** The target's. */
  folder: string;
  release: Release;
  lines: string[][];
  /** Names the release's folder as it was made: one made anew is built anew. */
  id: string;
  signal: AbortSignal;
}

/**
 * Runs what makes a release ready, in its folder, each line once: a retry finds it running, or its end. A line that
 * failed runs again. false where one was lost, so that nobody knows what is in the folder. Throws `BuildFailed`.
 */
export async function runBuildLines({ host, folder, release, lines, id, signal }: Building): Promise<boolean> {
  const jobs = host.jobs(folder);
  const values = { version: release.version, folder: release.folder, shared: posix.join(folder, 'shared') };
  for (const [index, line] of lines.entries()) {
    const command = line.map((word) => fill(word, values));
    const key = `build|${release.folder}|${id}|${index}`;
    const job = { key, release, command, env: {}, signal };
    let result = await jobs.run(job);
    if (result.attached && result.exitCode !== 0 && !result.lost) {
      await jobs.forget(key);
      result = await jobs.run(job);
    }
    if (result.exitCode === 0) continue;
    await jobs.forget(key);
    if (result.lost) return false;
    const last = result.output.trim().split('\n').slice(-shownLines).join('\n');
    throw refuse(
      'BuildFailed',
      `${command.join(' ')} ended with exit code ${result.exitCode} in ${release.folder} on ${host.name}. ` +
        `Nothing serves from there yet: put it right, then retry.\n${last}`,
    );
  }
  return true;
}
