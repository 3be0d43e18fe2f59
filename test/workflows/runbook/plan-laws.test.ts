import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withDigest } from '../../../activities/plan/digest.ts';
import type { Action } from '../../../workflows/runbook/actions.ts';
import { planDeploy } from '../../../workflows/runbook/make-plan.ts';
import type { InstanceState, Observed } from '../../../workflows/runbook/observed.ts';
import { type Plan, phases, type Slot, type Step, slots } from '../../../workflows/runbook/plan.ts';
import { PlanRefused } from '../../../workflows/runbook/plan-refused.ts';
import { planRollback } from '../../../workflows/runbook/plan-rollback.ts';
import type { PlanInput } from '../../../workflows/runbook/planning.ts';
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
      strategy: fc.constantFrom('blue-green', 'recreate'),
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
const instance = (port: number): fc.Arbitrary<InstanceState> =>
  fc.record({ release: fc.constantFrom('1', '2', '3'), port: fc.constant(port), running: fc.boolean() });
const anyState: fc.Arbitrary<Observed> = fc
  .record({
    confirmed: fc.option(
      fc.record({ slot: fc.constantFrom<Slot>('blue', 'green'), version: fc.constantFrom('1', '2') }),
    ),
    previous: fc.option(fc.constantFrom('0', '1')),
    blue: fc.option(instance(4001)),
    green: fc.option(instance(4002)),
    traffic: fc.option(fc.constantFrom<Slot>('blue', 'green')),
    pending: fc.array(fc.constantFrom('0002', '0003'), { maxLength: 2 }),
    reversible: fc.boolean(),
    releases: fc.subarray(['0', '1', '2', '3'], { minLength: 1 }),
  })
  .map(({ confirmed, previous, blue, green, traffic, pending, reversible, releases }) => ({
    releases,
    slots: { blue, green },
    weights: traffic && { blue: traffic === 'blue' ? 1 : 0, green: traffic === 'green' ? 1 : 0 },
    record: confirmed && {
      confirmed: { slot: confirmed.slot, release: folder(confirmed.version) },
      previous: previous === null ? null : folder(previous),
    },
    migrations: { applied: ['0001'], pending, reversible },
    trafficMissing: [],
  }));
const folder = (version: string) => ({ version, folder: `/releases/${version}` });

const anyInput: fc.Arbitrary<PlanInput> = fc.record({ runbook: anyRunbook, observed: anyState }).map((drawn) => ({
  ...drawn,
  environment: 'test',
  target: new FakeWorld().target(),
  approvers: {},
  releaseFolder: (version: string) => `/releases/${version}`,
}));

/** The plan, or null where there is none to hold to anything. */
function planned(input: PlanInput, intent: Plan['intent']): Plan | null {
  try {
    return withDigest(intent === 'deploy' ? planDeploy(input, '3') : planRollback(input));
  } catch (error) {
    if (error instanceof PlanRefused) return null;
    throw error;
  }
}

interface State {
  running: Record<Slot, string | null>;
  traffic: Slot | null;
}

function stateOf({ slots: there, weights }: Observed): State {
  const running = { blue: null, green: null } as State['running'];
  for (const slot of slots) running[slot] = there[slot]?.running ? there[slot].release : null;
  return { running, traffic: weights && (weights.green > weights.blue ? 'green' : 'blue') };
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
  if (action.kind === 'stop') return { traffic, running: { ...running, [action.slot]: null } };
  if (action.kind === 'shift') {
    const slot = slots.find((candidate) => action.weights[candidate] === 1)!;
    expect(running[slot], 'traffic goes only where something runs').not.toBeNull();
    expect(action.probe.path, 'every shift carries the probe it needs').toBeTruthy();
    return { running, traffic: slot };
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
const liveSlot = ({ record, slots: there, weights }: Observed): Slot | null => {
  if (record) return record.confirmed.slot;
  const served: Slot = weights && weights.green > weights.blue ? 'green' : 'blue';
  return there[served]?.running ? served : null;
};

const everyDeploy = (law: (plan: Plan, input: PlanInput) => void) =>
  fc.assert(
    fc.property(anyInput, (input) => {
      const plan = planned(input, 'deploy');
      if (plan) law(plan, input);
    }),
    { numRuns: 1_000 },
  );

describe('every plan, whatever the runbook and the state', () => {
  test('draws enough plans to mean something', () => {
    const drawn = fc.sample(anyInput, { numRuns: 1_000, seed: 7 });
    expect(drawn.filter((input) => planned(input, 'deploy')).length).toBeGreaterThan(200);
    expect(drawn.filter((input) => planned(input, 'rollback')).length).toBeGreaterThan(200);
  });

  test('keeps the old version alive until the confirmation, unless it announces an outage', () => {
    everyDeploy((plan, { observed, runbook }) => {
      const live = liveSlot(observed);
      if (!live || !observed.slots[live]?.running) return;
      if (runbook.rollout.strategy === 'recreate') {
        expect(plan.notices.join()).toContain('is down from the stop');
        return;
      }
      const stopped = beforeConfirm(plan).filter(({ action }) => action.kind === 'stop' && action.slot === live);
      expect(stopped).toEqual([]);
    });
  });

  test('gives traffic only to what runs and is probed right before', () => {
    everyDeploy((plan, { observed }) => {
      plan.steps.reduce((state, { action }) => apply(action, state), stateOf(observed));
    });
  });

  test('has an undo for every effect before the confirmation', () => {
    const effects = ['start', 'shift', 'migrate-up'];
    everyDeploy((plan, { observed }) => {
      const live = liveSlot(observed);
      for (const { action, undo, id } of beforeConfirm(plan)) {
        const stopsLive = action.kind === 'stop' && action.slot === live;
        if (effects.includes(action.kind) || stopsLive) expect(undo, id).toBeDefined();
      }
    });
  });

  test('goes back to what served before, from wherever it stops', () => {
    everyDeploy((plan, { observed }) => {
      const start = stateOf(observed);
      const live = liveSlot(observed);
      if (!live || !start.running[live]) return;
      for (let count = 0; count <= confirmAt(plan); count += 1) {
        const { after } = walkAndGoBack(plan, start, count);
        expect(after.running[live], `stopped after ${count} steps`).toBe(start.running[live]);
        if (start.traffic === live) expect(after.traffic).toBe(live);
        expect(countOf('3', after), 'the new version is gone').toBeLessThanOrEqual(countOf('3', start));
      }
    });
  });

  test('never needs the new version to go back', () => {
    everyDeploy((plan, { observed }) => {
      const live = liveSlot(observed);
      for (const action of beforeConfirm(plan).flatMap(({ undo }) => undo?.actions ?? [])) {
        if (action.kind === 'start' || action.kind === 'probe') expect(action.slot).toBe(live);
        if (action.kind === 'shift') expect(action.weights[live!]).toBe(1);
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
        expect(Object.values(end.running).filter(Boolean)).toEqual([plan.release.version]);
        expect(end.running[end.traffic!]).toBe(plan.release.version);
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
