import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { instancesOf } from '../../../activities/instances/index.ts';
import { createProcessInstances } from '../../../activities/instances/process.ts';
import { createMask } from '../../../activities/secrets/mask.ts';
import type { InstanceSpec } from '../../../workflows/runbook/actions.ts';
import {
  endLater,
  freePort,
  isUp,
  kill,
  linesOf,
  lives,
  startWorker,
  temporaryFolder,
  until,
} from '../commands/on-this-machine.ts';

const script = join(import.meta.dirname, 'start-instance.ts');

/** A service that notes each of its starts and answers with its release and slot. */
const service = `
require('fs').appendFileSync('starts', process.pid + '\\n');
const { HOLDPOINT_RELEASE: release, HOLDPOINT_SLOT: slot, PORT: port, GREETING: greeting } = process.env;
console.log('listening on', port);
require('http').createServer((_, response) => response.end([release, slot, greeting].join())).listen(port, '127.0.0.1');
`;

async function aMachine() {
  const folder = temporaryFolder();
  const ports = { blue: await freePort(), green: await freePort() };
  const instances = createProcessInstances({ folder, ports }, createLocalHost());
  onTestFinished(async () => {
    await instances.ensureStopped('blue', 0);
    await instances.ensureStopped('green', 0);
  });
  const spec = (version: string, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    service: 'shop',
    release: { version, folder },
    port: ports.blue,
    command: ['node', '-e', service],
    env: { GREETING: 'hello' },
    secrets: [],
    ...more,
  });
  const starts = () => linesOf(join(folder, 'starts')).map(Number);
  return { folder, ports, instances, spec, starts };
}

