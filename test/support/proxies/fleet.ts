import { placesOf } from '../../../workflows/runbook/places.ts';
import type { Slot, Target } from '../../../workflows/runbook/plan.ts';
import { type ProxySlots, startSlots } from '../proxy-slots.ts';

/** Machines that are loopback addresses, with a real HTTP server for each slot, which answers with the slot's name. */
export interface Fleet {
  hosts: Target['hosts'];
  /** The port of each side, the same on every machine. */
  ports: Record<string, number>;
  slots: Slot[];
  stop(): Promise<void>;
}

/** `web1`, `web2`, … at 127.0.0.2, 127.0.0.3, …, each with these sides: `['web']`, or `['blue', 'green']`. */
export async function startFleet(size: number, sides: string[]): Promise<Fleet> {
  const numbers = Array.from({ length: size }, (_, index) => index);
  const hosts = Object.fromEntries(numbers.map((n) => [`web${n + 1}`, { address: `127.0.0.${n + 2}` }]));
  const nowhere = placesOf({ hosts, ports: Object.fromEntries(sides.map((side) => [side, 0])) });
  const running: ProxySlots[] = [];
  let ports: Record<string, number> = {};
  for (const [host, { address }] of Object.entries(hosts)) {
    const places = nowhere.filter((place) => place.host === host);
    // The first machine's ports are taken as they come, and all others have to have the same.
    const given = Object.fromEntries(places.flatMap(({ slot, side }) => (ports[side] ? [[slot, ports[side]]] : [])));
    const names = places.map(({ slot }) => slot);
    const started = await startSlots(names, address, given);
    running.push(started);
    ports = Object.fromEntries(places.map(({ slot, side }) => [side, started.ports[slot]!]));
  }
  return {
    hosts,
    ports,
    slots: nowhere.map(({ slot }) => slot),
    stop: async () => {
      await Promise.all(running.map((slots) => slots.stop()));
    },
  };
}
