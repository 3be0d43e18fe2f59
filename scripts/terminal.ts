import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Terminal {
  /** What stands on the screen, with its colours as escape sequences. */
  screen(): string;
  /** The program has ended; its last screen stays. */
  ended(): boolean;
  close(): void;
}

interface Options {
  command: string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  columns: number;
  rows: number;
}

/** Runs a program in a real terminal that nobody sees: a tmux of its own. Throws where tmux is not installed. */
export function openTerminal({ command, cwd, env, columns, rows }: Options): Terminal {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-terminal-'));
  const settings = join(folder, 'tmux.conf');
  writeFileSync(settings, 'set -g status off\nset -g remain-on-exit on\nset -g remain-on-exit-format ""\n');
  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-u', '-S', join(folder, 'socket'), '-f', settings, ...words], {
      cwd,
      env: { ...env, LANG: 'C.UTF-8', TERM: 'xterm-256color' },
      encoding: 'utf8',
    });
  const size = ['-x', String(columns), '-y', String(rows)];
  try {
    tmux('new-session', '-d', ...size, '--', ...command);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error('The pictures of the terminal need tmux: apt-get install -y tmux, or brew install tmux.', {
      cause: error,
    });
  }
  return {
    screen: () => tmux('capture-pane', '-p', '-e'),
    ended: () => tmux('display-message', '-p', '#{pane_dead}').trim() === '1',
    close() {
      tmux('kill-session');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
