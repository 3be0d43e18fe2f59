import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure } from '@temporalio/activity';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createSshHost } from '../../../activities/ssh/host.ts';
import { closeConnections } from '../../../activities/ssh/pool.ts';
import type { JobInput } from '../../../workflows/ports.ts';
import { type SshServer, startSshd } from '../../support/sshd.ts';
import { endLater, lineIn, linesOf, lives, temporaryFolder, until } from './on-this-machine.ts';

const end = { exitCode: 3, output: 'done as shop\n', lost: false };
const append = 'echo began >> "$1"; until [ -e "$1.go" ]; do sleep 0.02; done; echo "done as $NAME"; exit 3';

describe('a job on a machine behind an sshd', () => {
  let sshd: SshServer;
  let folder: string;
  let ran: string;
  const jobs = () => createSshHost({ machine: null, secrets: null }, sshd.options).jobs(folder);
  const job = (signal = new AbortController().signal): JobInput => ({
    key: 'k',
    release: { version: '1', folder },
    command: ['sh', '-c', append, 'job', ran],
    env: { NAME: 'shop' },
    signal,
  });
  const goOn = () => writeFileSync(`${ran}.go`, '');

  beforeAll(async () => {
    sshd = await startSshd();
  });
  beforeEach(() => {
    folder = temporaryFolder();
    ran = join(folder, 'ran');
    onTestFinished(goOn);
  });
  afterAll(async () => {
    await closeConnections();
    await sshd.stop();
  });

  /** Ended when the test is over. */
  async function pid(): Promise<number> {
    const names = () => readdirSync(join(folder, 'jobs')).filter((name) => name.endsWith('.claim'));
    await until(() => names().length > 0 && linesOf(join(folder, 'jobs', names()[0]!)).length > 3);
    return endLater(Number(linesOf(join(folder, 'jobs', names()[0]!))[1]));
  }

  test('returns exit code and output, once and again', async () => {
    goOn();
    expect(await jobs().run(job())).toEqual({ ...end, attached: false });
    expect(await jobs().run(job())).toEqual({ ...end, attached: true });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('goes on when the connection is cut, and its end is waited for over the next', async () => {
    const running = jobs().run(job());
    await lineIn(ran);
    const command = await pid();
    sshd.cut();
    expect(await lives(command)).toBe(true);
    await until(() => sshd.sessions().length > 0); // over which its end is waited for
    goOn();
    expect(await running).toEqual({ ...end, attached: false });
    expect(linesOf(ran)).toEqual(['began']);
  });

  test('runs once wherever the connection is cut around its start', async () => {
    for (let delay = 0; delay <= 40; delay += 10) {
      const input = { ...job(), key: `cut after ${delay}` };
      writeFileSync(ran, '');
      goOn();
      const running = jobs().run(input);
      const cut = sleep(delay).then(() => sshd.cut());
      const result = await running.catch(async ({ type }) => {
        expect(type).toMatch(/^(ConnectionLost|HostUnreachable)$/);
        return await jobs().run(input);
      });
      expect(result).toMatchObject(end);
      expect(linesOf(ran)).toEqual(['began']);
      // A command that was quicker must not leave it to whatever comes next.
      await cut;
    }
  });

  test('is ended with all its children when the step was cancelled', async () => {
    const controller = new AbortController();
    const command = ['sh', '-c', 'sleep 60 & echo "$!" >> "$1"; wait', 'job', ran];
    const failed = expect(jobs().run({ ...job(controller.signal), command })).rejects.toThrow('CANCELLED');
    const child = endLater(Number(await lineIn(ran)));
    await pid();
    controller.abort(new CancelledFailure('CANCELLED'));
    await failed;
    await until(async () => !(await lives(child)));
    expect(await jobs().run(job())).toMatchObject({ exitCode: null, lost: true });
  });

  test('shows its variables in no file and in no list of processes', async () => {
    const command = ['sh', '-c', 'tr "\\0" " " < "/proc/$PPID/cmdline"; echo "$TOKEN" | wc -c'];
    const { output } = await jobs().run({ ...job(), command, env: { TOKEN: 'hunter2' } });
    expect(output).toMatch(/job.*\b8\n$/s);
    expect(output).not.toContain('hunter2');
    for (const file of readdirSync(join(folder, 'jobs'))) {
      expect(readFileSync(join(folder, 'jobs', file), 'utf8')).not.toContain('hunter2');
    }
  });
});
