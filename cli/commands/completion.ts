import type { Command } from 'commander';
import { completionTree } from '../completion/tree.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';

export type Shell = 'bash' | 'zsh' | 'fish';

/** Prints the completion script of a shell, made from the commands themselves. */
export async function completion(shell: Shell, program: Command): Promise<ExitCode> {
  process.stdout.write(await scriptFor(shell, program));
  return exitCodes.succeeded;
}

async function scriptFor(shell: Shell, program: Command): Promise<string> {
  const tree = completionTree(program);
  switch (shell) {
    case 'bash':
      return (await import('../completion/bash.ts')).bashCompletion(tree);
    case 'zsh':
      return (await import('../completion/zsh.ts')).zshCompletion(tree);
    case 'fish':
      return (await import('../completion/fish.ts')).fishCompletion(tree);
  }
}
