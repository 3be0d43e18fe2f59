import type { HostPort, InstancesPort, TrafficPort } from '../workflows/ports.ts';
import type { Slot, Target } from '../workflows/runbook/plan.ts';
import { refuse } from './failures.ts';
import { hostOf } from './hosts/index.ts';
import { instancesOf } from './instances/index.ts';
import { type MetricsPort, metricsKinds } from './metrics/index.ts';
import { fromRegistry } from './product-kind.ts';
import { createSecrets, type Secrets } from './secrets/index.ts';
import type { Mask } from './secrets/mask.ts';
import { trafficKinds } from './traffic/index.ts';

/** A target with the ports that its products implement. */
export interface Site {
  host: HostPort;
  instances: InstancesPort;
  traffic: TrafficPort | null;
  /** Where queries of a verdict are asked. */
  metrics: MetricsPort | null;
  secrets: Secrets;
}

/** Opens nothing yet: connections are made when a port is used. */
export function openSite(target: Target, mask: Mask): Site {
  const host = hostOf(target.host);
  const secrets = createSecrets(target.secrets, mask);
  return {
    host,
    instances: instancesOf({ target, host, mask }),
    traffic: target.traffic && fromRegistry(trafficKinds, target.traffic, { target, host }),
    metrics: target.metrics && fromRegistry(metricsKinds, target.metrics, { secrets }),
    secrets,
  };
}

/** The proxy. Throws where the target has none: a plan never asks for it then. */
export function proxyOf({ traffic }: Site): TrafficPort {
  if (!traffic) throw refuse('NoProxy', 'this target has no proxy: nothing can be shifted, drained or measured');
  return traffic;
}

/** Where requests go: straight to a slot, or through the front door. */
export function addressOf(site: Site, at: Slot | 'front'): string {
  if (at !== 'front') return site.instances.address(at);
  return proxyOf(site).front();
}
