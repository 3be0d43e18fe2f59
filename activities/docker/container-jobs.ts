/**
 * One-off commands of a release, each in a container of its own that runs once per key.
 *
 * What is found                    | what it means                                | what happens
 * result                           | it is over                                   | that is the result
 * container, not started           | it was made by this or an earlier attempt    | it is started
 * container, running               | it runs                                      | wait for it
 * container, ended                 | it is over, and nobody has written it down   | written down, then removed
 * begun, no container, no result   | somebody removed it                          | `lost`: the caller decides
 *
 * `begun` and the result are files at the target: `<folder>/jobs/<digest of the key>.begun|.json`. The result holds
 * no secret, and is written before the container is removed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import type { ContainerInspectInfo } from 'dockerode';
import type { HostPort, JobInput, JobResult, JobsPort } from '../../workflows/ports.ts';
import { outputLimit } from '../commands/output.ts';
import { notYet, refuse } from '../failures.ts';
import { type Created, commandContainer } from './container-spec.ts';
import { answerOf, failureOf, isGone, isNoSuchCommand } from './failures.ts';
import type { Containers, Place } from './find-containers.ts';
import { type End, ended, filesOf, forgetFiles, type JobFiles, withoutContainer, writeDown } from './job-files.ts';
import { jobDigest, label, ownerLabels } from './labels.ts';
import { tailOf } from './logs.ts';
import { joinAll } from './networks.ts';
import { removeForGood } from './remove.ts';

export interface JobPlace extends Place {
  containers: Containers;
  /** Where the markers are. */
  host: HostPort;
  /** Takes secrets out of what is written down. */
  mask: { text(text: string): string };
}

const graceSeconds = 5;
const longestPauseMs = 250;
const mostUnseen = 30;
/** Enough lines for 64 KiB of most output. */
const tailLines = 5_000;
/** Shells and Docker say so for a command that does not exist. */
const noSuchCommand = 127;

export function containerJobs(place: JobPlace): JobsPort {
  return {
    run: (input) => runJob(place, input),
    forget: (key) => forget(place, key),
  };
}

/** One call's knowledge, bound together. */
interface Job extends JobPlace {
  input: JobInput;
  files: JobFiles;
}

async function runJob(place: JobPlace, input: JobInput): Promise<JobResult> {
  const files = filesOf(place.owner, input.key);
  const { host } = place;
  const job: Job = { ...place, input, files };
  const known = await ended(host, files);
  if (known) return { ...known, attached: true, lost: false };
  let attached = true;
  // Before the look at the container, which is there before this is written.
  const begun = (await host.read(files.begun)) !== null;
  if (!(await place.containers.named(files.name))) {
    const over = begun && (await withoutContainer(host, files));
    if (over) return over;
    input.signal.throwIfAborted();
    attached = !(await make(job));
  }
  return await finish(job, attached);
}

/** false where an overlapping attempt has made it. */
async function make(job: Job): Promise<boolean> {
  const wish = { ...(await wanted(job)).create, name: job.files.name };
  const doing = `create a container for ${job.input.command[0]}`;
  const made = await job.engine.ask(doing, (docker) => docker.createContainer(wish), { 409: null });
  return made !== null;
}

async function wanted({ containers, options, owner, input }: Job): Promise<Created> {
  const { key, release, command, env } = input;
  if (!release.image) throw refuse('ImageMissing', `Release ${release.version} has no image to run ${command[0]} in.`);
  const labels = { ...ownerLabels(owner), [label.job]: jobDigest(key), [label.release]: release.version };
  const more = { command, env, labels };
  const { create, alsoJoin } = commandContainer(release.image, await containers.model(), options, more);
  // Of any other driver the output could not be read back.
  const LogConfig = { Type: 'json-file', Config: { 'max-size': '2m' } };
  return { create: { ...create, HostConfig: { ...create.HostConfig, LogConfig } }, alsoJoin };
}

