import type { HostPort, InstancesPort, TrafficPort } from '../workflows/ports.ts';
import { placeOf } from '../workflows/runbook/places.ts';
import type { HostName, Machines, Slot, Target } from '../workflows/runbook/plan.ts';
import { refuse } from './failures.ts';
import { hostOf } from './hosts/index.ts';
import { instancesOf } from './instances/index.ts';
import { type MetricsPort, metricsKinds } from './metrics/index.ts';
import { fromRegistry } from './product-kind.ts';
import { createSecrets, type Secrets } from './secrets/index.ts';
import type { Mask } from './secrets/mask.ts';
import { trafficKinds } from './traffic/index.ts';
import { together } from './traffic/together.ts';

/** One machine of a target, as if it were all of it: its slots are called by their side. */
export interface Machine {
  /** In its fleet; null: the target is this one machine. */
  name: HostName | null;
  target: Target;
  host: HostPort;
  instances: InstancesPort;
}

/** A target with the ports that its products implement. */
export interface Site {
  target: Target;
  machines: Machine[];
  /** On which things are done once. */
  home: Machine;
  traffic: TrafficPort | null;
  /** From which the front door is reached. */
  front: HostPort;
  /** Where queries of a verdict are asked. */
  metrics: MetricsPort | null;
  secrets: Secrets;
}

/** Opens nothing yet: connections are made when a port is used. */
export function openSite(target: Target, mask: Mask): Site {
  const secrets = createSecrets(target.secrets, mask);
  const machines = machinesOf(target, mask, secrets);
  const home = machines.find(({ name }) => name === target.home) ?? machines[0]!;
  const fronts = target.balancers ? balancersOf(target.balancers, secrets) : [{ name: target.name, host: home.host }];
  const proxies = fronts.map(({ name, host }) => ({
    name,
    traffic: target.traffic && fromRegistry(trafficKinds, target.traffic, { target, host }),
  }));
  return {
    target,
    machines,
    home,
    traffic: target.traffic && together(proxies.map(({ name, traffic }) => ({ name, traffic: traffic! }))),
    front: fronts[0]!.host,
    metrics: target.metrics && fromRegistry(metricsKinds, target.metrics, { secrets }),
    secrets,
  };
}

function machinesOf(target: Target, mask: Mask, secrets: Secrets): Machine[] {
  const machines = Object.entries(target.hosts);
  if (machines.length === 0) {
    const host = hostOf(target.host, null, secrets);
    return [{ name: null, target, host, instances: instancesOf({ target, host, address: '127.0.0.1', mask }) }];
  }
  const alone = { ...target, hosts: {}, home: null };
  return machines.map(([name, { address, connect = address }]) => {
    const host = hostOf(target.host, { name, connect }, secrets);
    return { name, target: alone, host, instances: instancesOf({ target: alone, host, address, mask }) };
  });
}

function balancersOf({ host, machines }: Machines, secrets: Secrets): { name: string; host: HostPort }[] {
  const named = Object.entries(machines);
  if (named.length === 0) return [{ name: host.kind, host: hostOf(host, null, secrets) }];
  return named.map(([name, { address, connect = address }]) => ({
    name,
    host: hostOf(host, { name, connect }, secrets),
  }));
}

/** A slot on its machine, where it is called `side`. */
export interface Placed extends Machine {
  slot: Slot;
  side: Slot;
}

export function placedAt({ target, machines }: Site, slot: Slot): Placed {
  const { host, side } = placeOf(target, slot);
  return { ...machines.find(({ name }) => name === host)!, slot, side };
}

/** The proxy. Throws where the target has none: a plan never asks for it then. */
export function proxyOf({ traffic }: Site): TrafficPort {
  if (!traffic) throw refuse('NoProxy', 'this target has no proxy: nothing can be shifted, drained or measured');
  return traffic;
}
