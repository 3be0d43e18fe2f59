import { type Command, Option } from 'commander';
import type { HistoryOptions } from '../commands/history.ts';
import type { ReportOptions } from '../commands/report.ts';
import type { CommonOptions } from '../options.ts';
import { ends, examples } from './ends.ts';
import { aboutRun, connecting, wholeNumber } from './options.ts';

const group = 'Looking:';
type RunOptions = CommonOptions & { run?: string };

export function addLooking(program: Command): void {
  const oneRun = (name: string) =>
    aboutRun(program.command(name).helpGroup(group)).option('--run <id>', 'a run of the history (default: the newest)');

  oneRun('status')
    .summary('show where the deploy stands')
    .description('Show where the newest deploy stands. Exit code 0, whatever its outcome.')
    .addHelpText('after', examples(['holdpoint status -e production', ''], ['holdpoint status --json', 'for scripts']))
    .action(ends(async (options: RunOptions) => (await import('../commands/status.ts')).status(options)));

  oneRun('watch')
    .summary('follow the deploy to its end')
    .description(
      "Follow a deploy to its end; the exit code is its outcome's. Ctrl-C stops looking (130), never the deploy.",
    )
    .addHelpText(
      'after',
      examples(
        ['holdpoint watch -e production', 'a live tree; plain lines in a pipe'],
        ['holdpoint watch --json', 'one JSON object a change'],
      ),
    )
    .action(ends(async (options: RunOptions) => (await import('../commands/watch.ts')).watch(options)));

  aboutRun(program.command('machines').helpGroup(group))
    .summary('show what runs on every machine now')
    .description(
      'Look at every machine of the targets, and show which release runs in each slot and what it has of the traffic. Changes nothing.',
    )
    .addHelpText(
      'after',
      examples(
        ['holdpoint machines -e production', 'a line for each slot'],
        ['holdpoint machines -e production --json', 'for scripts'],
      ),
    )
    .action(ends(async (options: CommonOptions) => (await import('../commands/machines.ts')).machines(options)));

  connecting(program.command('history').helpGroup(group))
    .summary('list deploys')
    .description('List the deploys of the service, newest first, as far back as Temporal keeps them.')
    .option('-f, --file <path>', 'the runbook', 'holdpoint.yaml')
    .option('-e, --environment <name>', 'only there (default: everywhere)')
    .option('--service <name>', "the service (default: the runbook's)")
    .option('--limit <count>', 'how many', wholeNumber, 20)
    .option('--json', 'write JSON')
    .addHelpText('after', examples(['holdpoint history', ''], ['holdpoint history -e production --limit 100', '']))
    .action(ends(async (options: HistoryOptions) => (await import('../commands/history.ts')).history(options)));

  oneRun('report')
    .summary('write a report of a deploy')
    .description('Write a report of a deploy: what was done when and by whom, what was seen, decided and taken back.')
    .addOption(new Option('--format <format>', 'how').choices(['markdown', 'html', 'json']).default('markdown'))
    .option('--out <file>', 'where to (default: stdout)')
    .addHelpText(
      'after',
      examples(
        ['holdpoint report', 'Markdown, for a pull request'],
        ['holdpoint report --format html --out deploy.html', 'one file, to keep or print'],
      ),
    )
    .action(ends(async (options: ReportOptions) => (await import('../commands/report.ts')).report(options)));

  oneRun('open')
    .summary("open the deploy's page in the Temporal UI")
    .description("Print the URL of the deploy's page in the Temporal UI, and open it.")
    .option('--print', 'only print it')
    .addHelpText('after', examples(['holdpoint open', ''], ['holdpoint open --print', 'where there is no browser']))
    .action(
      ends(async (options: RunOptions & { print?: boolean }) => (await import('../commands/open.ts')).open(options)),
    );
}
