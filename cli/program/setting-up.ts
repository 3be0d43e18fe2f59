import { Argument, type Command, Option } from 'commander';
import type { Shell } from '../commands/completion.ts';
import type { DevOptions } from '../commands/dev.ts';
import type { InitOptions } from '../commands/init.ts';
import type { WorkerOptions } from '../commands/worker.ts';
import { proxyNames } from '../init/proxies/proxy.ts';
import type { CommonOptions } from '../options.ts';
import { ends, examples } from './ends.ts';
import { aboutRun, connecting, wholeNumber } from './options.ts';

const group = 'Setting up:';

export function addSettingUp(program: Command): void {
  const environments = [
    '--environments <file>',
    'environments.yaml (default: $HOLDPOINT_ENVIRONMENTS, else here)',
  ] as const;

  program
    .command('init')
    .helpGroup(group)
    .summary('write a runbook for this folder')
    .description(
      "Look at this folder, its compose file and its proxy; write a commented holdpoint.yaml, environments.yaml and the proxy's configuration.",
    )
    .option('-f, --file <path>', 'the runbook to write', 'holdpoint.yaml')
    .option('--service <name>', 'the service (default: from package.json, pyproject.toml or the folder)')
    .addOption(new Option('--proxy <name>', 'the proxy in front (default: the one that is seen)').choices(proxyNames))
    .option('--no-environment', 'only the runbook')
    .option('--force', 'overwrite')
    .addHelpText('after', examples(['holdpoint init', 'never overwrites'], ['holdpoint init --proxy nginx', '']))
    .action(ends(async (options: InitOptions) => (await import('../commands/init.ts')).init(options)));

  program
    .command('dev')
    .helpGroup(group)
    .summary('run Temporal, its UI and a worker on this machine')
    .description('Run a Temporal dev server with its UI and a worker until Ctrl-C. Runs survive, whatever is killed.')
    .option('--port <port>', 'of Temporal', wholeNumber, 7233)
    .option('--ui-port <port>', 'of its UI', wholeNumber, 8233)
    .option('--task-queue <name>', 'queue of the worker (default: $HOLDPOINT_TASK_QUEUE, else holdpoint)')
    .option(...environments)
    .addHelpText(
      'after',
      examples(['holdpoint dev', ''], ['holdpoint dev --port 7300 --ui-port 8300', 'beside another one']),
    )
    .action(ends(async (options: DevOptions) => (await import('../commands/dev.ts')).dev(options)));

  connecting(program.command('worker').helpGroup(group))
    .summary('run a worker')
    .description('Run a worker, which does what runs ask for, until Ctrl-C or SIGTERM.')
    .option(...environments)
    .addHelpText('after', examples(['holdpoint worker --environments /etc/holdpoint/environments.yaml', '']))
    .action(ends(async (options: WorkerOptions) => (await import('../commands/worker.ts')).worker(options)));

  aboutRun(program.command('doctor').helpGroup(group))
    .summary('check that everything is in place')
    .description(
      'Check everything a deploy needs; each line says ok, warn or fail, and what to do. 1 when a line fails.',
    )
    .option(...environments)
    .addHelpText('after', examples(['holdpoint doctor', ''], ['holdpoint doctor --profile production', '']))
    .action(
      ends(async (options: CommonOptions & { environments?: string }) =>
        (await import('../commands/doctor.ts')).doctor(options),
      ),
    );

  program
    .command('schema')
    .helpGroup(group)
    .summary("print the runbook's JSON Schema")
    .description("Print the runbook's JSON Schema, with which an editor completes and checks it.")
    .option('--out <file>', 'write it there')
    .addHelpText('after', examples(['holdpoint schema --out schema/runbook.schema.json', '']))
    .action(ends(async (options: { out?: string }) => (await import('../commands/schema.ts')).schema(options)));

  program
    .command('completion')
    .helpGroup(group)
    .summary('print a completion script')
    .description('Print the script that completes commands and options in a shell.')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', examples(['source <(holdpoint completion bash)', 'in ~/.bashrc']))
    .action(ends(async (shell: Shell) => (await import('../commands/completion.ts')).completion(shell, program)));
}
