import { refuse } from '../failures.ts';
import { ageMs, isBetweenStarts, isOurs, isUp, type Look, releaseOf } from './look.ts';
import { look } from './machine.ts';
import type { Place } from './place.ts';
import { exited } from './start-failures.ts';

/** One that systemd started again so recently keeps ending. */
const recentMs = 10_000;

/**
 * A unit of Type=notify says itself when it is ready; the others say nothing: null. Throws `InstanceExited` where it has
 * ended, or keeps ending, and `InstanceGone` where nobody has started it.
 */
export async function healthOf(place: Place): Promise<'healthy' | 'starting' | null> {
  const found = await look(place);
  const { unit, marker } = found;
  const gone = !isUp(found) && !unit.Job;
  if (gone && (!marker || marker.emptied)) {
    throw refuse(
      'InstanceGone',
      `Nothing runs in ${place.slot} (${place.unit} on ${place.host.name}): somebody stopped it.`,
    );
  }
  const before = gone || isBetweenStarts(unit) ? found : endedBefore(found);
  if (before) throw await exited(place, before, `${releaseOf(found, place)} ended in ${place.slot}`);
  if (!unit.Type.startsWith('notify')) return null;
  return unit.ActiveState === 'active' || unit.ActiveState === 'reloading' ? 'healthy' : 'starting';
}

/** The run that the marker knows, where systemd has started another one in its place just now. */
function endedBefore(found: Look): Look | null {
  const { unit, marker } = found;
  if (!isOurs(found) || !marker?.invocation || marker.invocation === unit.InvocationID) return null;
  if (Number(unit.NRestarts) === 0 || ageMs(found) > recentMs) return null;
  return { ...found, unit: { ...unit, InvocationID: marker.invocation, SubState: 'auto-restart' } };
}
