import type { z } from 'zod';
import type { Json } from '../workflows/runbook/json.ts';
import type { Product } from '../workflows/runbook/plan.ts';
import { refuse } from './failures.ts';

/** One product behind a port: what its options are, and how it is made. Its file exports this; a registry names it. */
export interface ProductKind<Port, Context> {
  /** Checks the options in environments.yaml; strict, so that a wrong key is an error. */
  options: z.ZodType;
  create(context: Context, options: Record<string, Json>): Port;
}

/** The product's port, from a registry. Throws `UnknownProduct` with the names that there are. */
export function fromRegistry<Port, Context>(
  registry: Record<string, ProductKind<Port, Context>>,
  { kind, options }: Product,
  context: Context,
): Port {
  const product = registry[kind];
  if (!product)
    throw refuse('UnknownProduct', `nothing here is called "${kind}"; there is ${Object.keys(registry).join(', ')}`);
  return product.create(context, options);
}
