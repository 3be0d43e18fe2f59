/** Instances that are plain processes of this machine. They outlive the worker, and are found again by the next. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Evidence, HostPort, InstanceState, InstancesPort, LogLine, Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import { processJobs } from '../commands/jobs.ts';
import { type Claim, type Launched, launch } from '../commands/launch.ts';
import { readTail } from '../commands/output.ts';
import { endGroup, isAlive } from '../commands/process-group.ts';
import { notYet, refuse } from '../failures.ts';
import type { ProductKind } from '../product-kind.ts';
import type { InstancesContext } from './context.ts';
import { isListening, listenerOf } from './listeners.ts';
import { filesOf, forgetOld, markEmptied, newest, newestLog, type SlotEntry } from './slot-history.ts';

export const processInstances: ProductKind<InstancesPort, InstancesContext> = {
  options: z.strictObject({}),
  create({ target, host }) {
    if (target.host.kind === 'local') return createProcessInstances(target, host);
    throw refuse(
      'WrongHost',
      `Target ${target.name} runs plain processes, which only works on host "local", not "${target.host.kind}".`,
    );
  },
};

/** How long a start waits for the port to open or the process to end; whatever comes later is the probe's to see. */
const settleMs = 3_000;
/** For what a crashed instance has left behind in its group. */
const leftoverGraceMs = 2_000;
const tailLines = 20;
const mostLogLines = 10_000;
const mostLogBytes = 4 * 1024 * 1024;

/** A process carries no labels, so it is told nothing of who writes. */
interface ProcessInstances extends Omit<InstancesPort, 'ensureRunning'> {
  ensureRunning(slot: Slot, spec: InstanceSpec, env: Record<string, string>, writer?: Writer): Promise<Evidence>;
}

/** `folder` is the target's, `ports` tells where each slot listens. Keeps its state in `<folder>/slots/<slot>`. */
export function createProcessInstances(
  target: { folder: string; ports: Record<Slot, number> },
  host: HostPort,
): ProcessInstances {
  const folderOf = (slot: Slot) => join(target.folder, 'slots', slot);
  return {
    observe: (slot) => observe(folderOf(slot)),
    ensureRunning: (slot, spec, env) => ensureRunning({ slot, folder: folderOf(slot), spec, env }),
    ensureStopped: (slot, graceMs) => ensureStopped(folderOf(slot), graceMs),
    tail: (slot) => tail(folderOf(slot)),
    address: (slot) => `http://127.0.0.1:${target.ports[slot]}`,
    health: (slot) => assertAlive(slot, folderOf(slot)),
    logs: (slot) => logs(folderOf(slot)),
    jobs: processJobs(target.folder),
    inside: () => host,
    notices: async () => [],
  };
}

async function observe(folder: string): Promise<InstanceState | null> {
  const { claim } = await newest(folder);
  return claim && { ...noteOf(claim), running: await isAlive(claim) };
}

/** What shall run where. */
interface Wanted {
  slot: Slot;
  folder: string;
  spec: InstanceSpec;
  env: Record<string, string>;
}

/**
 * Starts the release unless it runs here already; one start a call, never two at once. Throws `SlotTaken`, `PortTaken`,
 * `NoSuchCommand`, `NoSuchFolder`, `InstanceExited` for good, and `SlotEmptied` when another try may help.
 */
async function ensureRunning(want: Wanted): Promise<Evidence> {
  const launched = await runningOrStarted(await newest(want.folder), want);
  const found = evidence(want, launched);
  if (!(await settles(launched.claim, want.spec.port))) throw await exited(want, launched);
  return found;
}

async function runningOrStarted(seen: SlotEntry, want: Wanted): Promise<Launched> {
  if (seen.claim && (await isAlive(seen.claim))) return { claim: seen.claim, exit: null };
  if (seen.claim) await endGroup(seen.claim, leftoverGraceMs);
  if (await isListening(want.spec.port)) {
    const now = await newest(want.folder);
    // An overlapping attempt has started something since.
    if (now.number !== seen.number) return await runningOrStarted(now, want);
    throw await portTaken(want);
  }
  return await start(seen.number + 1, want);
}

async function start(number: number, { slot, folder, spec, env }: Wanted): Promise<Launched> {
  const { release, port, command } = spec;
  const { claim, log } = filesOf(folder, number);
  const own = { PORT: String(port), HOLDPOINT_SLOT: slot, HOLDPOINT_RELEASE: release.version };
  try {
    const launched = await launch({
      claim,
      note: { release: release.version, port },
      log,
      command,
      cwd: release.folder,
      env: { ...spec.env, ...env, ...own },
      as: { kind: 'service' },
    });
    await forgetOld(folder, number);
    return launched;
  } catch (error) {
    const now = await newest(folder);
    if (now.number < number || now.claim) throw error;
    throw notYet('SlotEmptied', `${spec.service} ${release.version} was not started: ${slot} was emptied meanwhile.`);
  }
}

