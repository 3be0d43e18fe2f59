/** Ends what a test's service left running, by the pids that it wrote down. */
export function endInstances(starts: string[]): void {
  for (const line of starts) {
    const pid = Number(line.split(' ')[1]);
    try {
      if (pid > 1) process.kill(pid, 'SIGKILL');
    } catch {
      // has ended already
    }
  }
}
