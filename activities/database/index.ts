import type { DatabasePort } from '../../workflows/ports.ts';
import { refuse } from '../failures.ts';
import { createPostgres, type PostgresDeps } from './postgres.ts';

export { findPostgresBin } from './postgres-bin.ts';

const products: Record<string, (deps: PostgresDeps) => DatabasePort> = { postgres: createPostgres };

/**
 * The database product of this name.
 * @throws `UnknownProduct` with the names there are
 */
export function createDatabase(product: string, deps: PostgresDeps): DatabasePort {
  const create = Object.hasOwn(products, product) ? products[product] : undefined;
  if (create) return create(deps);
  throw refuse('UnknownProduct', `Backing up ${product} is not known; there is ${Object.keys(products).join(', ')}.`);
}
