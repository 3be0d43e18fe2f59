import { describe, expect, test } from 'vitest';
import { withWorld } from '../support/fake-deploy.ts';
import { FakeWorld } from '../support/fake-world.ts';

const canary = { start: ['s', '{port}'], strategy: 'canary', steps: ['10%', '50%', '100%'], bake: '10ms' };
const rolling = { start: ['s', '{port}'], strategy: 'rolling' };
const judged = { analysis: { errors: '< 1%' } };

describe('a canary', () => {
  test('gets a growing share, each judged beside the old version, before the old one is stopped', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const run = await deploys.start('2', { rollout: { ...canary, ...judged } });
    expect((await run.end()).outcome).toBe('succeeded');
    expect(deploys.world.effects).toEqual([
      'start 2 in green',
      'probe green',
      'probe green',
      'shift to blue 90% green 10%',
      'probe green',
      'shift to blue 50% green 50%',
      'probe green',
      'shift to green',
      'confirm 2',
      'drain blue',
      'stop blue',
    ]);
  });

  test('that fails its verdict gives all traffic back at once, and is stopped', async () => {
    const { world, ...deploys } = await failing();
    const run = await deploys.start('2', { rollout: { ...canary, ...judged } });
    expect((await run.end()).outcome).toBe('rolled back');
    const back = world.effects.slice(world.effects.indexOf('shift to blue 90% green 10%') + 1);
    expect(back).toEqual(['start 1 in blue', 'probe blue', 'shift to blue', 'drain green', 'stop green']);
  });

  test('asks a person between two shares where the runbook says so', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const steps = [{ share: '10%', for: '0s', hold: { ask: 'On with it?' } }, '100%'];
    const run = await deploys.start('2', { rollout: { ...canary, steps } });
    await run.asks('rollout.hold-10');
    expect(deploys.world.served).toBe('1 and 2');
    await run.answer('reject', 'ann', { reason: 'no' });
    expect((await run.end()).outcome).toBe('aborted');
    expect(deploys.world.served).toBe('1');
  });
});

describe('a rolling deploy', () => {
  test('takes each instance out, drains and renews it, and brings it back in', async () => {
    const deploys = await withWorld(FakeWorld.pool());
    const run = await deploys.start('2', { rollout: rolling });
    expect((await run.end()).outcome).toBe('succeeded');
    expect(deploys.world.effects.slice(0, 8)).toEqual([
      'shift to web-2 50% web-3 50%',
      'drain web-1',
      'stop web-1',
      'start 2 in web-1',
      'probe web-1',
      'probe web-1',
      'shift to web-1 33% web-2 33% web-3 33%',
      'shift to web-1 50% web-3 50%',
    ]);
    expect(deploys.world.served).toBe('2');
  });

  test('stops at the first instance that fails, and brings every one back', async () => {
    const deploys = await withWorld(FakeWorld.pool());
    deploys.world.failStart('2', 'web-2');
    const status = await (await deploys.start('2', { rollout: rolling })).end();
    expect(status.outcome).toBe('rolled back');
    expect(deploys.world.served).toBe('1');
    expect(Object.values(deploys.world.slots).map((there) => there?.release)).toEqual(['1', '1', '1']);
    expect(deploys.world.effects).not.toContain('start 2 in web-3');
    expect(deploys.world.weights).toEqual({ 'web-1': 1 / 3, 'web-2': 1 / 3, 'web-3': 1 / 3 });
  });

  test('that was terminated half way is brought back by a rollback', async () => {
    const deploys = await withWorld(FakeWorld.pool());
    const letGo = deploys.world.block('stopInstance');
    const run = await deploys.start('2', { rollout: rolling });
    await run.until(({ steps }) => steps.some(({ id, state }) => id === 'rollout.stop-old' && state === 'running'));
    await run.handle.terminate('pulled the plug');
    letGo();
    const back = await deploys.start(null, { rollout: rolling }, { intent: 'rollback' });
    expect((await back.end()).outcome).toBe('rolled back');
    expect(deploys.world.served).toBe('1');
    expect(deploys.world.weights).toEqual({ 'web-1': 1 / 3, 'web-2': 1 / 3, 'web-3': 1 / 3 });
  });
});

async function failing() {
  const world = FakeWorld.serving();
  const deploys = await withWorld(world);
  const findings = { findings: [], candidate: null, stable: null };
  world.verdict = { word: 'failed', sentence: '12 of 400 answers failed', ...findings };
  return { world, start: deploys.start.bind(deploys) };
}
