import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { hostJobs } from '../../../activities/commands/host-jobs.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { HostPort, JobInput } from '../../../workflows/ports.ts';
import { losingHost } from './losing-host.ts';
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

const script = join(import.meta.dirname, 'start-host-job.ts');
const never = new AbortController().signal;
const append = 'echo began >> "$1"; until [ -e "$1.go" ]; do sleep 0.02; done; echo "done as $NAME"; exit 3';
const end = { exitCode: 3, output: 'done as shop\n', lost: false };

/** Says where it began, waits until told to go on, and ends with 3. */
function aJob(more: Partial<JobInput> = {}) {
  const folder = temporaryFolder();
  const ran = join(folder, 'ran');
  const input: JobInput = {
    key: 'deploy/prod/shop|sha256:1|prepare.warm',
    release: { version: '1', folder },
    command: ['sh', '-c', append, 'job', ran],
    env: { NAME: 'shop' },
    signal: never,
    ...more,
  };
  const jobs = (host: HostPort = createLocalHost()) => hostJobs(host, folder);
  const goOn = () => writeFileSync(`${ran}.go`, '');
  onTestFinished(async () => {
    goOn();
    if (linesOf(ran).length > 0)
      await jobs()
        .run({ ...input, signal: never })
        .catch(() => {});
  });
  return { folder, ran, input, jobs, goOn };
}

const simple = (command: string[], more: Partial<JobInput> = {}) => {
  const folder = temporaryFolder();
  const input = { key: 'k', release: { version: '1', folder }, command, env: {}, signal: never, ...more };
  return { folder, run: (host: HostPort = createLocalHost()) => hostJobs(host, folder).run(input) };
};

function fileOf(folder: string, kind: 'claim' | 'log'): string {
  const name = readdirSync(join(folder, 'jobs')).find((file) => file.endsWith(`.${kind}`));
  return join(folder, 'jobs', name!);
}

async function pidOf(folder: string): Promise<number> {
  await until(() => existsSync(join(folder, 'jobs')) && readdirSync(join(folder, 'jobs')).length > 0);
  await until(() => linesOf(fileOf(folder, 'claim')).length > 3);
  return endLater(Number(linesOf(fileOf(folder, 'claim'))[1]));
}

/** Counts the commands that go to it. */
function counting(host: HostPort): { host: HostPort; commands(): number } {
  let count = 0;
  const exec: HostPort['exec'] = (...args) => {
    count++;
    return host.exec(...args);
  };
  return { host: { ...host, exec }, commands: () => count };
}

