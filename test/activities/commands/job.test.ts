import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { describe, expect, onTestFinished, test } from 'vitest';
import { forgetJob, type ProcessJob, runJob } from '../../../activities/commands/job.ts';
import {
  endLater,
  isUp,
  kill,
  lineIn,
  linesOf,
  lives,
  startWorker,
  temporaryFolder,
  until,
} from './on-this-machine.ts';

const script = join(import.meta.dirname, 'start-job.ts');
const never = new AbortController().signal;
const append = 'echo began >> "$1"; until [ -e "$1.go" ]; do sleep 0.02; done; echo "done as $NAME"; exit 3';

/** Says where it began, waits until told to go on, and ends with 3. */
function aJob(more: Partial<ProcessJob> = {}) {
  const folder = temporaryFolder();
  const ran = join(folder, 'ran');
  const input: ProcessJob = {
    folder,
    key: 'deploy/prod/shop|sha256:1|prepare.warm',
    command: ['sh', '-c', append, 'job', ran],
    cwd: folder,
    env: { NAME: 'shop' },
    signal: never,
    ...more,
  };
  const goOn = () => writeFileSync(`${ran}.go`, '');
  onTestFinished(async () => {
    goOn();
    if (linesOf(ran).length > 0) await runJob(input).catch(() => {});
  });
  return { folder, ran, input, goOn };
}

function claimOf(folder: string): string {
  const job = readdirSync(join(folder, 'jobs'))[0]!;
  return join(folder, 'jobs', job, 'claim');
}

async function pidOf(folder: string): Promise<number> {
  await until(() => {
    try {
      return linesOf(claimOf(folder)).length > 1;
    } catch {
      return false;
    }
  });
  return endLater(Number(linesOf(claimOf(folder))[1]));
}

