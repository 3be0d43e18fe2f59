import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withDigest } from '../../../activities/plan/digest.ts';
import type { Action } from '../../../workflows/runbook/actions.ts';
import { bucketsOf } from '../../../workflows/runbook/buckets.ts';
import { planDeploy } from '../../../workflows/runbook/make-plan.ts';
import type { InstanceState, Observed } from '../../../workflows/runbook/observed.ts';
import { isFleet, placeOf, placesOf, slotsOf, weightsWithout } from '../../../workflows/runbook/places.ts';
import { type Plan, phases, type Slot, type Step, type Target, type Weights } from '../../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../../workflows/runbook/plan-refused.ts';
import { planReconcile, planRollback } from '../../../workflows/runbook/plan-rollback.ts';
import { eachMachine, type PlanInput, serving, shared } from '../../../workflows/runbook/planning.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { aRunbook } from '../../support/runbooks.ts';

/** Any runbook: every heading and option on or off, own lines anywhere. */
const ownLine = fc.constantFrom<Record<string, unknown>>(
  { run: ['a'], undo: ['b'] },
  { run: ['a', '{version}'] },
  { http: { get: '/x' } },
  { hold: { ask: 'Go on?' } },
  { wait: '5s' },
  { run: ['c'], undo: ['d'], each: 'machine' },
);
const around = { before: fc.array(ownLine, { maxLength: 2 }), after: fc.array(ownLine, { maxLength: 2 }) };
const anyRunbook = fc
  .record({
    backup: fc.array(fc.oneof(fc.constant<Record<string, unknown>>({ postgres: 'DATABASE_URL' }), ownLine), {
      maxLength: 3,
    }),
    migrate: fc.option(
      fc.record({
        tool: fc.constant('dbmate'),
        hold: fc.option(fc.constant({ ask: 'Apply?' }), { nil: undefined }),
        ...around,
      }),
      { nil: undefined },
    ),
    rollout: fc.record({
      start: fc.constant(['serve', '{port}']),
      strategy: fc.constantFrom('blue-green', 'recreate', 'rolling', 'canary', 'reload'),
      steps: fc.constantFrom(['10%', '50%', '100%'], [{ share: '1%', hold: { ask: 'On?' } }, '100%'], ['100%']),
      bake: fc.constantFrom('0s', '1m'),
      analysis: fc.option(fc.constant({ errors: '< 1%', compare: { p95: '25%' } }), { nil: undefined }),
      batch: fc.constantFrom<unknown>(1, 2, '50%', [1, '60%']),
      prober: fc.option(fc.constant({ path: 'GET /' }), { nil: undefined }),
      old: fc.constantFrom('stop', 'keep'),
      unavailable: fc.constantFrom<unknown>(0, 1, 2, '50%'),
      ...around,
    }),
    verify: fc.record({
      smoke: fc.array(fc.constantFrom('GET /a', { post: '/b', json: {} }), { maxLength: 2 }),
      watch: fc.option(fc.constant({ for: '10s', errors: '< 1%' }), { nil: undefined }),
      hold: fc.option(fc.constant({ ask: 'Confirm?' }), { nil: undefined }),
      ...around,
    }),
    rollback: fc.record({ automatic: fc.boolean(), down: fc.option(fc.constant('migrations'), { nil: undefined }) }),
  })
  .map((headings) => aRunbook(Object.fromEntries(Object.entries(headings).filter(([, value]) => value !== undefined))));

/** Any state a target can be found in: nothing yet, confirmed, crashed, with leftovers, kept or unfinished. */
const pair = { blue: 4001, green: 4002 };
const pool = { 'web-1': 4001, 'web-2': 4002, 'web-3': 4003 };

/** One machine; or a fleet of so many. */
function targetOf(ports: Record<string, number>, machines: number, proxy: boolean): Target {
  const world = FakeWorld.fleet(machines, { ports, version: null });
  world.proxy = proxy;
  return world.target();
}

const targets = [true, true, true, false].flatMap((proxy) => [
  ...[pair, pool].flatMap((ports) => [1, 2, 3].map(() => targetOf(ports, 0, proxy))),
  ...[1, 2, 3, 4, 5, 6].flatMap((count) => [targetOf({ web: 4001 }, count, proxy), targetOf(pair, count, proxy)]),
]);

const instance = (port: number): fc.Arbitrary<InstanceState> =>
  fc.record({ release: fc.constantFrom('1', '2', '3'), port: fc.constant(port), running: fc.boolean() });

