/** Containers for one look or one command: made, used, removed. */
import type { Container } from 'dockerode';
import type { Created } from './container-spec.ts';
import type { Engine } from './engine.ts';
import { label, type Owner, ownerLabels } from './labels.ts';
import { joinAll } from './networks.ts';
import { removeForGood } from './remove.ts';

/** What a worker that died has left behind is removed by the next one, after this. */
const leftoverMs = 60 * 60_000;

export const onceLabels = (owner: Owner) => ({ ...ownerLabels(owner), [label.once]: 'yes' });

/** `use` gets it created, not started. */
export async function withContainer<T>(
  engine: Engine,
  owner: Owner,
  { create, alsoJoin }: Created,
  use: (container: Container) => Promise<T>,
): Promise<T> {
  await sweep(engine, owner);
  const container = await engine.ask(`create a container of ${create.Image}`, (docker) =>
    docker.createContainer(create),
  );
  try {
    await joinAll(engine, container.id, alsoJoin);
    return await use(container);
  } finally {
    await removeForGood(engine, container.id);
  }
}

async function sweep(engine: Engine, owner: Owner): Promise<void> {
  const labels = Object.entries(onceLabels(owner)).map(([name, value]) => `${name}=${value}`);
  const filters = { label: labels, status: ['created', 'exited', 'dead'] };
  const found = await engine.ask('list containers', (docker) => docker.listContainers({ all: true, filters }));
  const old = found.filter(({ Created }) => Date.now() - Created * 1000 > leftoverMs);
  for (const { Id } of old) await removeForGood(engine, Id);
}
