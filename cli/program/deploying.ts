import type { Command } from 'commander';
import type { DeployOptions } from '../commands/deploy.ts';
import type { PlanOptions } from '../commands/plan.ts';
import { ends, examples } from './ends.ts';
import { aboutRun, asPerson } from './options.ts';

const group = 'Deploying:';

export function addDeploying(program: Command): void {
  asPerson(aboutRun(program.command('plan').helpGroup(group)))
    .summary('show what a deploy would do, and change nothing')
    .description('Look at the target, and show step by step what a deploy would do and how each step is undone.')
    .option('--version <version>', 'the release to plan for')
    .option('--rollback', 'plan the way back instead')
    .option('--reconcile', 'plan how machines that were set aside are brought in line instead')
    .addHelpText(
      'after',
      examples(
        ['holdpoint plan --version 2', 'what deploying 2 on this machine would do'],
        ['holdpoint plan --version 2 -e production --json', 'the same plan as data'],
        ['holdpoint plan --rollback -e production', 'what going back would do'],
        ['holdpoint plan --reconcile -e production', 'which machines are not as they should be'],
      ),
    )
    .action(ends(async (options: PlanOptions) => (await import('../commands/plan.ts')).plan(options)));

  asPerson(aboutRun(program.command('deploy').helpGroup(group)))
    .summary('walk the runbook, and follow it to its end')
    .description('Walk the runbook with a release. Ctrl-C stops looking (exit code 130), never the deploy.')
    .option('--version <version>', 'the release to deploy')
    .option('--plan <digest>', 'walk exactly this plan, or nothing')
    .option('--reason <text>', 'why, for the history')
    .option('--detach', 'return once it has started')
    .option('--supersede', 'take the place of a deploy that waits and has changed nothing')
    .addHelpText(
      'after',
      examples(
        ['holdpoint deploy --version 2', 'on this machine'],
        ['holdpoint deploy --version 2 -e production --plan sha256:1a2b3c4d', 'the plan you have seen, or nothing'],
        ['holdpoint deploy --version 2 -e production --detach', 'for CI; look later with `holdpoint watch`'],
        ['holdpoint deploy --version 3 -e production --supersede', 'a newer release, while 2 waits for approval'],
      ),
    )
    .action(ends(async (options: DeployOptions) => (await import('../commands/deploy.ts')).deploy(options)));

  asPerson(aboutRun(program.command('rollback').helpGroup(group)))
    .summary('go back to the release before')
    .description('Send a running deploy back; where none runs, go back to the release before the confirmed one.')
    .option('--reason <text>', 'why, for the history')
    .option('--plan <digest>', 'walk exactly this plan, or nothing')
    .option('--detach', 'return once it has started')
    .addHelpText(
      'after',
      examples(
        ["holdpoint rollback -e production --reason 'orders fail'", 'exit code 0 once it has gone back'],
        ['holdpoint plan --rollback -e production', 'look at it first'],
      ),
    )
    .action(ends(async (options: DeployOptions) => (await import('../commands/rollback.ts')).rollback(options)));

  asPerson(aboutRun(program.command('reconcile').helpGroup(group)))
    .summary('bring machines that were set aside in line')
    .description(
      'Bring every machine of a fleet to the confirmed release and back into the traffic: those that a deploy went on without, and new ones. Nothing to do is a success.',
    )
    .option('--reason <text>', 'why, for the history')
    .option('--plan <digest>', 'walk exactly this plan, or nothing')
    .option('--detach', 'return once it has started')
    .addHelpText(
      'after',
      examples(
        ["holdpoint reconcile -e production --reason 'web3 is repaired'", 'exit code 0, also where nothing is to do'],
        ['holdpoint plan --reconcile -e production', 'look at it first'],
      ),
    )
    .action(ends(async (options: DeployOptions) => (await import('../commands/reconcile.ts')).reconcile(options)));
}
