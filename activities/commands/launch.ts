/**
 * Starts a process that outlives the worker, at most once per claim file.
 *
 * A fixed `sh` script writes who it is (pid, start time, boot) into a file of its own and then links that file to
 * the claim's name. Linking succeeds for one process only and shows the whole content at once, so of any number of
 * overlapping attempts one goes on to the command, and nobody ever sees half a claim. Whatever dies, and when:
 * no claim means that the command has not begun; a claim says which process to look for.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '../../workflows/runbook/json.ts';
import { notYet, refuse } from '../failures.ts';
import { commandEnvironment } from './environment.ts';
import { isFolder, readIfThere } from './files.ts';
import { parsePs, parseStat } from './process-table.ts';

/** Who took a claim. */
export interface Claim {
  file: string;
  /** What the starter wanted known about it. */
  note: Json;
  /** Leader of its own session and group. */
  pid: number;
  /** As in the process table. */
  started: string;
  /** As of `bootId()`. */
  boot: string;
}

export interface Launch {
  /** Absolute path of the claim file; its folder is made. Lasts: whoever removes it allows another start. */
  claim: string;
  /** Goes into the claim; no secret. */
  note: Json;
  /** Everything it prints is appended here, mode 0600. */
  log: string;
  command: string[];
  cwd: string;
  /** Handed over in memory, never written anywhere. */
  env: Record<string, string>;
  /** `once`: the exit code is left in `exitFile`. `service`: the claim's process becomes the command. */
  as: { kind: 'once'; exitFile: string } | { kind: 'service' };
}

// $1 claim, $2 note, $3 exit file, then the command. `command -p` and `exec` so that neither a PATH of the release's
// own nor a shell built-in of the command's name changes what runs. The shell sets no variable: it could be one that
// the command's environment has.
const takeClaim = `
{ printf '%s\\n' "$2" "$$" &&
  if [ -r "/proc/$$/stat" ]; then command -p cat /proc/sys/kernel/random/boot_id "/proc/$$/stat"
  else echo && TZ=UTC LC_ALL=C command -p ps -o pid=,pgid=,stat=,lstart= -p "$$"; fi
} > "$1.$$" && command -p ln "$1.$$" "$1" 2>/dev/null
set -- "$?" "$@"
command -p rm -f "$2.$$"
[ "$1" = 0 ] || exit 75
shift
`;
const runOnce = `${takeClaim}
( shift 3; exec "$@" )
echo "$?" > "$3.tmp" && command -p mv "$3.tmp" "$3"
`;
const become = `${takeClaim}
shift 3
exec "$@"
`;

export interface Launched {
  claim: Claim;
  /** How the process ends (its exit code, null for a signal) if this call started it; null if another did. */
  exit: Promise<number | null> | null;
}

/**
 * Starts the command unless the claim is taken, and returns once somebody holds it, with who that is. Throws
 * `NoSuchFolder` where `cwd` is missing, `BadVariable`, and `LaunchFailed` when nothing could be started.
 */
export async function launch(input: Launch): Promise<Launched> {
  if (!(await isFolder(input.cwd))) {
    throw refuse('NoSuchFolder', `${input.command[0]} cannot be started: its folder ${input.cwd} does not exist.`);
  }
  await mkdir(dirname(input.claim), { recursive: true, mode: 0o700 });
  const env = { ...commandEnvironment(input.env), HOLDPOINT_CLAIM: input.claim };
  const script = input.as.kind === 'once' ? runOnce : become;
  const exitFile = input.as.kind === 'once' ? input.as.exitFile : '';
  const words = ['-c', script, 'holdpoint', input.claim, JSON.stringify(input.note), exitFile, ...input.command];
  const log = await open(input.log, 'a', 0o600);
  const child = spawn('/bin/sh', words, {
    cwd: input.cwd,
    detached: true,
    env,
    stdio: ['ignore', log.fd, log.fd],
  });
  let ended: string | null = null;
  const exit = once(child, 'exit').then(
    ([code]: (number | null)[]) => {
      ended = `the shell ended with ${code}. Is the disk full, or is this a file system without hard links?`;
      return code ?? null;
    },
    (error: NodeJS.ErrnoException) => {
      ended = `/bin/sh cannot be run (${error.code}).`;
      return null;
    },
  );
  child.unref();
  await log.close();
  for (;;) {
    // Read before the claim: who has ended by now has taken it by now, or never will.
    const over: string | null = ended;
    const claim = await readClaim(input.claim);
    if (claim) return { claim, exit: claim.pid === child.pid ? exit : null };
    if (over !== null) throw notYet('LaunchFailed', `${input.command[0]} could not be started: ${over}`);
    await Promise.race([exit, sleep(5)]);
  }
}

/** null where nobody took it. */
export async function readClaim(file: string): Promise<Claim | null> {
  const text = await readIfThere(file);
  if (text === null) return null;
  const [note, pid, boot, process] = text.split('\n');
  const row = process && (boot ? parseStat(process) : parsePs(process));
  if (!note || !row || row.pid !== Number(pid)) {
    throw refuse(
      'ClaimUnreadable',
      `${file} was not written by Holdpoint, or is damaged. Look at what runs, then remove it.`,
    );
  }
  return { file, note: JSON.parse(note), pid: row.pid, started: row.started, boot: boot ?? '' };
}
