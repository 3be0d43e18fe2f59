import { asideOf, refuseUnreachable, toleratedOf } from './aside.ts';
import { toMs } from './duration.ts';
import { fetchStep } from './fetch-step.ts';
import { backupSteps, confirmationSteps, migrateSteps, verifySteps } from './headings.ts';
import { ownSteps } from './lines.ts';
import { isFleet } from './places.ts';
import type { Plan, Release, Step } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { isSameRelease, notices, wayBack } from './plan-words.ts';
import {
  buildOf,
  claimStep,
  type Draft,
  finished,
  names,
  type PlanInput,
  placed,
  placedId,
  quickMs,
  type Situation,
  type StrategySteps,
  serving,
  shared,
  shiftAction,
  shiftDeadline,
} from './planning.ts';
import { closeReceipt, openReceipt } from './receipt-steps.ts';
import type { Artifact } from './schema.ts';
import { assess } from './situation.ts';
import { strategies } from './strategies/index.ts';
import { describeUnfinished, refuseUnknownTarget } from './unfinished.ts';

/** A target's part of the plan. */
interface Part {
  situation: Situation;
  strategy: StrategySteps;
}

/**
 * runbook + release + observed state → plan, without its digest. Pure: the same input gives the same plan. One
 * input a target, in the order in which they are renewed; what is done once (commands, backups, migrations) is done
 * at the first. Throws PlanRefused with what exists and what to do instead.
 */
export function planDeploy(inputs: [PlanInput, ...PlanInput[]], version: string): Omit<Plan, 'digest'> {
  const parts = inputs.map((input): Part => {
    refuseUnready(input, version);
    const situation = assess(input, version);
    return { situation, strategy: strategies[input.strategy](situation) };
  });
  const { situation } = parts[0]!;
  const { runbook, environment, release, from } = situation;
  return {
    service: runbook.service,
    environment,
    intent: 'deploy',
    release,
    from: from?.version ?? null,
    strategy: [...new Set(inputs.map(({ strategy }) => strategy))].join(', '),
    aside: inputs.flatMap(asideOf),
    tolerated: Object.fromEntries(inputs.map((input) => [input.target.name, toleratedOf(input)])),
    targets: inputs.map(({ target }) => target),
    steps: finished(stepsOf(parts)),
    wayBack: wayBack(parts.map((part) => part.situation)),
    notices: [...new Set(parts.flatMap(({ strategy, situation }) => [...strategy.notices, ...notices(situation)]))],
    rollback: { automatic: runbook.rollback.automatic, deadlineMs: toMs(runbook.rollback.deadline) },
  };
}

function stepsOf(parts: Part[]): Step[] {
  const [{ situation, strategy }] = parts as [Part, ...Part[]];
  const { runbook, release } = situation;
  const slot = serving(strategy.weights)[0]!;
  const own = (phase: Step['phase'], lines: Parameters<typeof ownSteps>[2]) =>
    first(ownSteps(situation, phase, lines, release, slot));
  const several = parts.length > 1;
  const first = (drafts: Draft[]) => placed(drafts, situation.target, false);
  const each = (drafts: (part: Part) => Draft[]) =>
    parts.flatMap((part) => placed(drafts(part), part.situation.target, several));
  const migrate = migrateSteps(situation, placedId(servesFrom(parts[0]!), situation.target, several), slot);
  // An outage begins with them: it is part of what the deploy costs.
  const stopsFirst = parts.some((part) => part.strategy.beforeMigrations.length > 0);

  return [
    ...each((part) => [claimStep(part.situation)]),
    ...own('prepare', runbook.prepare.before),
    ...each((part) => fetchSteps(part.situation)),
    ...own('prepare', runbook.prepare.after),
    ...first(backupSteps(situation, slot)),
    ...first(migrate.before),
    ...(stopsFirst ? first(openReceipt(situation, 'migrate')) : []),
    ...each((part) => part.strategy.beforeMigrations),
    ...first(migrate.after),
    ...own('rollout', runbook.rollout.before),
    ...(stopsFirst ? [] : first(openReceipt(situation, 'rollout'))),
    ...each((part) => adopt(part.situation)),
    ...each((part) => part.strategy.rollout),
    ...own('rollout', runbook.rollout.after),
    ...own('verify', runbook.verify.before),
    ...each((part) => verifySteps(part.situation, part.strategy)),
    ...first(confirmationSteps(situation)),
    ...own('verify', runbook.verify.after),
    ...each((part) => attendance(part.situation)),
    ...each(confirmSteps),
    ...each((part) => part.strategy.cleanUp),
    ...each((part) => pruneSteps(part.situation)),
    ...first(closeReceipt(situation, 'confirm')),
  ];
}

/** Traffic that an ended deploy left may reach the new version as soon as it starts. */
function servesFrom({ situation: { live, observed }, strategy }: Part): string {
  const left = serving(observed.weights ?? {}).filter((slot) => !live.includes(slot));
  return live.length === 0 && left.some((slot) => strategy.weights[slot]) ? 'rollout.start' : strategy.servesFrom;
}