/**
 * SIGTERM to the group, `graceMs`, SIGKILL to the group; the slot then counts as empty, and a start that is still
 * under way somewhere can no longer succeed. May run twice.
 */
async function ensureStopped(folder: string, graceMs: number): Promise<Evidence> {
  let release: string | null = null;
  let end = 'was gone';
  for (;;) {
    const { number, claim } = await newest(folder);
    if (claim) {
      release = noteOf(claim).release;
      end = await endGroup(claim, graceMs);
    }
    if (await markEmptied(folder, number + 1)) {
      await forgetOld(folder, number + 1);
      return { release, end };
    }
  }
}

/** false when the process ended. */
async function settles(claim: Claim, port: number): Promise<boolean> {
  for (const until = performance.now() + settleMs; performance.now() < until; await sleep(25)) {
    if (!(await isAlive(claim))) return false;
    if (await isListening(port)) break;
  }
  return await isAlive(claim);
}

/** Throws `SlotTaken` where another release has the slot. */
function evidence({ slot, spec }: Wanted, { claim, exit }: Launched): Evidence {
  const { release, port } = noteOf(claim);
  if (release === spec.release.version && port === spec.port) {
    return { release, port, pid: claim.pid, started: exit !== null };
  }
  throw refuse(
    'SlotTaken',
    `${spec.service} ${spec.release.version} cannot start in ${slot} on port ${spec.port}: ` +
      `${release} runs there on port ${port} (process ${claim.pid}). Stop that one first.`,
  );
}

async function portTaken({ slot, spec }: Wanted): Promise<Error> {
  const pid = await listenerOf(spec.port);
  return refuse(
    'PortTaken',
    `${spec.service} ${spec.release.version} cannot start in ${slot}: port ${spec.port} is taken by ` +
      `${pid === null ? 'a process' : `process ${pid}`} that Holdpoint did not start. Stop it, or give ${slot} another port.`,
  );
}

async function exited({ slot, folder, spec, env }: Wanted, { exit }: Launched): Promise<Error> {
  const code = await exit;
  const how = code === null ? '' : ` with exit code ${code}`;
  const printed = await tail(folder, (text) => withoutSecrets(text, spec, env));
  const what = `${spec.service} ${spec.release.version} ended at once in ${slot}${how}`;
  const message = printed ? `${what}. The last it printed:\n${printed}` : `${what}, and printed nothing.`;
  // Starting it again and again would hide for a minute what its log says now.
  return refuse(code === 126 || code === 127 ? 'NoSuchCommand' : 'InstanceExited', message);
}

function withoutSecrets(text: string, spec: InstanceSpec, env: Record<string, string>): string {
  const known = spec.secrets.filter((name) => env[name]).map((name) => ({ name, value: env[name]! }));
  // Longest first: one may be the beginning of another.
  known.sort((one, other) => other.value.length - one.value.length);
  return known.reduce((hidden, { name, value }) => hidden.replaceAll(value, `[${name}]`), text);
}

/** `hide` sees the text before it is cut into lines, since a secret may have several. */
async function tail(folder: string, hide = (text: string) => text): Promise<string> {
  const log = await newestLog(folder);
  const text = log === null ? '' : hide(await readTail(log));
  return text.trimEnd().split('\n').slice(-tailLines).join('\n');
}

/** A process says nothing of its health but that it ended. Throws `InstanceExited`. */
async function assertAlive(slot: Slot, folder: string): Promise<null> {
  const { claim } = await newest(folder);
  if (!claim || (await isAlive(claim))) return null;
  const printed = await tail(folder);
  throw refuse('InstanceExited', `${noteOf(claim).release} in ${slot} has ended. The last it printed:\n${printed}`);
}

/** The whole log of the newest start as far as it fits: its lines carry no time of ours. */
async function logs(folder: string): Promise<LogLine[]> {
  const log = await newestLog(folder);
  const lines = log === null ? [] : (await readTail(log, mostLogBytes)).split('\n').filter(Boolean);
  return lines.slice(-mostLogLines).map((text) => ({ at: null, text }));
}

function noteOf(claim: Claim): { release: string; port: number } {
  return claim.note as { release: string; port: number };
}
