import { isPortFree } from '../parts/ports.ts';

/**
 * So many ports of 127.0.0.1 that nobody listens on now. Below those that the operating system hands out by itself:
 * one that is used only later must not be taken meanwhile by an outgoing connection of the load.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isPortFree(port)) found.add(port);
  }
  return [...found];
}
