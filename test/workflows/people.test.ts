import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { withWorld } from '../support/fake-deploy.ts';
import { FakeWorld } from '../support/fake-world.ts';

const asksFirst = { migrate: { tool: 'dbmate', hold: { ask: 'Apply?', by: 'dba' } } };

function aWorld(): FakeWorld {
  const world = FakeWorld.serving();
  world.migrations.pending = ['0002'];
  world.approvers = { dba: ['dora'] };
  return world;
}

describe('a decision', () => {
  test('counts only from someone allowed to make it, for this plan and this step; refused ones are kept', async () => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', asksFirst);
    const { digest } = await run.asks('migrate.hold');
    const right = { plan: digest, step: 'migrate.hold', by: 'dora' };
    await run.send('approve', { ...right, by: 'mallory' });
    await run.send('approve', { ...right, plan: 'sha256:ffffffffffff' });
    await run.send('approve', { ...right, step: 'verify.hold' });
    await run.send('approve', { ...right, run: 'another-run' });
    await run.send('approve', { step: 'migrate.hold', by: 'dora' });
    const refused = await run.until(({ decisions }) => decisions.length === 5);
    expect(refused.hold?.step).toBe('migrate.hold');
    expect(refused.decisions.map(({ refusal }) => refusal)).toEqual([
      'mallory may not answer this; dora may',
      expect.stringContaining('it is for another plan'),
      'migrate.hold is asked now, not verify.hold',
      'it is for another run (another-run)',
      expect.stringContaining('it does not say for which plan'),
    ]);
    await run.send('approve', { ...right, reason: 'looks good' });
    const status = await run.end();
    expect(status.outcome).toBe('succeeded');
    expect(status.steps.find(({ id }) => id === 'migrate.hold')?.evidence).toMatchObject({
      approvedBy: 'dora',
      reason: 'looks good',
    });
  });

  test.each([
    ['nothing at all', undefined],
    ['null', null],
    ['a text', 'yes please'],
    ['a number', 42],
    ['a list', ['dora']],
    ['an object with the wrong types', { plan: 7, step: {}, by: ['dora'] }],
    ['a very long text', { by: 'x'.repeat(100_000) }],
  ])('of %s is refused and recorded, and the run goes on', async (_what, payload) => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', asksFirst);
    await run.asks('migrate.hold');
    await run.send('approve', payload);
    const status = await run.until(({ decisions }) => decisions.length === 1);
    expect(status.decisions[0]).toMatchObject({ verb: 'approve', accepted: false });
    await run.answer('approve', 'dora');
    expect((await run.end()).outcome).toBe('succeeded');
  });

  test('by a signal that does not exist is recorded with those that do', async () => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', asksFirst);
    await run.asks('migrate.hold');
    await run.send('aprove', { by: 'dora' });
    const status = await run.until(({ decisions }) => decisions.length === 1);
    expect(status.decisions[0]?.refusal).toContain('there is no signal aprove');
    await run.answer('reject', 'dora', { reason: 'not today' });
    const end = await run.end();
    expect(end).toMatchObject({ outcome: 'aborted', sentence: expect.stringContaining('dora said no: not today') });
  });

  test('that comes too late is refused', async () => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', { ...asksFirst, verify: { hold: { ask: 'Confirm?' } } });
    const { digest } = await run.asks('migrate.hold');
    await run.answer('approve', 'dora');
    await run.asks('verify.hold');
    await run.send('reject', { plan: digest, step: 'migrate.hold', by: 'dora' });
    const status = await run.until(({ decisions }) => decisions.length === 2);
    expect(status.decisions[1]?.refusal).toBe('verify.hold is asked now, not migrate.hold');
    await run.answer('approve');
    expect((await run.end()).outcome).toBe('succeeded');
  });

  test('that nobody makes in time does what the runbook names', async () => {
    const deploys = await withWorld(aWorld());
    const hold = (otherwise: string) => ({ verify: { hold: { ask: 'Confirm?', expires: '1s', otherwise } } });
    expect((await (await deploys.start('2', hold('rollback'))).end()).outcome).toBe('rolled back');
    expect(deploys.world.served).toBe('1');
    expect((await (await deploys.start('2', hold('proceed'))).end()).outcome).toBe('succeeded');
    expect(deploys.world.served).toBe('2');
  });
});

