import { Command } from 'commander';
import { exitCodeMeanings } from '../exit-codes.ts';
import { addDeciding } from './deciding.ts';
import { addDeploying } from './deploying.ts';
import { addLooking } from './looking.ts';
import { addSettingUp } from './setting-up.ts';
import { packageVersion } from './version.ts';

/** Every command with its options. Loads none of them: each is imported when it is called. */
export function buildProgram(): Command {
  const program = new Command('holdpoint')
    .description('The deploy runbook that survives: prepare, backup, migrate, rollout, verify, rollback.')
    .version(packageVersion(), '-V, --version')
    // So that `deploy --version 2` is the release, and not a question for Holdpoint's own version.
    .enablePositionalOptions()
    .helpCommand(true)
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', exitCodeHelp());
  // Subcommands inherit this only when they are made afterwards.
  program.exitOverride();
  addSettingUp(program);
  addDeploying(program);
  addDeciding(program);
  addLooking(program);
  return program;
}

function exitCodeHelp(): string {
  const lines = exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return `\nFirst steps:\n  holdpoint init, then holdpoint dev, and in another terminal: holdpoint plan\n\nExit codes:\n${lines.join('\n')}\n`;
}
