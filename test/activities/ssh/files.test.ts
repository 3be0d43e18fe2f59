import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import type { HostPort } from '../../../workflows/ports.ts';
import { temporaryFolder, until } from '../commands/on-this-machine.ts';
import { aMachine } from './machine.ts';

let machine: Awaited<ReturnType<typeof aMachine>>;
beforeAll(async () => {
  machine = await aMachine();
});

test('a machine whose disk hangs is told from one that is away, and asked on another connection', async () => {
  const fifo = join(temporaryFolder(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  await expect(machine.host.read(fifo)).rejects.toMatchObject({
    type: 'ConnectionLost',
    nonRetryable: false,
    message: expect.stringContaining('does its disk hang?'),
  });
  // Whoever waits there goes on.
  closeSync(openSync(fifo, 'r+'));
  expect(await machine.host.list(dirname(fifo))).toEqual(['fifo']);
});

describe.each(['ssh', 'local'])('a file, over %s', (kind) => {
  let host: HostPort;
  beforeAll(() => {
    host = kind === 'ssh' ? machine.host : createLocalHost();
  });

  test('is written whole, for its owner alone, in folders made for it', async () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    const file = join(folder, 'marker.json');
    await host.write(file, 'one');
    await host.write(file, 'two €');
    expect(await host.read(file)).toBe('two €');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['marker.json']);
    await host.write(file, '', 0o666);
    expect(await host.read(file)).toBe('');
    expect(statSync(file).mode & 0o777).toBe(0o666);
  });

  test('that many write at once is one of theirs', async () => {
    const file = join(temporaryFolder(), 'new', 'marker');
    await Promise.all(Array.from({ length: 10 }, (_, i) => host.write(file, `${i}`.repeat(5_000))));
    expect(await host.read(file)).toMatch(/^(\d)\1{4999}$/);
    expect(await host.list(join(file, '..'))).toEqual(['marker']);
  });

  test('that cannot be written leaves nothing behind', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'taken'));
    await expect(host.write(join(folder, 'taken'), 'x')).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['taken']);
  });

  test('that is not there reads as null, lists as nothing and is removed without an error', async () => {
    const folder = temporaryFolder();
    for (const name of ['b', 'a', '.c']) writeFileSync(join(folder, name), '');
    expect(await host.list(folder)).toEqual(['.c', 'a', 'b']);
    await host.remove(join(folder, 'a'));
    await host.remove(join(folder, 'a'));
    expect(await host.read(join(folder, 'a'))).toBeNull();
    expect(await host.read(join(folder, 'b', 'below'))).toBeNull();
    expect(await host.stat(join(folder, 'a'))).toBeNull();
    expect(await host.list(join(folder, 'none'))).toEqual([]);
    await expect(host.readRange(join(folder, 'a'), 0, 1)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('is in the list of its folder, however many others there are', async () => {
    const folder = temporaryFolder();
    const names = Array.from({ length: 1_000 }, (_, i) => `file-${i}`);
    for (const name of names) writeFileSync(join(folder, name), '');
    expect(await host.list(folder)).toEqual(names.sort());
  });

  test('is known by its number, and read in parts', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'a b$.log');
    writeFileSync(file, '0123456789');
    symlinkSync(file, join(folder, 'link'));
    expect(await host.stat(file)).toEqual({ size: 10, inode: statSync(file).ino });
    expect(await host.stat(join(folder, 'link'))).toEqual({ size: 10, inode: statSync(file).ino });
    expect(String(await host.readRange(file, 2, 3))).toBe('234');
    expect(String(await host.readRange(file, 8, 100))).toBe('89');
    expect(String(await host.readRange(file, 20, 5))).toBe('');
    writeFileSync(file, 'x'.repeat(300_000));
    expect((await host.readRange(file, 1, 299_000)).equals(Buffer.alloc(299_000, 'x'))).toBe(true);
    expect(await host.read('/proc/self/status')).toContain('Name:');
  });

  test('of the worker arrives as it is, and is not sent twice', async () => {
    const [from, to] = [join(temporaryFolder(), 'app.tar'), join(temporaryFolder(), 'releases', '7.tar')];
    writeFileSync(from, randomBytes(3_000_001));
    chmodSync(from, 0o755);
    await host.upload(from, to);
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
    expect(statSync(to).mode & 0o777).toBe(0o755);
    const { ino } = statSync(to);
    await host.upload(from, to);
    expect(statSync(to).ino).toBe(ino);
    const damaged = readFileSync(to);
    damaged[1000]! ^= 1;
    writeFileSync(to, damaged);
    await host.upload(from, to);
    expect(readFileSync(to).equals(readFileSync(from))).toBe(true);
    expect(readdirSync(join(to, '..'))).toEqual(['7.tar']);
  });

  test('that a killed upload left half is cleared away by the next', async () => {
    const folder = temporaryFolder();
    const [from, to] = [join(temporaryFolder(), 'app.tar'), join(folder, 'app.tar')];
    writeFileSync(from, '');
    writeFileSync(`${to}.0123456789ab.part`, 'half');
    writeFileSync(`${to}.mine.part`, 'not of an upload');
    await host.upload(from, to);
    expect(readdirSync(folder)).toEqual(['app.tar', 'app.tar.mine.part']);
  });

  test('that there is no room for is refused with how much is missing, and leaves nothing behind', async () => {
    const [from, folder] = [join(temporaryFolder(), 'huge'), temporaryFolder()];
    writeFileSync(from, '');
    truncateSync(from, 15 * 2 ** 40); // takes no room here, being all hole
    const attempt = host.upload(from, join(folder, 'huge'));
    await expect(attempt).rejects.toMatchObject({ type: 'DiskFull', nonRetryable: true });
    await expect(attempt).rejects.toThrow(/huge: 15728640\.0 MiB are needed, \d+\.\d MiB are free/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that was aborted on its way is not there', async () => {
    const [from, to] = [join(temporaryFolder(), 'app.tar'), join(temporaryFolder(), 'app.tar')];
    writeFileSync(from, 'x');
    const attempt = host.upload(from, to, AbortSignal.abort(new Error('enough')));
    await expect(attempt).rejects.toThrow('enough');
    expect(existsSync(to)).toBe(false);
  });
});