describe('an operator', () => {
  test('pauses before the next step and resumes', async () => {
    const world = aWorld();
    const deploys = await withWorld(world);
    const open = world.block('startInstance');
    const run = await deploys.start('2');
    await run.until(({ steps }) => steps.some(({ id, state }) => id === 'rollout.start' && state === 'running'));
    await run.send('pause', { by: 'ana', reason: 'lunch' });
    open();
    await run.until(({ state }) => state === 'paused');
    expect(world.effects).not.toContain('shift to green');
    await run.send('resume', { by: 'ana' });
    expect((await run.end()).outcome).toBe('succeeded');
  });

  test('retries a failed step, or skips one that the runbook allows to skip, with a reason', async () => {
    const world = aWorld();
    world.fail('runCommand');
    const deploys = await withWorld(world);
    const run = await deploys.start('2', {
      rollback: { automatic: false },
      rollout: {
        start: ['node', 's.js'],
        before: [{ run: ['warm'], name: 'warm', skip: 'allowed' }],
        after: [{ run: ['purge'], name: 'purge' }],
      },
    });
    await run.asks('rollout.warm');
    await run.send('skip', { step: 'rollout.warm', by: 'ana' });
    await run.send('skip', { step: 'rollout.warm', by: 'ana', reason: 'cold is fine' });
    await run.asks('rollout.purge');
    await run.send('skip', { step: 'rollout.purge', by: 'ana', reason: 'too' });
    world.mend('runCommand');
    await run.until(({ decisions }) => decisions.length === 3);
    await run.send('retry', { step: 'rollout.purge', by: 'ana' });
    const status = await run.end();
    expect(status.outcome).toBe('succeeded');
    expect(status.decisions.map(({ refusal }) => refusal)).toEqual([
      'a skip needs a reason',
      null,
      'the runbook does not allow to skip rollout.purge',
      null,
    ]);
    expect(status.steps.find(({ id }) => id === 'rollout.warm')).toMatchObject({
      state: 'skipped',
      note: 'skipped by ana: cold is fine',
    });
    expect(world.effects).toContain('purge');
    expect(world.effects).not.toContain('warm');
  });

  test.each(['abort', 'rollback'] as const)('can %s at any moment before the confirmation', async (verb) => {
    const world = aWorld();
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { verify: { hold: { ask: 'Confirm?' } } });
    await run.asks('verify.hold');
    await run.send(verb, { by: 'ana', reason: 'changed my mind' });
    const status = await run.end();
    expect(status.outcome).toBe(verb === 'abort' ? 'aborted' : 'rolled back');
    expect(world.served).toBe('1');
    expect(world.slots.green).toBeNull();
  });

  test('cancelling from outside takes everything back, and the run is Cancelled for Temporal', async () => {
    const world = aWorld();
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { verify: { hold: { ask: 'Confirm?' } } });
    await run.asks('verify.hold');
    await run.handle.cancel();
    const status = await run.end();
    expect(status.outcome).toBe('aborted');
    expect(world.served).toBe('1');
    expect((await run.handle.describe()).status.name).toBe('CANCELLED');
  });
});

describe('one deploy at a time', () => {
  test('a second one is refused while the first runs', async () => {
    const deploys = await withWorld(aWorld());
    const first = await deploys.start('2', asksFirst);
    await first.asks('migrate.hold');
    await expect(deploys.start('3')).rejects.toThrow(WorkflowExecutionAlreadyStartedError);
    await first.send('abort', { by: 'ana' });
    await first.end();
  });

  test('a newer one supersedes one that waits and has changed nothing, not one that has', async () => {
    const deploys = await withWorld(aWorld());
    const first = await deploys.start('2', asksFirst);
    await first.asks('migrate.hold');
    await first.send('supersede', { by: 'ben', reason: '3 is out' });
    expect((await first.end()).outcome).toBe('superseded');

    const second = await deploys.start('3', { verify: { hold: { ask: 'Confirm?' } } });
    await second.asks('verify.hold');
    await second.send('supersede', { by: 'ben' });
    const status = await second.until(({ decisions }) => decisions.length === 1);
    expect(status.decisions[0]?.refusal).toContain('it has changed something already');
    await second.send('abort', { by: 'ana' });
    await second.end();
  });
});

describe('after a deploy', () => {
  test('rollback returns to the version before, and refuses to go further', async () => {
    const world = aWorld();
    const deploys = await withWorld(world);
    await (await deploys.start('2')).end();
    const back = await (await deploys.rollback()).end();
    expect(back).toMatchObject({ outcome: 'rolled back', release: '1', from: '2' });
    expect(world.served).toBe('1');
    const again = await (await deploys.rollback()).end();
    expect(again.sentence).toContain('nothing is recorded before it');
  });

  test('rollback brings back what a terminated deploy left half done', async () => {
    const world = aWorld();
    const deploys = await withWorld(world);
    const run = await deploys.start('2', { verify: { hold: { ask: 'Confirm?' } } });
    await run.asks('verify.hold');
    await run.handle.terminate('kill -9');
    expect(world.served).toBe('2');
    const refused = await (await deploys.start('3')).end();
    expect(refused.sentence).toContain('holdpoint rollback');
    expect((await (await deploys.rollback()).end()).outcome).toBe('rolled back');
    expect(world.served).toBe('1');
    expect(world.slots.green).toBeNull();
  });
});

