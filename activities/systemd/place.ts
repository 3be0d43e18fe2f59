/** Which unit a slot has, and where its files are. Pure. */
import { posix } from 'node:path';
import type { HostPort } from '../../workflows/ports.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Mask } from '../secrets/mask.ts';
import type { SystemdOptions } from './options.ts';

/** All of a target's slots. */
export interface Units {
  host: HostPort;
  mask: Mask;
  /** The target's, absolute. */
  folder: string;
  ports: Record<Slot, number>;
  options: SystemdOptions;
}

/** One slot's. */
export interface Place {
  host: HostPort;
  mask: Mask;
  slot: Slot;
  port: number;
  /** `shop@blue.service` */
  unit: string;
  /** Link to the release's folder; beside it `.env` is what the unit reads, `.json` the marker. */
  base: string;
  sudo: boolean;
  /** Every unit of the target. */
  units: string[];
}

export function placeOf({ host, mask, folder, ports, options }: Units, slot: Slot): Place {
  const template = isTemplate(options);
  const base = template ? posix.join(folder, 'slots', slot) : posix.join(folder, 'current');
  const units = Object.keys(ports).map((one) => unitOf(options, one));
  return {
    host,
    mask,
    slot,
    port: ports[slot]!,
    unit: unitOf(options, slot),
    base,
    sudo: options.sudo,
    units: [...new Set(units)],
  };
}

/** A template has a unit for each slot; without it there is one unit, whatever the slot is called. */
export function isTemplate({ unit }: SystemdOptions): boolean {
  return nameOf(unit).endsWith('@');
}

function unitOf({ unit }: SystemdOptions, slot: Slot): string {
  const name = nameOf(unit);
  return name.endsWith('@') ? `${name}${slot}.service` : `${name}.service`;
}

function nameOf(unit: string): string {
  return unit.endsWith('.service') ? unit.slice(0, -'.service'.length) : unit;
}
