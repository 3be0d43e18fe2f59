import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where Holdpoint keeps things: `$HOLDPOINT_HOME`, else `$XDG_STATE_HOME/holdpoint`, else `~/.local/state/holdpoint`. Absolute. */
export function stateHome(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOLDPOINT_HOME) return resolve(env.HOLDPOINT_HOME);
  return resolve(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'holdpoint');
}