describe('a job on a machine', () => {
  test('returns exit code and output, and says the same when asked again', async () => {
    const { input, ran, goOn, jobs } = aJob();
    goOn();
    expect(await jobs().run(input)).toEqual({ ...end, attached: false });
    expect(await jobs().run(input)).toEqual({ ...end, attached: true });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('that begins and ends while the connection holds is one round trip', async () => {
    const { host, commands } = counting(createLocalHost());
    expect(await simple(['echo', 'done']).run(host)).toMatchObject({ exitCode: 0, output: 'done\n' });
    expect(commands()).toBe(1);
  });

  test('starts once however many attempts overlap', async () => {
    const { input, ran, goOn, jobs } = aJob();
    const attempts = Array.from({ length: 6 }, () => jobs().run(input));
    await lineIn(ran);
    goOn();
    const results = await Promise.all(attempts);
    expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(6).fill(3));
    expect(results.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('survives SIGKILL of the worker that started it, and is found again with its exit code', async () => {
    const { input, ran, goOn, jobs, folder } = aJob();
    const worker = startWorker(script, folder, input);
    await lineIn(ran);
    await kill(worker);
    const found = jobs().run(input);
    goOn();
    expect(await found).toEqual({ ...end, attached: true });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('that ended while no worker was there is found with its exit code', async () => {
    const { input, ran, goOn, folder, jobs } = aJob();
    const worker = startWorker(script, folder, input);
    await lineIn(ran);
    await kill(worker);
    const pid = await pidOf(folder);
    goOn();
    await until(async () => !(await lives(pid)));
    expect(await jobs().run(input)).toEqual({ ...end, attached: true });
  });

  test('runs once and is not lost when workers are killed at any moment around its start', async () => {
    for (let delay = 0; delay < 60; delay += 10) {
      const { input, ran, goOn, folder, jobs } = aJob();
      const worker = startWorker(script, folder, input);
      await isUp(worker);
      await sleep(delay);
      await kill(worker);
      goOn();
      expect(await jobs().run(input)).toMatchObject({ exitCode: 3, lost: false });
      expect(linesOf(ran)).toEqual(['began']);
    }
  }, 60_000);

  test('that was killed is lost, stays lost, and runs again once forgotten', async () => {
    const { input, ran, folder, goOn, jobs } = aJob();
    const first = jobs().run(input);
    await lineIn(ran);
    process.kill(-(await pidOf(folder)), 'SIGKILL');
    const lost = { exitCode: null, lost: true };
    expect(await first).toMatchObject({ ...lost, attached: false });
    expect(await jobs().run(input)).toMatchObject({ ...lost, attached: true });
    await jobs().forget(input.key);
    await jobs().forget(input.key);
    goOn();
    expect(await jobs().run(input)).toMatchObject({ exitCode: 3, output: end.output, attached: false });
    expect(linesOf(ran)).toEqual(['began', 'began']);
  });

  test('is not over while its command lives on without its launcher', async () => {
    const { input, ran, folder, goOn, jobs } = aJob();
    let over = false;
    const running = jobs()
      .run(input)
      .finally(() => {
        over = true;
      });
    await lineIn(ran);
    process.kill(await pidOf(folder), 'SIGKILL');
    await expect(jobs().forget(input.key)).rejects.toMatchObject({ type: 'JobRunning' });
    await sleep(500); // longer than it takes to look again
    expect(over).toBe(false);
    goOn();
    expect(await running).toMatchObject({ lost: true, output: 'done as shop\n' });
  });

  test('whose machine came up again meanwhile is lost', async () => {
    const { input, ran, folder, jobs } = aJob();
    jobs()
      .run(input)
      .catch(() => {});
    await lineIn(ran);
    await pidOf(folder);
    const claim = fileOf(folder, 'claim');
    const lines = readFileSync(claim, 'utf8').split('\n');
    lines[2] = 'the boot before';
    writeFileSync(claim, lines.join('\n'));
    expect(await jobs().run(input)).toMatchObject({ exitCode: null, attached: true, lost: true });
  });

  test('whose claim went down with the power is lost: nobody knows whether it ran', async () => {
    const { input, ran, jobs } = aJob();
    const later = new MockActivityEnvironment({ attempt: 2, scheduledTimestampMs: Date.UTC(2001, 0) });
    expect(await later.run(() => jobs().run(input))).toMatchObject({ exitCode: null, lost: true });
    expect(linesOf(ran)).toEqual([]);
  });

  test('that one attempt asks for again, after its machine has started anew, is lost too', async () => {
    const { input, ran, goOn, jobs } = aJob();
    goOn();
    const attempt = new MockActivityEnvironment({ attempt: 1 });
    await attempt.run(async () => {
      await jobs().run(input);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2101, 0) });
      onTestFinished(() => void vi.useRealTimers());
      expect(await jobs().run({ ...input, key: 'another' })).toMatchObject({ exitCode: null, lost: true });
    });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('with a damaged claim is refused, and the file is named', async () => {
    const { folder, run } = simple(['true']);
    await run();
    const claim = fileOf(folder, 'claim');
    truncateSync(claim);
    await expect(run()).rejects.toMatchObject({
      type: 'ClaimUnreadable',
      message: expect.stringContaining(claim),
    });
  }, 60_000);
});

describe('a connection that is lost', () => {
  test('while the command runs leaves it running, and its end is waited for', async () => {
    const { input, ran, goOn, jobs } = aJob();
    const running = jobs(losingHost(() => lineIn(ran))).run(input);
    await lineIn(ran);
    goOn();
    expect(await running).toEqual({ ...end, attached: false });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('before or as the command begins does not run it twice, nor not at all', async () => {
    for (const moment of ['before it begins', 'as it begins'] as const) {
      const { input, ran, goOn, jobs } = aJob();
      goOn();
      expect(await jobs(losingHost(moment)).run(input)).toEqual({ ...end, attached: false });
      expect(linesOf(ran)).toEqual(['began']);
    }
  });

  test('while its end is waited for is worth another attempt, which finds it', async () => {
    const { input, ran, goOn, jobs } = aJob();
    const losing = losingHost(() => lineIn(ran), 'before it begins');
    await expect(jobs(losing).run(input)).rejects.toMatchObject({ type: 'ConnectionLost', nonRetryable: false });
    goOn();
    expect(await jobs().run(input)).toEqual({ ...end, attached: true });
  });

  test('each time before the command begins is said', async () => {
    const { input, ran, jobs } = aJob();
    const local = createLocalHost();
    const exec: HostPort['exec'] = (command, options) =>
      command.length > 5 ? losingHost('before it begins').exec(command, options) : local.exec(command, options);
    await expect(jobs({ ...local, exec }).run(input)).rejects.toMatchObject({ type: 'ConnectionLost' });
    expect(linesOf(ran)).toEqual([]);
  });
});

describe('an attempt that is told to stop', () => {
  test('ends the command and all its children when the step was cancelled', async () => {
    const folder = temporaryFolder();
    const pids = join(folder, 'pids');
    const script = 'sh -c \'trap "" TERM; echo $$ >> "$0"; while :; do sleep 0.05; done\' "$1" & echo $$ >> "$1"; wait';
    const controller = new AbortController();
    const command = ['sh', '-c', script, 'job', pids];
    const input = { key: 'k', release: { version: '1', folder }, command, env: {} };
    const jobs = hostJobs(createLocalHost(), folder);
    const failed = expect(jobs.run({ ...input, signal: controller.signal })).rejects.toThrow('CANCELLED');
    await until(() => linesOf(pids).length === 2);
    const started = linesOf(pids).map(Number);
    endLater(await pidOf(folder));
    controller.abort(new CancelledFailure('CANCELLED'));
    await failed;
    expect(await Promise.all(started.map(lives))).toEqual([false, false]);
    expect(await jobs.run({ ...input, signal: never })).toMatchObject({ lost: true });
  }, 40_000);

  test('never lets a command begin that was still on its way when the step was cancelled', async () => {
    const { input, ran, goOn, jobs } = aJob();
    goOn();
    const controller = new AbortController();
    const local = createLocalHost();
    let late: Promise<unknown> = Promise.resolve();
    let arrive = () => {};
    const exec: HostPort['exec'] = (command, options) => {
      if (command.length <= 6) return local.exec(command, options);
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      late = arrived.then(() => local.exec(command, options));
      setImmediate(() => controller.abort(new CancelledFailure('CANCELLED')));
      return late as ReturnType<HostPort['exec']>;
    };
    const run = jobs({ ...local, exec }).run({ ...input, signal: controller.signal });
    await expect(run).rejects.toThrow('CANCELLED');
    arrive();
    await late;
    expect(linesOf(ran)).toEqual([]);
  });

  test('leaves the command running when only the worker shuts down, or this attempt timed out', async () => {
    for (const reason of ['WORKER_SHUTDOWN', 'TIMED_OUT', 'NOT_FOUND']) {
      const { input, ran, goOn, jobs } = aJob();
      const controller = new AbortController();
      const attempt = expect(jobs().run({ ...input, signal: controller.signal })).rejects.toThrow(reason);
      await lineIn(ran);
      controller.abort(new CancelledFailure(reason));
      await attempt;
      const next = jobs().run(input);
      goOn();
      expect(await next).toEqual({ ...end, attached: true });
    }
  });

  test('starts nothing when it was told before', async () => {
    const { input, ran, jobs } = aJob();
    const stopped = { ...input, signal: AbortSignal.abort(new CancelledFailure('WORKER_SHUTDOWN')) };
    await expect(jobs().run(stopped)).rejects.toThrow('WORKER_SHUTDOWN');
    expect(linesOf(ran)).toEqual([]);
  });
});

describe('what a job on a machine leaves and passes on', () => {
  test('the command runs under its own name, whatever shell built-in is called so', async () => {
    for (const command of [['exit', '0'], ['eval', 'true'], ['shift']]) {
      expect(await simple(command).run()).toMatchObject({ exitCode: 127 });
    }
    const words = ['printf', '%s|', 'a b', '$HOME', '"; exit 9', "'", '*', ''];
    expect((await simple(words).run()).output).toBe('a b|$HOME|"; exit 9|\'|*||');
  });

  test('the command starts although the PATH it is given has no tools in it', async () => {
    const job = simple(['/bin/sh', '-c', 'echo "$PATH"'], { env: { PATH: '/nowhere' } });
    expect(await job.run()).toMatchObject({ exitCode: 0, output: '/nowhere\n' });
  });

  test('the command has a group of its own, also where the machine gives it none', async () => {
    const local = createLocalHost();
    const exec: HostPort['exec'] = (command, options) =>
      local.exec(['/bin/sh', '-c', '"$@"; exit "$?"', 'sh', ...command], options);
    const { output } = await simple(['sh', '-c', 'ps -o pgid= -p $$; ps -o ppid= -p $$']).run({ ...local, exec });
    const [group, parent] = output.split('\n').map(Number);
    expect(group).toBe(parent);
  });

  test("no variable is written to disk, and the log is its owner's alone, while files of the command are as usual", async () => {
    const { folder, run } = simple(['sh', '-c', 'umask; echo "$HOLDPOINT_MASK"'], {
      env: { DATABASE_URL: 'postgres://shop:hunter2@db/shop' },
    });
    const mask = process.umask(0o027);
    onTestFinished(() => {
      process.umask(mask);
    });
    expect(await run()).toMatchObject({ output: '0027\n\n' });
    const jobs = join(folder, 'jobs');
    expect(readdirSync(jobs).map((name) => name.split('.')[1])).toEqual(['claim', 'log']);
    for (const file of readdirSync(jobs)) {
      expect(readFileSync(join(jobs, file), 'utf8')).not.toContain('hunter2');
      expect(statSync(join(jobs, file)).mode & 0o777).toBe(0o600);
    }
  });

  test('of a few lines every byte arrives, with or without a last line break', async () => {
    for (const text of [
      '',
      '\n',
      'one',
      ' a\\b \t\n\n ü',
      'x\n'.repeat(19),
      'x\n'.repeat(20),
      `${'x\n'.repeat(30)}y`,
    ]) {
      expect((await simple(['printf', '%s', text]).run()).output).toBe(text);
    }
  });

  test('of a long output the last 64 KiB are kept', async () => {
    const { output } = await simple(['node', '-e', "process.stdout.write('x'.repeat(200_000) + 'end')"]).run();
    expect(output).toHaveLength(64 * 1024);
    expect(output.endsWith('xend')).toBe(true);
  });

  test('a folder that is not there is named', async () => {
    const job = simple(['true'], { release: { version: '1', folder: '/nowhere/1' } });
    await expect(job.run()).rejects.toMatchObject({
      type: 'NoSuchFolder',
      nonRetryable: true,
      message: expect.stringContaining('/nowhere/1'),
    });
  });
});
