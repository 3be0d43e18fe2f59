import { spawn } from 'node:child_process';

/** Waits for the end of its input, which comes when this process ends, and then looks before it acts. */
const watch = `
cat >/dev/null
{ tr '\\0' ' ' <"/proc/$1/cmdline" || ps -ww -o command= -p "$1"; } 2>/dev/null | grep -qF -- "$2" && kill -s "$3" "$1"
`;

/**
 * Sends `signal` (for example `TERM`) to process `pid` when this process ends, in whatever way: returning, Ctrl-C,
 * SIGKILL. Leaves a process alone that has not `words` in its command line. Returns what calls it off.
 */
export function endTogether(pid: number, words: string, signal: string): () => void {
  const watcher = spawn('sh', ['-c', watch, 'sh', String(pid), words, signal], {
    detached: true, // Ctrl-C must not reach it
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {}); // without a shell: then nobody ends it, as without this function
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref(); // a socket, though typed as a stream
  return () => {
    watcher.kill();
    watcher.stdin.destroy(); // ends its `cat`
  };
}
