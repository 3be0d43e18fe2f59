import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withDigest } from '../../../activities/plan/digest.ts';
import type { Action } from '../../../workflows/runbook/actions.ts';
import { planDeploy } from '../../../workflows/runbook/make-plan.ts';
import type { InstanceState, Observed } from '../../../workflows/runbook/observed.ts';
import { type Plan, phases, type Slot, type Step, type Weights } from '../../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../../workflows/runbook/plan-refused.ts';
import { planRollback } from '../../../workflows/runbook/plan-rollback.ts';
import { type PlanInput, serving } from '../../../workflows/runbook/planning.ts';
import { FakeWorld } from '../../support/fake-world.ts';
import { aRunbook } from '../../support/runbooks.ts';

/** Any runbook: every heading and option on or off, own lines anywhere. */
const ownLine = fc.constantFrom<Record<string, unknown>>(
  { run: ['a'], undo: ['b'] },
  { run: ['a', '{version}'] },
  { http: { get: '/x' } },
  { hold: { ask: 'Go on?' } },
  { wait: '5s' },
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
      strategy: fc.constantFrom('blue-green', 'recreate', 'rolling', 'canary'),
      steps: fc.constantFrom(['10%', '50%', '100%'], [{ share: '1%', hold: { ask: 'On?' } }, '100%'], ['100%']),
      bake: fc.constantFrom('0s', '1m'),
      analysis: fc.option(fc.constant({ errors: '< 1%', compare: { p95: '25%' } }), { nil: undefined }),
      batch: fc.constantFrom<unknown>(1, 2, '50%', [1, '60%']),
      prober: fc.option(fc.constant({ path: 'GET /' }), { nil: undefined }),
      old: fc.constantFrom('stop', 'keep'),
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
const ports = { pair: { blue: 4001, green: 4002 }, pool: { 'web-1': 4001, 'web-2': 4002, 'web-3': 4003 } };

const instance = (port: number): fc.Arbitrary<InstanceState> =>
  fc.record({ release: fc.constantFrom('1', '2', '3'), port: fc.constant(port), running: fc.boolean() });

function anyTarget(given: Record<Slot, number>): fc.Arbitrary<{ ports: Record<Slot, number>; observed: Observed }> {
  const names = Object.keys(given);
  const all = Object.fromEntries(names.map((slot) => [slot, 1 / names.length]));
  const only = (one: Slot): Weights => Object.fromEntries(names.map((slot) => [slot, slot === one ? 1 : 0]));
  const shares = fc.constantFrom<Weights>(...names.map(only), ...(names.length > 2 ? [all] : []));
  const mixed = fc.constantFrom<Weights>(
    ...(names.length === 2 ? [{ blue: 0.9, green: 0.1 }] : [{ 'web-1': 0.5, 'web-2': 0, 'web-3': 0.5 }]),
  );
  return fc
    .record({
      confirmed: fc.option(fc.record({ weights: shares, version: fc.constantFrom('1', '2') })),
      previous: fc.option(fc.constantFrom('0', '1')),
      slots: fc.record(Object.fromEntries(names.map((slot) => [slot, fc.option(instance(given[slot]!))]))),
      weights: fc.option(fc.oneof({ weight: 4, arbitrary: shares }, { weight: 1, arbitrary: mixed })),
      agrees: fc.boolean(),
      claimed: fc.boolean(),
      pending: fc.array(fc.constantFrom('0002', '0003'), { maxLength: 2 }),
      reversible: fc.boolean(),
      releases: fc.subarray(['0', '1', '2', '3'], { minLength: 1 }),
    })
    .map(({ confirmed, previous, slots, weights, agrees, pending, reversible, releases, claimed }) => {
      const record = confirmed && {
        confirmed: { weights: confirmed.weights, release: release(confirmed.version) },
        previous: previous === null ? null : release(previous),
      };
      // Drawn apart, most states would be unfinished ones.
      const settled = agrees && confirmed ? settle(slots, confirmed.weights, confirmed.version) : slots;
      const observed: Observed = {
        releases,
        release: releases.includes('3') ? release('3') : null,
        slots: settled,
        weights: agrees && confirmed ? confirmed.weights : weights,
        record,
        claimed,
        migrations: { applied: ['0001'], pending, reversible },
        trafficMissing: [],
        notices: [],
      };
      return { ports: given, observed };
    });
}

function settle(slots: Observed['slots'], weights: Weights, version: string): Observed['slots'] {
  const entries = Object.entries(slots).map(([slot, there]) => {
    return [slot, there && weights[slot]! > 0 ? { ...there, release: version } : there];
  });
  return Object.fromEntries(entries);
}

const release = (version: string) => ({ version, folder: `/releases/${version}` });

const anyInput: fc.Arbitrary<PlanInput> = fc
  .record({ runbook: anyRunbook, target: fc.oneof(anyTarget(ports.pair), anyTarget(ports.pool)) })
  .map(({ runbook, target: { ports, observed } }) => ({
    runbook,
    observed,
    environment: 'test',
    target: { ...new FakeWorld().target(), ports },
    strategy: runbook.rollout.strategy,
    ready: runbook.rollout.ready,
    approvers: {},
    releaseOf: release,
  }));

/** The plan, or null where there is none to hold to anything. */
function planned(input: PlanInput, intent: Plan['intent']): Plan | null {
  try {
    return withDigest(intent === 'deploy' ? planDeploy([input], '3') : planRollback([input]));
  } catch (error) {
    if (error instanceof PlanRefused) return null;
    throw error;
  }
}

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
  if (action.kind === 'start') {
    const there = running[action.slot];
    expect([null, action.instance.release.version], 'a slot is cleared before another version starts in it').toContain(
      there,
    );
    return { traffic, running: { ...running, [action.slot]: action.instance.release.version } };
  }
  if (action.kind === 'stop') {
    const drains = action.drainMs > 0 && running[action.slot];
    if (drains) expect(traffic[action.slot] ?? 0, 'a drain of what still gets traffic would never end').toBe(0);
    return { traffic, running: { ...running, [action.slot]: null } };
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
const liveSlots = ({ record, slots: there, weights, claimed }: Observed): Slot[] => {
  if (record) return serving(record.confirmed.weights);
  // Started by a deploy that was ended before its first shift: nobody was served by it.
  if (!weights && claimed) return [];
  const running = Object.keys(there).filter((slot) => there[slot]?.running);
  return weights ? running.filter((slot) => weights[slot]! > 0) : running.slice(0, 1);
};

const shareOf = (slots: Slot[], { traffic }: State) => slots.reduce((sum, slot) => sum + (traffic[slot] ?? 0), 0);

const everyDeploy = (law: (plan: Plan, input: PlanInput) => void) =>
  fc.assert(
    fc.property(anyInput, (input) => {
      const plan = planned(input, 'deploy');
      if (plan) law(plan, input);
    }),
    { numRuns: 1_000 },
  );

describe('every plan, whatever the runbook and the state', () => {
  test('draws enough plans of every strategy to mean something', () => {
    const drawn = fc.sample(anyInput, { numRuns: 3_000, seed: 7 });
    for (const strategy of ['blue-green', 'recreate', 'rolling', 'canary']) {
      const ofIt = drawn.filter((input) => input.strategy === strategy);
      expect(ofIt.filter((input) => planned(input, 'deploy')).length, strategy).toBeGreaterThan(100);
    }
    expect(drawn.filter((input) => planned(input, 'rollback')).length).toBeGreaterThan(200);
  });

  test('keeps the old version alive until the confirmation, unless it announces an outage', () => {
    everyDeploy((plan, { observed, strategy }) => {
      const live = liveSlots(observed);
      if (live.length === 0 || !live.every((slot) => observed.slots[slot]?.running)) return;
      if (strategy === 'recreate') return expect(plan.notices.join()).toContain('is down from the stop');
      if (strategy === 'rolling') return somebodyAlwaysServes(plan, stateOf(observed), live);
      const stopped = beforeConfirm(plan).filter(({ action }) => action.kind === 'stop' && live.includes(action.slot));
      expect(stopped).toEqual([]);
    });
  });

  test('gives traffic only to what runs and is probed right before', () => {
    everyDeploy((plan, { observed }) => {
      plan.steps.reduce((state, { action }) => apply(action, state), stateOf(observed));
    });
  });

  test('has an undo for every effect before the confirmation', () => {
    everyDeploy((plan, { observed }) => {
      const live = liveSlots(observed);
      let shifted = false;
      for (const { action, undo, id } of beforeConfirm(plan)) {
        // The first shift of a canary takes all of them back.
        const first: boolean = action.kind === 'shift' && id !== 'rollout.adopt' && !shifted;
        shifted ||= first;
        const stopsLive = action.kind === 'stop' && live.includes(action.slot);
        if (first || ['start', 'migrate-up'].includes(action.kind) || stopsLive) expect(undo, id).toBeDefined();
      }
    });
  });

  test('goes back to what served before, from wherever it stops', () => {
    everyDeploy((plan, { observed }) => {
      const start = stateOf(observed);
      const live = liveSlots(observed);
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
    everyDeploy((plan, { observed }) => {
      const live = liveSlots(observed);
      for (const action of beforeConfirm(plan).flatMap(({ undo }) => undo?.actions ?? [])) {
        if (action.kind === 'start' || action.kind === 'probe') expect(live).toContain(action.slot);
        if (action.kind === 'shift') for (const slot of action.fresh) expect(live).toContain(slot);
      }
    });
  });

  test('takes migrations back only while no user can have been served by the new version', () => {
    everyDeploy((plan) => {
      const migrates = plan.steps.find(({ action }) => action.kind === 'migrate-up');
      if (!migrates?.undo?.until) return;
      const { strategy, steps } = plan;
      const until = steps.find(({ id }) => id === migrates.undo!.until)!;
      expect(until.action.kind).toBe(strategy === 'recreate' ? 'start' : 'shift');
      const earlier = steps
        .slice(0, steps.indexOf(until))
        .filter(({ id, action }) => action.kind === 'shift' && id !== 'rollout.adopt');
      expect(earlier.flatMap(({ action }) => (action.kind === 'shift' ? action.fresh : []))).toEqual([]);
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
        const end = plan.steps.reduce((state, { action }) => apply(action, state), stateOf(input.observed));
        expect([...new Set(Object.values(end.running).filter(Boolean))]).toEqual([plan.release.version]);
        expect(serving(end.traffic).every((slot) => end.running[slot] === plan.release.version)).toBe(true);
        expect(plan.steps.every(({ undo }) => undo === undefined)).toBe(true);
        expect(plan.steps.some(({ action }) => ['hold', 'run', 'http', 'migrate-up'].includes(action.kind))).toBe(
          false,
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

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
