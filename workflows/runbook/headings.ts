import type { MigrationTool } from './actions.ts';
import { toMs } from './duration.ts';
import { fill } from './fill.ts';
import { describeTest, holdStep, ownSteps, smokeTest, testsMs } from './lines.ts';
import type { Release, Slot, Undo } from './plan.ts';
import { PlanRefused } from './plan-refused.ts';
import { type Draft, type Situation, type StrategySteps, serving } from './planning.ts';
import type { Runbook } from './schema.ts';
import { watchStep } from './watch-step.ts';

const backupDeadlineMs = 60 * 60_000;

/** `backup`: each database dumped, restored and compared; own lines in the order written. */
export function backupSteps(situation: Situation, slot: Slot): Draft[] {
  return situation.runbook.backup.flatMap((line): Draft[] => {
    const { postgres, scratch, ...own } = line;
    if (!postgres) return ownSteps(situation, 'backup', [own], situation.release, slot);
    return [
      {
        id: 'backup.postgres',
        phase: 'backup',
        sentence: `Back up ${postgres}, restore the copy and compare it`,
        action: {
          kind: 'backup',
          product: 'postgres',
          database: postgres,
          scratch: scratch ?? null,
          folder: `${situation.target.folder}/backups`,
        },
        deadlineMs: own.deadline ? toMs(own.deadline) : backupDeadlineMs,
        ...(own.skip && { skippable: true }),
      },
    ];
  });
}

/**
 * `migrate`: `before` with the hold and the pending migrations in sight, `after` with all of them once. Between the two
 * stops what must not run meanwhile. Nothing pending, nothing to do.
 */
export function migrateSteps(
  situation: Situation,
  servesFrom: string,
  slot: Slot,
): { before: Draft[]; after: Draft[] } {
  const { runbook, observed, release } = situation;
  const { migrate } = runbook;
  const pending = observed.migrations?.pending ?? [];
  if (!migrate || pending.length === 0) return { before: [], after: [] };
  const own = (lines: Parameters<typeof ownSteps>[2]) => ownSteps(situation, 'migrate', lines, release, slot);
  const before = [
    ...own(migrate.before),
    ...(migrate.hold
      ? [holdStep(situation, 'migrate', migrate.hold, `${migrate.hold.ask} (${shorten(pending)})`)]
      : []),
  ];
  const after: Draft[] = [
    {
      id: 'migrate.up',
      phase: 'migrate',
      sentence: `Apply ${shorten(pending)}`,
      action: { kind: 'migrate-up', tool: migrationTool(runbook, release), pending },
      undo: migrateUndo(situation, servesFrom),
      deadlineMs: toMs(migrate.deadline),
    },
    ...own(migrate.after),
  ];
  return { before, after };
}

/** The plan's own tool of a release; asked for by observing too. */
export function migrationTool(runbook: Runbook, release: Release): MigrationTool {
  const { command, database, tool } = runbook.migrate!;
  const filled = Object.entries(command ?? {}).map(([verb, argv]) => [
    verb,
    (argv ?? []).map((word) => fill(word, { folder: release.folder, version: release.version })),
  ]);
  return {
    kind: tool ?? 'command',
    release,
    database,
    secrets: runbook.prepare.secrets,
    commands: Object.fromEntries(filled),
  };
}

/**
 * Down is safe only while no traffic has reached the new version: until then nothing can have been written that
 * going down would drop. It runs after the new version is gone, with the new release's tool, to exactly the
 * revisions of before. In every other case the schema stays: migrations before a rollout only expand.
 */
function migrateUndo(situation: Situation, servesFrom: string): Undo {
  const { runbook, observed, release } = situation;
  const { applied = [], reversible = false, pending = [] } = observed.migrations ?? {};
  const stays = 'Leave the schema as it is: the version before keeps working with it';
  if (runbook.rollback.down !== 'migrations') return { sentence: stays, actions: [] };
  if (!reversible) return { sentence: `${stays} (not every migration has a way down)`, actions: [] };
  const tool = migrationTool(runbook, release);
  return {
    sentence: `Take ${shorten(pending)} back`,
    actions: [{ kind: 'migrate-down', tool, to: applied }],
    until: servesFrom,
  };
}

/** `verify`: smoke tests through the front door, and the watch. */
export function verifySteps(situation: Situation, { weights }: StrategySteps): Draft[] {
  const { runbook, target } = situation;
  const { smoke, watch } = runbook.verify;
  const steps: Draft[] = [];
  if (smoke.length > 0 && target.traffic) {
    const tests = smoke.map(smokeTest);
    steps.push({
      id: 'verify.smoke',
      phase: 'verify',
      sentence: `Try the front door: ${tests.map(describeTest).join(', ')}`,
      action: { kind: 'smoke', at: 'front', tests },
      deadlineMs: testsMs(tests),
    });
  }
  if (watch) {
    if (!target.traffic) {
      throw new PlanRefused(
        'NoProxy',
        `verify.watch measures at the proxy, and ${target.name} has none: leave watch out`,
      );
    }
    const candidate = serving(weights);
    // It has no traffic any more; its log lines still compare.
    const stable = situation.live.filter((slot) => !candidate.includes(slot));
    const forMs = toMs(watch.for);
    steps.push(watchStep(situation, { id: 'verify.watch', where: '', written: watch, forMs, candidate, stable }));
  }
  return steps;
}

/** The confirmation: asked once, of all that was deployed. */
export function confirmationSteps(situation: Situation): Draft[] {
  const { hold } = situation.runbook.verify;
  return hold ? [holdStep(situation, 'verify', hold)] : [];
}

/** At most three revisions by name, so that a sentence stays short. */
function shorten(revisions: string[]): string {
  const [first, second, third] = revisions;
  if (revisions.length <= 3) return [first, second, third].filter(Boolean).join(', ');
  return `${first}, ${second} and ${revisions.length - 2} more migrations`;
}
