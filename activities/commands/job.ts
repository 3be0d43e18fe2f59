/**
 * A one-off command that runs exactly once per key, whatever dies in between, and that a later call finds again.
 *
 * What is found          | what it means                                   | what happens
 * no claim               | the command has not begun                       | it is started
 * claim, group alive     | it runs, started by this or an earlier attempt  | wait for it
 * exit code              | it is over                                      | that is the result
 * claim, nobody, no code | it was killed, or the machine went down         | `lost`: the caller decides
 */
import { createHash, randomBytes } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import type { JobInput, JobResult } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import { isMissing, readIfThere, writeWhole } from './files.ts';
import { type Claim, launch, readClaim } from './launch.ts';
import { readTail } from './output.ts';
import { endGroup, isAlive, livingMembers } from './process-group.ts';
import { bootId } from './process-table.ts';

export interface ProcessJob extends Omit<JobInput, 'release'> {
  /** Markers folder, absolute. */
  folder: string;
  cwd: string;
}

const graceMs = 5_000;
const longestPauseMs = 250;

/**
 * Runs the command to its end, once per key; every later call with the key returns the same end. A non-zero exit is
 * a result. When `signal` aborts, rejects with its reason, after ending the command (SIGTERM, 5 s, SIGKILL) if the step
 * was cancelled; an attempt that ends for another reason (worker shut down, timed out) leaves it running for the next.
 */
export async function runJob(input: ProcessJob): Promise<JobResult> {
  const files = filesOf(input.folder, input.key);
  const earlier = await readClaim(files.claim);
  if (earlier) return await finish(files, earlier, true, input.signal);
  const code = await readExitCode(files);
  if (code !== null) return await result(files, code, true);
  input.signal.throwIfAborted();
  if (!(await announce(files))) return await result(files, null, true);
  const { claim, exit } = await launch({
    claim: files.claim,
    note: { key: input.key },
    log: files.log,
    command: input.command,
    cwd: input.cwd,
    env: input.env,
    as: { kind: 'once', exitFile: files.exit },
  });
  return await finish(files, claim, exit === null, input.signal);
}

/**
 * Lets the key run again: for a lost job, once it is known what it did. May run twice. Throws `JobRunning` while it runs.
 */
export async function forgetJob(folder: string, key: string): Promise<void> {
  const files = filesOf(folder, key);
  const claim = await readClaim(files.claim);
  if (claim && (await livingMembers(claim)).length > 0) {
    throw refuse(
      'JobRunning',
      `The command of ${key} still runs as process ${claim.pid}; end it before it is forgotten.`,
    );
  }
  // Out of the way in one go: half a folder would look like another state.
  const aside = `${files.folder}.${randomBytes(6).toString('hex')}.forgotten`;
  try {
    await rename(files.folder, aside);
  } catch (error) {
    if (!isMissing(error)) throw error;
    return;
  }
  await rm(aside, { recursive: true, force: true });
}

interface JobFiles {
  folder: string;
  claim: string;
  exit: string;
  log: string;
  /** The boot in which it was about to be started. */
  boot: string;
}

function filesOf(markers: string, key: string): JobFiles {
  const folder = join(markers, 'jobs', createHash('sha256').update(key).digest('hex').slice(0, 24));
  const file = (name: string) => join(folder, name);
  return { folder, claim: file('claim'), exit: file('exit'), log: file('log'), boot: file('boot') };
}

/**
 * The claim is not synced to disk, so a power failure may lose the claim of a command that ran. This note is: with
 * another boot's name in it and no claim, nobody knows whether the command ran (false).
 */
async function announce(files: JobFiles): Promise<boolean> {
  const now = await bootId();
  const announced = await readIfThere(files.boot);
  if (announced === null) await writeWhole(files.boot, now, 0o600);
  return announced === null || announced === now;
}

async function finish(files: JobFiles, claim: Claim, attached: boolean, signal: AbortSignal): Promise<JobResult> {
  for (let pause = 10; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    // Looked at before the exit code: whoever is dead here has written it already, or never will.
    const over = !(await isAlive(claim)) && (await livingMembers(claim)).length === 0;
    const code = await readExitCode(files);
    if (code !== null || over) return await result(files, code, attached);
    if (signal.aborted) {
      if (isCancelled(signal.reason)) await endGroup(claim, graceMs);
      throw signal.reason;
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** Temporal says with one class that the step was cancelled, and that only this attempt of it is over. */
export function isCancelled(reason: unknown): boolean {
  return !(reason instanceof CancelledFailure) || reason.message === 'CANCELLED';
}

async function readExitCode(files: JobFiles): Promise<number | null> {
  const code = Number.parseInt((await readIfThere(files.exit)) ?? '', 10);
  return Number.isNaN(code) ? null : code;
}

async function result(files: JobFiles, exitCode: number | null, attached: boolean): Promise<JobResult> {
  return { exitCode, output: await readTail(files.log), attached, lost: exitCode === null };
}
