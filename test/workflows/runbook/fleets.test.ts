import { describe, expect, test } from 'vitest';
import { planDeploy } from '../../../workflows/runbook/make-plan.ts';
import type { Plan, Step } from '../../../workflows/runbook/plan.ts';
import { planReconcile, planRollback } from '../../../workflows/runbook/plan-rollback.ts';
import { serving } from '../../../workflows/runbook/planning.ts';
import type { Runbook } from '../../../workflows/runbook/schema.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { aRunbook } from '../../support/runbooks.ts';

const byStrategy = (strategy: string, more = {}) =>
  aRunbook({ rollout: { start: ['serve', '{port}'], strategy, ...more } });
const blueGreen = byStrategy('blue-green');

const inputs = (world: FakeWorld, runbook: Runbook, version: string | null = null) =>
  world.inputs({ runbook, environment: 'test', version });
const deploy = (world: FakeWorld, runbook: Runbook) => planDeploy(inputs(world, runbook, '2'), '2');

type Planned = Pick<Plan, 'steps'>;
const actions = ({ steps }: Planned, kind: string) =>
  steps.flatMap(({ action }) => (action.kind === kind ? [action as Step['action'] & { slots: string[] }] : []));
const slotsIn = (plan: Planned, kind: string) => actions(plan, kind).map(({ slots }) => slots.join(' '));
const shifts = ({ steps }: Planned) =>
  steps.flatMap(({ action }) => (action.kind === 'shift' ? [serving(action.weights).join(' ')] : []));

/** Version 2 confirmed on every machine's green, version 1 kept in blue. */
function renewed(count = 3): FakeWorld {
  const world = FakeWorld.fleet(count);
  for (const host of Object.keys(world.hosts))
    world.slots[`${host}-green`] = { release: '2', port: 4002, running: true };
  const share = Object.keys(world.hosts).map((host) => [`${host}-green`, 1 / count]);
  world.weights = Object.fromEntries(share);
  const record = { confirmed: { release: world.release('2'), weights: world.weights }, previous: world.release('1') };
  for (const host of Object.keys(world.hosts)) Object.assign(world.markersOf(host), { record, fence: 1 });
  return world;
}

/** It was away while version 2 was confirmed on the others. */
function missed(world: FakeWorld, host: string): FakeWorld {
  const others = Object.keys(world.hosts).filter((one) => one !== host);
  world.weights = Object.fromEntries(others.map((one) => [`${one}-green`, 1 / others.length]));
  const record = { confirmed: { release: world.release('2'), weights: world.weights }, previous: world.release('1') };
  for (const one of others) world.markersOf(one).record = record;
  world.slots[`${host}-green`] = null;
  return world;
}

describe('the way back of a fleet', () => {
  test('is a switch where the version before is still there on every machine', () => {
    const plan = planRollback(inputs(renewed(2), blueGreen));
    expect(plan.release.version).toBe('1');
    expect(shifts(plan).at(-1)).toBe('web1-blue web2-blue');
    expect(slotsIn(plan, 'stop')).toEqual(['web1-green web2-green']);
  });

  test('renews in place, batch by batch, where a machine has one port', () => {
    const world = FakeWorld.fleet(2, { ports: { web: 4001 }, version: '2' });
    const record = { ...world.record!, previous: world.release('1') };
    for (const host of ['web1', 'web2']) world.markersOf(host).record = record;
    const plan = planRollback(inputs(world, byStrategy('rolling')));
    expect(slotsIn(plan, 'start')).toEqual(['web1', 'web2']);
    expect(shifts(plan)).toEqual(['web2', 'web1 web2', 'web1', 'web1 web2']);
  });

  test('reloads where the strategy does', () => {
    const world = FakeWorld.fleet(2, { ports: { web: 4001 }, version: '2' });
    for (const host of ['web1', 'web2']) {
      world.markersOf(host).record = { ...world.record!, previous: world.release('1') };
    }
    const plan = planRollback(inputs(world, byStrategy('reload')));
    expect(slotsIn(plan, 'reload')).toEqual(['web1 web2']);
    expect(slotsIn(plan, 'stop')).toEqual([]);
  });

  test('leaves nobody behind whom it can reach, and waits for nobody whom it cannot', () => {
    const world = renewed(3);
    for (const host of ['web1', 'web3']) world.kill(host);
    const plan = planRollback(inputs(world, blueGreen));
    expect(plan.aside.map(({ host }) => host)).toEqual(['web1', 'web3']);
    expect(plan.tolerated).toEqual({ web: 2 });
    expect(shifts(plan).at(-1)).toBe('web2-blue');
  });
});

describe('reconciling', () => {
  test('brings a machine that was away to the release and the side of the others, and stops what it had', () => {
    const plan = planReconcile(inputs(missed(renewed(3), 'web2'), blueGreen));
    expect(plan.release.version).toBe('2');
    expect(shifts(plan).at(-1)).toBe('web1-green web2-green web3-green');
    expect(slotsIn(plan, 'stop').join(' ')).toContain('web2-blue');
    const stopped = slotsIn(plan, 'stop').join(' ');
    for (const well of ['web1-green', 'web3-green']) expect(stopped).not.toContain(well);
  });

  test('is refused where every machine is as it was confirmed', () => {
    expect(() => planReconcile(inputs(renewed(2), blueGreen))).toThrow(
      'every machine of shop in test that answers is as it was confirmed',
    );
  });

  test('is refused where nothing was ever confirmed', () => {
    const world = FakeWorld.fleet(2, { version: null });
    expect(() => planReconcile(inputs(world, blueGreen))).toThrow('no version of shop was ever confirmed here');
  });
});

describe('a deploy to a fleet', () => {
  test('that lacks more machines than the runbook tolerates is refused with their reasons', () => {
    const world = FakeWorld.fleet(3);
    world.kill('web2');
    expect(() => deploy(world, blueGreen)).toThrow(
      '1 of 3 machines of web cannot be looked at, and the deploy may go on without 0 (rollout.unavailable):\n  web2 does not answer',
    );
    const { aside, tolerated } = deploy(world, byStrategy('blue-green', { unavailable: '34%' }));
    expect({ aside, tolerated }).toEqual({
      aside: [{ target: 'web', host: 'web2', why: 'web2 does not answer' }],
      tolerated: { web: 1 },
    });
  });

  test('never goes on without all of them', () => {
    const { tolerated } = deploy(FakeWorld.fleet(2), byStrategy('blue-green', { unavailable: 9 }));
    expect(tolerated).toEqual({ web: 1 });
  });

  test('puts a machine that was away on the side of the others, so that shares can grow afterwards', () => {
    const world = missed(renewed(3), 'web2');
    for (const strategy of ['blue-green', 'canary', 'rolling']) {
      const started = slotsIn(deploy(world, byStrategy(strategy)), 'start').join(' ');
      expect(started.split(' ').sort()).toEqual(['web1-blue', 'web2-blue', 'web3-blue']);
    }
    expect(slotsIn(deploy(world, byStrategy('recreate')), 'start')).toEqual(['web1-green web2-green web3-green']);
  });

  test('of mixed versions that nobody confirmed is refused, also without a proxy', () => {
    const world = FakeWorld.fleet(2, { version: null });
    world.proxy = false;
    world.slots['web1-blue'] = { release: '1', port: 4001, running: true };
    world.slots['web2-blue'] = { release: '3', port: 4001, running: true };
    expect(() => deploy(world, byStrategy('recreate'))).toThrow('web1-blue runs 1 and web2-blue runs 3');
  });
});
