import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { dockerInstances } from '../../activities/docker/instances.ts';
import { createLocalHost } from '../../activities/hosts/local.ts';
import { createMask } from '../../activities/secrets/mask.ts';
import { freePort } from '../../parts/ports.ts';
import type { Writer } from '../../workflows/ports.ts';
import type { InstanceSpec } from '../../workflows/runbook/actions.ts';
import type { Json } from '../../workflows/runbook/json.ts';
import type { Release, Target } from '../../workflows/runbook/plan.ts';
import { engine } from './docker-engine.ts';
import { imageOf, type ReleaseImage, removeImages } from './images.ts';

/** A target whose instances are containers; everything on the engine with its service's name goes with the test. */
export async function aDockerTarget(given: Record<string, Json> = {}) {
  const service = `shop-${randomBytes(4).toString('hex')}`;
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-'));
  const folder = join(root, service);
  const ports = { blue: await freePort(), green: await freePort() };
  onTestFinished(async () => {
    await removeAll(service);
    rmSync(root, { recursive: true, force: true });
  });
  const target = { name: 'web', service, folder, ports, host: { kind: 'local', options: {} } } as unknown as Target;
  const mask = createMask();
  const options = { engine: inject('dockerHost'), ...given };
  const instances = dockerInstances.create({ target, host: createLocalHost(), mask } as never, options);

  const release = async (version: string, more: Partial<ReleaseImage> = {}): Promise<Release> => {
    const reference = await imageOf({ repository: service, version, ...more });
    const { Id } = await engine().getImage(reference).inspect();
    return { version, folder, image: Id };
  };
  const spec = (of: Release, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    service,
    release: of,
    port: ports.blue,
    command: [],
    env: {},
    secrets: [],
    ...more,
  });
  return { service, folder, ports, target, instances, mask, release, spec };
}

export const writer = (fence = 1, key = `key-${fence}`): Writer => ({ fence, key, deploy: `deploy-${fence}` });

/** Of the container of that name, as the engine has it; null where there is none. */
export async function inspected(name: string) {
  return await engine()
    .getContainer(name)
    .inspect()
    .catch(() => null);
}

/** Names of all containers that begin with the service's, sorted. */
export async function containersOf(service: string): Promise<string[]> {
  const all = await engine().listContainers({ all: true, filters: { name: [service] } });
  return all.flatMap(({ Names }) => Names.map((name) => name.slice(1))).sort();
}

/** A network that goes with the test; its name begins with the service's. */
export async function aNetwork(service: string, end: string): Promise<string> {
  const name = `${service}-${end}`;
  await engine().createNetwork({ Name: name });
  return name;
}

async function removeAll(service: string): Promise<void> {
  for (const name of await containersOf(service)) {
    await engine()
      .getContainer(name)
      .remove({ force: true, v: true })
      .catch(() => {});
  }
  await removeImages(service);
  for (const { Id } of await engine().listNetworks({ filters: { name: [service] } })) {
    await engine().getNetwork(Id).remove();
  }
  const { Volumes } = await engine().listVolumes({ filters: { name: [service] } });
  for (const { Name } of Volumes ?? []) await engine().getVolume(Name).remove();
}

export async function textOf(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  return await answer.text();
}
