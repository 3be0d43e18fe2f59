import { toMs } from './duration.ts';
import { describeUnfinished, refuseUnknownTarget } from './make-plan.ts';
import type { Plan, Release, Slot, Step } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import {
  claimStep,
  finished,
  other,
  type PlanInput,
  probeAction,
  quickMs,
  shiftAction,
  startAction,
  stopAction,
  stopDeadline,
  stopInTraffic,
} from './planning.ts';

interface Goal {
  release: Release;
  slot: Slot;
  /** What is left behind. */
  leave: string;
  /** What the record names as the version before. */
  previous: Release | null;
}

/**
 * The way back without a deploy to undo: after one was confirmed, or was ended from outside. Asks nobody, runs
 * none of the runbook's lines, needs nothing of the version it leaves. Its steps have no undo.
 */
export function planRollback(input: PlanInput): Omit<Plan, 'digest'> {
  const { runbook, environment, target } = input;
  refuseUnknownTarget(input);
  const goal = chooseGoal(input);
  return {
    service: runbook.service,
    environment,
    intent: 'rollback',
    release: goal.release,
    from: goal.leave,
    strategy: runbook.rollout.strategy,
    target,
    steps: finished(stepsTo(input, goal)),
    wayBack: { possible: false, sentence: 'This is the way back: it is not taken back itself.' },
    notices: ['Migrations stay as they are.', ...outage(input, goal)],
    rollback: { automatic: true, deadlineMs: toMs(runbook.rollback.deadline) },
  };
}

function chooseGoal({ observed, runbook }: PlanInput): Goal {
  const { record, slots } = observed;
  if (!record) throw new PlanRefused('NothingToReturnTo', `no version of ${runbook.service} was ever confirmed here`);
  const { confirmed, previous } = record;
  const idle = other(confirmed.slot);
  const leftover = slots[idle]?.release;
  // Unfinished first: traffic elsewhere, the wrong version in the slot, or a candidate that nobody confirmed.
  const candidate = leftover !== undefined && leftover !== previous?.version ? leftover : null;
  if (describeUnfinished(observed) ?? candidate ?? !slots[confirmed.slot]) {
    const leave = candidate ?? slots[confirmed.slot]?.release ?? 'nothing';
    return { release: confirmed.release, slot: confirmed.slot, leave, previous };
  }
  if (!previous) {
    throw new PlanRefused(
      'NothingToReturnTo',
      `${confirmed.release.version} is live and nothing is recorded before it. ` +
        'To go to another version: holdpoint deploy --version VERSION',
    );
  }
  const alive = slots[idle]?.running && leftover === previous.version;
  if (!alive && !observed.releases.includes(previous.version)) {
    const exists = observed.releases.join(', ');
    throw new PlanRefused(
      'UnknownRelease',
      `${previous.version} was live before, but its release is gone; there is ${exists}`,
    );
  }
  const slot = runbook.rollout.strategy === 'recreate' ? confirmed.slot : idle;
  // Nobody goes back to what was just left.
  return { release: previous, slot, leave: confirmed.release.version, previous: null };
}

function outage({ runbook, observed }: PlanInput, { slot, release }: Goal): string[] {
  const there = observed.slots[slot];
  if (!there?.running || there.release === release.version || (observed.weights && observed.weights[slot] === 0))
    return [];
  return [`${runbook.service} is down from the stop of ${there.release} until ${release.version} answers.`];
}

function stepsTo(input: PlanInput, goal: Goal): Step[] {
  const { runbook, observed, target } = input;
  const name = `${runbook.service} ${goal.release.version}`;
  const there = observed.slots[goal.slot];
  const step = (id: string, sentence: string, action: Step['action'], deadlineMs = quickMs): Step => ({
    id,
    phase: id.startsWith('confirm') ? 'confirm' : id.startsWith('prepare') ? 'prepare' : 'rollout',
    sentence,
    action,
    deadlineMs,
  });
  const steps = [claimStep(input)];
  if (there && there.release !== goal.release.version) {
    const sentence = `Stop ${runbook.service} ${there.release} in ${goal.slot}`;
    const inTraffic = observed.weights === null || observed.weights[goal.slot] > 0;
    const stop = inTraffic ? stopInTraffic(input, goal.slot) : stopAction(input, goal.slot);
    steps.push(step('rollout.clear', sentence, stop, stopDeadline(input)));
  }
  const verb = there?.running && there.release === goal.release.version ? 'Keep' : 'Start';
  steps.push(
    step('rollout.start', `${verb} ${name} in ${goal.slot}`, startAction(input, goal.release, goal.slot)),
    step('rollout.probe', `Wait until ${name} answers`, probeAction(input, goal.slot), toMs(runbook.rollout.deadline)),
  );
  if (target.traffic) {
    const shift = shiftAction(input, goal.slot);
    steps.push(
      step('rollout.shift', `Give all traffic to ${name} in ${goal.slot}`, shift, quickMs + shift.probe.deadlineMs),
    );
  }
  steps.push(
    step('confirm.record', `Record ${name} as the confirmed version`, {
      kind: 'confirm',
      slot: goal.slot,
      release: goal.release,
      previous: goal.previous,
    }),
  );
  const left = other(goal.slot);
  const leaving = observed.slots[left];
  if (leaving) {
    const sentence = `Drain and stop ${runbook.service} ${leaving.release} in ${left}`;
    steps.push(step('confirm.stop-other', sentence, stopAction(input, left), stopDeadline(input)));
  }
  return steps;
}