test.each([
  ['unreadable JSON', 'json/plain', '{ not json'],
  ['an unknown encoding', 'binary/of-some-codec', 'opaque'],
])('a signal whose payload is %s neither wedges nor fails the run', async (_what, encoding, data) => {
  const deploys = await withWorld(aWorld());
  const run = await deploys.start('2', asksFirst);
  await run.asks('migrate.hold');
  const payload = { metadata: { encoding: Buffer.from(encoding) }, data: Buffer.from(data) };
  await deploys.client.workflowService.signalWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: run.workflowId, runId: run.runId },
    signalName: 'approve',
    input: { payloads: [payload] },
    requestId: run.runId,
  });
  const status = await run.until(({ decisions }) => decisions.length === 1);
  expect(status.decisions[0]).toMatchObject({ verb: 'approve', accepted: false });
  await run.answer('approve', 'dora');
  expect((await run.end()).outcome).toBe('succeeded');
});

test('a run started by hand without a runbook fails with what to do, instead of hanging', async () => {
  const deploys = await withWorld(aWorld());
  const started = deploys.client.workflow.execute('deploy', {
    args: [],
    workflowId: `deploy/by-hand/${deploys.environment}`,
    taskQueue: deploys.taskQueue,
  });
  await expect(started).rejects.toMatchObject({ cause: { message: expect.stringContaining('holdpoint deploy') } });
});

describe('what arrives while no worker is there', () => {
  test('an approval after the expiry does not count', async () => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', { verify: { hold: { ask: 'Confirm?', expires: '1s' } } });
    const { digest } = await run.asks('verify.hold');
    const resume = await deploys.stopWorking();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    await run.send('approve', { plan: digest, step: 'verify.hold', by: 'ana' });
    await resume();
    const status = await run.end();
    expect(status.outcome).toBe('rolled back');
    expect(status.decisions[0]?.refusal).toContain('too late');
  });

  test('the first answer counts, not the last', async () => {
    const deploys = await withWorld(aWorld());
    const run = await deploys.start('2', { verify: { hold: { ask: 'Confirm?' } } });
    const { digest } = await run.asks('verify.hold');
    const resume = await deploys.stopWorking();
    await run.send('reject', { plan: digest, step: 'verify.hold', by: 'ana' });
    await run.send('approve', { plan: digest, step: 'verify.hold', by: 'ben' });
    await resume();
    const status = await run.end();
    expect(status.outcome).toBe('aborted');
    expect(status.decisions.map(({ refusal }) => refusal)).toEqual([null, 'verify.hold is answered already']);
  });
});

test('a flood of odd messages neither fills the history nor holds the deploy up', async () => {
  const deploys = await withWorld(aWorld());
  const run = await deploys.start('2', asksFirst);
  await run.asks('migrate.hold');
  const odd = { plan: '計'.repeat(500), step: '画'.repeat(500), by: '誰'.repeat(500), reason: '何'.repeat(500) };
  for (let wave = 0; wave < 6; wave += 1) await Promise.all(Array.from({ length: 50 }, () => run.send('approve', odd)));
  await run.answer('approve', 'dora');
  const status = await run.end();
  expect(status.outcome).toBe('succeeded');
  expect(status.decisions.length).toBeLessThanOrEqual(101);
});

test('after the confirmation a failed step needs attention, even where failures are asked about', async () => {
  const world = aWorld();
  world.fail('stopInstance', { message: 'the process does not end' });
  const deploys = await withWorld(world);
  const status = await (await deploys.start('2', { rollback: { automatic: false } })).end();
  expect(status.outcome).toBe('needs attention');
  expect(status.sentence).toContain('2 serves and nothing is taken back');
  expect(world.served).toBe('2');
});

test('a way back cannot be stopped half way', async () => {
  const world = aWorld();
  const deploys = await withWorld(world);
  await (await deploys.start('2')).end();
  const open = world.block('startInstance');
  const back = await deploys.rollback();
  await back.until(({ steps }) => steps.some(({ id, state }) => id === 'rollout.start' && state === 'running'));
  await back.send('abort', { by: 'ana' });
  await back.handle.cancel();
  open();
  const status = await back.end();
  expect(status.outcome).toBe('rolled back');
  expect(status.decisions[0]?.refusal).toContain('not stopped half way');
  expect(world.served).toBe('1');
});

test('a hold for a group that the environment does not have is refused before anything starts', async () => {
  const deploys = await withWorld(FakeWorld.serving());
  const status = await (await deploys.start('2', { verify: { hold: { ask: 'Confirm?', by: 'dba' } } })).end();
  expect(status).toMatchObject({ outcome: 'failed', changed: false });
  expect(status.sentence).toContain('has no group "dba"');
});