/** Nothing about machines that do not answer is in there. */
function anyObserved(answering: Target): fc.Arbitrary<Observed> {
  const places = placesOf(answering);
  const slotsThere = places.map(({ slot, port }) => [slot, fc.option(instance(port), { freq: 5 })] as const);
  const serves = servingSlots(answering);
  const shares = serves.map((slots) => shared(answering, slots));
  const oddShares = serves.map((slots) => leaning(answering, slots));
  return fc
    .record({
      confirmed: fc.option(fc.record({ weights: shares, version: fc.constantFrom('1', '2') })),
      previous: fc.option(fc.constantFrom('0', '1')),
      slots: fc.record(Object.fromEntries(slotsThere)),
      weights: fc.option(fc.oneof({ weight: 4, arbitrary: shares }, { weight: 1, arbitrary: oddShares })),
      agrees: fc.constantFrom(true, true, true, false),
      claimed: fc.boolean(),
      pending: fc.array(fc.constantFrom('0002', '0003'), { maxLength: 2 }),
      reversible: fc.boolean(),
      releases: fc.oneof(fc.constant(all), fc.constant(all), fc.subarray(all, { minLength: 1 })),
    })
    .map(({ confirmed, previous, slots, weights, agrees, pending, reversible, releases, claimed }) => {
      const record = confirmed && {
        confirmed: { weights: confirmed.weights, release: release(confirmed.version) },
        previous: previous === null ? null : release(previous),
      };
      // Drawn apart, most states would be unfinished ones.
      const settled = agrees && confirmed ? settle(slots, confirmed.weights, confirmed.version) : slots;
      const served = agrees && confirmed ? confirmed.weights : weights;
      return {
        releases,
        release: releases.includes('3') ? release('3') : null,
        slots: settled,
        weights: answering.traffic ? served : null,
        record,
        claimed,
        migrations: { applied: ['0001'], pending, reversible },
        trafficMissing: [],
        notices: [],
        unreachable: {},
      };
    });
}

/** Who can serve together: one of a pair, all or one of a pool, one on each of some machines. */
function servingSlots(target: Target): fc.Arbitrary<Slot[]> {
  const slots = slotsOf(target);
  if (!isFleet(target)) return fc.constantFrom(...slots.map((slot) => [slot]), ...(slots.length > 2 ? [slots] : []));
  const sides = Object.keys(target.ports).map((side) => slots.filter((slot) => placeOf(target, slot).side === side));
  const some = sides.map((alike) => fc.subarray(alike, { minLength: 1 }));
  const mixed = fc.tuple(...eachMachine(target).map((own) => fc.constantFrom(...own)));
  return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...sides) }, ...some, mixed);
}

/** A tenth of the traffic is somewhere else. */
function leaning(target: Target, slots: Slot[]): Weights {
  const others = slotsOf(target).filter((slot) => !slots.includes(slot));
  if (others.length === 0) return shared(target, slots.slice(0, 1));
  const part = (some: Slot[], share: number) =>
    Object.entries(shared(target, some)).map(([slot, each]) => [slot, each * share] as const);
  const summed = new Map(part(slots, 0.9));
  for (const [slot, share] of part(others, 0.1)) summed.set(slot, summed.get(slot)! + share);
  return Object.fromEntries(summed);
}

function settle(slots: Observed['slots'], weights: Weights, version: string): Observed['slots'] {
  const entries = Object.entries(slots).map(([slot, there]) => {
    return [slot, there && weights[slot]! > 0 ? { ...there, release: version } : there];
  });
  return Object.fromEntries(entries);
}

const all = ['0', '1', '2', '3'];
const release = (version: string) => ({ version, folder: `/releases/${version}` });

const absent = ['db1', 'db2'].map((host) => [host, `${host} does not answer`]);
const anyInput: fc.Arbitrary<PlanInput> = fc
  .record({
    runbook: anyRunbook,
    there: fc.oneof(...targets.map((target) => anyObserved(target).map((observed) => ({ target, observed })))),
    gone: fc.constantFrom(0, 0, 0, 1, 2),
  })
  .map(({ runbook, there: { target, observed }, gone }) => ({
    runbook,
    observed: { ...observed, unreachable: Object.fromEntries(isFleet(target) ? absent.slice(0, gone) : []) },
    environment: 'test',
    target,
    strategy: runbook.rollout.strategy,
    ready: runbook.rollout.ready,
    approvers: {},
    releaseOf: release,
  }));