describe('a job', () => {
  test('returns exit code and output, and says the same when asked again', async () => {
    const { input, ran, goOn } = aJob();
    goOn();
    expect(await runJob(input)).toEqual({ exitCode: 3, output: 'done as shop\n', attached: false, lost: false });
    expect(await runJob(input)).toEqual({ exitCode: 3, output: 'done as shop\n', attached: true, lost: false });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('starts once however many attempts overlap', async () => {
    const { input, ran, goOn } = aJob();
    const attempts = Array.from({ length: 8 }, () => runJob(input));
    await lineIn(ran);
    goOn();
    const results = await Promise.all(attempts);
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(8).fill(3));
    expect(results.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('survives SIGKILL of the worker that started it, and is found again with its exit code', async () => {
    const { input, ran, goOn } = aJob();
    const worker = startWorker(script, input);
    await lineIn(ran);
    await kill(worker);
    const found = runJob(input);
    goOn();
    expect(await found).toEqual({ exitCode: 3, output: 'done as shop\n', attached: true, lost: false });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('that ended while no worker was there is found with its exit code', async () => {
    const { input, ran, goOn, folder } = aJob();
    const worker = startWorker(script, input);
    await lineIn(ran);
    await kill(worker);
    const pid = await pidOf(folder);
    goOn();
    await until(async () => !(await lives(pid)));
    expect(await runJob(input)).toMatchObject({ exitCode: 3, attached: true, lost: false });
  });

  test('runs once and is not lost when workers are killed at any moment around its start', async () => {
    for (let delay = 0; delay < 60; delay += 6) {
      const { input, ran, goOn } = aJob();
      const worker = startWorker(script, input);
      await isUp(worker);
      await sleep(delay);
      await kill(worker);
      goOn();
      expect(await runJob(input)).toMatchObject({ exitCode: 3, lost: false });
      expect(linesOf(ran)).toEqual(['began']);
    }
  });

  test('that was killed is lost, stays lost, and runs again once forgotten', async () => {
    const { input, ran, folder, goOn } = aJob();
    const first = runJob(input);
    await lineIn(ran);
    process.kill(-(await pidOf(folder)), 'SIGKILL');
    const lost = { exitCode: null, lost: true };
    expect(await first).toMatchObject({ ...lost, attached: false });
    expect(await runJob(input)).toMatchObject({ ...lost, attached: true });
    await forgetJob(input.folder, input.key);
    await forgetJob(input.folder, input.key);
    goOn();
    expect(await runJob(input)).toMatchObject({ exitCode: 3, attached: false });
    expect(linesOf(ran)).toEqual(['began', 'began']);
  });

  test('is not over while its command lives on without its launcher', async () => {
    const { input, ran, folder, goOn } = aJob();
    let over = false;
    const running = runJob(input).finally(() => {
      over = true;
    });
    await lineIn(ran);
    process.kill(await pidOf(folder), 'SIGKILL');
    await expect(forgetJob(input.folder, input.key)).rejects.toMatchObject({ type: 'JobRunning' });
    await sleep(500); // longer than it takes to look again
    expect(over).toBe(false);
    goOn();
    expect(await running).toMatchObject({ lost: true, output: 'done as shop\n' });
  });

  test('whose pid belongs to a stranger by now is lost, and the stranger is left alone', async () => {
    const { input, folder, ran } = aJob();
    const first = runJob(input);
    await lineIn(ran);
    const pid = await pidOf(folder);
    process.kill(-pid, 'SIGKILL');
    await first;
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const claim = claimOf(folder);
    endLater(stranger.pid!);
    writeFileSync(claim, readFileSync(claim, 'utf8').replaceAll(`${pid}`, `${stranger.pid}`));
    const controller = new AbortController();
    expect(await runJob({ ...input, signal: controller.signal })).toMatchObject({ lost: true });
    expect(await lives(stranger.pid!)).toBe(true);
  });

  test('that was about to start when the machine went down is lost: nobody knows whether it ran', async () => {
    const { input, folder, goOn } = aJob();
    goOn();
    await runJob(input);
    await forgetJob(folder, input.key);
    await runJob(input);
    const job = join(claimOf(folder), '..');
    writeFileSync(join(job, 'boot'), 'another boot');
    for (const file of ['claim', 'exit']) rmSync(join(job, file));
    expect(await runJob(input)).toMatchObject({ lost: true });
  });
});

describe('an attempt that is told to stop', () => {
  test('ends the command and all its children when the step was cancelled', async () => {
    const folder = temporaryFolder();
    const pids = join(folder, 'pids');
    const script = 'sh -c \'trap "" TERM; echo $$ >> "$0"; while :; do sleep 0.05; done\' "$1" & echo $$ >> "$1"; wait';
    const controller = new AbortController();
    const command = ['sh', '-c', script, 'job', pids];
    const running = runJob({ folder, key: 'k', command, cwd: folder, env: {}, signal: controller.signal });
    const failed = expect(running).rejects.toThrow('CANCELLED');
    await until(() => linesOf(pids).length === 2);
    const started = linesOf(pids).map(Number);
    endLater(await pidOf(folder));
    controller.abort(new CancelledFailure('CANCELLED'));
    await failed;
    expect(await Promise.all(started.map(lives))).toEqual([false, false]);
    expect(await runJob({ folder, key: 'k', command, cwd: folder, env: {}, signal: never })).toMatchObject({
      lost: true,
    });
  }, 20_000);

  test('leaves the command running when only the worker shuts down, or this attempt timed out', async () => {
    for (const reason of ['WORKER_SHUTDOWN', 'TIMED_OUT', 'NOT_FOUND']) {
      const { input, ran, goOn } = aJob();
      const controller = new AbortController();
      const attempt = expect(runJob({ ...input, signal: controller.signal })).rejects.toThrow(reason);
      await lineIn(ran);
      controller.abort(new CancelledFailure(reason));
      await attempt;
      const next = runJob(input);
      goOn();
      expect(await next).toMatchObject({ exitCode: 3, attached: true, lost: false });
    }
  });

  test('starts nothing when it was told before', async () => {
    const { input, ran } = aJob();
    await expect(runJob({ ...input, signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop');
    expect(linesOf(ran)).toEqual([]);
  });
});

describe('what a job leaves and passes on', () => {
  test('the command runs under its own name, whatever shell built-in is called so', async () => {
    const folder = temporaryFolder();
    for (const command of [['exit', '0'], ['eval', 'true'], ['shift']]) {
      const key = command.join();
      expect(await runJob({ folder, key, command, cwd: folder, env: {}, signal: never })).toMatchObject({
        exitCode: 127,
      });
    }
    const words = ['printf', '%s|', 'a b', '$HOME', '"; exit 9', "'", '*', ''];
    const input = { folder, key: 'words', command: words, cwd: folder, env: {}, signal: never };
    expect((await runJob(input)).output).toBe('a b|$HOME|"; exit 9|\'|*||');
  });

  test('the command starts although the PATH it is given has no tools in it', async () => {
    const folder = temporaryFolder();
    const command = ['/bin/sh', '-c', 'echo "$PATH"'];
    const input = { folder, key: 'k', command, cwd: folder, env: { PATH: '/nowhere' }, signal: never };
    expect(await runJob(input)).toMatchObject({ exitCode: 0, output: '/nowhere\n' });
  });

  test("no variable is written to disk, and the log is its owner's alone", async () => {
    const folder = temporaryFolder();
    const env = { DATABASE_URL: 'postgres://shop:hunter2@db/shop' };
    await runJob({ folder, key: 'k', command: ['true'], cwd: folder, env, signal: never });
    const job = join(claimOf(folder), '..');
    expect(readdirSync(job)).toEqual(['boot', 'claim', 'exit', 'log']);
    for (const file of readdirSync(job)) expect(readFileSync(join(job, file), 'utf8')).not.toContain('hunter2');
    expect(statSync(join(job, 'log')).mode & 0o777).toBe(0o600);
  });

  test("the worker's own keys and settings stay with the worker", async () => {
    const folder = temporaryFolder();
    process.env.TEMPORAL_API_KEY = 'secret';
    process.env.HOLDPOINT_HOME = '/elsewhere';
    onTestFinished(() => {
      delete process.env.TEMPORAL_API_KEY;
      delete process.env.HOLDPOINT_HOME;
    });
    const input = { folder, key: 'k', command: ['env'], cwd: folder, env: { NAME: 'shop' }, signal: never };
    const { output } = await runJob(input);
    expect(output).toContain('NAME=shop\n');
    expect(output).toContain(`PATH=${process.env.PATH}\n`);
    expect(output).not.toMatch(/TEMPORAL_|HOLDPOINT_HOME/);
  });

  test('of a long output the last 64 KiB are kept', async () => {
    const folder = temporaryFolder();
    const command = ['node', '-e', "process.stdout.write('x'.repeat(200_000) + 'end')"];
    const { output } = await runJob({ folder, key: 'k', command, cwd: folder, env: {}, signal: never });
    expect(output).toHaveLength(64 * 1024);
    expect(output.endsWith('xend')).toBe(true);
  });

  test('a folder that is not there is named', async () => {
    const folder = temporaryFolder();
    const input = { folder, key: 'k', command: ['true'], cwd: join(folder, 'gone'), env: {}, signal: never };
    await expect(runJob(input)).rejects.toMatchObject({ type: 'NoSuchFolder', nonRetryable: true });
  });
});