describe('starting an instance', () => {
  test('it runs, is observed, and answers at its address', async () => {
    const { instances, spec, ports } = await aMachine();
    expect(await instances.observe('blue')).toBeNull();
    const evidence = await instances.ensureRunning('blue', spec('2'), {});
    expect(evidence).toMatchObject({ release: '2', port: ports.blue, started: true });
    expect(await instances.observe('blue')).toEqual({ release: '2', port: ports.blue, running: true });
    expect(instances.address('blue')).toBe(`http://127.0.0.1:${ports.blue}`);
    expect(await (await fetch(instances.address('blue'))).text()).toBe('2,blue,hello');
    expect(await instances.tail('blue')).toBe(`listening on ${ports.blue}`);
    expect(await instances.observe('green')).toBeNull();
  });

  test('a second time finds it running', async () => {
    const { instances, spec, starts } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('2'), {});
    expect(await instances.ensureRunning('blue', spec('2'), {})).toMatchObject({ pid, started: false });
    expect(starts()).toEqual([pid]);
  });

  test('eight overlapping attempts start it once', async () => {
    const { instances, spec, starts } = await aMachine();
    const attempts = Array.from({ length: 8 }, () => instances.ensureRunning('blue', spec('2'), {}));
    const all = await Promise.all(attempts);
    expect(new Set(all.map(({ pid }) => pid)).size).toBe(1);
    expect(all.filter(({ started }) => started)).toHaveLength(1);
    expect(starts()).toHaveLength(1);
  });

  test('a worker killed at any moment around the start leaves it running or not begun, never twice', async () => {
    const { instances, folder, ports, spec, starts } = await aMachine();
    for (let delay = 0; delay < 60; delay += 6) {
      const before = starts().length;
      const worker = startWorker(script, { folder, ports }, 'blue', spec('2'));
      await isUp(worker);
      await sleep(delay);
      await kill(worker);
      const { pid } = await instances.ensureRunning('blue', spec('2'), {});
      expect(starts().slice(before)).toEqual([pid]);
      await instances.ensureStopped('blue', 5_000);
    }
  });

  test('it outlives the worker that started it, and the next worker stops it', async () => {
    const { instances, folder, ports, spec, starts } = await aMachine();
    const worker = startWorker(script, { folder, ports }, 'blue', spec('2'));
    await until(() => starts().length === 1);
    await kill(worker);
    expect(await instances.observe('blue')).toMatchObject({ release: '2', running: true });
    expect(await instances.ensureRunning('blue', spec('2'), {})).toMatchObject({ started: false });
    await instances.ensureStopped('blue', 5_000);
    expect(await lives(starts()[0]!)).toBe(false);
  });

  test('a slot in which another release runs is refused, and that one is left alone', async () => {
    const { instances, spec, ports } = await aMachine();
    await instances.ensureRunning('blue', spec('1'), {});
    const attempt = instances.ensureRunning('blue', spec('2'), {});
    await expect(attempt).rejects.toMatchObject({ type: 'SlotTaken', nonRetryable: true });
    await expect(attempt).rejects.toThrow(`1 runs there on port ${ports.blue}`);
    expect(await instances.observe('blue')).toMatchObject({ release: '1', running: true });
  });

  test('of two releases that want one slot at the same moment one gets it', async () => {
    const { instances, spec, starts } = await aMachine();
    const results = await Promise.allSettled(['1', '2'].map((one) => instances.ensureRunning('blue', spec(one), {})));
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { type: 'SlotTaken' } });
    expect(starts()).toHaveLength(1);
  });

  test('a port that a stranger has is refused by its pid', async () => {
    const { instances, spec, ports, starts } = await aMachine();
    const stranger = createServer().listen(ports.blue, '127.0.0.1');
    await once(stranger, 'listening');
    onTestFinished(() => void stranger.close());
    const attempt = instances.ensureRunning('blue', spec('2'), {});
    await expect(attempt).rejects.toMatchObject({ type: 'PortTaken', nonRetryable: true });
    await expect(attempt).rejects.toThrow(`port ${ports.blue} is taken by process ${process.pid} `);
    expect(starts()).toEqual([]);
  });

  test('one that ends at once fails with the last lines it printed, without its secrets', async () => {
    const { instances, spec } = await aMachine();
    const command = ['sh', '-c', 'seq 1 100; echo "cannot reach $DATABASE_URL"; exit 3'];
    const crashing = spec('2', { command, secrets: ['DATABASE_URL'] });
    const error = await instances.ensureRunning('blue', crashing, { DATABASE_URL: 'hunter2' }).catch((error) => error);
    expect(error).toMatchObject({ type: 'InstanceExited', nonRetryable: true });
    expect(error.message).toContain('shop 2 ended at once in blue with exit code 3. The last it printed:\n82\n');
    expect(error.message.endsWith('100\ncannot reach [DATABASE_URL]')).toBe(true);
    expect(await instances.observe('blue')).toMatchObject({ release: '2', running: false });
  });

  test('one that crashed is started again, once a try', async () => {
    const { instances, spec, folder, starts } = await aMachine();
    const flaky = ['sh', '-c', 'if [ -e fixed ]; then exec node -e "$1"; fi; echo $$ >> starts; exit 1', 'x', service];
    const again = () => instances.ensureRunning('blue', spec('2', { command: flaky }), {});
    await expect(again()).rejects.toMatchObject({ type: 'InstanceExited' });
    await expect(again()).rejects.toMatchObject({ type: 'InstanceExited' });
    expect(starts()).toHaveLength(2);
    writeFileSync(join(folder, 'fixed'), '');
    expect(await again()).toMatchObject({ started: true });
    expect(await instances.observe('blue')).toMatchObject({ running: true });
  });

  test('a command that is not there is not tried again', async () => {
    const { instances, spec } = await aMachine();
    const attempt = instances.ensureRunning('blue', spec('2', { command: ['no-such-server'] }), {});
    await expect(attempt).rejects.toMatchObject({ type: 'NoSuchCommand', nonRetryable: true });
    const gone = spec('2', { release: { version: '2', folder: '/no/such' } });
    await expect(instances.ensureRunning('blue', gone, {})).rejects.toMatchObject({ type: 'NoSuchFolder' });
  });

  test("no secret is written to disk, and the log is its owner's alone", async () => {
    const { instances, spec, folder } = await aMachine();
    await instances.ensureRunning('blue', spec('2', { secrets: ['KEY'] }), { KEY: 'hunter2' });
    const slot = join(folder, 'slots', 'blue');
    expect(readdirSync(slot)).toEqual(['1.log', '1.start']);
    for (const file of readdirSync(slot)) expect(readFileSync(join(slot, file), 'utf8')).not.toContain('hunter2');
    expect(statSync(join(slot, '1.log')).mode & 0o777).toBe(0o600);
  });
});

describe('after a crash', () => {
  test('the marker of a dead process does not keep another release out', async () => {
    const { instances, spec } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('1'), {});
    process.kill(Number(pid), 'SIGKILL');
    await until(async () => !(await lives(Number(pid))));
    expect(await instances.observe('blue')).toMatchObject({ release: '1', running: false });
    expect(await instances.ensureRunning('blue', spec('2'), {})).toMatchObject({ release: '2', started: true });
  });

  test('overlapping attempts that all find the marker of a dead process start one new', async () => {
    const { instances, spec, starts } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('2'), {});
    process.kill(Number(pid), 'SIGKILL');
    await until(async () => !(await lives(Number(pid))));
    await Promise.all(Array.from({ length: 8 }, () => instances.ensureRunning('blue', spec('2'), {})));
    expect(starts()).toHaveLength(2);
  });

  test('a stranger who has the pid by now is neither taken for the instance nor stopped', async () => {
    const { instances, spec, folder } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('1'), {});
    process.kill(-Number(pid), 'SIGKILL');
    const stranger = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    endLater(stranger.pid!);
    const marker = join(folder, 'slots', 'blue', '1.start');
    writeFileSync(marker, readFileSync(marker, 'utf8').replaceAll(`${pid}`, `${stranger.pid}`));
    expect(await instances.observe('blue')).toMatchObject({ running: false });
    await instances.ensureStopped('blue', 0);
    expect(await lives(stranger.pid!)).toBe(true);
  });

  test('what an instance has left behind in its group ends before the next one starts', async () => {
    const { instances, spec, folder } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('1', { command: withStubbornChild }), {});
    const child = await childOf(folder);
    process.kill(Number(pid), 'SIGKILL');
    await until(async () => !(await lives(Number(pid))));
    await instances.ensureRunning('blue', spec('2'), {});
    expect(await lives(child)).toBe(false);
  });
});

