/** What a look at a unit and its files says. Pure. */
import { posix } from 'node:path';
import type { InstanceState } from '../../workflows/ports.ts';
import { type Marker, parseMarker, type Version } from './marker.ts';
import type { Place } from './place.ts';

/** Of `systemctl show`, all in one call. */
export const properties = [
  ...['LoadState', 'ActiveState', 'SubState', 'Job', 'InvocationID', 'MainPID', 'NRestarts', 'UnitFileState'],
  ...['Result', 'ExecMainCode', 'ExecMainStatus', 'ReloadResult', 'NeedDaemonReload', 'CanReload', 'Type', 'Restart'],
  ...['WorkingDirectory', 'EnvironmentFiles', 'FragmentPath', 'ExecStart', 'User', 'TimeoutStopUSec'],
  ...['ActiveEnterTimestampMonotonic', 'ActiveExitTimestampMonotonic', 'ExecMainStartTimestampMonotonic'],
] as const;
export type Property = (typeof properties)[number];

export interface Look {
  unit: Record<Property, string>;
  /** Where the link leads; null: there is none. */
  link: string | null;
  /** The folder in which the unit works, links followed; empty: it names none. */
  works: string;
  marker: Marker | null;
  /** As it was read, to see whether it has changed. */
  markerText: string;
  /** µs since the epoch, by the machine's own clock. */
  clock: number;
  /** µs since it booted. */
  uptime: number;
  /** Ports of the machine on which somebody listens. */
  listens: Set<number>;
  /** Who systemctl is called by, and its path: for what a person pastes. */
  user: string;
  systemctl: string;
}

/** Lines `name=value` of the script. */
export function readLook(text: string): Look {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    const name = line.slice(0, at);
    const before = found.get(name);
    // A property that is a list has a line for each.
    if (at > 0) found.set(name, before ? `${before}\n${line.slice(at + 1)}` : line.slice(at + 1));
  }
  const value = (name: string) => found.get(name) ?? '';
  const unit = Object.fromEntries(properties.map((name) => [name, value(name)])) as Look['unit'];
  return {
    unit,
    link: value('link') || null,
    works: value('works'),
    marker: parseMarker(value('marker')),
    markerText: value('marker'),
    clock: Math.round(Number(value('clock')) / 1_000),
    uptime: Number(value('ticks')) * 10_000,
    listens: new Set(
      value('listens')
        .split(' ')
        .filter(Boolean)
        .map((hex) => Number.parseInt(hex, 16)),
    ),
    user: value('user'),
    systemctl: value('systemctl'),
  };
}

/** It has a process, or gets one at once: what keeps ending and is started again later has none. */
export function isUp({ unit }: Look): boolean {
  return ['active', 'activating', 'reloading', 'deactivating'].includes(unit.ActiveState) && !isBetweenStarts(unit);
}

/** It has ended, and systemd starts it again after RestartSec. */
export function isBetweenStarts(unit: Look['unit']): boolean {
  return unit.SubState === 'auto-restart';
}

/** Whether Holdpoint's last word counts: it started this, or systemd did, again, from where the link has led since. */
export function isOurs(look: Look): look is Look & { marker: Marker } {
  const { marker, unit, link } = look;
  if (!marker || marker.emptied) return false;
  return marker.invocation === unit.InvocationID || link === marker.folder || link === marker.next?.folder;
}

/**
 * The release that runs, or was to run. A run that the marker knows has the release it was started with, wherever the link
 * leads by now; one that systemd or a person started has what the link named then.
 */
export function releaseOf(look: Look, { unit }: Pick<Place, 'unit'>): string {
  const { marker, link, works } = look;
  if (marker && !marker.emptied && (!isUp(look) || marker.invocation === look.unit.InvocationID)) return marker.release;
  if (marker?.next && link === marker.next.folder) return marker.next.release;
  if (marker && link === marker.folder) return marker.release;
  if (link) return posix.basename(link);
  const named = look.unit.WorkingDirectory;
  // A link of somebody else's leads to a release; a fixed folder does not say which one is in it.
  if (works && named && works !== named) return posix.basename(works);
  return `unknown-${posix.basename(works) || unit.replace(/\.service$/, '')}`;
}

/** The same with its folder, for a marker that says what runs now. */
export function runningVersion(look: Look, place: Pick<Place, 'unit'>): Version {
  const { marker, link } = look;
  const release = releaseOf(look, place);
  const known = [marker, marker?.next].find((one) => one?.release === release);
  return known ? pick(known) : { release, folder: link ?? look.works, key: '' };
}

const pick = ({ release, folder, key }: Version): Version => ({ release, folder, key });

/** null where nothing was started, or all is stopped. */
export function stateOf(look: Look, place: Pick<Place, 'unit' | 'port'>): InstanceState | null {
  const running = isUp(look);
  if (!running && (!look.marker || look.marker.emptied)) return null;
  const state = { release: releaseOf(look, place), port: place.port, running };
  return running && !isOurs(look) ? { ...state, foreign: true } : state;
}

/** How long this run has been going, ms. */
export function ageMs({ unit, uptime }: Look): number {
  const since = Number(unit.ExecMainStartTimestampMonotonic) || Number(unit.ActiveEnterTimestampMonotonic);
  return Math.max(0, (uptime - since) / 1_000);
}
