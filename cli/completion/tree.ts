import type { Command } from 'commander';

export interface CompletedOption {
  /** `--environment`, and `-e` where there is one. */
  flags: string[];
  description: string;
  takesValue: boolean;
  /** Values it may have, where they are known. */
  choices: string[];
}

export interface CompletedCommand {
  name: string;
  description: string;
  options: CompletedOption[];
  /** Values of its first argument, where they are known. */
  choices: string[];
}

/** What can be completed, read from commander's own tree. */
export function completionTree(program: Command): CompletedCommand[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: firstLine(command.description()),
    options: [...command.options, { short: '-h', long: '--help', description: 'display help' }].map(toOption),
    choices: [...(command.registeredArguments[0]?.argChoices ?? [])],
  }));
}

interface AnyOption {
  short?: string | undefined;
  long?: string | undefined;
  description: string;
  required?: boolean;
  optional?: boolean;
  argChoices?: readonly string[] | undefined;
}

function toOption({ short, long, description, required, optional, argChoices }: AnyOption): CompletedOption {
  return {
    flags: [long, short].filter((flag): flag is string => Boolean(flag)),
    description: firstLine(description),
    takesValue: Boolean(required || optional),
    choices: [...(argChoices ?? [])],
  };
}

function firstLine(text: string): string {
  return text.split('\n')[0]!.replace(/[:[\]'"`$\\]/g, '');
}
