import type { Engine } from './engine.ts';

/** Joins the networks that it could not when it was made. May run twice, before it starts. */
export async function joinAll(engine: Engine, id: string, aliases: Record<string, string[]>): Promise<void> {
  for (const [name, Aliases] of Object.entries(aliases)) {
    const wish = { Container: id, EndpointConfig: { Aliases } };
    // 403: an earlier attempt has joined it.
    await engine.ask(`join network ${name}`, (docker) => docker.getNetwork(name).connect(wish), { 403: null });
  }
}
