import type { Place } from './places.ts';
import type { Slot } from './plan.ts';

/** Where a proxy dials each slot, `address:port`, in the target's order. */
export type Upstreams = Record<Slot, string>;

/** Machines of a fleet at their own addresses; a target that is one machine at `reach`, as the proxy reaches it. */
export function upstreamsOf(places: Pick<Place, 'slot' | 'address' | 'port'>[], reach: string): Upstreams {
  return Object.fromEntries(places.map(({ slot, address, port }) => [slot, `${address ?? reach}:${port}`]));
}

/** Of a target that is one machine. */
export function upstreamsAt(reach: string, ports: Record<Slot, number>): Upstreams {
  return Object.fromEntries(Object.entries(ports).map(([slot, port]) => [slot, `${reach}:${port}`]));
}
