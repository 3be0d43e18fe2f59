import type { HostPort } from '../../workflows/ports.ts';
import type { Product } from '../../workflows/runbook/plan.ts';
import { fromRegistry, type ProductKind } from '../product-kind.ts';
import type { Secrets } from '../secrets/index.ts';
import { ssh } from '../ssh/host.ts';
import type { HostContext } from './context.ts';
import { local } from './local.ts';

/** By the name that an environment's `host` says. Another way to reach a machine is one file, and a line here. */
export const hosts: Record<string, ProductKind<HostPort, HostContext>> = { local, ssh };

/**
 * The machine a target names, or `machine` of a target that has many. Connects to nothing yet. Throws `UnknownProduct`,
 * `WrongHost`.
 */
export function hostOf(
  product: Product,
  machine: HostContext['machine'] = null,
  secrets: Secrets | null = null,
): HostPort {
  return fromRegistry(hosts, product, { machine, secrets });
}
