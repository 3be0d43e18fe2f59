import type { Command } from 'commander';
import type { Verb } from '../../workflows/messages.ts';
import type { DecideOptions } from '../decide.ts';
import type { ExitCode } from '../exit-codes.ts';
import { ends, examples } from './ends.ts';
import { aboutRun, asPerson } from './options.ts';

const group = 'Deciding (exit code 7 when a decision is refused):';

export function addDeciding(program: Command): void {
  for (const [verb, summary, reason] of [
    ['approve', 'answer the open question with yes', "--reason 'looked at the migrations'"],
    ['reject', 'answer it with no, which goes back', "--reason 'not on a Friday'"],
  ] as const) {
    decision(program, verb)
      .summary(summary)
      .description(`${upper(summary)}. Counts only from somebody who may, for exactly this plan, in time.`)
      .option('--step <id>', 'the question meant (default: the open one)')
      .option('--plan <digest>', 'the plan you have seen (default: the one that runs)')
      .addHelpText(
        'after',
        examples(
          [`holdpoint ${verb} -e production`, 'the open question'],
          [`holdpoint ${verb} --step migrate.hold --plan sha256:1a2b3c4d`, 'exactly this one'],
          [`holdpoint ${verb} -e production --by ann ${reason}`, 'in somebody’s name, with a reason'],
        ),
      )
      .action(ends((options: DecideOptions) => send(verb, options)));
  }

  decision(program, 'retry')
    .argument('[step]', 'the failed step (default: the one that waits)')
    .summary('try the failed step again')
    .description('Try a failed step again, where the runbook lets a person decide.')
    .addHelpText('after', examples(['holdpoint retry -e production', 'the step that failed']))
    .action(ends((step: string | undefined, options: DecideOptions) => send('retry', withStep(options, step))));

  decision(program, 'skip', true)
    .argument('<step>', 'id of the step')
    .summary('leave out a step that may be skipped')
    .description('Leave out a step that the runbook allows to skip. Needs a reason.')
    .addHelpText('after', examples(["holdpoint skip rollout.warm-cache --reason 'cache is warm'", '']))
    .action(ends((step: string, options: DecideOptions) => send('skip', withStep(options, step))));

  for (const [verb, summary, example] of [
    ['pause', 'stop before the next step', "--reason 'the database is slow'"],
    ['resume', 'go on after a pause', ''],
    ['abort', 'stop, and take everything back', "--reason 'wrong release'"],
  ] as const) {
    decision(program, verb)
      .summary(summary)
      .description(`${upper(summary)}.`)
      .addHelpText('after', examples([`holdpoint ${verb} -e production ${example}`.trimEnd(), '']))
      .action(ends((options: DecideOptions) => send(verb, options)));
  }
}

function decision(program: Command, verb: Verb, reasonNeeded = false): Command {
  const command = asPerson(aboutRun(program.command(verb).helpGroup(group)));
  const text = 'why; kept in the history';
  return reasonNeeded ? command.requiredOption('--reason <text>', text) : command.option('--reason <text>', text);
}

async function send(verb: Verb, options: DecideOptions): Promise<ExitCode> {
  return (await import('../commands/decisions.ts')).decision(verb, options);
}

const withStep = (options: DecideOptions, step: string | undefined) =>
  step === undefined ? options : { ...options, step };

const upper = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
