import { describe, expect, test } from 'vitest';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { serving } from '../../workflows/runbook/planning.ts';
import type { RunStatus } from '../../workflows/runbook/status.ts';
import { withWorld } from '../support/fake-deploy.ts';
import { FakeWorld } from '../support/fake-world.ts';

const rollout = { start: ['serve', '{port}'] };
/** Goes on without one machine. */
const without = { rollout: { ...rollout, unavailable: 1 } };
const smoke = { verify: { smoke: ['GET /'] } };
const confirmHold = { verify: { hold: { ask: 'Confirm?' } } };

const setAside = ({ aside }: RunStatus) => aside.map(({ host }) => host);
const sharers = ({ weights }: FakeWorld): Slot[] => serving(weights ?? {});
const versions = ({ slots }: FakeWorld, side: string) =>
  Object.entries(slots).flatMap(([slot, there]) => (slot.endsWith(side) ? [there?.release ?? null] : []));

describe('a fleet', () => {
  test('is deployed to at once, and every machine keeps what was confirmed', async () => {
    const deploys = await withWorld(FakeWorld.fleet(2));
    expect((await (await deploys.start('2')).end()).outcome).toBe('succeeded');
    expect(deploys.world.effects).toEqual([
      'start 2 in web1-green',
      'start 2 in web2-green',
      'probe web1-green',
      'probe web2-green',
      'probe web1-green',
      'probe web2-green',
      'shift to web1-green 50% web2-green 50%',
      'confirm 2 on web1',
      'confirm 2 on web2',
      'drain web1-blue',
      'drain web2-blue',
      'stop web1-blue',
      'stop web2-blue',
    ]);
    expect(deploys.world.markersOf('web2').record?.confirmed.release.version).toBe('2');
  });

  test('takes up a new version by its own reload, machine by machine, and goes back by another', async () => {
    const world = FakeWorld.fleet(2, { ports: { web: 4001 } });
    world.fail('smokeTest', { times: 1 });
    const deploys = await withWorld(world);
    const headings = { rollout: { ...rollout, strategy: 'reload' }, ...smoke };
    expect((await (await deploys.start('2', headings)).end()).outcome).toBe('rolled back');
    expect(world.effects).toEqual(['reload 2 in web1', 'probe web1', 'reload 1 in web1', 'probe web1']);
    world.effects.length = 0;
    expect((await (await deploys.start('2', headings)).end()).outcome).toBe('succeeded');
    expect(world.effects.filter((effect) => effect.startsWith('reload'))).toEqual([
      'reload 2 in web1',
      'reload 2 in web2',
    ]);
    expect(world.effects.some((effect) => effect.startsWith('shift'))).toBe(false);
    expect(world.served).toBe('2');
  });
});

