/** Waits for a start to have succeeded, or failed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { notYet } from '../failures.ts';
import { ageMs, isBetweenStarts, isUp, type Look } from './look.ts';
import { look } from './machine.ts';
import type { Place } from './place.ts';
import { endedAtOnce } from './start-failures.ts';
import type { Start } from './start-instance.ts';

/** How long a start waits for the port to open or the unit to end; whatever comes later is the probe's to see. */
const settleMs = 3_000;
/** A unit that takes longer to be ready is waited for by the next attempt. */
const readyMs = 60_000;
const pauseMs = 200;

/** Ready by its own account, and still there a moment later. Throws `InstanceExited`, `NoSuchCommand`, `StillStarting`. */
export async function settled(place: Place, { spec, taken }: Start, first: Look): Promise<Look> {
  const until = performance.now() + readyMs;
  let ready: number | null = null;
  for (let found = first; ; found = await look(place)) {
    const { ActiveState, Job, InvocationID } = found.unit;
    if (isBetweenStarts(found.unit)) throw await endedAtOnce(place, spec, found);
    if (!Job && !isUp(found)) throw await endedAtOnce(place, spec, found);
    if (first.unit.InvocationID && InvocationID !== first.unit.InvocationID)
      throw await endedAtOnce(place, spec, first);
    if (ActiveState === 'active' && !Job) {
      ready ??= performance.now();
      if (!taken && found.listens.has(spec.port)) return found;
      if (Math.max(ageMs(found), performance.now() - ready) >= settleMs) return found;
    }
    if (performance.now() > until) {
      const how = `${place.unit} on ${place.host.name} is ${found.unit.SubState}`;
      throw notYet(
        'StillStarting',
        `${spec.service} ${spec.release.version} is not ready yet in ${place.slot}: ${how}`,
      );
    }
    await sleep(pauseMs);
  }
}
