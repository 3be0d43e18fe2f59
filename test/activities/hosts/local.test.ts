import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostOf } from '../../../activities/hosts/index.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { endLater, linesOf, lives, temporaryFolder, until } from '../commands/on-this-machine.ts';

const host = createLocalHost();

describe('a command on this machine', () => {
  test('that fails is a result with its output, not an error', async () => {
    const result = await host.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], {});
    expect(result).toEqual({ exitCode: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  test('that a signal ended has no exit code', async () => {
    expect(await host.exec(['sh', '-c', 'kill -9 $$'], {})).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
  });

  test('gets every word as it is, its folder, and only the variables meant for it', async () => {
    const cwd = temporaryFolder();
    expect((await host.exec(['printf', '%s|', 'a b', '$HOME', '*', ''], {})).stdout).toBe('a b|$HOME|*||');
    process.env.HOLDPOINT_TEST_ONLY = 'x';
    const { stdout } = await host.exec(['sh', '-c', 'pwd -P; env'], { cwd, env: { NAME: 'shop' } });
    delete process.env.HOLDPOINT_TEST_ONLY;
    expect(stdout.startsWith(`${cwd}\n`)).toBe(true);
    expect(stdout).toContain('NAME=shop\n');
    expect(stdout).not.toContain('HOLDPOINT_');
  });

  test('keeps the last 64 KiB of what it printed', async () => {
    const { stdout } = await host.exec(['node', '-e', "process.stdout.write('x'.repeat(300_000) + 'end')"], {});
    expect(stdout).toHaveLength(64 * 1024);
    expect(stdout.endsWith('xend')).toBe(true);
  });

  test('is over although something it left in the background holds its output open', async () => {
    const { stdout } = await host.exec(['sh', '-c', 'sleep 60 & echo $!'], {});
    expect(await lives(endLater(Number(stdout)))).toBe(true);
  });

  test('dies with its children when it is aborted, also those that ignore SIGTERM', async () => {
    const pids = join(temporaryFolder(), 'pids');
    const script = 'sh -c \'trap "" TERM; echo $$ >> "$0"; while :; do sleep 0.05; done\' "$1" & echo $$ >> "$1"; wait';
    const controller = new AbortController();
    const running = host.exec(['sh', '-c', script, 'x', pids], { signal: controller.signal });
    const failed = expect(running).rejects.toThrow('enough');
    await until(() => linesOf(pids).length === 2);
    controller.abort(new Error('enough'));
    await failed;
    const started = linesOf(pids).map((pid) => endLater(Number(pid)));
    await until(async () => !(await Promise.all(started.map(lives))).includes(true));
  });

  test('that is not there, or its folder, is refused by name', async () => {
    await expect(host.exec(['no-such-tool'], {})).rejects.toMatchObject({ type: 'NoSuchCommand', nonRetryable: true });
    await expect(host.exec(['true'], { cwd: '/no/such' })).rejects.toMatchObject({ type: 'NoSuchFolder' });
  });

  test('never gets a variable with a NUL byte, and the error does not show its value', async () => {
    const env = { KEY: 'hunter2\0' };
    const error = await host.exec(['true'], { env }).catch((error) => error);
    expect(error).toMatchObject({ type: 'BadVariable' });
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('a file on this machine', () => {
  test('is written whole, for its owner alone, in folders made for it', async () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const file = join(folder, 'marker.json');
    await host.write(file, 'one');
    await host.write(file, 'two');
    expect(await host.read(file)).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['marker.json']);
  });

  test('has the mode it was given, whatever the umask', async () => {
    const file = join(temporaryFolder(), 'site.conf');
    await host.write(file, '', 0o666);
    expect(statSync(file).mode & 0o777).toBe(0o666);
  });

  test('that cannot be written leaves nothing behind', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken'));
    await expect(host.write(join(folder, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('that is not there reads as null, lists as nothing and is removed without an error', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'b'), '');
    writeFileSync(join(folder, 'a'), '');
    expect(await host.list(folder)).toEqual(['a', 'b']);
    await host.remove(join(folder, 'a'));
    await host.remove(join(folder, 'a'));
    expect(await host.read(join(folder, 'a'))).toBeNull();
    expect(await host.list(join(folder, 'none'))).toEqual([]);
  });
});

test('a host nobody knows is refused with the names that there are', () => {
  expect(() => hostOf({ kind: 'ssh2', options: {} })).toThrow(/"ssh2".*local/);
  expect(hostOf({ kind: 'local', options: {} })).toHaveProperty('exec');
});
