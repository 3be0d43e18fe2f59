import type { HostName, Slot, Target, Weights } from './plan.ts';

/** Where the instance of a slot is. */
export interface Place {
  slot: Slot;
  /** Machine of a fleet; null: the target is one machine. */
  host: HostName | null;
  /** The name of its port: `blue`, `green`; on one machine it is the slot itself. */
  side: string;
  port: number;
  /** Address of the machine, as proxies reach it; null: the proxy knows how to reach the target. */
  address: string | null;
}

/**
 * Every place of a target, in the order in which they are renewed. On one machine a slot is a name of `ports`. A fleet has
 * one on each machine: called like it (`web1`) where there is one port, `web1-blue` and `web1-green` where there are two.
 */
export function placesOf({ hosts, ports }: Pick<Target, 'hosts' | 'ports'>): Place[] {
  const sides = Object.entries(ports);
  const machines = Object.entries(hosts);
  if (machines.length === 0) {
    return sides.map(([slot, port]) => ({ slot, host: null, side: slot, port, address: null }));
  }
  return machines.flatMap(([host, { address }]) =>
    sides.map(([side, port]) => ({
      slot: sides.length === 1 ? host : `${host}-${side}`,
      host,
      side,
      port,
      address,
    })),
  );
}

export const slotsOf = (target: Target): Slot[] => placesOf(target).map(({ slot }) => slot);

/** Throws TypeError for a slot that the target does not have. */
export function placeOf(target: Target, slot: Slot): Place {
  const place = placesBySlot(target).get(slot);
  if (place) return place;
  throw new TypeError(`${target.name} has no slot ${slot}`);
}

/** Each slot of a thousand machines is asked for by itself. */
const bySlot = new WeakMap<Target, Map<Slot, Place>>();

function placesBySlot(target: Target): Map<Slot, Place> {
  const known = bySlot.get(target);
  if (known) return known;
  const places = new Map(placesOf(target).map((place) => [place.slot, place]));
  bySlot.set(target, places);
  return places;
}

/** The side on which most of these slots are, the earliest where several have as many; undefined where there is none. */
export function mostSide(target: Target, slots: Slot[]): string | undefined {
  const counts = new Map<string, number>();
  for (const slot of slots) {
    const { side } = placeOf(target, slot);
    counts.set(side, (counts.get(side) ?? 0) + 1);
  }
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}

/** The machines of these slots, once each, in the fleet's order; empty where the target is one machine. */
export function hostsOf(target: Target, slots: Slot[]): HostName[] {
  const wanted = new Set(slots);
  const hosts = placesOf(target).flatMap(({ slot, host }) => (host !== null && wanted.has(slot) ? [host] : []));
  return [...new Set(hosts)];
}

export const isFleet = ({ hosts }: Target): boolean => Object.keys(hosts).length > 0;

/** The target with these machines of its fleet only: what goes to an activity grows with what it concerns. */
export function onlyHosts(target: Target, hosts: HostName[]): Target {
  if (!isFleet(target)) return target;
  const wanted = new Set(hosts);
  const kept = Object.entries(target.hosts).filter(([name]) => wanted.has(name));
  return { ...target, hosts: Object.fromEntries(kept) };
}

/** Shares of what is left without these slots: they grow alike, and sum to 1. Null where nobody is left. */
export function weightsWithout(weights: Weights, gone: ReadonlySet<Slot>): Weights | null {
  const kept = Object.entries(weights).filter(([slot]) => !gone.has(slot));
  const sum = kept.reduce((total, [, share]) => total + share, 0);
  if (sum === 0) return null;
  return Object.fromEntries(kept.map(([slot, share]) => [slot, share / sum]));
}
