import {
  type HaproxyInput,
  haproxyBackend,
  haproxyFingerprint,
  haproxyGlobal,
  haproxyName,
  haproxySections,
} from '../../workflows/runbook/haproxy-cfg.ts';
import type { Slot } from '../../workflows/runbook/plan.ts';
import type { Runtime } from './haproxy-runtime.ts';

/**
 * What the running HAProxy lacks, in sentences; the last one has what to paste. Empty when it is ready. Looks at what
 * the runtime API shows: the ring's description is the fingerprint of all sections, and servers can be changed at run
 * time. Throws `ProxyUnreachable`.
 */
export async function haproxyLacks(runtime: Runtime, input: HaproxyInput): Promise<string[]> {
  const level = (await runtime('show cli level')).trim();
  if (level !== 'admin') return [tooLittle(input.socket, level)];
  const slots = Object.keys(input.upstreams);
  const perSlot = await Promise.all(slots.map((slot) => slotLacks(runtime, input, slot)));
  const lacks = [...(await sectionLacks(runtime, input)), ...perSlot.flat()];
  return lacks.length > 0 ? [...lacks, haproxyRemedy(input)] : [];
}

/** What to do about it, with the text to paste after a blank line. */
export function haproxyRemedy(input: HaproxyInput): string {
  return (
    `Put this into haproxy.cfg, in place of what served there, make the file ${input.map} if there is none, and ` +
    `reload HAProxy once:\n\n${haproxySections(input)}`
  );
}

function tooLittle(socket: string, level: string): string {
  return (
    `HAProxy's runtime API at ${socket} has the level ${level}, which may change nothing. ` +
    `Put this into haproxy.cfg, and reload HAProxy once:\n\n${haproxyGlobal(socket)}`
  );
}

async function sectionLacks(runtime: Runtime, input: HaproxyInput): Promise<string[]> {
  const name = haproxyName(input.map);
  const fingerprint = haproxyFingerprint(input);
  const rings = (await runtime('show events')).split('\n').map((line) => line.trim());
  const ring = rings.find((line) => line.startsWith(`${name} `));
  if (!ring) return [`HAProxy has no ring ${name}, so none of the sections that Holdpoint needs.`];
  if (ring.endsWith(fingerprint)) return [];
  return [
    `HAProxy has other sections for ${name} than this environment says (front, map, sticky, reach, ports, machines).`,
  ];
}

/** A sentence where the slot's backend does not lead to the slot, and only there; empty where it does. */
export async function slotLacks(runtime: Runtime, { map, upstreams }: HaproxyInput, slot: Slot): Promise<string[]> {
  const backend = haproxyBackend(map, slot);
  const servers = (await runtime(`show servers state ${backend}`)).split('\n').map((line) => line.split(' '));
  // Of its columns (management.txt, 9.3) the second is the backend, the fifth the address, the nineteenth the port.
  const found = servers.filter(([, name]) => name === backend).map((fields) => `${fields[4]}:${fields[18]}`);
  const wanted = upstreams[slot];
  if (found.length === 1 && found[0] === wanted) return [];
  return [`HAProxy's backend ${backend} has to lead to ${wanted} alone${found.length ? `, not ${found}` : ''}.`];
}
