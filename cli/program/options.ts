import { type Command, InvalidArgumentError, Option } from 'commander';

/** Which service, where, and how the answer is written. */
export function aboutRun(command: Command): Command {
  return connecting(
    command
      .option('-f, --file <path>', 'the runbook', 'holdpoint.yaml')
      .option('-e, --environment <name>', 'where to', 'local')
      .option('--service <name>', "the service (default: the runbook's)")
      .option('--json', 'write JSON'),
  );
}

/** Who decides; recorded with every decision. */
export function asPerson(command: Command): Command {
  return command.option('--by <name>', 'who you are (default: $HOLDPOINT_BY, else your user name)');
}

/** Where Temporal is, for commands that talk to it. */
export function connecting(command: Command): Command {
  const option = (flags: string, description: string) =>
    command.addOption(new Option(flags, description).helpGroup('Temporal (otherwise TEMPORAL_* and temporal.toml):'));
  option('--address <host:port>', 'its address (default: a running `holdpoint dev`, else localhost:7233)');
  option('--namespace <name>', 'its namespace');
  option('--profile <name>', 'a profile of temporal.toml');
  return option('--task-queue <name>', 'queue of the workers (default: $HOLDPOINT_TASK_QUEUE, else holdpoint)');
}

/** An option's number; anything else is wrong usage. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('A whole number above 0 is needed.');
}
