import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inject, onTestFinished } from 'vitest';
import { composeInstances } from '../../../activities/compose/instances.ts';
import { createLocalHost } from '../../../activities/hosts/local.ts';
import { createMask } from '../../../activities/secrets/mask.ts';
import { freePort } from '../../../parts/ports.ts';
import type { InstanceSpec } from '../../../workflows/runbook/actions.ts';
import type { Json } from '../../../workflows/runbook/json.ts';
import type { Release, Slot, Target } from '../../../workflows/runbook/plan.ts';
import { compose } from '../../support/compose-cli.ts';
import { engine } from '../../support/docker-engine.ts';
import { imageOf, type ReleaseImage, removeImages } from '../../support/images.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/compose');
export const dbPassword = 'pa$$word-of-the-db';

/** A project folder with one of the fixtures; everything of its name goes with the test. */
export async function aProject({ fixture = 'compose.yaml', slots = ['blue', 'green'] } = {}) {
  const name = `shop-${randomBytes(4).toString('hex')}`;
  const root = mkdtempSync(join(tmpdir(), 'holdpoint-compose-'));
  const folder = join(root, name);
  const state = join(root, 'state', 'shop');
  const file = join(folder, 'compose.yaml');
  mkdirSync(folder);
  copyFileSync(join(fixtures, fixture), file);
  const ports: Record<Slot, number> = {};
  for (const slot of slots) ports[slot] = await freePort();
  onTestFinished(async () => {
    await removeAll(name);
    rmSync(root, { recursive: true, force: true });
  });
  const first = ports[slots[0]!]!;
  const env = { IMAGE: name, TAG: '1', SERVER_PORT: String(first), METRICS_PORT: String(await freePort()) };
  const writeEnv = (more: Record<string, string> = {}) => {
    const all = { ...env, DB_PASSWORD: `'${dbPassword}'`, ...more };
    writeFileSync(
      join(folder, '.env'),
      Object.entries(all)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
  };
  writeEnv();
  const release = async (version: string, more: Partial<ReleaseImage> = {}): Promise<Release> => {
    const { Id } = await engine()
      .getImage(await imageOf({ repository: name, version, ...more }))
      .inspect();
    return { version, folder, image: Id };
  };
  const spec = (of: Release, slot: Slot = slots[0]!, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
    service: 'shop',
    release: of,
    port: ports[slot]!,
    command: [],
    env: {},
    secrets: [],
    ...more,
  });
  const target = { name: 'server', service: basename(state), folder: state, ports } as unknown as Target;
  const instances = (more: Record<string, Json> = {}) => {
    const own = more.projects ? {} : { project: name, folder, files: ['compose.yaml'] };
    const options = {
      engine: inject('dockerHost'),
      command: [inject('composeBin')],
      service: 'server',
      ...own,
      ...more,
    };
    return composeInstances.create({ target, host: createLocalHost(), mask: createMask() } as never, options);
  };
  const change = (from: string, to: string) => writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  return {
    name,
    folder,
    state,
    file,
    ports,
    release,
    spec,
    instances,
    writeEnv,
    change,
    up: (...words: string[]) => up(name, file, words),
  };
}

export type AProject = Awaited<ReturnType<typeof aProject>>;

/** The same with version 1 running, as people had it before Holdpoint came. */
export async function aRunningProject(given?: Parameters<typeof aProject>[0]) {
  const project = await aProject(given);
  const one = await project.release('1');
  await project.up('--wait');
  return { ...project, one };
}

async function up(name: string, file: string, words: string[]): Promise<void> {
  const { code, stderr } = await compose({ project: name, file }, 'up', '--detach', ...words);
  if (code !== 0) throw new Error(stderr);
}

export interface Seen {
  id: string;
  service: string;
  state: string;
  image: string;
}

/** All containers of projects whose names begin so, oldest first. */
export async function containersOf(name: string): Promise<Seen[]> {
  const all = await engine().listContainers({ all: true, filters: { label: ['com.docker.compose.project'] } });
  const own = all.filter(({ Labels }) => Labels['com.docker.compose.project']!.startsWith(name)).reverse();
  return own.map(({ Id, Labels, State, ImageID }) => ({
    id: Id,
    service: Labels['com.docker.compose.service']!,
    state: State,
    image: ImageID,
  }));
}

export const idsOf = (seen: Seen[], ...services: string[]) =>
  seen.filter(({ service }) => services.includes(service)).map(({ id }) => id);

export async function environmentOf(id: string): Promise<string[]> {
  return (await engine().getContainer(id).inspect()).Config.Env;
}

async function removeAll(name: string): Promise<void> {
  const gone = ({ id }: Seen) => engine().getContainer(id).remove({ force: true, v: true });
  await Promise.allSettled((await containersOf(name)).map(gone));
  await removeImages(name, `${name}-server`);
  for (const { Id } of await engine().listNetworks({ filters: { name: [name] } }))
    await engine().getNetwork(Id).remove();
  const { Volumes } = await engine().listVolumes({ filters: { name: [name] } });
  for (const { Name } of Volumes ?? []) await engine().getVolume(Name).remove();
}
