import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../parts/ports.ts';
import type { TrafficPort } from '../../../workflows/ports.ts';
import { traefikStatic } from '../../../workflows/runbook/traefik-dynamic.ts';
import { startTraefik } from '../traefik.ts';
import { type ProxyProduct, shownText, trafficPort, upstreamsIn } from './proxy.ts';

export const traefik: ProxyProduct = {
  kind: 'traefik',
  sticky: [{ ownCookie: 'release' }, 'address'],
  resetsKept: false,
  async start(input) {
    const { folder, configured } = input;
    const [front, api] = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${port}`);
    const options = {
      front: front!,
      api: api!,
      file: join(folder, 'dynamic', 'shop.yml'),
      log: join(folder, 'access.log'),
      ...(input.sticky === undefined ? {} : { sticky: input.sticky }),
    };
    mkdirSync(dirname(options.file));
    const traffic = trafficPort('traefik', options, input);
    const defaults = { rule: 'PathPrefix(`/`)', entryPoints: ['web'], sticky: undefined };
    const ready = traefikStatic({ ...options, ...defaults, upstreams: upstreamsIn(input) });
    const foreign = `entryPoints:\n  other:\n    address: ${front!.slice('http://'.length)}\n`;
    let running = await startTraefik({ configuration: configured ? ready : foreign, folder });
    if (configured) await answers(traffic);
    return {
      traffic,
      async paste(lacks) {
        await running.kill();
        running = await startTraefik({ configuration: shownText(lacks.at(-1)!), folder });
        await answers(traffic);
      },
      kill: () => running.kill(),
      async startAgain() {
        await running.startAgain();
        await answers(traffic);
      },
    };
  },
};

/** It listens before it has read its configuration. */
async function answers(traffic: TrafficPort): Promise<void> {
  while (
    !(await traffic.observe().then(
      () => true,
      () => false,
    ))
  )
    await sleep(20);
}