/** The plan, or null where there is none to hold to anything. */
function planned(input: PlanInput, intent: Plan['intent']): Plan | null {
  try {
    return withDigest(planners[intent]([input], '3'));
  } catch (error) {
    if (error instanceof PlanRefused) return null;
    throw error;
  }
}

const planners = { deploy: planDeploy, rollback: planRollback, reconcile: planReconcile };

interface State {
  running: Record<Slot, string | null>;
  traffic: Weights;
}

function stateOf({ slots: there, weights }: Observed): State {
  const running = Object.entries(there).map(([slot, found]) => [slot, found?.running ? found.release : null]);
  return { running: Object.fromEntries(running), traffic: weights ?? {} };
}

/** What an action does to instances and traffic, held to the laws that need no more than that moment. */
function apply(action: Action, { running, traffic }: State): State {
  if (action.kind === 'start' || action.kind === 'reload') {
    const { version } = action.instance.release;
    for (const slot of action.slots) {
      if (action.kind === 'reload') continue;
      expect([null, version], 'a slot is cleared before another version starts in it').toContain(running[slot]);
    }
    return { traffic, running: { ...running, ...each(action.slots, version) } };
  }
  if (action.kind === 'stop') {
    const served = action.slots.filter((slot) => running[slot] && (traffic[slot] ?? 0) > 0);
    if (action.drainMs > 0) expect(served, 'a drain of what still gets traffic would never end').toEqual([]);
    return { traffic, running: { ...running, ...each(action.slots, null) } };
  }
  if (action.kind === 'shift') {
    expect(Object.values(action.weights).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
    for (const slot of serving(action.weights)) {
      if ((traffic[slot] ?? 0) === 0) expect(action.fresh, 'who comes into the traffic is probed').toContain(slot);
      if (action.fresh.includes(slot)) expect(running[slot], 'traffic goes only where something runs').not.toBeNull();
    }
    return { running, traffic: action.weights };
  }
  return { running, traffic };
}

const each = <T>(slots: Slot[], value: T): Record<Slot, T> => Object.fromEntries(slots.map((slot) => [slot, value]));

/** The steps up to `count`, then the undos that the walker would walk, newest first. */
function walkAndGoBack(plan: Plan, start: State, count: number): { before: State; after: State } {
  const walked = plan.steps.slice(0, count);
  const before = walked.reduce((state, { action }) => apply(action, state), start);
  const begun = new Set(walked.map(({ id }) => id));
  const undos = walked.filter(({ undo }) => undo && !(undo.until && begun.has(undo.until))).toReversed();
  const after = undos.flatMap(({ undo }) => undo!.actions).reduce((state, action) => apply(action, state), before);
  return { before, after };
}

const confirmAt = (plan: Plan) => plan.steps.findIndex(({ action }) => action.kind === 'confirm');
const beforeConfirm = (plan: Plan) => plan.steps.slice(0, confirmAt(plan));
const liveSlots = ({ target, observed: { record, slots: there, weights, claimed } }: PlanInput): Slot[] => {
  if (record) return serving(record.confirmed.weights);
  // Started by a deploy that was ended before its first shift: nobody was served by it.
  if (target.traffic && !weights && claimed) return [];
  const running = slotsOf(target).filter((slot) => there[slot]?.running);
  if (weights) return running.filter((slot) => weights[slot]! > 0);
  return isFleet(target) ? running : running.slice(0, 1);
};

const shareOf = (slots: Slot[], { traffic }: State) => slots.reduce((sum, slot) => sum + (traffic[slot] ?? 0), 0);

const everyDeploy = (law: (plan: Plan, input: PlanInput) => void) =>
  fc.assert(
    fc.property(anyInput, (input) => {
      const plan = planned(input, 'deploy');
      if (plan) law(plan, input);
    }),
    { numRuns },
  );

/** More find no more; each plans a whole fleet. */
const numRuns = 300;

describe('every plan, whatever the runbook and the state', () => {
  test('draws enough plans of every strategy to mean something', () => {
    const drawn = fc.sample(anyInput, { numRuns: 1_500, seed: 7 });
    for (const strategy of ['blue-green', 'recreate', 'rolling', 'canary', 'reload']) {
      const ofIt = drawn.filter((input) => input.strategy === strategy && planned(input, 'deploy'));
      expect(ofIt.filter(({ target }) => !isFleet(target)).length, strategy).toBeGreaterThan(20);
      expect(ofIt.filter(({ target }) => isFleet(target)).length, `${strategy} of a fleet`).toBeGreaterThan(20);
    }
    const without = drawn.filter(({ observed }) => Object.keys(observed.unreachable).length > 0);
    expect(without.filter((input) => planned(input, 'deploy')).length).toBeGreaterThan(20);
    for (const intent of ['rollback', 'reconcile'] as const) {
      const fleets = drawn.filter(({ target }) => isFleet(target));
      expect(fleets.filter((input) => planned(input, intent)).length, intent).toBeGreaterThan(150);
    }
  });

  test('keeps the old version alive until the confirmation, unless it announces an outage', () => {
    everyDeploy((plan, input) => {
      const { observed, strategy, target } = input;
      const live = liveSlots(input);
      if (live.length === 0 || !live.every((slot) => observed.slots[slot]?.running)) return;
      if (strategy === 'recreate') return expect(plan.notices.join()).toContain('is down from the stop');
      if (strategy === 'rolling' && !(isFleet(target) && Object.keys(target.ports).length > 1 && target.traffic)) {
        if (!target.traffic) return expect(plan.notices.join()).toContain('is down from its stop');
        return somebodyAlwaysServes(plan, stateOf(observed), live);
      }
      const stopped = beforeConfirm(plan).flatMap(({ action }) => (action.kind === 'stop' ? action.slots : []));
      expect(stopped.filter((slot) => live.includes(slot))).toEqual([]);
      if (strategy === 'reload') expect(plan.notices.join()).toContain('does not stay alive beside it');
    });
  });

  test('gives traffic only to what runs and is probed right before', () => {
    everyDeploy((plan, { observed }) => {
      plan.steps.reduce((state, { action }) => apply(action, state), stateOf(observed));
    });
  });

  test('has an undo for every effect before the confirmation', () => {
    everyDeploy((plan, input) => {
      const live = liveSlots(input);
      let shifted = false;
      for (const { action, undo, id } of beforeConfirm(plan)) {
        // The first shift of a canary takes all of them back.
        const first: boolean = action.kind === 'shift' && id !== 'rollout.adopt' && !shifted;
        shifted ||= first;
        const stopsLive = action.kind === 'stop' && action.slots.some((slot) => live.includes(slot));
        const changes = ['start', 'reload', 'migrate-up'].includes(action.kind);
        if (first || changes || stopsLive) expect(undo, id).toBeDefined();
      }
    });
  });

  test('goes back to what served before, from wherever it stops', () => {
    everyDeploy((plan, input) => {
      const { observed } = input;
      const start = stateOf(observed);
      const live = liveSlots(input);
      if (live.length === 0 || !live.every((slot) => start.running[slot])) return;
      for (let count = 0; count <= confirmAt(plan); count += 1) {
        const { after } = walkAndGoBack(plan, start, count);
        for (const slot of live) expect(after.running[slot], `stopped after ${count} steps`).toBe(start.running[slot]);
        if (observed.weights) {
          expect(shareOf(live, after)).toBeGreaterThan(shareOf(live, start) - 0.01);
        }
        expect(countOf('3', after), 'the new version is gone').toBeLessThanOrEqual(countOf('3', start));
      }
    });
  });

  test('never needs the new version to go back', () => {
    everyDeploy((plan, input) => {
      const live = liveSlots(input);
      for (const action of beforeConfirm(plan).flatMap(({ undo }) => undo?.actions ?? [])) {
        const needed = ['start', 'reload', 'probe'].includes(action.kind) && 'slots' in action ? action.slots : [];
        for (const slot of action.kind === 'shift' ? action.fresh : needed) expect(live).toContain(slot);
      }
    });
  });

  test('takes migrations back only while no user can have been served by the new version', () => {
    everyDeploy((plan, { observed, target }) => {
      const migrates = plan.steps.find(({ action }) => action.kind === 'migrate-up');
      if (!migrates?.undo?.until) return;
      const until = plan.steps.findIndex(({ id }) => id === migrates.undo!.until);
      expect(['start', 'reload', 'shift']).toContain(plan.steps[until]!.action.kind);
      const start = stateOf(observed);
      plan.steps.slice(0, until).reduce((state, { action }) => {
        const next = apply(action, state);
        const reached = (slot: Slot) => !target.traffic || (next.traffic[slot] ?? 0) > 0;
        const served = slotsOf(target).filter((slot) => next.running[slot] === '3' && reached(slot));
        for (const slot of served) expect(start.running[slot]).toBe('3');
        return next;
      }, start);
    });
  });

  test('shares traffic only as a proxy can, also without one of the machines', () => {
    everyDeploy((plan, { target }) => {
      const places = placesOf(target);
      const hosts = [null, ...Object.keys(target.hosts).slice(-1)];
      for (const { action } of plan.steps) {
        if (action.kind !== 'shift') continue;
        for (const gone of hosts) {
          const out = places.filter(({ host }) => host !== null && host === gone).map(({ slot }) => slot);
          const left = weightsWithout(action.weights, new Set(out));
          for (const slot of left ? bucketsOf(left, places) : []) expect(serving(left!)).toContain(slot);
        }
      }
    });
  });

  test('is made without the machines that do not answer, as far as the runbook tolerates it', () => {
    everyDeploy((plan, { observed, target }) => {
      const gone = Object.keys(observed.unreachable);
      const tolerated = plan.tolerated[target.name]!;
      expect(plan.aside.map(({ host }) => host)).toEqual(gone);
      expect(gone.length).toBeLessThanOrEqual(tolerated);
      expect(tolerated).toBeLessThan(Math.max(1, Object.keys(target.hosts).length + gone.length));
    });
  });

  test('walks the checklist in its order, with names that are unique and sentences that fit', () => {
    everyDeploy((plan) => held(plan.steps));
  });

  test('is the same plan, digest and all, for the same input', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const again = { ...input, observed: structuredClone(input.observed) };
        expect(planned(again, 'deploy')).toEqual(planned(input, 'deploy'));
      }),
    );
  });

  test('of a rollback ends with the goal serving alone, asks nobody and has no way back', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const plan = planned(input, 'rollback');
        if (!plan) return;
        held(plan.steps);
        const end = endOf(plan, input);
        expect([...new Set(Object.values(end.running).filter(Boolean))]).toEqual([plan.release.version]);
        expect(serving(end.traffic).every((slot) => end.running[slot] === plan.release.version)).toBe(true);
        asksNobody(plan);
      }),
      { numRuns },
    );
  });

  test('of a reconciliation ends with the confirmed release on every machine, and lets those alone that are well', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const plan = planned(input, 'reconcile');
        if (!plan) return;
        const { observed, target } = input;
        held(plan.steps);
        const { release, weights } = observed.record!.confirmed;
        const well = serving(weights).filter((slot) => {
          const found = observed.slots[slot];
          return found?.running && found.release === release.version;
        });
        const stopped = plan.steps.flatMap(({ action }) => (action.kind === 'stop' ? action.slots : []));
        expect(stopped.filter((slot) => well.includes(slot))).toEqual([]);
        const end = endOf(plan, input);
        for (const own of isFleet(target) ? eachMachine(target) : []) {
          const there = own.filter((slot) => end.running[slot] === release.version);
          expect(there.length).toBeGreaterThan(0);
          if (target.traffic) expect(serving(end.traffic).filter((slot) => there.includes(slot))).toEqual(there);
        }
        asksNobody(plan);
      }),
      { numRuns },
    );
  });
});

