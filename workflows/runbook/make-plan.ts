import { toMs } from './duration.ts';
import { backupSteps, migrateSteps, verifySteps } from './headings.ts';
import { ownSteps } from './lines.ts';
import type { Observed } from './observed.ts';
import { type Plan, type Release, type Slot, type Step, slots, type WayBack } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { claimStep, finished, type PlanInput, quickMs, type Situation } from './planning.ts';
import { strategies } from './strategies/index.ts';

/**
 * runbook + release + observed state → plan, without its digest. Pure: the same input gives the same plan.
 * Throws PlanRefused with what exists and what to do instead.
 */
export function planDeploy(input: PlanInput, version: string): Omit<Plan, 'digest'> {
  refuseUnready(input, version);
  const situation = assess(input, version);
  const { runbook, release, from, environment, target } = situation;
  const strategy = strategies[runbook.rollout.strategy]!(situation);
  const { slot } = strategy;
  const own = (phase: Step['phase'], lines: Parameters<typeof ownSteps>[2]) =>
    ownSteps(input, phase, lines, release, slot);

  const steps: Step[] = [
    claimStep(input),
    ...own('prepare', runbook.prepare.before),
    checkRelease(situation),
    ...own('prepare', runbook.prepare.after),
    ...backupSteps(situation, slot),
    ...migrateSteps(situation, strategy),
    ...own('rollout', runbook.rollout.before),
    ...strategy.rollout,
    ...own('rollout', runbook.rollout.after),
    ...own('verify', runbook.verify.before),
    ...verifySteps(situation, slot),
    ...own('verify', runbook.verify.after),
    confirmStep(situation, slot),
    ...strategy.cleanUp,
  ];
  return {
    service: runbook.service,
    environment,
    intent: 'deploy',
    release,
    from: from?.version ?? null,
    strategy: runbook.rollout.strategy,
    target,
    steps: finished(steps),
    wayBack: wayBack(situation),
    notices: [...strategy.notices, ...notices(situation)],
    rollback: { automatic: runbook.rollback.automatic, deadlineMs: toMs(runbook.rollback.deadline) },
  };
}

function refuseUnready(input: PlanInput, version: string): void {
  const { observed, runbook } = input;
  if (!observed.releases.includes(version)) {
    const exists = observed.releases.length > 0 ? `there is ${observed.releases.join(', ')}` : 'there is none yet';
    const where = runbook.prepare.artifact.folder;
    throw new PlanRefused('UnknownRelease', `no release ${version} of ${runbook.service} in ${where}: ${exists}`);
  }
  if (observed.trafficMissing.length > 0) throw new PlanRefused('ProxyNotReady', observed.trafficMissing.join('\n'));
  refuseUnknownTarget(input);
  const unfinished = describeUnfinished(observed);
  if (unfinished) {
    throw new PlanRefused(
      'UnfinishedDeploy',
      `${unfinished}. Bring it back first with \`holdpoint rollback\`; deploying over it would end the confirmed version.`,
    );
  }
}

/** What runs must be where the environment says, or going back would switch traffic to nothing. */
export function refuseUnknownTarget({ observed, target, environment }: PlanInput): void {
  for (const slot of slots) {
    const there = observed.slots[slot];
    if (!there?.running || there.port === target.ports[slot]) continue;
    throw new PlanRefused(
      'PortsMoved',
      `${there.release} runs in ${slot} on port ${there.port}, but environment ${environment} says ${target.ports[slot]}. ` +
        'Put the port back; to change it, deploy to a target of another name.',
    );
  }
  if (observed.record || observed.weights?.green !== 1 || observed.slots.green) return;
  throw new PlanRefused(
    'MarkersLost',
    `traffic goes to green, and nothing in ${target.folder} says what runs there. Put the folder back where it was; ` +
      'if nothing runs there, set the traffic to blue.',
  );
}

/** What an earlier deploy that was ended from outside left half done; null when nothing. */
export function describeUnfinished({ record, weights, slots }: Observed): string | null {
  if (!record) return null;
  const { release, slot } = record.confirmed;
  const there = slots[slot];
  if (there && there.release !== release.version) {
    return `${slot} runs ${there.release}, but ${release.version} is what was confirmed there`;
  }
  if (weights && weights[slot] !== 1) {
    return `traffic is not where the confirmed version ${release.version} is (${slot}): an earlier deploy did not finish`;
  }
  return null;
}

/** Which slot serves, and what there is to go back to. */
function assess(input: PlanInput, version: string): Situation {
  const release = { version, folder: input.releaseFolder(version) };
  const { record, slots, weights } = input.observed;
  if (record) return { ...input, release, live: record.confirmed.slot, from: record.confirmed.release };
  // Never confirmed: what runs where the traffic goes is what users have, so it is kept alive.
  const served: Slot = weights && weights.green > weights.blue ? 'green' : 'blue';
  const running = slots[served];
  if (!running?.running) return { ...input, release, live: null, from: null };
  const from: Release = { version: running.release, folder: input.releaseFolder(running.release) };
  return { ...input, release, live: served, from };
}

function checkRelease({ runbook, release }: Situation): Step {
  return {
    id: 'prepare.release',
    phase: 'prepare',
    sentence: `Check that ${runbook.service} ${release.version} is there and its secrets resolve`,
    action: { kind: 'check-release', release, secrets: runbook.prepare.secrets },
    deadlineMs: quickMs,
  };
}

/** Deploying what is live already must not make it its own predecessor. */
function confirmStep({ runbook, release, from, observed }: Situation, slot: Slot): Step {
  const previous = from?.version === release.version ? (observed.record?.previous ?? null) : from;
  return {
    id: 'confirm.record',
    phase: 'confirm',
    sentence: `Confirm ${runbook.service} ${release.version}: the point of no return`,
    action: { kind: 'confirm', slot, release, previous },
    deadlineMs: quickMs,
  };
}

function wayBack({ from, live, observed, runbook }: Situation): WayBack {
  if (!from || !live) return { possible: false, sentence: 'First deploy: there is no earlier version to go back to.' };
  const name = `${runbook.service} ${from.version}`;
  const there = observed.releases.includes(from.version);
  const running = observed.slots[live]?.running === true;
  if (!there && !running) {
    return { possible: false, sentence: `${name} does not run and its release is gone: there is no way back to it.` };
  }
  if (runbook.rollout.strategy === 'recreate') {
    const sentence = `Going back starts ${name} in ${live} again, with an outage.`;
    return there
      ? { possible: true, sentence }
      : { possible: false, sentence: `The release of ${name} is gone: once stopped it cannot come back.` };
  }
  if (!running) return { possible: true, sentence: `${name} does not run now: going back starts it in ${live} first.` };
  const later = there ? '' : ' Its release is gone, so after the confirmation there is no way back.';
  return {
    possible: true,
    sentence: `Going back is a traffic switch to ${name}, which stays alive in ${live}.${later}`,
  };
}

function notices({ observed, runbook, from, release }: Situation): string[] {
  const said: string[] = [];
  if (observed.migrations?.pending.length && from && runbook.rollout.strategy !== 'recreate') {
    said.push(
      `The migrations may only expand: ${from.version} goes on working on the new schema until the confirmation.`,
    );
  }
  if (runbook.migrate && observed.migrations?.pending.length === 0) said.push('No migration is pending.');
  if (from?.version === release.version) said.push(`${release.version} is already live: it is started anew.`);
  return said;
}
