import { beforeAll, describe, expect, test } from 'vitest';
import { type Deploys, withWorld } from '../support/fake-deploy.ts';
import { FakeWorld } from '../support/fake-world.ts';

const confirmHold = { verify: { hold: { ask: 'Confirm?' } } };

describe('a deploy', () => {
  test('a first deploy starts, probes, shifts and confirms, in that order', async () => {
    const deploys = await withWorld(new FakeWorld());
    const run = await deploys.start('1');
    const status = await run.end();
    expect(status).toMatchObject({ outcome: 'succeeded', release: '1', from: null });
    expect(deploys.world.effects).toEqual([
      'start 1 in blue',
      'probe blue',
      'probe blue',
      'shift to blue',
      'confirm 1',
    ]);
  });

  test('the old version is stopped only after the confirmation, drained first', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const run = await deploys.start('2', confirmHold);
    await run.asks('verify.hold');
    expect(deploys.world.slots.blue?.running).toBe(true);
    expect(deploys.world.served).toBe('2');
    await run.answer('approve');
    expect((await run.end()).outcome).toBe('succeeded');
    expect(deploys.world.effects.slice(-3)).toEqual(['confirm 2', 'drain blue', 'stop blue']);
  });

  test('what is planned is what is walked', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const run = await deploys.start('2');
    const status = await run.end();
    const plan = await run.plan();
    expect(status.steps.map(({ id }) => id)).toEqual(plan?.steps.map(({ id }) => id));
    expect(status.steps.every(({ state }) => state === 'done')).toBe(true);
  });

  test('a plan pinned by a digest that no longer fits is not walked', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const run = await deploys.start('2', {}, { plan: 'sha256:0123456789abcdef' });
    const status = await run.end();
    expect(status.outcome).toBe('failed');
    expect(status.sentence).toContain('the target has changed');
    expect(deploys.world.effects).toEqual([]);
  });

  test('an unknown version is refused with those that exist', async () => {
    const deploys = await withWorld(FakeWorld.serving());
    const status = await (await deploys.start('9')).end();
    expect(status.sentence).toContain('no release 9 of shop');
    expect(status.sentence).toContain('there is 1, 2, 3');
  });
});

describe('going back', () => {
  let deploys: Deploys;
  beforeAll(async () => {
    deploys = await withWorld(FakeWorld.serving());
  });

  test('a failed smoke test stops the candidate and never gives it traffic', async () => {
    deploys.world.fail('smokeTest', { message: 'POST /orders answered 500' });
    const run = await deploys.start('2', { verify: { smoke: ['GET /orders'] } });
    const status = await run.end();
    deploys.world.mend('smokeTest');
    expect(status.outcome).toBe('rolled back');
    expect(status.sentence).toContain('rollout.smoke failed: POST /orders answered 500');
    expect(deploys.world.effects).not.toContain('shift to green');
    expect(deploys.world.slots.green).toBeNull();
    expect(deploys.world.served).toBe('1');
  });

  test('a failed verdict gives all traffic back before the candidate is stopped', async () => {
    deploys.world.effects.length = 0;
    deploys.world.verdict = {
      word: 'failed',
      sentence: '12 of 400 answers failed',
      findings: [],
      candidate: null,
      stable: null,
    };
    const run = await deploys.start('2', { verify: { watch: { for: '1s' } } });
    const status = await run.end();
    expect(status.sentence).toContain('12 of 400 answers failed');
    const back = deploys.world.effects.slice(deploys.world.effects.indexOf('shift to green') + 1);
    expect(back).toEqual(['start 1 in blue', 'probe blue', 'shift to blue', 'drain green', 'stop green']);
  });

  test('an undo that fails needs attention, says at what, and nothing before it is undone', async () => {
    deploys.world.verdict = { word: 'failed', sentence: 'bad', findings: [], candidate: null, stable: null };
    deploys.world.effects.length = 0;
    const open = deploys.world.block('watchTraffic');
    const run = await deploys.start('2', { verify: { watch: { for: '1s' } } });
    await run.until(({ steps }) => steps.some(({ id, state }) => id === 'verify.watch' && state === 'running'));
    deploys.world.fail('shiftTraffic', { message: 'the proxy does not answer' });
    open();
    const status = await run.end();
    expect(status.outcome).toBe('needs attention');
    expect(status.sentence).toContain('Give all traffic back to shop 1 in blue failed: the proxy does not answer');
    expect(deploys.world.effects).not.toContain('stop green');
    await expect(run.handle.result()).rejects.toThrow();
  });
});

test('too little data is neither pass nor fail: a person is asked', async () => {
  const world = FakeWorld.serving();
  world.verdict = {
    word: 'inconclusive',
    sentence: '5 requests are too little data',
    findings: [],
    candidate: null,
    stable: null,
  };
  const deploys = await withWorld(world);
  const run = await deploys.start('2', { verify: { watch: { for: '1s' } } });
  const status = await run.asks('verify.watch');
  expect(status.hold?.ask).toContain('5 requests are too little data');
  await run.answer('approve');
  expect((await run.end()).outcome).toBe('succeeded');
});

test('migrations go down only while the new version has had no traffic', async () => {
  const world = FakeWorld.serving();
  world.migrations.pending = ['0002'];
  world.fail('smokeTest');
  const deploys = await withWorld(world);
  const headings = {
    migrate: { tool: 'dbmate' },
    rollback: { down: 'migrations' },
    verify: { smoke: ['GET /'], watch: { for: '1s' } },
  };
  await (await deploys.start('2', headings)).end();
  expect(world.effects.slice(-3)).toEqual(['drain green', 'stop green', 'migrate down to 0001']);

  world.mend('smokeTest');
  world.verdict = { word: 'failed', sentence: 'bad', findings: [], candidate: null, stable: null };
  const status = await (await deploys.start('2', headings)).end();
  expect(status.steps.find(({ id }) => id === 'migrate.up')).toMatchObject({ state: 'left' });
  expect(world.migrations.applied).toEqual(['0001', '0002']);
});