function refuseUnready(input: PlanInput, version: string): void {
  const { observed, runbook } = input;
  refuseUnreachable(input, toleratedOf(input));
  if (observed.trafficMissing.length > 0) throw new PlanRefused('ProxyNotReady', observed.trafficMissing.join('\n'));
  const { artifact } = runbook.prepare;
  const built = buildOf(artifact) !== undefined;
  if (built && runbook.migrate) {
    throw new PlanRefused(
      'MigrationsUnknown',
      'What an image migrates is not known before it is built. Build and push it first, and deploy it without `build`.',
    );
  }
  if (!observed.release && !built) {
    const exists = observed.releases.length > 0 ? `there is ${observed.releases.join(', ')}` : 'there is none yet';
    const where = placeOfReleases(artifact);
    throw new PlanRefused('UnknownRelease', `no release ${version} of ${runbook.service} in ${where}: ${exists}`);
  }
  refuseUnknownTarget(input);
  const unfinished = describeUnfinished(input);
  if (unfinished) {
    throw new PlanRefused(
      'UnfinishedDeploy',
      `${unfinished}. Bring it back first with \`holdpoint rollback\`; deploying over it would end the confirmed version.`,
    );
  }
}

function placeOfReleases(artifact: Artifact): string {
  if ('folder' in artifact) return artifact.folder;
  if ('image' in artifact) return artifact.image;
  return 'git' in artifact ? artifact.git : artifact.archive;
}

function fetchSteps(situation: Situation): Draft[] {
  const { runbook, release } = situation;
  const { artifact, secrets } = runbook.prepare;
  const fetch = fetchStep(situation, release);
  if (!('image' in artifact) || !artifact.build) return [fetch];
  const { test, push } = artifact.build;
  const sentence = `Build ${runbook.service} ${release.version}${test ? ' after its tests' : ''}${push ? ' and push it' : ''}`;
  const action = { kind: 'build', release, artifact, secrets } as const;
  return [{ id: 'prepare.build', phase: 'prepare', sentence, action, deadlineMs: buildMs }, fetch];
}

const buildMs = 60 * 60_000;

/** The last moment at which a machine that is gone turns the deploy back. */
function attendance({ target, runbook }: Situation): Draft[] {
  if (!isFleet(target)) return [];
  return [
    {
      id: 'verify.machines',
      phase: 'verify',
      sentence: `See that every machine of ${target.name} is there to confirm ${runbook.service}`,
      action: { kind: 'claim' },
      deadlineMs: quickMs,
    },
  ];
}

/** Deploying what is live already must not make it its own predecessor. */
function previousOf({ release, from, observed }: Situation): Release | null {
  return from && isSameRelease(from, release) ? (observed.record?.previous ?? null) : from;
}

function confirmSteps({ situation, strategy }: Part): Draft[] {
  const { runbook, release } = situation;
  const previous = previousOf(situation);
  return [
    {
      id: 'confirm.record',
      phase: 'confirm',
      sentence: `Confirm ${runbook.service} ${release.version}: the point of no return`,
      action: { kind: 'confirm', weights: strategy.weights, release, previous },
      deadlineMs: quickMs,
    },
  ];
}

/**
 * A service that Holdpoint finds running, and traffic that is not only there: the proxy was never set, or an earlier
 * deploy was ended. What serves today gets all of it first, so that nothing has a share before its probe.
 */
function adopt(situation: Situation): Draft[] {
  const { runbook, target, observed, live, from, strategy } = situation;
  const inPlace = observed.weights !== null && serving(observed.weights).every((slot) => live.includes(slot));
  const settled = inPlace && Object.keys(observed.unreachable).length === 0;
  // recreate stops what serves, and points the traffic at its place afterwards.
  if (!target.traffic || settled || live.length === 0 || !from || strategy === 'recreate') return [];
  // Where it only leaves out who does not answer, it must not need those to be well who serve already.
  const fresh = inPlace ? live.filter((slot) => !observed.weights![slot]) : live;
  return [
    {
      id: 'rollout.adopt',
      phase: 'rollout',
      sentence: `Give all traffic to ${runbook.service} ${from.version} in ${names(live)}, which runs there today`,
      action: shiftAction(situation, shared(target, live), fresh),
      undo: { sentence: 'Traffic stays where it is: with the version that ran before', actions: [] },
      deadlineMs: shiftDeadline(situation),
    },
  ];
}

/** Folders are the team's own; images and checkouts are Holdpoint's to clear away. */
function pruneSteps(situation: Situation): Draft[] {
  const { runbook, release, from } = situation;
  const { artifact } = runbook.prepare;
  const { keep } = runbook.rollout;
  if ('folder' in artifact) return [];
  const inUse = [release, from, previousOf(situation)].filter((one) => one !== null);
  const sentence = `Keep the last ${keep} releases for going back, remove older ones`;
  return [
    {
      id: 'confirm.prune',
      phase: 'confirm',
      sentence,
      action: { kind: 'prune', artifact, keep, inUse },
      deadlineMs: quickMs,
    },
  ];
}
