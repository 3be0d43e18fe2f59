import { afterEach, describe, expect, test } from 'vitest';
import type { HostPort } from '../../../workflows/ports.ts';
import { aMachine, clean, type Machine, writer } from './a-machine.ts';

const machine = aMachine();
afterEach(() => clean(machine));

/**
 * The worker dies with its connection: the script that has `mark` in it ends right before the line that says so, and
 * nobody hears of it.
 */
function dying({ host }: Machine, mark: string, before = true): HostPort {
  return {
    ...host,
    async exec([sh = '', c = '', script = '', ...words], options) {
      const at = script.lastIndexOf(mark);
      if (at < 0) return host.exec([sh, c, script, ...words], options);
      const cut = script.lastIndexOf('\n', at) + 1;
      const end = script.indexOf('\n', at) + 1;
      await host.exec([sh, c, before ? script.slice(0, cut) : script.slice(0, end), ...words], options);
      throw new Error('the worker is dead');
    },
  };
}

/** Of what a command reads only the beginning arrives. */
function cutting({ host }: Machine): HostPort {
  const cut = (input: string) => input.slice(0, input.length / 2);
  return {
    ...host,
    exec: (argv, given) => host.exec(argv, given.input ? { ...given, input: cut(given.input) } : given),
  };
}

/** Right before a unit is told to stop, something else happens. */
function late({ host }: Machine, meanwhile: () => Promise<unknown>): HostPort {
  let happened = false;
  return {
    ...host,
    async exec(argv, options) {
      if (!happened && argv[2]?.includes('act stop')) {
        happened = true;
        await meanwhile();
      }
      return host.exec(argv, options);
    },
  };
}

test('a connection that is lost before all variables are there starts nothing', async () => {
  const spec = await machine.spec('2');
  const first = machine.instances(undefined, { host: cutting(machine) });
  await expect(first.ensureRunning('blue', spec, { SECRET: 'x'.repeat(500) }, writer())).rejects.toThrow();
  expect(await machine.starts('blue')).toEqual([]);
  expect(await machine.sh('ls /srv/shop/slots | grep env || echo none')).toBe('none\n');
  await machine.instances().ensureRunning('blue', spec, { SECRET: 'whole' }, writer());
  expect((await machine.ask('blue')).env).toMatchObject({ SECRET: 'whole' });
});

test('a stop of before that arrives late leaves what was started since', async () => {
  const [one, two] = [await machine.spec('1'), await machine.spec('2')];
  const instances = machine.instances();
  await instances.ensureRunning('blue', one, {}, writer());
  const host = late(machine, async () => {
    await instances.ensureStopped('blue', 5_000);
    await instances.ensureRunning('blue', two, {}, writer('deploy|1|start|2'));
  });
  await expect(machine.instances(undefined, { host }).ensureStopped('blue', 5_000)).rejects.toMatchObject({
    type: 'SlotContested',
    nonRetryable: false,
  });
  expect(await instances.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
  expect(await machine.show('shop@blue', 'UnitFileState')).toBe('enabled');
});

const points = [
  ['before the link is switched', 'ln -s -- "$7"', true],
  ['between the link and the marker', '[ "$8" = start ] && note', true],
  ['between the marker and the start', 'act "$8" --no-block', true],
  ['right after the start', 'act "$8" --no-block', false],
  ['before the run is noted', 'note "$6"\n[ -z "$7" ]', true],
  ['before it is enabled', 'act enable', true],
] as const;

describe('a worker that dies', () => {
  test.each(points)(
    '%s while it starts a release: the next attempt finishes that, and it is started once',
    async (_, mark, before) => {
      const spec = await machine.spec('2');
      const first = machine.instances(undefined, { host: dying(machine, mark, before) });
      await expect(first.ensureRunning('blue', spec, {}, writer())).rejects.toThrow('the worker is dead');
      const second = machine.instances();
      const there = await second.observe('blue');
      expect(there === null || there.release === '2').toBe(true);
      const { pid } = await second.ensureRunning('blue', spec, {}, writer());
      expect(await machine.starts('blue')).toEqual([pid]);
      expect(await second.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
      expect(await machine.show('shop@blue', 'UnitFileState')).toBe('enabled');
    },
  );

  test.each([
    ['before the link is switched', 'ln -s -- "$7"', true],
    ['between the link and the reload', 'act "$8" --no-block', true],
    ['right after the reload', 'act "$8" --no-block', false],
    ['before the reload is noted', 'note "$6"\n[ -z "$7" ]', true],
  ] as const)(
    '%s while it reloads: it counts as what it was started from, and the next attempt reloads',
    async (_, mark, before) => {
      const instances = machine.instances();
      const { pid } = await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
      const spec = await machine.spec('2');
      const first = machine.instances(undefined, { host: dying(machine, mark, before) });
      await expect(first.ensureReloaded!('blue', spec, {}, writer('reload'))).rejects.toThrow('the worker is dead');
      expect(await instances.observe('blue')).toEqual({ release: '1', port: 4001, running: true });
      expect(await instances.ensureReloaded!('blue', spec, {}, writer('reload'))).toMatchObject({
        pid,
        reloaded: true,
      });
      await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '2', pid });
      expect(await machine.starts('blue')).toEqual([pid]);
    },
  );

  test('between link and reload, and systemd starts the unit again: it counts as what the link names', async () => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('1'), {}, writer());
    const spec = await machine.spec('2');
    const first = machine.instances(undefined, { host: dying(machine, 'act "$8" --no-block') });
    await expect(first.ensureReloaded!('blue', spec, {}, writer('reload'))).rejects.toThrow('the worker is dead');
    await machine.sh('systemctl restart shop@blue');
    expect(await instances.observe('blue')).toEqual({ release: '2', port: 4001, running: true });
  });

  test('after a reload that nobody saw end, a start of the release before makes sure by a reload', async () => {
    const instances = machine.instances();
    const before = await machine.spec('1');
    const { pid } = await instances.ensureRunning('blue', before, {}, writer());
    const first = machine.instances(undefined, { host: dying(machine, 'act "$8" --no-block', false) });
    await expect(first.ensureReloaded!('blue', await machine.spec('2'), {}, writer('reload'))).rejects.toThrow();
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '2', pid });
    await instances.ensureRunning('blue', before, {}, writer('undo'));
    await expect.poll(() => machine.ask('blue')).toMatchObject({ release: '1', pid });
  });

  test.each([
    ['before it is stopped', 'act stop', true],
    ['right after it is told to stop', 'act stop', false],
    ['before the slot is emptied', 'rm -f -- "$base.env"', true],
  ] as const)('%s: the next attempt empties the slot', async (_, mark, before) => {
    const instances = machine.instances();
    await instances.ensureRunning('blue', await machine.spec('2'), {}, writer());
    const first = machine.instances(undefined, { host: dying(machine, mark, before) });
    await expect(first.ensureStopped('blue', 5_000)).rejects.toThrow('the worker is dead');
    expect(await instances.ensureStopped('blue', 5_000)).toMatchObject({ release: '2' });
    expect(await instances.observe('blue')).toBeNull();
    expect(await machine.sh('ls /srv/shop/slots | grep env || echo none')).toBe('none\n');
    expect(await machine.show('shop@blue', 'UnitFileState')).toBe('disabled');
  });
});