describe('a machine that fails, where the runbook tolerates one', () => {
  test('is set aside, left out of every later step and of the traffic, and the run says so at its end', async () => {
    const world = FakeWorld.fleet(3);
    world.failOn('startInstance', 'web2');
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { ...without, ...smoke });
    const status = await run.end();
    expect(status.outcome).toBe('succeeded');
    expect(setAside(status)).toEqual(['web2']);
    expect(status.sentence).toContain('1 machine is set aside (web2): `holdpoint reconcile` brings them back');
    expect(status.steps.find(({ id }) => id === 'rollout.start')?.evidence).toMatchObject({ setAside: 'web2' });
    expect(world.effects.filter((effect) => effect.includes('web2'))).toEqual([]);
    expect(sharers(world)).toEqual(['web1-green', 'web3-green']);
    expect(serving(world.record!.confirmed.weights)).toEqual(['web1-green', 'web3-green']);
    expect(world.markersOf('web1').aside).toEqual(['web2']);
    expect(await run.timeline()).toContain('web2 is set aside: startInstance broke on web2');
  });

  test('and does it one at a time does not stop the others', async () => {
    const world = FakeWorld.fleet(3, { ports: { web: 4001 } });
    world.failStart('2', 'web2');
    const deploys = await withWorld(world);
    const status = await (
      await deploys.start('2', { rollout: { ...rollout, strategy: 'rolling', unavailable: 1 } })
    ).end();
    expect(status.outcome).toBe('succeeded');
    expect(setAside(status)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1', 'web3']);
    expect(world.served).toBe('2');
  });

  test('is one too many where another one does: all go back', async () => {
    const world = FakeWorld.fleet(3);
    world.failOn('startInstance', 'web2');
    world.failOn('smokeTest', 'web3');
    const deploys = await withWorld(world);
    const status = await (await deploys.start('2', { ...without, ...smoke })).end();
    expect(status.outcome).toBe('rolled back');
    expect(status.sentence).toContain('rollout.smoke failed: web3: smokeTest broke on web3');
    expect(versions(world, 'green')).toEqual([null, null, null]);
    expect(versions(world, 'blue')).toEqual(['1', '1', '1']);
    expect(sharers(world)).toEqual(['web1-blue', 'web2-blue', 'web3-blue']);
    expect(setAside(status)).toEqual([]);
  });

  test('was away when the plan was made: the deploy is made without it, and reconciling brings it in', async () => {
    const world = FakeWorld.fleet(3);
    world.kill('web1');
    const deploys = await withWorld(world);
    const status = await (await deploys.start('2', without)).end();
    expect(status.outcome).toBe('succeeded');
    expect(setAside(status)).toEqual(['web1']);
    expect(sharers(world)).toEqual(['web2-green', 'web3-green']);
    world.reconnect('web1');
    const back = await (await deploys.reconcile(without)).end();
    expect(back).toMatchObject({ outcome: 'succeeded', aside: [], sentence: 'shop 2 is on every machine' });
    expect(sharers(world)).toEqual(['web1-green', 'web2-green', 'web3-green']);
    expect(world.served).toBe('2');
    expect(world.markersOf('web2').aside).toBeNull();
  });

  test('is no reason to do on another what is done once: home failing turns the deploy back', async () => {
    const world = FakeWorld.fleet(3);
    world.after('start 2 in web1-green', () => world.failOn('runCommand', 'web1'));
    const deploys = await withWorld(world);
    const after = [{ run: ['bin/purge'], name: 'purge' }];
    const status = await (await deploys.start('2', { rollout: { ...without.rollout, after } })).end();
    expect(status.outcome).toBe('rolled back');
    expect(status.sentence).toContain('rollout.purge failed: runCommand broke on web1');
    expect(world.effects.some((effect) => effect.startsWith('bin/purge'))).toBe(false);
    expect(sharers(world)).toEqual(['web1-blue', 'web2-blue', 'web3-blue']);
  });

  test('gets no share whatever the deploy gives away: every later switch is among the others', async () => {
    const world = FakeWorld.fleet(4);
    world.after('shift to', () => world.kill('web3'));
    const deploys = await withWorld(world);
    const canary = { ...without.rollout, strategy: 'canary', steps: ['10%', '50%', '100%'], bake: '0s' };
    const status = await (await deploys.start('2', { rollout: canary })).end();
    expect(status.outcome).toBe('succeeded');
    expect(setAside(status)).toEqual(['web3']);
    const shifts = world.effects.filter((effect) => effect.startsWith('shift'));
    expect(shifts[0]).toContain('web3');
    expect(shifts.slice(1).join(' ')).not.toContain('web3');
    expect(shifts[1]).toBe(
      'shift to web1-blue 17% web1-green 17% web2-blue 17% web2-green 17% web4-blue 17% web4-green 17%',
    );
  });
});

