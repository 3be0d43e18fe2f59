import { findPart, type PartName } from '../parts/index.ts';
import { done, tell } from './say.ts';

const needed = ['temporal', 'postgres', 'caddy', 'dbmate'] as const satisfies readonly PartName[];
export type Parts = Record<(typeof needed)[number], string>;

/** Paths of the real programs; what is missing is fetched, once. Throws `PartNotFound` with how to install it. */
export async function findParts(): Promise<Parts> {
  const found = await Promise.all(needed.map(async (name) => ({ name, ...(await findPart(name, tell)) })));
  done(found.map(({ name, version }) => `${name} ${version}`).join(', '));
  return Object.fromEntries(found.map(({ name, path }) => [name, path])) as Parts;
}
