import type { HostPort, InstancesPort } from '../../workflows/ports.ts';
import type { Target } from '../../workflows/runbook/plan.ts';
import { fromRegistry, type ProductKind } from '../product-kind.ts';
import type { InstancesContext } from './context.ts';
import { processInstances } from './process.ts';

/** By the name that an environment's `instances` says. Another way to run a service is one file, and a line here. */
export const instanceKinds: Record<string, ProductKind<InstancesPort, InstancesContext>> = {
  process: processInstances,
};

/** What runs the service at this target. Throws `UnknownProduct`, `WrongHost`. */
export function instancesOf(target: Target, host: HostPort): InstancesPort {
  return fromRegistry(instanceKinds, target.instances, { target, host });
}
