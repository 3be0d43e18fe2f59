/** Brings a release up in its slot, once. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Evidence, Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import { notYet, refuse } from '../failures.ts';
import { environmentFile } from './env-file.ts';
import { isBetweenStarts, isOurs, isUp, type Look, releaseOf } from './look.ts';
import { act, look, seen } from './machine.ts';
import { formatMarker, type Marker } from './marker.ts';
import type { Place } from './place.ts';
import { reloadInstance } from './reload-instance.ts';
import { noteScript, switchScript, wholeLine } from './scripts.ts';
import { settled } from './settle.ts';
import { assertLoaded, slotTaken } from './start-failures.ts';
import { stopInstance } from './stop-instance.ts';

export interface Start {
  spec: InstanceSpec;
  env: Record<string, string>;
  writer: Writer;
  /** Somebody listened on its port before it was started: systemd itself, for a socket unit, or who should not. */
  taken?: boolean;
}

/** How often an overlapping attempt, or systemd, may get in between. */
const mostLooks = 40;
const pauseMs = 200;

/**
 * Starts the release unless exactly it runs in the slot. May run twice, overlap, and die half way: systemd runs a unit once,
 * and nothing is changed unless the unit and the marker are as they were seen. Throws for good `SlotTaken`, `UnitMissing`,
 * `UnitMasked`, `UnitBroken`, `InstanceExited`, `NoSuchCommand`, `NoSuchFolder`, `SudoPassword`, `Fenced`, `BadVariable`.
 */
export async function startInstance(place: Place, start: Start): Promise<Evidence> {
  const { spec } = start;
  const file = variables(place, start);
  for (let turn = 0; turn < mostLooks; turn++) {
    if (turn > 0) await sleep(pauseMs);
    const found = await look(place);
    assertMine(place, start, found);
    if (found.unit.ActiveState === 'deactivating') continue;
    if (isUp(found)) {
      if (releaseOf(found, place) !== spec.release.version) throw slotTaken(place, spec, found);
      if (!isOurs(found)) return evidence(start, found, false);
      if (found.marker.port !== spec.port) throw slotTaken(place, spec, found);
      // Nobody saw how a reload ended: only another one makes sure.
      if (found.marker.next) return await reloadInstance(place, start);
      return await kept(place, start, found, false);
    }
    if (isBetweenStarts(found.unit)) {
      await stopInstance(place, 0);
      continue;
    }
    const wanted = formatMarker(markerOf(start, found));
    const words = [...seen(found), wanted, spec.release.folder, 'start'];
    const after = await act(place, switchScript, words, file);
    if (after) return await kept(place, { ...start, taken: found.listens.has(spec.port) }, after, true);
  }
  throw notYet(
    'SlotContested',
    `${spec.service} ${spec.release.version} was not started in ${place.slot}: ${place.unit} on ${place.host.name} keeps ` +
      'changing, or takes long to stop.',
  );
}

/** What the unit reads. From here on the values are in no text that this worker shows. */
export function variables({ mask, slot }: Place, { spec, env }: Start): string {
  for (const name of spec.secrets) if (env[name]) mask.add(env[name]);
  const own = { PORT: String(spec.port), HOLDPOINT_SLOT: slot, HOLDPOINT_RELEASE: spec.release.version };
  return `${environmentFile({ ...spec.env, ...env, ...own })}${wholeLine}\n`;
}

/** Throws where the unit cannot be used, and `Fenced` where a newer deploy was here. */
export function assertMine(place: Place, { spec, writer }: Start, found: Look): void {
  assertLoaded(place, found, spec.service, spec.command);
  if (spec.release.image) {
    throw refuse(
      'WrongArtifact',
      `${place.unit} runs a folder, not an image: say prepare.artifact as git or a folder.`,
    );
  }
  if (found.marker && found.marker.fence > writer.fence) {
    throw refuse('Fenced', `A newer deploy has started ${found.marker.release} in ${place.slot}: it is left.`);
  }
}

function markerOf({ spec, writer }: Start, { clock }: Look): Marker {
  const { version, folder } = spec.release;
  const { key, fence } = writer;
  return {
    release: version,
    folder,
    key,
    port: spec.port,
    fence,
    invocation: null,
    at: clock,
    next: null,
    emptied: false,
  };
}

/** It stands: its run is noted, and from now on it comes back after a reboot. */
async function kept(place: Place, start: Start, first: Look, started: boolean): Promise<Evidence> {
  for (let turn = 0, found = first; turn < mostLooks; turn++, found = await look(place)) {
    const up = await settled(place, start, found);
    if (!isOurs(up)) break;
    const enable = up.unit.UnitFileState === 'disabled';
    if (up.marker.invocation === up.unit.InvocationID && !enable) return evidence(start, up, started);
    const noted = formatMarker({ ...up.marker, invocation: up.unit.InvocationID });
    const after = await act(place, noteScript, [...seen(up), noted, enable ? 'enable' : '']);
    if (after) return evidence(start, after, started);
  }
  throw notYet('SlotEmptied', `${place.slot} was emptied while ${start.spec.release.version} started.`);
}

export function evidence({ spec }: Start, { unit }: Look, started: boolean): Evidence {
  return {
    release: spec.release.version,
    port: spec.port,
    pid: Number(unit.MainPID),
    started,
    enabled: unit.UnitFileState.startsWith('enabled'),
    ...(spec.command.length > 0 ? { command: "the unit's ExecStart, not rollout.start" } : {}),
  };
}
