/** Brings another release into what runs, without ending it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence } from '../../workflows/ports.ts';
import { notYet, refuse } from '../failures.ts';
import { ageMs, isBetweenStarts, isOurs, isUp, type Look, runningVersion } from './look.ts';
import { act, look, seen } from './machine.ts';
import { formatMarker, type Marker } from './marker.ts';
import type { Place } from './place.ts';
import { noteScript, switchScript } from './scripts.ts';
import { exited } from './start-failures.ts';
import { assertMine, evidence, type Start, startInstance, variables } from './start-instance.ts';

const reloadMs = 60_000;
const mostLooks = 100;
const pauseMs = 200;

/**
 * The link leads to the release, and the unit is reloaded; started where nothing runs. May run twice: a reload whose end
 * nobody saw is done again. Throws for good `NoReload`, `ReloadFailed`, `InstanceExited`, and what a start throws.
 */
export async function reloadInstance(place: Place, start: Start): Promise<Evidence> {
  const file = variables(place, start);
  for (let turn = 0; turn < mostLooks; turn++) {
    if (turn > 0) await sleep(pauseMs);
    const found = await look(place);
    assertMine(place, start, found);
    if (isBetweenStarts(found.unit) || (!isUp(found) && !found.unit.Job)) return await startInstance(place, start);
    // Somebody's reload or start is under way.
    if (found.unit.ActiveState !== 'active' || found.unit.Job) continue;
    if (isDone(start, found)) return { ...evidence(start, found, false), reloaded: false };
    if (found.unit.CanReload !== 'yes') throw noReload(place);
    const words = [...seen(found), formatMarker(markerOf(place, start, found)), start.spec.release.folder, 'reload'];
    const after = await act(place, switchScript, words, file);
    if (!after) continue;
    const over = await untilOver(place, start, after);
    if (over && (await noteDone(place, over))) return { ...evidence(start, over, false), reloaded: true };
  }
  throw notYet('SlotContested', `${place.unit} on ${place.host.name} was not reloaded: it keeps changing, or is busy.`);
}

/** This very step has seen its end. */
function isDone({ spec, writer }: Start, found: Look): boolean {
  const { marker, unit } = found;
  if (!isOurs(found) || marker?.next || marker?.invocation !== unit.InvocationID) return false;
  return marker.key === writer.key && marker.release === spec.release.version;
}

/** What runs now, whatever the marker said, and what it is told to become. */
function markerOf(place: Place, { spec, writer }: Start, found: Look): Marker {
  const { version, folder } = spec.release;
  return {
    ...runningVersion(found, place),
    port: spec.port,
    fence: writer.fence,
    invocation: found.unit.InvocationID,
    at: Math.round(found.clock - ageMs(found) * 1_000),
    next: { release: version, folder, key: writer.key },
    emptied: false,
  };
}

/** null where another run has begun meanwhile. Throws `ReloadFailed`, `InstanceExited`, `StillReloading`. */
async function untilOver(place: Place, { spec }: Start, first: Look): Promise<Look | null> {
  const until = performance.now() + reloadMs;
  const what = `${spec.service} ended in ${place.slot} when it was reloaded into ${spec.release.version},`;
  for (let found = first; ; found = await look(place)) {
    const { Job, ActiveState, InvocationID, ReloadResult } = found.unit;
    if (!Job && !isUp(found)) throw await exited(place, found, what);
    if (InvocationID !== first.unit.InvocationID) throw await exited(place, first, what);
    if (!Job && ActiveState === 'active') {
      if (ReloadResult === 'success') return found;
      throw refuse(
        'ReloadFailed',
        `${place.unit} on ${place.host.name} was not reloaded into ${spec.release.version}: its ExecReload ended with ` +
          `result ${ReloadResult}. What ran before runs on.`,
      );
    }
    if (performance.now() > until) {
      throw notYet(
        'StillReloading',
        `${place.unit} on ${place.host.name} is still reloading into ${spec.release.version}`,
      );
    }
    await sleep(pauseMs);
  }
}

async function noteDone(place: Place, over: Look): Promise<boolean> {
  const { marker } = over;
  if (!marker?.next) return false;
  const enable = over.unit.UnitFileState === 'disabled' ? 'enable' : '';
  const done = formatMarker({ ...marker, ...marker.next, next: null });
  return (await act(place, noteScript, [...seen(over), done, enable])) !== null;
}

function noReload({ unit, host }: Place): Error {
  return refuse(
    'NoReload',
    `${unit} on ${host.name} cannot be reloaded: it has no ExecReload=. Add one, such as ExecReload=/bin/kill -HUP $MAINPID ` +
      'for a service that takes up its code then, and run `systemctl daemon-reload`; or use another strategy.',
  );
}
