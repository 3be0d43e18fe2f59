/**
 * One-off commands on any Linux machine, each run exactly once per key, whatever dies in between: the worker, the
 * connection, the machine.
 *
 * What is found there    | what it means                                   | what happens
 * no claim               | the command has not begun                       | it is started
 * claim, group alive     | it runs, started by this or an earlier attempt  | wait for it
 * exit code              | it is over                                      | that is the result
 * claim, nobody, no code | it was killed, or the machine went down         | `lost`: the caller decides
 * no claim, new boot     | a claim may have been lost with the power       | `lost`
 *
 * The shell that takes the claim runs the command and answers with its end, so that a command is one round trip. It
 * leads a group of its own and goes on when nobody is left to answer to.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { CommandResult, HostPort, JobInput, JobResult, JobsPort } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { endOfStart, endScript, forgetScript, lookScript, refusals, shell, startScript } from './host-job-scripts.ts';
import { isCancelled } from './job.ts';

const longestPauseMs = 2_000;
/** The claim is written a moment after it is taken; one that stays half is damaged. */
const mostUnreadable = 10;
/** Connections that may be lost before the command has begun. */
const mostStarts = 3;

/** Commands of a release in its folder on `host`; their markers are below `folder`, which is the target's. */
export function hostJobs(host: HostPort, folder: string): JobsPort {
  const filesOf = (key: string) =>
    posix.join(folder, 'jobs', createHash('sha256').update(key).digest('hex').slice(0, 24));
  return {
    run: (input) => runJob({ host, files: filesOf(input.key), input, by: randomBytes(6).toString('hex'), due: due() }),
    forget: (key) => forget(host, filesOf(key), key),
  };
}

/** One call's knowledge, bound together. */
interface Job {
  host: HostPort;
  /** What the names of its files at the machine start with. */
  files: string;
  input: JobInput;
  /** Names this call in the claim. */
  by: string;
  /** When the first attempt may have started it, ms since the epoch. */
  due: number;
}

async function runJob(job: Job): Promise<JobResult> {
  const { signal } = job.input;
  // One step's signal is heard on every machine of a fleet.
  setMaxListeners(0, signal);
  const begun = signal.aborted ? null : await orAborted(start(job), signal);
  return begun ?? (await wait(job));
}

/** null where it was not this call that saw its end: somebody else runs it, or the connection was lost. */
async function start(job: Job): Promise<JobResult | null> {
  const { host, files, input } = job;
  const note = JSON.stringify({ key: input.key, by: job.by });
  const seconds = String(Math.floor((Date.now() - job.due) / 1000));
  const argv = shell(startScript, files, note, seconds, input.release.folder, ...input.command);
  const env = Object.keys(input.env).length > 0 ? { env: input.env } : {};
  // Without the signal: who aborts decides what becomes of the command.
  const result = await host.exec(argv, env).catch(whenLost);
  if (!result) return null;
  const [, code] = endOfStart.exec(result.stderr) ?? [];
  if (code !== undefined) return { exitCode: Number(code), output: result.stdout, attached: false, lost: false };
  if (result.exitCode === refusals.rebooted) return { exitCode: null, output: '', attached: true, lost: true };
  refuseStart(job, result);
  return null;
}

/** Throws where the script said that nothing could begin. */
function refuseStart({ host, files, input }: Job, { exitCode }: CommandResult): void {
  const [file] = input.command;
  if (exitCode === refusals.folder) {
    throw refuse(
      'NoSuchFolder',
      `${file} cannot be started on ${host.name}: its folder ${input.release.folder} does not exist.`,
    );
  }
  if (exitCode === refusals.disk) {
    throw notYet(
      'LaunchFailed',
      `${file} could not be started on ${host.name}: ${files}.claim cannot be written. Is the disk full, or may ` +
        'only another user write there?',
    );
  }
  if (exitCode === refusals.system) {
    throw refuse(
      'UnknownSystem',
      `${file} cannot be started on ${host.name}: it has no /proc, so it is no Linux machine.`,
    );
  }
}

