/** How a container ended, in words. */
import type { ContainerInspectInfo } from 'dockerode';

const killed = 137;

/** "with exit code 1", "out of memory (exit code 137)". */
export function howItEnded({ State }: ContainerInspectInfo): string {
  if (State.OOMKilled) return `out of memory (exit code ${State.ExitCode})`;
  const because = State.Error ? `: ${State.Error}` : '';
  return `with exit code ${State.ExitCode}${because}`;
}

/** After a stop that gave it `graceMs`: "exit code 0", "killed after 10 s". */
export function howItStopped({ State }: ContainerInspectInfo, graceMs: number): string {
  if (State.OOMKilled) return 'out of memory';
  return State.ExitCode === killed ? `killed after ${graceMs / 1000} s` : `exit code ${State.ExitCode}`;
}
