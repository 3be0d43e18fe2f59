import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { describe, expect, test } from 'vitest';
import type { JobInput } from '../../../workflows/ports.ts';
import { aDockerTarget, aNetwork, containersOf, inspected, writer } from '../../support/containers.ts';
import { engine } from '../../support/docker-engine.ts';

async function aTargetWithJobs(options: Parameters<typeof aDockerTarget>[0] = {}) {
  const at = await aDockerTarget(options);
  const release = await at.release('2');
  const job = (script: string, more: Partial<JobInput> = {}): JobInput => ({
    key: 'step|1',
    release,
    command: ['bash', '-c', script],
    env: {},
    signal: new AbortController().signal,
    ...more,
  });
  /** The job's container as soon as it runs. */
  const running = async (): Promise<string> => {
    for (;;) {
      for (const name of await containersOf(`${at.service}-job`)) {
        if ((await inspected(name))?.State.Running) return name;
      }
      await sleep(20);
    }
  };
  return { ...at, jobs: at.instances.jobs, image: release, job, running };
}

describe('a command in a container', () => {
  test('runs to its end once, and every later call has the same end', async () => {
    const { jobs, job, service } = await aTargetWithJobs();
    const first = await jobs.run(job('echo out; echo err >&2; exit 3'));
    expect(first).toMatchObject({ exitCode: 3, attached: false, lost: false });
    expect(first.output.split('\n').sort()).toEqual(['err', 'out']);
    expect(await containersOf(service)).toEqual([]);
    const { output } = first;
    expect(await jobs.run(job('echo anything else'))).toEqual({ exitCode: 3, output, attached: true, lost: false });
    expect(await jobs.run(job('echo another', { key: 'step|2' }))).toMatchObject({ exitCode: 0, output: 'another' });
  });

  test('overlapping calls run it once', async () => {
    const { jobs, job, service } = await aTargetWithJobs();
    const calls = Array.from({ length: 6 }, () => jobs.run(job('cat /proc/sys/kernel/random/uuid; sleep 0.3')));
    const ends = await Promise.all(calls);
    expect(new Set(ends.map(({ output }) => output)).size).toBe(1);
    expect(ends.filter(({ attached }) => !attached)).toHaveLength(1);
    expect(await containersOf(service)).toEqual([]);
  });

  test('goes on when its attempt ends, and the next one waits for it', async () => {
    const { jobs, job, running } = await aTargetWithJobs();
    const stopping = new AbortController();
    const attempt = jobs.run(job('sleep 1.5; echo done', { signal: stopping.signal }));
    const name = await running();
    stopping.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await expect(attempt).rejects.toThrow('WORKER_SHUTDOWN');
    expect((await inspected(name))!.State.Running).toBe(true);
    expect(await jobs.run(job('echo anything else'))).toMatchObject({ exitCode: 0, output: 'done', attached: true });
  });

  test('is ended when its step is cancelled, and leaves nothing behind', async () => {
    const { jobs, job, running, service } = await aTargetWithJobs();
    const stopping = new AbortController();
    const script = 'trap "echo asked to end; exit 9" TERM; while :; do sleep 0.1; done';
    const attempt = jobs.run(job(script, { signal: stopping.signal }));
    await running();
    stopping.abort(new CancelledFailure('CANCELLED'));
    await expect(attempt).rejects.toThrow('CANCELLED');
    expect(await containersOf(service)).toEqual([]);
    expect(await jobs.run(job('echo anything else'))).toMatchObject({ exitCode: 9, output: 'asked to end' });
  });

  test('one that was made but not started when the worker died is started', async () => {
    const { jobs, job, folder, service } = await aTargetWithJobs();
    const whole = await jobs.run(job('echo $KEPT', { env: { KEPT: 'yes' } }));
    expect(whole.output).toBe('yes');
    const name = `${service}-job-${readdirSync(join(folder, 'jobs'))[0]!.split('.')[0]}`;
    await jobs.forget('step|1');
    await engine().createContainer({ name, Image: `${service}:2`, Cmd: ['bash', '-c', 'echo from before'] });
    expect(await jobs.run(job('echo $KEPT'))).toMatchObject({ exitCode: 0, output: 'from before', attached: true });
  });

  test('one that had ended when the worker died is not run again', async () => {
    const { jobs, job, running, service } = await aTargetWithJobs();
    const stopping = new AbortController();
    const attempt = jobs.run(job('cat /proc/sys/kernel/random/uuid; sleep 0.5; exit 4', { signal: stopping.signal }));
    const name = await running();
    stopping.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await attempt.catch(() => {});
    await engine().getContainer(name).wait();
    expect(await jobs.run(job('echo again'))).toMatchObject({
      exitCode: 4,
      output: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attached: true,
    });
    expect(await containersOf(service)).toEqual([]);
  });

  test('one whose container somebody removed is lost on every call, until it is forgotten', async () => {
    const { jobs, job, running } = await aTargetWithJobs();
    const stopping = new AbortController();
    const attempt = jobs.run(job('sleep 60', { signal: stopping.signal }));
    const name = await running();
    stopping.abort(new CancelledFailure('WORKER_SHUTDOWN'));
    await attempt.catch(() => {});
    await expect(jobs.forget('step|1')).rejects.toMatchObject({ type: 'JobRunning', nonRetryable: true });
    await engine().getContainer(name).remove({ force: true });
    const lost = { exitCode: null, output: '', attached: true, lost: true };
    expect(await jobs.run(job('echo again'))).toEqual(lost);
    await jobs.forget('step|1');
    expect(await jobs.run(job('echo again'))).toMatchObject({ exitCode: 0, output: 'again', attached: false });
  });

  test('killed and out of memory are told apart', async () => {
    const { jobs, job, running } = await aTargetWithJobs({ memory: '32m' });
    const eat = 'const eaten = []; setInterval(() => eaten.push(Buffer.alloc(16 << 20, 1)), 5)';
    const hungry = await jobs.run(job('', { command: ['node', '-e', eat] }));
    expect(hungry).toMatchObject({ exitCode: 137, output: '[ended by Docker: out of memory]' });
    const attempt = jobs.run(job('sleep 60', { key: 'step|2' }));
    await engine()
      .getContainer(await running())
      .kill();
    expect(await attempt).toMatchObject({ exitCode: 137, output: '' });
  });

  test('a command that the image does not have ends with 127', async () => {
    const { jobs, job, service } = await aTargetWithJobs();
    const end = await jobs.run(job('', { command: ['alembic', 'upgrade', 'head'] }));
    expect(end).toMatchObject({ exitCode: 127, output: expect.stringContaining('alembic'), lost: false });
    expect(await containersOf(service)).toEqual([]);
  });

  test('gets the networks and variables of the service, but neither its name nor its port', async () => {
    const at = await aDockerTarget();
    const network = await aNetwork(at.service, 'net');
    const release = await at.release('2');
    const named = await aDockerTarget({ networks: [network] });
    await named.instances.ensureRunning('blue', named.spec(release), {}, writer());
    const script = `exec 3<>/dev/tcp/${named.service}-blue/8080 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;
    const signal = new AbortController().signal;
    const job = { key: 'one', release, command: ['bash', '-c', script], env: {}, signal };
    expect((await named.instances.jobs.run(job)).output).toContain('{"version":"2"}');
  });

  test('its secrets reach the engine alone', async () => {
    const { jobs, job, mask, folder } = await aTargetWithJobs();
    mask.add('sk-12345');
    const { output } = await jobs.run(job('echo "key is $API_KEY"', { env: { API_KEY: 'sk-12345' } }));
    expect(output).toContain('key is');
    for (const file of readdirSync(join(folder, 'jobs'))) {
      const path = join(folder, 'jobs', file);
      expect(readFileSync(path, 'utf8')).not.toContain('sk-12345');
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect((await jobs.run(job(''))).output).toBe('key is ***');
  });
});