async function finish(job: Job, attached: boolean): Promise<JobResult> {
  const { containers, files, host, input } = job;
  let unseen = 0;
  for (let pause = 20; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const info = await containers.named(files.name);
    const end = info ? await endOf(job, info) : await withoutContainer(host, files);
    if (end) return { ...end, attached };
    // While the engine makes it, its name is taken, but it is not seen yet.
    if (!info && ++unseen > mostUnseen) {
      throw notYet('JobRemoved', `Somebody removed container ${files.name} before its command began.`);
    }
    if (input.signal.aborted) throw await abort(job, input.signal.reason);
    await sleep(pause, undefined, { signal: input.signal }).catch(() => {});
  }
}

/** Moves it on; null while it is not over. */
async function endOf(job: Job, info: ContainerInspectInfo): Promise<JobResult | null> {
  if (info.State.Status === 'created') await start(job, info);
  if (info.State.Status === 'created' || info.State.Running) return null;
  const end = await conclude(job, info);
  return end ? { ...end, attached: true, lost: false } : await withoutContainer(job.host, job.files);
}

async function start(job: Job, { Id }: ContainerInspectInfo): Promise<void> {
  const { engine, files, host, mask } = job;
  // An attempt that slept through everything may have made it anew: the result decides.
  if (await ended(host, files)) return await removeForGood(engine, Id);
  await joinAll(engine, Id, (await wanted(job)).alsoJoin);
  await host.write(files.begun, Id);
  try {
    await engine.docker.getContainer(Id).start();
  } catch (error) {
    const answer = answerOf(error);
    if (answer?.statusCode === 304 || isGone(answer)) return;
    if (!isNoSuchCommand(answer)) throw await notBegun(job, Id, error);
    await writeDown(host, files, mask, { exitCode: noSuchCommand, output: answer!.message });
    await removeForGood(engine, Id);
  }
}

/** Where trying again cannot help, it leaves nothing: not even the mark that it has begun. */
async function notBegun({ engine, files, host }: Job, id: string, error: unknown): Promise<Error> {
  const failure = failureOf(error, 'start a command', engine.url);
  if (failure.nonRetryable) {
    await host.remove(files.begun);
    await removeForGood(engine, id);
  }
  return failure;
}

/** null where it was removed meanwhile: by an overlapping attempt, which has written it down, or by somebody else. */
async function conclude(job: Job, info: ContainerInspectInfo): Promise<End | null> {
  const { containers, engine, files, host, mask } = job;
  const said = (await tailOf(engine, info, tailLines)).slice(-outputLimit);
  const { State } = info;
  // After its log was read: of one that is going the log is empty.
  if ((await containers.named(info.Id))?.State.Status !== 'exited') return await ended(host, files);
  const memory = State.OOMKilled ? `${said ? '\n' : ''}[ended by Docker: out of memory]` : '';
  const end = { exitCode: State.ExitCode, output: said + memory };
  await writeDown(host, files, mask, end);
  await removeForGood(engine, info.Id);
  return end;
}

/** A cancelled step's command is ended; an attempt that ends for another reason leaves it running for the next. */
async function abort(job: Job, reason: unknown): Promise<unknown> {
  // Temporal says with one class that the step was cancelled, and that only this attempt of it is over.
  const cancelled = !(reason instanceof CancelledFailure) || reason.message === 'CANCELLED';
  if (!cancelled) return reason;
  const { containers, engine, files } = job;
  const stop = { t: graceSeconds };
  await engine.ask('stop a command', (docker) => docker.getContainer(files.name).stop(stop), { 304: null, 404: null });
  const info = await containers.named(files.name);
  if (info?.State.Status === 'created') await removeForGood(engine, info.Id);
  else if (info) await conclude(job, info);
  return reason;
}

async function forget(place: JobPlace, key: string): Promise<void> {
  const files = filesOf(place.owner, key);
  const info = await place.containers.named(files.name);
  if (info?.State.Running) {
    throw refuse('JobRunning', `The command of ${key} still runs as container ${files.name}; end it first.`);
  }
  if (info) await removeForGood(place.engine, info.Id);
  await forgetFiles(place.host, files);
}
