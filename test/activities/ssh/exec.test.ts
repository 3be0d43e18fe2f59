import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { quote } from '../../../activities/ssh/quote.ts';
import { linesOf, lives, until } from '../commands/on-this-machine.ts';
import { aMachine } from './machine.ts';

type Machine = Awaited<ReturnType<typeof aMachine>>;
let machine: Machine;
beforeAll(async () => {
  machine = await aMachine();
});

const nasty = [
  'a b',
  "it's",
  '"',
  '$HOME',
  '`id`',
  '$(id)',
  '',
  'x\ny',
  '\\',
  "\\'",
  '*',
  '~',
  '!',
  '-n',
  ';&|<>',
  'ü€😀',
  '\t',
];

describe('a command line', () => {
  test('is taken apart into exactly its words, by every shell', () => {
    for (const shell of ['sh', 'bash', 'dash']) {
      const printed = execFileSync(shell, ['-c', quote(['printf', '%s\\0', ...nasty])], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(nasty);
    }
  });

  test('is one shell word for each of its own', () => {
    expect(quote(["it's", 'a\\b', ''])).toBe(`'it'\\''s' 'a'\\\\'b' ''`);
  });
});

describe('a command on another machine', () => {
  test('that fails is a result with its output, not an error', async () => {
    const result = await machine.host.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], {});
    expect(result).toEqual({ exitCode: 3, signal: null, stdout: 'out\n', stderr: 'err\n' });
    const inFolder = await machine.host.exec(['sh', '-c', 'echo out; echo err >&2; exit 3'], { cwd: '/' });
    expect(inFolder).toEqual(result);
  });

  test('that a signal ended has no exit code', async () => {
    const result = { exitCode: null, signal: 'SIGKILL' };
    expect(await machine.host.exec(['sh', '-c', 'kill -9 $$'], {})).toMatchObject(result);
    expect(await machine.host.exec(['sh', '-c', 'kill -9 $$'], { cwd: '/' })).toMatchObject(result);
  });

  test('gets every word as it is, its folder and its input', async () => {
    for (const options of [{}, { cwd: machine.root }, { env: { A: '1' } }]) {
      const { stdout } = await machine.host.exec(['printf', '%s\\0', ...nasty], options);
      expect(stdout.split('\0').slice(0, -1)).toEqual(nasty);
    }
    const { stdout } = await machine.host.exec(['sh', '-c', 'pwd; cat'], { cwd: machine.root, input: 'in\nput' });
    expect(stdout).toBe(`${machine.root}\nin\nput`);
  });

  test('gets its variables as they are, and then its input', async () => {
    const env = {
      KEY: '-----BEGIN-----\n  a \\n\n\n',
      CYRILLIC: 'ЁЖ\u0081',
      EMPTY: '',
      name: 'x',

      DOLLAR: '$A `b`',
    };
    const print = 'cat; for n; do printf "%s\\0" "$n=$(printenv "$n"; echo .)"; done';
    const names = Object.keys(env);
    const { stdout } = await machine.host.exec(['sh', '-c', print, 'sh', ...names], { env, input: 'first|' });
    const [first, ...rest] = stdout.split(/\||\0/);
    expect(first).toBe('first');
    expect(rest.slice(0, -1)).toEqual(Object.entries(env).map(([name, value]) => `${name}=${value}\n.`));
  });

  test('shows no variable in any list of processes', async () => {
    const started = join(machine.root, 'started');
    const controller = new AbortController();
    const options = { env: { KEY: 'hunter2-of-the-list' }, signal: controller.signal };
    const running = machine.host.exec(['sh', '-c', 'echo $$ > "$1"; sleep 60', 'sh', started], options);
    const ended = expect(running).rejects.toThrow('enough');
    await until(() => linesOf(started).length === 1);
    const list = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8', maxBuffer: 1 << 26 });
    expect(list).toContain(started);
    expect(list).not.toContain('hunter2');
    expect(readFileSync(`/proc/${linesOf(started)[0]}/environ`, 'utf8')).toContain('KEY=hunter2-of-the-list\0');
    controller.abort(new Error('enough'));
    await ended;
  });

  test('never gets a variable that no shell can have, and the error does not show its value', async () => {
    for (const env of [{ KEY: 'hunter2\0' }, { 'A-B': 'hunter2' }]) {
      const error = await machine.host.exec(['true'], { env }).catch((error) => error);
      expect(error).toMatchObject({ type: 'BadVariable' });
      expect(String(error)).not.toContain('hunter2');
    }
  });

  test('keeps the last 64 KiB of what it printed, however much that was', async () => {
    const script = 'head -c 8000000 /dev/zero | tr "\\0" x; printf end; head -c 300000 /dev/zero | tr "\\0" y >&2';
    const { stdout, stderr } = await machine.host.exec(['sh', '-c', script], {});
    expect(stdout).toHaveLength(64 * 1024);
    expect(stdout.endsWith('xend')).toBe(true);
    expect(stderr).toBe('y'.repeat(64 * 1024));
  });

  test('is over although something it left in the background holds its output open', async () => {
    const { stdout } = await machine.host.exec(['sh', '-c', 'sleep 60 & echo $!'], {});
    expect(await lives(Number(stdout))).toBe(true);
    process.kill(Number(stdout), 'SIGKILL');
  });

  test('that reads nothing of its input ends all the same', async () => {
    expect(await machine.host.exec(['true'], { input: 'x'.repeat(5_000_000) })).toMatchObject({ exitCode: 0 });
  });

  test('dies with its children when it is aborted, also those that ignore SIGTERM', async () => {
    const pids = join(machine.root, 'pids');
    const script = 'sh -c \'trap "" TERM; echo $$ >> "$0"; while :; do sleep 0.05; done\' "$1" & echo $$ >> "$1"; wait';
    const controller = new AbortController();
    const running = machine.host.exec(['sh', '-c', script, 'x', pids], { signal: controller.signal });
    const failed = expect(running).rejects.toThrow('enough');
    await until(() => linesOf(pids).length === 2);
    controller.abort(new Error('enough'));
    await failed;
    await until(async () => !(await Promise.all(linesOf(pids).map((pid) => lives(Number(pid))))).includes(true));
  });

  test('that was aborted before it began never runs', async () => {
    const file = join(machine.root, 'never');
    const attempt = machine.host.exec(['touch', file], { signal: AbortSignal.abort(new Error('too late')) });
    await expect(attempt).rejects.toThrow('too late');
    expect(await machine.host.stat(file)).toBeNull();
  });

  test('that is not there, or its folder, is refused by name; exit code 127 of another is a result', async () => {
    const file = join(machine.root, 'plain');
    writeFileSync(file, '');
    for (const command of ['no-such-tool', '/no/such/tool', file]) {
      for (const options of [{}, { cwd: '/' }]) {
        const refusal = { type: 'NoSuchCommand', nonRetryable: true };
        await expect(machine.host.exec([command], options)).rejects.toMatchObject(refusal);
      }
    }
    await expect(machine.host.exec(['true'], { cwd: '/no/such' })).rejects.toMatchObject({ type: 'NoSuchFolder' });
    expect(await machine.host.exec(['sh', '-c', 'exit 127'], {})).toMatchObject({ exitCode: 127 });
    expect(await machine.host.exec(['sh', '-c', 'exit 126'], { cwd: '/' })).toMatchObject({ exitCode: 126 });
  });

  test('may run beside nineteen others on a machine that allows ten sessions', async () => {
    const all = Array.from({ length: 20 }, (_, i) =>
      machine.host.exec(['sh', '-c', 'sleep 0.1; echo "$1"', 'sh', `${i}`], {}),
    );
    expect((await Promise.all(all)).map(({ stdout }) => Number(stdout))).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });
});