describe('stopping an instance', () => {
  test('it may end in peace, is gone afterwards, and stopping again is fine', async () => {
    const { instances, spec, folder, starts } = await aMachine();
    const polite = `process.on('SIGTERM', () => { require('fs').writeFileSync('bye', ''); process.exit() });${service}`;
    await instances.ensureRunning('blue', spec('2', { command: ['node', '-e', polite] }), {});
    expect(await instances.ensureStopped('blue', 60_000)).toEqual({ release: '2', end: 'ended' });
    expect(readdirSync(folder)).toContain('bye');
    expect(await lives(starts()[0]!)).toBe(false);
    expect(await instances.observe('blue')).toBeNull();
    expect(await instances.ensureStopped('blue', 60_000)).toEqual({ release: null, end: 'was gone' });
    expect(await instances.tail('blue')).toContain('listening');
  });

  test('one that ignores SIGTERM is killed after its grace, with all of its group', async () => {
    const { instances, spec, folder } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('2', { command: withStubbornChild }), {});
    const child = await childOf(folder);
    expect(await instances.ensureStopped('blue', 200)).toEqual({ release: '2', end: 'killed' });
    expect(await Promise.all([lives(Number(pid)), lives(child)])).toEqual([false, false]);
  });

  test('children are stopped although the process itself is long dead', async () => {
    const { instances, spec, folder } = await aMachine();
    const { pid } = await instances.ensureRunning('blue', spec('2', { command: withStubbornChild }), {});
    const child = await childOf(folder);
    process.kill(Number(pid), 'SIGKILL');
    await until(async () => !(await lives(Number(pid))));
    expect(await lives(child)).toBe(true);
    await instances.ensureStopped('blue', 0);
    expect(await lives(child)).toBe(false);
  });

  test('the slot is free for the next release at once', async () => {
    const { instances, spec } = await aMachine();
    for (const version of ['1', '2', '3']) {
      await instances.ensureRunning('blue', spec(version), {});
      expect(await (await fetch(instances.address('blue'))).text()).toBe(`${version},blue,hello`);
      await instances.ensureStopped('blue', 5_000);
    }
  });

  test('a start that overlaps with it either is stopped or never happens', async () => {
    const { instances, spec, starts } = await aMachine();
    for (let round = 0; round < 10; round++) {
      const start = instances.ensureRunning('blue', spec('2'), {}).catch((error) => error.type);
      await sleep(round);
      await instances.ensureStopped('blue', 5_000);
      const seen = await instances.observe('blue');
      const outcome = await start;
      if (outcome === 'SlotEmptied' || outcome === 'InstanceExited') expect(seen).toBeNull();
      await instances.ensureStopped('blue', 5_000);
      expect((await Promise.all(starts().map(lives))).includes(true)).toBe(false);
    }
  });

  test('a log or marker older than twenty starts is not kept', async () => {
    const { instances, folder } = await aMachine();
    for (let round = 0; round < 25; round++) await instances.ensureStopped('blue', 0);
    expect(readdirSync(join(folder, 'slots', 'blue'))).toHaveLength(20);
  });
});

test('plain processes are refused on another machine than this one', () => {
  const product = (kind: string) => ({ kind, options: {} });
  const target = {
    name: 'web',
    service: 'shop',
    host: product('ssh'),
    hosts: {},
    home: null,
    balancers: null,
    instances: product('process'),
    traffic: null,
    metrics: null,
    folder: '/srv/holdpoint',
    secrets: [],
    hidden: [],
    ports: { blue: 1, green: 2 },
  };
  const context = { target, host: createLocalHost(), address: '127.0.0.1', mask: createMask() };
  expect(() => instancesOf(context)).toThrow(/web.*only works on host "local"/);
  expect(() => instancesOf({ ...context, target: { ...target, instances: product('nomad') } })).toThrow(
    /"nomad".*process/,
  );
});

/** The service, with a child in its group that ignores SIGTERM and notes its pid. */
const withStubbornChild = [
  'sh',
  '-c',
  'sh -c \'trap "" TERM; echo $$ > child; while :; do sleep 0.05; done\' & exec node -e "$1"',
  'x',
  service,
];

async function childOf(folder: string): Promise<number> {
  await until(() => linesOf(join(folder, 'child')).length > 0);
  return endLater(Number(linesOf(join(folder, 'child'))[0]));
}
