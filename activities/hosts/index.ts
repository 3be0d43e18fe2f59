import type { HostPort } from '../../workflows/ports.ts';
import type { Product } from '../../workflows/runbook/plan.ts';
import { fromRegistry, type ProductKind } from '../product-kind.ts';
import { local } from './local.ts';

/** By the name that an environment's `host` says. Another way to reach a machine is one file, and a line here. */
export const hosts: Record<string, ProductKind<HostPort, undefined>> = { local };

/** The machine a target names. Throws `UnknownProduct`. */
export function hostOf(product: Product): HostPort {
  return fromRegistry(hosts, product, undefined);
}