const endOf = (plan: Plan, { observed }: PlanInput): State =>
  plan.steps.reduce((state, { action }) => apply(action, state), stateOf(observed));

function asksNobody({ steps }: Plan): void {
  expect(steps.every(({ undo }) => undo === undefined)).toBe(true);
  expect(steps.some(({ action }) => ['hold', 'run', 'http', 'migrate-up'].includes(action.kind))).toBe(false);
}

function held(steps: Step[]): void {
  const order = steps.map(({ phase }) => phases.indexOf(phase));
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(new Set(steps.map(({ id }) => id)).size).toBe(steps.length);
  for (const { sentence } of steps) expect(Buffer.byteLength(sentence)).toBeLessThanOrEqual(200);
}

const countOf = (version: string, { running }: State) =>
  Object.values(running).filter((there) => there === version).length;

/** At every moment somebody who runs has traffic, and nobody is stopped who has. */
function somebodyAlwaysServes(plan: Plan, start: State, live: Slot[]): void {
  if (serving(start.traffic).some((slot) => !live.includes(slot))) return;
  beforeConfirm(plan).reduce((state, { action, id }) => {
    const next = apply(action, state);
    for (const slot of serving(next.traffic)) expect(next.running[slot], id).not.toBeNull();
    return next;
  }, start);
}