async function wait(job: Job): Promise<JobResult> {
  const { host, files, input, by } = job;
  const { signal } = input;
  let unreadable = 0;
  let starts = 1;
  for (let pause = 50; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const { state, code, note, output } = await look(host, files);
    if (state === 'over') return { exitCode: code, output, attached: !note.includes(by), lost: code === null };
    if (signal.aborted) {
      if (isCancelled(signal.reason)) await end(job);
      throw signal.reason;
    }
    if (state === 'unreadable' && ++unreadable > mostUnreadable) throw damaged(host, files);
    if (state === 'none') {
      if (++starts > mostStarts) throw neverBegan(job);
      const begun = await orAborted(start(job), signal);
      if (begun) return begun;
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

interface Seen {
  state: 'none' | 'unreadable' | 'running' | 'over';
  code: number | null;
  /** Of who took the claim. */
  note: string;
  /** Where it is over. */
  output: string;
}

async function look(host: HostPort, files: string): Promise<Seen> {
  const result = await host.exec(shell(lookScript, files), {});
  const [, state, code, note] =
    /(?:^|\n)holdpoint: (none|unreadable|running|over) (\S+)\n(.*)/.exec(result.stderr) ?? [];
  if (!state) {
    const said = result.stderr.trim().split('\n').slice(-3).join('; ');
    throw notYet('LookFailed', `${files}.claim could not be looked at on ${host.name} (${result.exitCode}): ${said}`);
  }
  const exitCode = code === '-' ? null : Number(code);
  return { state: state as Seen['state'], code: exitCode, note: note ?? '', output: result.stdout };
}

/** SIGTERM to the group, 5 s, SIGKILL. What has not begun never will. */
async function end({ host, files, input, by }: Job): Promise<void> {
  const result = await host.exec(shell(endScript, files, JSON.stringify({ key: input.key, by, ended: true })), {});
  const { exitCode } = result;
  if (exitCode === 0) return;
  const what = `${input.command[0]} on ${host.name}`;
  if (exitCode === refusals.taken) throw damaged(host, files);
  if (exitCode === refusals.notAllowed)
    throw refuse('NotAllowed', `${what} may not be ended: it runs as another user.`);
  throw notYet(
    'StillRunning',
    `${what} still runs, or nobody knows (${exitCode}): ${result.stderr.trim().slice(-300)}`,
  );
}

async function forget(host: HostPort, files: string, key: string): Promise<void> {
  const { exitCode, stdout, stderr } = await host.exec(shell(forgetScript, files), {});
  if (exitCode === 0) return;
  if (exitCode === refusals.taken) {
    const process = stdout.trim();
    throw refuse('JobRunning', `The command of ${key} still runs on ${host.name} as process ${process}; end it first.`);
  }
  throw notYet('ForgetFailed', `${files}.claim could not be removed on ${host.name}: ${stderr.trim().slice(-300)}`);
}

/** null as soon as the signal aborts; what was asked goes on unheard. */
async function orAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const heard = new AbortController();
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null), { once: true, signal: heard.signal });
  });
  asked.catch(() => {});
  return await Promise.race([asked, aborted]).finally(() => heard.abort());
}

function whenLost(error: unknown): null {
  if (error instanceof ApplicationFailure && error.type === 'ConnectionLost') return null;
  throw error;
}

/** An earlier attempt of the step may have started it, or this one. Outside of a step there was none. */
function due(): number {
  try {
    const context = Context.current();
    const { attempt, scheduledTimestampMs } = context.info;
    if (attempt > 1) return scheduledTimestampMs;
    const asked = firstAsked.get(context) ?? Date.now();
    firstAsked.set(context, asked);
    return asked;
  } catch {
    return Date.now();
  }
}

/** When an attempt first ran a job: it may ask again, after its machine has started anew. */
const firstAsked = new WeakMap<Context, number>();

function damaged(host: HostPort, files: string): Error {
  return refuse(
    'ClaimUnreadable',
    `${files}.claim on ${host.name} was not written by Holdpoint, or is damaged. Look at what runs, then remove it.`,
  );
}

function neverBegan({ host, input }: Job): Error {
  return notYet(
    'ConnectionLost',
    `${input.command[0]} did not begin on ${host.name}: the connection was lost each time.`,
  );
}
