import type { Command } from 'commander';
import type { DeployOptions } from '../commands/deploy.ts';
import type { RequestOptions } from '../request.ts';
import { ends, examples } from './ends.ts';
import { aboutRun, asPerson } from './options.ts';

const group = 'Deploying:';

export function addDeploying(program: Command): void {
  asPerson(aboutRun(program.command('plan').helpGroup(group)))
    .summary('show what a deploy would do, and change nothing')
    .description('Look at the target, and show step by step what a deploy would do and how each step is undone.')
    .option('--version <version>', 'the release to plan for')
    .option('--rollback', 'plan the way back instead')
    .addHelpText(
      'after',
      examples(
        ['holdpoint plan --version 2', 'what deploying 2 on this machine would do'],
        ['holdpoint plan --version 2 -e production --json', 'the same plan as data'],
        ['holdpoint plan --rollback -e production', 'what going back would do'],
      ),
    )
    .action(ends(async (options: RequestOptions) => (await import('../commands/plan.ts')).plan(options)));

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
}