test('a machine that allows one session at a time runs one command after the other, and files between', async () => {
  const narrow = await aMachine({ settings: ['MaxSessions 1'] });
  const file = join(narrow.root, 'file');
  const all = [1, 2, 3].map(() => narrow.host.exec(['true'], {}));
  await Promise.all([...all, narrow.host.write(file, 'x')]);
  expect(await narrow.host.exec(['cat', file], {})).toMatchObject({ exitCode: 0, stdout: 'x' });
});

describe('a connection that is cut', () => {
  test('in the middle of a command says that nobody knows how it ended', async () => {
    const cut = await aMachine();
    const started = join(cut.root, 'started');
    const script = 'echo $$ > "$1"; exec sleep 60';
    for (const options of [{}, { cwd: '/' }]) {
      const running = cut.host.exec(['sh', '-c', script, 'sh', started], options);
      const lost = expect(running).rejects.toMatchObject({ type: 'ConnectionLost', nonRetryable: false });
      await until(() => linesOf(started).length === 1);
      cut.cut();
      await lost;
      const [pid] = linesOf(started);
      expect(await lives(Number(pid))).toBe(true);
      process.kill(Number(pid), 'SIGKILL');
      await cut.host.remove(started);
    }
  });

  test('while nobody used it is noticed by nobody', async () => {
    const cut = await aMachine();
    expect(await cut.host.exec(['echo', '1'], {})).toMatchObject({ stdout: '1\n' });
    cut.cut();
    expect(await cut.host.exec(['echo', '2'], {})).toMatchObject({ stdout: '2\n' });
    await cut.host.write(join(cut.root, 'file'), 'x');
    cut.cut();
    expect(await cut.host.read(join(cut.root, 'file'))).toBe('x');
  });

  test('by a machine that stands still is noticed, and it can be asked again when it goes on', async () => {
    const still = await aMachine();
    const running = still.host.exec(['sleep', '60'], {});
    const lost = expect(running).rejects.toMatchObject({ type: 'ConnectionLost' });
    await until(() => still.sessions().length > 0);
    await still.host.exec(['true'], {});
    still.freeze();
    await lost;
    still.thaw();
    expect(await still.host.exec(['echo', 'back'], {})).toMatchObject({ stdout: 'back\n' });
  });
});
