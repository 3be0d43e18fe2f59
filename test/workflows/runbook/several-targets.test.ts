import { expect, test } from 'vitest';
import { planDeploy } from '../../../workflows/runbook/make-plan.ts';
import { planRollback } from '../../../workflows/runbook/plan-rollback.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { aRunbook } from '../../support/runbooks.ts';

const runbook = aRunbook({
  migrate: { tool: 'dbmate' },
  rollout: { start: ['s'], on: ['server', { target: 'client', strategy: 'recreate' }] },
});

function aWorld(): FakeWorld {
  const world = FakeWorld.serving();
  world.migrations.pending = ['0002'];
  return world;
}

test('several targets are renewed in the order given, each by its own strategy; what is done once is done at the first', () => {
  const plan = planDeploy(aWorld().inputs({ runbook, environment: 'test', version: '2' }), '2');
  expect(plan.steps.map(({ id, target }) => `${target}: ${id}`)).toEqual([
    'server: prepare.server.claim',
    'client: prepare.client.claim',
    'server: prepare.server.release',
    'client: prepare.client.release',
    'server: migrate.receipt',
    'client: migrate.client.stop-old',
    'server: migrate.up',
    'server: rollout.server.start',
    'server: rollout.server.probe',
    'server: rollout.server.shift',
    'client: rollout.client.start',
    'client: rollout.client.probe',
    'server: confirm.server.record',
    'client: confirm.client.record',
    'server: confirm.server.stop-old',
    'server: confirm.receipt',
  ]);
  expect(plan.notices.join()).toContain('shop on client is down from the stop of 1');
});

test('what goes back only until users are served names that step by its whole id', () => {
  const world = aWorld();
  const down = { ...runbook, rollback: { ...runbook.rollback, down: 'migrations' as const } };
  const { steps } = planDeploy(world.inputs({ runbook: down, environment: 'test', version: '2' }), '2');
  const until = steps.find(({ id }) => id === 'migrate.up')!.undo!.until;
  expect(steps.map(({ id }) => id)).toContain(until);
});

test('a rollback goes through them in reverse', () => {
  const world = aWorld();
  world.record = { ...world.record!, previous: world.release('0') };
  world.releases = ['0', '1'];
  const plan = planRollback(world.inputs({ runbook, environment: 'test', version: null }));
  expect([...new Set(plan.steps.map(({ target }) => target))]).toEqual(['client', 'server']);
  expect(plan.release.version).toBe('0');
});
