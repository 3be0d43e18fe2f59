/** The group of processes behind a claim: who lives in it, and its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import { notYet, refuse } from '../failures.ts';
import type { Claim } from './launch.ts';
import { allProcesses, bootId, findProcess, startEnvironment } from './process-table.ts';

const pollMs = 25;
/** How long the kernel may take to end what got SIGKILL. */
const killMs = 10_000;

/** The claim's own process lives; not a stranger who got its pid later, and not a zombie. */
export async function isAlive(claim: Claim): Promise<boolean> {
  const row = await findProcess(claim.pid);
  return row !== null && !row.zombie && row.started === claim.started && claim.boot === (await bootId());
}

/** Pids that live in the claim's group, also when its leader is dead. */
export async function livingMembers(claim: Claim): Promise<number[]> {
  if (claim.boot !== (await bootId())) return [];
  const group = (await allProcesses()).filter((row) => row.group === claim.pid);
  const living = group.filter((row) => !row.zombie).map((row) => row.pid);
  const leader = group.find((row) => row.pid === claim.pid);
  // The kernel gives the pid to nobody else while the group has members, so the leader vouches for all of them.
  if (leader) return leader.started === claim.started ? living : [];
  const mine = await Promise.all(living.map((pid) => belongs(pid, claim)));
  return living.filter((_, index) => mine[index]);
}

/**
 * SIGTERM to the group, `graceMs`, SIGKILL to the group; returns once nobody lives in it. May run twice.
 * Throws `StillRunning` when not even SIGKILL ended it, `NotAllowed` when the group belongs to another user.
 */
export async function endGroup(claim: Claim, graceMs: number): Promise<'was gone' | 'ended' | 'killed'> {
  if ((await livingMembers(claim)).length === 0) return 'was gone';
  send(claim, 'SIGTERM');
  if (await goneWithin(claim, graceMs)) return 'ended';
  send(claim, 'SIGKILL');
  if (await goneWithin(claim, killMs)) return 'killed';
  const left = (await livingMembers(claim)).join(', ');
  throw notYet('StillRunning', `Process ${left} still runs ${killMs / 1000} s after SIGKILL; it hangs in the kernel.`);
}

async function goneWithin(claim: Claim, ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  for (;;) {
    if ((await livingMembers(claim)).length === 0) return true;
    if (performance.now() >= until) return false;
    await sleep(Math.min(pollMs, ms));
  }
}

/** Without a leader: whoever carries the claim in its environment, or has overwritten that with a title of its own. */
async function belongs(pid: number, claim: Claim): Promise<boolean> {
  const environment = await startEnvironment(pid);
  if (!environment?.some((entry) => entry.includes('='))) return true;
  return environment.includes(`HOLDPOINT_CLAIM=${claim.file}`);
}

function send(claim: Claim, signal: NodeJS.Signals): void {
  try {
    process.kill(-claim.pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return;
    if (code !== 'EPERM') throw error;
    throw refuse('NotAllowed', `The worker may not end process ${claim.pid}: it runs as another user.`);
  }
}
