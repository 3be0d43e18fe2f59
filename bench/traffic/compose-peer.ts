import { execFile, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { ask } from '../../activities/checks/ask.ts';
import { findPart } from '../../parts/index.ts';
import { ensureBaseImage } from '../../test/support/base-image.ts';
import { clientOf, openEngine } from '../../test/support/engine-server.ts';
import { until } from '../support/bounded.ts';
import type { Lab } from '../support/lab.ts';
import type { Row } from '../support/result.ts';
import { freeUrl } from './fronts.ts';
import { thereAndBack } from './measure.ts';
import { graceSeconds, releaseFolder, versions, writeReleases } from './releases.ts';

export const composeUp = '`docker compose up -d` on a new image';

const run = promisify(execFile);

/** The usual way to deploy a container: one service with a published port, made anew on another image. */
export async function composeUps(lab: Lab): Promise<Row[]> {
  const engine = await openEngine((line) => console.error(line));
  const docker = clientOf(engine.host);
  const { path: compose } = await findPart('compose', (line) => console.error(line));
  // Unique, as the folder's name is.
  const project = basename(lab.folder).toLowerCase();
  const url = await freeUrl();
  const file = lab.write('compose.json', JSON.stringify(projectOn(url, project)));
  const options = (version: string) => ({
    env: { ...process.env, DOCKER_HOST: engine.host, VERSION: version },
    timeout: 60_000,
  });
  const up = async (version: string) => {
    await run(compose, ['-p', project, '-f', file, 'up', '--detach'], options(version));
    await until(30_000, `version ${version} does not answer`, async () => (await versionAt(url)) === version);
    return null;
  };
  // Without the file, which is gone when the whole bench was interrupted.
  const down = () =>
    spawnSync(compose, ['-p', project, 'down', '--timeout', '1'], { ...options('1'), stdio: 'ignore' });
  process.once('exit', down);
  try {
    await buildImages(docker, join(lab.folder, 'compose'), project);
    await up('1');
    const labels = { peer: composeUp };
    return await thereAndBack({ name: composeUp, labels, url, go: () => up('2'), back: () => up('1') });
  } finally {
    process.off('exit', down);
    down();
    await removeImages(docker, project);
    await engine.stop();
  }
}

function projectOn(url: string, image: string): object {
  const ports = [`${new URL(url).host}:8080`];
  return { services: { shop: { image: `${image}:\${VERSION}`, ports, stop_grace_period: `${graceSeconds}s` } } };
}

/** `<repository>:1` and `<repository>:2`. */
async function buildImages(docker: Docker, folder: string, repository: string): Promise<void> {
  writeReleases(folder);
  for (const version of versions) {
    const context = releaseFolder(folder, version);
    writeFileSync(join(context, 'behaviour.json'), JSON.stringify({ version }));
    writeFileSync(join(context, 'Dockerfile'), `FROM ${await ensureBaseImage(docker)}\nCOPY . /app/\n`);
    const progress = await docker.buildImage({ context, src: ['.'] }, { t: `${repository}:${version}` });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function removeImages(docker: Docker, repository: string): Promise<void> {
  for (const { Id } of await docker.listImages({ filters: { reference: [repository] } }))
    await docker.getImage(Id).remove({ force: true });
}

const versionAt = (url: string): Promise<string | null> =>
  ask(url, { timeoutMs: 1_000 }).then(
    ({ body }) => JSON.parse(body).version,
    () => null,
  );
