/** Instances that are units of systemd, one a slot. systemd keeps them running, and starts them after a reboot. */
import type { InstancesPort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import type { InstancesContext } from '../instances/context.ts';
import type { ProductKind } from '../product-kind.ts';
import { healthOf } from './health.ts';
import { linesOf, tailOf } from './journal.ts';
import { stateOf } from './look.ts';
import { listsRight, look } from './machine.ts';
import { noRightNotice, noticesFor, type Seen } from './notices.ts';
import { type SystemdOptions, systemdOptions } from './options.ts';
import { isTemplate, placeOf } from './place.ts';
import { reloadInstance } from './reload-instance.ts';
import { assertLoaded } from './start-failures.ts';
import { startInstance } from './start-instance.ts';
import { stopInstance } from './stop-instance.ts';

/** Throws `OneUnit`. */
export const systemdInstances: ProductKind<InstancesPort, InstancesContext> = {
  options: systemdOptions,
  create(context, given) {
    const options = systemdOptions.parse(given);
    const { name, ports } = context.target;
    const slots = Object.keys(ports);
    if (isTemplate(options) || slots.length === 1) return createSystemdInstances(context, options);
    throw refuse(
      'OneUnit',
      `Target ${name} has ${slots.length} ports (${slots.join(', ')}), and ${options.unit} is one unit: give it one port, or a ` +
        `template, \`unit: ${options.unit.replace(/\.service$/, '')}@\`, of which each slot has its own.`,
    );
  },
};

function createSystemdInstances(
  { target, host, address, mask }: InstancesContext,
  options: SystemdOptions,
): InstancesPort {
  const { folder, ports, service } = target;
  const at = (slot: string) => placeOf({ host, mask, folder, ports, options }, slot);
  return {
    observe: async (slot) => stateOf(await look(at(slot)), at(slot)),
    ensureRunning: (slot, spec, env, writer) => startInstance(at(slot), { spec, env, writer }),
    ensureStopped: (slot, graceMs) => stopInstance(at(slot), graceMs),
    ensureReloaded: (slot, spec, env, writer) => reloadInstance(at(slot), { spec, env, writer }),
    tail: async (slot) => tailOf(at(slot), await look(at(slot))),
    address: (slot) => `http://${address}:${ports[slot]}`,
    health: (slot) => healthOf(at(slot)),
    logs: async (slot, from, to) => linesOf(at(slot), await look(at(slot)), from, to),
    get jobs() {
      return host.jobs(folder);
    },
    inside: () => host,
    /** Throws `UnitMissing`, `UnitMasked`, `UnitBroken`: a deploy is not even planned where its unit cannot be used. */
    async notices() {
      const looks = Object.keys(ports).map(async (slot): Promise<Seen> => [slot, at(slot), await look(at(slot))]);
      const slots = await Promise.all(looks);
      for (const [, place, found] of slots) assertLoaded(place, found, service);
      const mayNot = await Promise.all(slots.map(async ([, place]) => !(await listsRight(place))));
      const without = slots.filter((_, index) => mayNot[index]);
      return [...noticesFor(slots, isTemplate(options)), ...noRightNotice(without)];
    },
  };
}
