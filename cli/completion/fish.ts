import type { CompletedCommand, CompletedOption } from './tree.ts';

/** A script for ~/.config/fish/completions/holdpoint.fish. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap((command) => [
    `complete -c holdpoint -n __fish_use_subcommand -f -a ${command.name} -d '${command.description}'`,
    ...command.options.map((option) => optionLine(command.name, option)),
    ...(command.choices.length > 0
      ? [`complete -c holdpoint -n '__fish_seen_subcommand_from ${command.name}' -f -a '${command.choices.join(' ')}'`]
      : []),
  ]);
  return `# Completion of holdpoint for fish: holdpoint completion fish > ~/.config/fish/completions/holdpoint.fish\n${lines.join('\n')}\n`;
}

function optionLine(command: string, { flags, description, takesValue, choices }: CompletedOption): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ');
  const value = takesValue ? ` -r${choices.length > 0 ? ` -f -a '${choices.join(' ')}'` : ''}` : ' -f';
  return `complete -c holdpoint -n '__fish_seen_subcommand_from ${command}' ${names}${value} -d '${description}'`;
}
