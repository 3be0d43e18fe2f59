/** Empties a slot. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../../workflows/ports.ts';
import { notYet } from '../failures.ts';
import { ageMs, isBetweenStarts, isUp, type Look, runningVersion, stateOf } from './look.ts';
import { act, look, seen } from './machine.ts';
import { formatMarker } from './marker.ts';
import type { Place } from './place.ts';
import { emptyScript, killScript, stopScript } from './scripts.ts';

/** For the kernel to end what was killed. */
const patienceMs = 20_000;
const pauseMs = 100;
const mostLooks = 20;

/**
 * The unit's own way to stop it, `graceMs`, SIGKILL to all its processes; afterwards it does not come back after a reboot,
 * and the file with its secrets is gone. May run twice; throws `SlotContested`, worth another try, where another start came in
 * between. Evidence: release, end.
 */
export async function stopInstance(place: Place, graceMs: number): Promise<Evidence> {
  const found = await look(place);
  const release = stateOf(found, place)?.release ?? null;
  const { LoadState, UnitFileState } = found.unit;
  const enabled = UnitFileState.startsWith('enabled');
  const stops = isUp(found) || isBetweenStarts(found.unit);
  let end = 'was gone';
  if (LoadState === 'loaded' && (stops || enabled)) {
    const first = await act(place, stopScript, [enabled ? 'disable' : '', found.markerText]);
    if (!first) throw contested(place);
    const ended = await untilStopped(place, first, graceMs);
    if (stops) end = ended;
  }
  await empty(place, found);
  return { release, end };
}

/** How it ended. */
async function untilStopped(place: Place, first: Look, graceMs: number): Promise<string> {
  const started = performance.now();
  let killed: number | null = null;
  for (let found = first; ; found = await look(place)) {
    if (!found.unit.Job && !isUp(found) && !isBetweenStarts(found.unit)) return howItStopped(found, killed);
    const waited = Math.max(performance.now() - started, stoppingMs(found));
    if (killed === null && waited >= graceMs) {
      const after = await act(place, killScript, [first.markerText]);
      if (!after) throw contested(place);
      found = after;
      killed = graceMs;
    }
    if (performance.now() - started > graceMs + patienceMs) {
      throw notYet(
        'StillRunning',
        `${place.unit} on ${place.host.name} was killed and does not end: ${found.unit.SubState}`,
      );
    }
    await sleep(pauseMs);
  }
}

/** An attempt before this one may have begun it. */
function stoppingMs({ unit, uptime }: Look): number {
  const since = Number(unit.ActiveExitTimestampMonotonic);
  return unit.ActiveState === 'deactivating' && since > 0 ? (uptime - since) / 1_000 : 0;
}

/** Of one that ended in order systemd keeps nothing to read. */
function howItStopped({ unit }: Look, killed: number | null): string {
  const { Result, ExecMainCode, ExecMainStatus, TimeoutStopUSec } = unit;
  if (killed !== null) return `killed after ${killed / 1_000} s`;
  if (Result === 'timeout' || Result === 'watchdog')
    return `killed after the unit's own TimeoutStopSec, ${TimeoutStopUSec}`;
  if (ExecMainCode === '1') return `exit code ${ExecMainStatus}`;
  if (ExecMainCode === '2' || ExecMainCode === '3') return `signal ${ExecMainStatus}`;
  return 'in order';
}

/** Leaves a marker that says so: what somebody starts there now is none of Holdpoint's. */
async function empty(place: Place, before: Look): Promise<void> {
  for (let turn = 0, found = await look(place); turn < mostLooks; turn++, found = await look(place)) {
    if (isUp(found)) break;
    const ran = found.marker ?? (isUp(before) ? adopted(place, before) : null);
    const marker = ran
      ? formatMarker({ ...ran, invocation: ran.invocation ?? before.unit.InvocationID, next: null, emptied: true })
      : '';
    if (await act(place, emptyScript, [...seen(found), marker])) return;
  }
  throw contested(place);
}

/** What runs now may be another release: only a new look tells. */
function contested({ unit, host }: Place): Error {
  return notYet('SlotContested', `${unit} on ${host.name} is to stop, and somebody starts it again.`);
}

function adopted(place: Place, before: Look) {
  const at = Math.round(before.clock - ageMs(before) * 1_000);
  return { ...runningVersion(before, place), port: place.port, fence: 0, invocation: before.unit.InvocationID, at };
}
