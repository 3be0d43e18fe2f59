import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Check } from '../../cli/render/checks.ts';
import { FakeWorld } from '../support/fake-world.ts';
import { Stage } from './support/stage.ts';

// Each command is a process that loads everything from the sources, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });
let stage: Stage;

/** Three machines, of which a deploy may go on without one. */
beforeEach(async () => {
  stage = new Stage('  strategy: rolling\n  unavailable: 1\n', '', FakeWorld.fleet(3));
  await stage.startWorker();
});
afterEach(() => stage.end());

test('a machine that was away is named by every command, and brought in line by reconcile', async () => {
  const { world } = stage;
  world.cutOff('web3');
  const planned = await stage.run(['plan', '--version', '2']);
  expect(planned.stdout, planned.stderr).toContain('! 1 machine is set aside; the deploy goes on without it:');
  expect(planned.stdout).toContain('goes on without at most 1 of the 3 machines of web');

  const deployed = await stage.run(['deploy', '--version', '2']);
  expect(deployed.code, deployed.stdout).toBe(0);
  expect(deployed.stdout).toContain('✓ succeeded, 1 machine set aside');
  const status = await stage.run(['status']);
  expect(status.stdout).toContain('succeeded, 1 machine set aside');
  expect(status.stdout).toMatch(/web3.*does not answer/);
  expect(JSON.parse((await stage.run(['status', '--json'])).stdout).aside).toMatchObject([{ host: 'web3' }]);
  expect((await stage.run(['report'])).stdout).toContain('## Machines set aside');

  const away = await stage.run(['machines']);
  expect(away.stdout, away.stderr).toMatch(/^web1 +web1-green +2 +runs +50%$/m);
  expect(away.stdout).toMatch(/^web3 does not answer\n2 is the confirmed release\.$/m);

  world.reconnect('web3');
  const [there] = JSON.parse((await stage.run(['machines', '--json'])).stdout);
  expect(there.slots).toContainEqual({ slot: 'web3-blue', host: 'web3', release: '1', running: true, share: 0 });
  const { code, stdout } = await stage.run(['plan', '--reconcile']);
  expect(code).toBe(0);
  expect(stdout).toContain(`Reconcile ${stage.service} 2 · local`);
  expect(stdout).toContain('holdpoint reconcile');
  const reconciled = await stage.run(['reconcile', '--reason', 'web3 is back']);
  expect(reconciled.code, reconciled.stdout).toBe(0);
  expect(reconciled.stdout).toMatch(/✓ succeeded {2}/);
  expect(world.slots['web3-green']).toMatchObject({ release: '2', running: true });
  expect(world.served).toBe('2');
  expect((await stage.run(['history'])).stdout).toContain('reconcile 2');
});

test('nothing to reconcile is a success that leaves no run behind', async () => {
  const asked = await stage.run(['reconcile']);
  expect(asked, asked.stderr).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Nothing to reconcile: every machine of shop/),
  });
  const [line] = (await stage.run(['reconcile', '--json'])).stdout.trim().split('\n');
  expect(JSON.parse(line!)).toMatchObject({
    change: 'nothing',
    sentence: expect.stringContaining('as it was confirmed'),
  });
  const planned = await stage.run(['plan', '--reconcile', '--json']);
  expect(planned.code).toBe(0);
  expect(JSON.parse(planned.stdout)).toMatchObject({ environment: 'local', intent: 'reconcile', steps: [] });
  expect(JSON.parse((await stage.run(['history', '--json'])).stdout)).toEqual([]);
  expect(stage.world.effects).toEqual([]);
});

test('a reconciliation does not run beside a deploy, and a plan goes one way', async () => {
  const release = stage.world.block('startInstance');
  await stage.run(['deploy', '--version', '2', '--detach']);
  await stage.until(({ steps }) => steps.some(({ state }) => state === 'running'));
  const { code, stderr } = await stage.run(['reconcile']);
  release();
  expect(code).toBe(6);
  expect(stderr).toContain('holds the lock');
  expect(await stage.run(['plan', '--reconcile', '--rollback'])).toMatchObject({ code: 2 });
  await stage.until(({ outcome }) => outcome === 'succeeded');
});

test('the doctor counts the machines that answer, and warns of one that does not', async () => {
  const machines = async () => {
    const { stdout, stderr } = await stage.run(['doctor', '--json']);
    expect(stdout, stderr).not.toBe('');
    return (JSON.parse(stdout) as Check[]).find(({ name }) => name === 'machines');
  };
  expect(await machines()).toEqual({ name: 'machines', state: 'ok', found: 'all 3 answer' });
  stage.world.cutOff('web3');
  expect(await machines()).toMatchObject({
    state: 'warn',
    found: expect.stringMatching(/^1 machine of 3 would be.*\n.*web3/),
  });
});