function aBigFile(): { from: string; digest: string } {
  const from = join(temporaryFolder(), 'big');
  const content = randomBytes(1 << 20);
  writeFileSync(from, Buffer.concat(Array.from({ length: 40 }, () => content)));
  return { from, digest: createHash('sha256').update(readFileSync(from)).digest('hex') };
}

describe('an upload over SSH', () => {
  test('that is cut in the middle is done again over another connection, and leaves nothing half', async () => {
    const { from, digest } = aBigFile();
    const folder = join(machine.root, 'cut');
    const uploading = machine.host.upload(from, join(folder, 'big'));
    await until(
      () => existsSync(folder) && readdirSync(folder).some((name) => statSync(join(folder, name)).size > 1e6),
    );
    machine.cut();
    await uploading;
    expect(readdirSync(folder)).toEqual(['big']);
    expect(
      createHash('sha256')
        .update(readFileSync(join(folder, 'big')))
        .digest('hex'),
    ).toBe(digest);
  });

  test('that is aborted in the middle removes what it sent', async () => {
    const { from } = aBigFile();
    const folder = join(machine.root, 'aborted');
    const controller = new AbortController();
    const uploading = machine.host.upload(from, join(folder, 'big'), controller.signal);
    const failed = expect(uploading).rejects.toThrow('enough');
    await until(
      () => existsSync(folder) && readdirSync(folder).some((name) => statSync(join(folder, name)).size > 1e6),
    );
    controller.abort(new Error('enough'));
    await failed;
    expect(readdirSync(folder)).toEqual([]);
  });
});
