import type { InstancesPort } from '../../workflows/ports.ts';
import { composeInstances } from '../compose/instances.ts';
import { dockerInstances } from '../docker/instances.ts';
import { fromRegistry, type ProductKind } from '../product-kind.ts';
import { systemdInstances } from '../systemd/instances.ts';
import type { InstancesContext } from './context.ts';
import { linkInstances } from './link.ts';
import { processInstances } from './process.ts';

/** By the name that an environment's `instances` says. Another way to run a service is one file, and a line here. */
export const instanceKinds: Record<string, ProductKind<InstancesPort, InstancesContext>> = {
  compose: composeInstances,
  docker: dockerInstances,
  link: linkInstances,
  process: processInstances,
  systemd: systemdInstances,
};

/** What runs the service at this target. Throws `UnknownProduct`, `WrongHost`. */
export function instancesOf(context: InstancesContext): InstancesPort {
  return fromRegistry(instanceKinds, context.target.instances, context);
}