describe('going back', () => {
  test('sets aside who does not answer, and brings everybody else back', async () => {
    const world = FakeWorld.fleet(3);
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { rollout, ...confirmHold });
    await run.asks('verify.hold');
    world.kill('web1');
    await run.send('rollback', { by: 'ana' });
    const status = await run.end();
    expect(status.outcome).toBe('rolled back');
    expect(setAside(status)).toEqual(['web1']);
    expect(status.sentence).toContain('1 machine is set aside (web1)');
    expect(sharers(world)).toEqual(['web2-blue', 'web3-blue']);
    expect(versions(world, 'green').slice(1)).toEqual([null, null]);
    expect(world.served).toBe('1');
    expect(world.markersOf('web2').aside).toEqual(['web1']);
  });

  test('one machine after the other is not stopped by one that is gone', async () => {
    const world = FakeWorld.fleet(3, { ports: { web: 4001 } });
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { rollout: { ...rollout, strategy: 'rolling' }, ...confirmHold });
    await run.asks('verify.hold');
    world.kill('web2');
    await run.send('rollback', { by: 'ana' });
    const status = await run.end();
    expect(status.outcome).toBe('rolled back');
    expect(setAside(status)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1', 'web3']);
    expect(world.served).toBe('1');
  });

  test('lets a machine serve again that answers again', async () => {
    const world = FakeWorld.fleet(3);
    world.after('probe web3-green', () => world.cutOff('web2'));
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { ...without, ...confirmHold });
    const { aside } = await run.asks('verify.hold');
    expect(aside.map(({ host }) => host)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1-green', 'web3-green']);
    world.reconnect('web2');
    await run.answer('reject');
    const status = await run.end();
    expect(status).toMatchObject({ outcome: 'aborted', aside: [] });
    expect(sharers(world)).toEqual(['web1-blue', 'web2-blue', 'web3-blue']);
    expect(versions(world, 'green')).toEqual([null, null, null]);
    expect(world.markersOf('web1').aside).toBeNull();
  });

  test('gives no share to a machine that answers again but is not well', async () => {
    const world = FakeWorld.fleet(3);
    world.after('probe web3-green', () => world.kill('web2'));
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { ...without, ...confirmHold });
    await run.asks('verify.hold');
    world.reconnect('web2');
    world.failOn('startInstance', 'web2');
    await run.answer('reject');
    const status = await run.end();
    expect(status.outcome).toBe('aborted');
    expect(setAside(status)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1-blue', 'web3-blue']);
    expect(world.served).toBe('1');
  });

  test('needs attention where nobody is left to serve', async () => {
    const world = FakeWorld.fleet(2);
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { rollout, ...confirmHold });
    await run.asks('verify.hold');
    for (const host of ['web1', 'web2']) world.kill(host);
    await run.send('rollback', { by: 'ana' });
    const status = await run.end();
    expect(status.outcome).toBe('needs attention');
    expect(status.sentence).toContain('web1 does not answer');
  });
});

describe('the confirmation', () => {
  test('notices a machine that died before it, and goes back where the runbook tolerates none', async () => {
    const world = FakeWorld.fleet(3);
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { rollout, ...confirmHold });
    await run.asks('verify.hold');
    world.kill('web2');
    await run.answer('approve');
    const status = await run.end();
    expect(status.outcome).toBe('rolled back');
    expect(status.sentence).toContain('verify.machines failed: web2: web2 does not answer');
    expect(setAside(status)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1-blue', 'web3-blue']);
  });

  test('leaves out of the traffic and of the record who died before it, where the runbook tolerates it', async () => {
    const world = FakeWorld.fleet(3);
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { ...without, ...confirmHold });
    await run.asks('verify.hold');
    world.kill('web2');
    await run.answer('approve');
    expect(setAside(await run.end())).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1-green', 'web3-green']);
    expect(serving(world.record!.confirmed.weights)).toEqual(['web1-green', 'web3-green']);
  });

  test('once begun, goes on without whoever dies: left out of the traffic and of the record', async () => {
    const world = FakeWorld.fleet(3);
    world.after('confirm 2 on web1', () => world.kill('web2'));
    const deploys = await withWorld(world);
    const status = await (await deploys.start('2', { rollout })).end();
    expect(status.outcome).toBe('succeeded');
    expect(setAside(status)).toEqual(['web2']);
    expect(sharers(world)).toEqual(['web1-green', 'web3-green']);
    for (const host of ['web1', 'web3']) {
      expect(serving(world.markersOf(host).record!.confirmed.weights)).toEqual(['web1-green', 'web3-green']);
    }
    expect(world.served).toBe('2');
  });
});
