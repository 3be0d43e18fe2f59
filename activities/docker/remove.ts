import type { Engine } from './engine.ts';

/** Removes a container with the volumes that only it has, running or not. May run twice. */
export async function removeForGood(engine: Engine, id: string): Promise<void> {
  const options = { v: true, force: true };
  // 409: it is being removed already.
  await engine.ask('remove a container', (docker) => docker.getContainer(id).remove(options), { 404: null, 409: null });
}
